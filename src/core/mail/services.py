"""Enqueueing and retrying mail, and deleting old rows of the delivery log."""

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

RETENTION = timedelta(days=30)
# More than is queued in a day, and about a minute of work.
MAX_DELETED_PER_RUN = 50_000


def enqueue_mail(*, kind: str, address: str, user: User | None) -> None:
    """Add a mail to the delivery log in the caller's transaction, and wake the worker after the commit.

    `kind` is one that a module's `letters` writes. Without an address nothing is added.
    """
    if not address:
        return
    version = user.token_version if user else None
    Mail.objects.create(kind=kind, address=normalize_address_if_valid(address), user=user, member_version=version)
    enqueue_after_commit(wake_sender)


def enqueue_or_merge(*, kind: str, topic: str, users: Iterable[User], delay: timedelta) -> dict[int, Mail]:
    """Ensure that each of these members gets a mail about the topic; return the mails by the ids of the members.

    News joins a mail about the same topic that was not tried yet: that is sent after the shorter of the two delays, and
    says what holds then. Members without an address get none. Call it inside the transaction of the news.
    """
    members = sorted({user for user in users if user.email}, key=lambda user: user.pk)
    due_at = clock.now() + delay
    mails: dict[int, Mail] = {}
    while len(mails) < len(members):
        with transaction.atomic():
            mails = _lock_or_create_open_mails(kind, topic, members, due_at)
            if len(mails) < len(members):
                # A sender has just claimed one. The locks are released before the next try, since locking in another
                # order could cause a deadlock.
                transaction.set_rollback(True)
    later = [mail.pk for mail in mails.values() if mail.next_try_at and mail.next_try_at > due_at]
    if later:
        Mail.objects.filter(pk__in=later).update(next_try_at=due_at)
    if mails and not delay:
        enqueue_after_commit(wake_sender)
    return mails


def _lock_or_create_open_mails(kind: str, topic: str, members: list[User], due_at: datetime) -> dict[int, Mail]:
    """Lock the untried mails of these members about the topic, creating missing ones; return them by member id.

    Senders skip locked mails until the news has joined them. One that a sender claims first is not among them.
    """
    Mail.objects.bulk_create(
        [
            Mail(kind=kind, address=normalize_address_if_valid(user.email), user=user, topic=topic, next_try_at=due_at)
            for user in members
        ],
        # An untried mail about the topic may exist already.
        ignore_conflicts=True,
    )
    open_mails = Mail.objects.select_for_update(of=("self",)).filter(
        user__in=members, topic=topic, status=Mail.Status.QUEUED
    )
    return {mail.user_id: mail for mail in open_mails.order_by("user_id") if mail.user_id is not None}


def retry_mail(*, mail_ids: Iterable[int]) -> int:
    """Make failed mails due now, with all attempts left; return how many of these were failed.

    They stay `failed` until they are sent: they may have arrived, so no news may join them under their Message-IDs.
    """
    with transaction.atomic():
        failed = Mail.objects.filter(pk__in=list(mail_ids), status=Mail.Status.FAILED)
        queued = failed.update(attempts=0, next_try_at=clock.now())
        if queued:
            enqueue_after_commit(wake_sender)
    return queued


def delete_old_mail() -> int:
    """Delete settled mails older than `RETENTION` from the delivery log; return how many."""
    return process_in_batches(_select_old_mail, Mail.delete, size=100, limit=MAX_DELETED_PER_RUN)


def _select_old_mail() -> QuerySet[Mail]:
    return Mail.objects.filter(next_try_at=None, queued_at__lt=clock.now() - RETENTION).order_by("queued_at")
