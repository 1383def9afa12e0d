"""Queueing mail, and letting go of what is old."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction

from core import clock
from core.accounts.models import User
from core.mail.models import Mail
from core.mail.sending import wake_sender

KEPT = timedelta(days=30)


def queue_mail(*, kind: str, address: str, user: User | None) -> None:
    """Put a mail into the ledger, in the caller's transaction; the worker is woken when that has committed.

    `kind` is what a function of somebody's `letters` writes. Without an address there is nothing to send.
    """
    if not address:
        return
    version = user.token_version if user else None
    Mail.objects.create(kind=kind, address=address, user=user, member_version=version)
    _wake_after_commit()


def queue_about(*, kind: str, topic: str, users: Iterable[User], delay: timedelta) -> dict[int, Mail]:
    """See to it that each of these members gets a mail about the topic; answers it by the member's id.

    News that joins a mail which nobody has tried to send yet makes one mail of both: it leaves after the shorter of
    the two delays, and says what holds then. One that failed and waits to be tried again is superseded by a new one.
    Members without an address get none. Call it inside the transaction of the news.
    """
    members = {user.pk: user for user in users if user.email}
    due_at = clock.now() + delay
    mails: dict[int, Mail] = {}
    while missing := [user for pk, user in members.items() if pk not in mails]:
        Mail.objects.bulk_create(
            [Mail(kind=kind, address=user.email, user=user, topic=topic, next_try_at=due_at) for user in missing],
            # Somebody else may be telling them of the same topic just now.
            ignore_conflicts=True,
        )
        # Locked: a sender passes over them until the news has joined. One that it takes first is not found here.
        open_mails = Mail.objects.select_for_update(of=("self",)).filter(
            user__in=[user.pk for user in missing], topic=topic, status=Mail.Status.QUEUED
        )
        mails |= {mail.user_id: mail for mail in open_mails.order_by("pk") if mail.user_id is not None}
    Mail.objects.filter(pk__in=[mail.pk for mail in mails.values()], next_try_at__gt=due_at).update(next_try_at=due_at)
    _supersede_failed(topic, mails)
    if not delay:
        _wake_after_commit()
    return mails


def _supersede_failed(topic: str, mails: dict[int, Mail]) -> None:
    """Let the new mails speak for those that could not be sent so far: after an outage nobody gets all of them."""
    failed = Mail.objects.select_for_update(of=("self",)).filter(
        user__in=mails, topic=topic, status=Mail.Status.FAILED, next_try_at__isnull=False
    )
    for old in failed.order_by("pk"):
        new = mails[old.user_id or 0]
        Mail.objects.filter(superseded_by=old).update(superseded_by=new)
        old.superseded_by = new
        old.status = Mail.Status.DROPPED
        old.next_try_at = None
        old.save(update_fields=["superseded_by", "status", "next_try_at"])


def send_again(*, mail_id: int) -> bool:
    """Queue a mail that was given up, or waits to be tried again, as if it were new; false for any other."""
    with transaction.atomic():
        mail = Mail.objects.select_for_update().filter(pk=mail_id, status=Mail.Status.FAILED).first()
        if mail is None:
            return False
        mail.attempts = 0
        mail.next_try_at = clock.now()
        mail.save(update_fields=["attempts", "next_try_at"])
        _wake_after_commit()
    return True


def forget_old_mail() -> int:
    """Delete the ledger's rows that are done with and older than 30 days; returns how many."""
    deleted, _ = Mail.objects.filter(next_try_at=None, queued_at__lt=clock.now() - KEPT).delete()
    return deleted


def _wake_after_commit() -> None:
    # Robust: the news stands even if the queue is down. The sweep comes by.
    transaction.on_commit(wake_sender, robust=True)
