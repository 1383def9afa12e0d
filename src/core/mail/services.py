"""Queueing mail, and letting go of what is old."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from core.accounts.models import User
from core.jobs.batches import process_in_batches
from core.jobs.task_queue.enqueueing import enqueue_after_commit
from core.mail.models import Mail
from core.mail.sending import wake_sender
from core.text.email_addresses import normalize_address_if_valid
from core.time import clock

KEPT = timedelta(days=30)
# In one night: more than a day brings, and about a minute of work.
MOST_FORGOTTEN = 50_000


def queue_mail(*, kind: str, address: str, user: User | None) -> None:
    """Put a mail into the ledger, in the caller's transaction; the worker is woken when that has committed.

    `kind` is what a function of somebody's `letters` writes. Without an address there is nothing to send.
    """
    if not address:
        return
    version = user.token_version if user else None
    Mail.objects.create(kind=kind, address=normalize_address_if_valid(address), user=user, member_version=version)
    enqueue_after_commit(wake_sender)


def queue_about(*, kind: str, topic: str, users: Iterable[User], delay: timedelta) -> dict[int, Mail]:
    """See to it that each of these members gets a mail about the topic; answers it by the member's id.

    News that joins a mail which nobody has tried to send yet makes one mail of both: it leaves after the shorter of
    the two delays, and says what holds then. It may come to speak for others too, which it `supersedes`. Members
    without an address get none. Call it inside the transaction of the news.
    """
    members = sorted({user for user in users if user.email}, key=lambda user: user.pk)
    due_at = clock.now() + delay
    mails: dict[int, Mail] = {}
    while len(mails) < len(members):
        with transaction.atomic():
            mails = _locked_open_mails(kind, topic, members, due_at)
            if len(mails) < len(members):
                # A sender has just taken one. What is locked is given back before the next try: so everybody locks in
                # one order, and two that tell the same members at once never wait for each other in a circle.
                transaction.set_rollback(True)
    later = [mail.pk for mail in mails.values() if mail.next_try_at and mail.next_try_at > due_at]
    if later:
        Mail.objects.filter(pk__in=later).update(next_try_at=due_at)
    if mails and not delay:
        enqueue_after_commit(wake_sender)
    return mails


def _locked_open_mails(kind: str, topic: str, members: list[User], due_at: datetime) -> dict[int, Mail]:
    """The mails that wait to tell these members of the topic, made where there are none, by the member's id.

    Locked, so that a sender passes over them until the news has joined. One that it takes first is not among them.
    """
    Mail.objects.bulk_create(
        [
            Mail(kind=kind, address=normalize_address_if_valid(user.email), user=user, topic=topic, next_try_at=due_at)
            for user in members
        ],
        # Somebody may have told them of the same topic, just now or before.
        ignore_conflicts=True,
    )
    open_mails = Mail.objects.select_for_update(of=("self",)).filter(
        user__in=members, topic=topic, status=Mail.Status.QUEUED
    )
    return {mail.user_id: mail for mail in open_mails.order_by("user_id") if mail.user_id is not None}


def send_again(*, mail_ids: Iterable[int]) -> int:
    """Let mails that were given up, or wait to be tried again, be tried at once, as often as new ones; returns how many
    of these were.

    What they say, to whom, and whether there is anything to say, is decided when they are sent. Until then they stay
    `failed`: they may have arrived, so that no news may leave under their Message-IDs.
    """
    with transaction.atomic():
        failed = Mail.objects.filter(pk__in=list(mail_ids), status=Mail.Status.FAILED)
        queued = failed.update(attempts=0, next_try_at=clock.now())
        if queued:
            enqueue_after_commit(wake_sender)
    return queued


def forget_old_mail() -> int:
    """Delete the ledger's rows that are done with and older than 30 days; returns how many."""
    return process_in_batches(_old_mail, Mail.delete, size=100, limit=MOST_FORGOTTEN)


def _old_mail() -> QuerySet[Mail]:
    return Mail.objects.filter(next_try_at=None, queued_at__lt=clock.now() - KEPT).order_by("queued_at")
