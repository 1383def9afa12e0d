"""Claiming due mails, and recording the results of their delivery."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from core.database.locking import lock_batch
from core.jobs.retry_policy import RetryPolicy
from core.mail.models import Mail
from core.mail.transport import SERVER_DEADLINE_SECONDS, UnwritableAddress, is_permanent
from core.text.normalization import make_storable
from core.time import clock

logger = logging.getLogger(__name__)

# With the delays between them, almost three days.
MAX_ATTEMPTS = 24
RETRY_POLICY = RetryPolicy(max_attempts=MAX_ATTEMPTS, max_delay=timedelta(hours=4))
# The lease of a sender on one mail. A sender may connect twice, for SERVER_DEADLINE_SECONDS each, so none exceeds it.
CLAIM_TIMEOUT = timedelta(seconds=5 * SERVER_DEADLINE_SECONDS)
# How much of an error is stored, in characters.
MAX_ERROR_LENGTH = 2000


def claim_next_mail() -> Mail | None:
    """Claim the first mail that is due, for `CLAIM_TIMEOUT`; return `None` where nothing is due."""
    while True:
        with transaction.atomic():
            mail = _lock_next_due_mail()
            if mail is None:
                return None
            if mail.attempts < MAX_ATTEMPTS:
                mail.status = Mail.Status.SENDING
                mail.attempts += 1
                mail.next_try_at = clock.now() + CLAIM_TIMEOUT
                mail.save(update_fields=["status", "attempts", "next_try_at"])
                return mail
            # After the last attempt, only a mail whose sender died is due.
            mail.status = Mail.Status.FAILED
            mail.error = "The sender died during the last attempt."
            mail.next_try_at = None
            mail.save(update_fields=["status", "error", "next_try_at"])


def record_result(mail: Mail, status: Mail.Status, *, error: str = "", next_try_at: datetime | None = None) -> None:
    """Record the result of a claimed mail, unless its claim has expired and another sender has claimed it since."""
    claimed = Mail.objects.filter(pk=mail.pk, status=Mail.Status.SENDING, attempts=mail.attempts)
    claimed.update(
        status=status,
        address=mail.address,
        error=error,
        next_try_at=next_try_at,
        sent_at=clock.now() if status is Mail.Status.SENT else None,
    )


def record_failure(mail: Mail, error: Exception) -> None:
    """Log and record why a claimed mail was not sent, and schedule the next attempt or give it up."""
    # Only errors of our own code need a traceback.
    internal_error = None if isinstance(error, OSError | UnwritableAddress) else error
    logger.warning("Mail %s was not sent: %s", mail.pk, error, exc_info=internal_error)
    record_result(
        mail,
        Mail.Status.FAILED,
        error=make_storable(f"{type(error).__name__}: {error}", max_length=MAX_ERROR_LENGTH),
        next_try_at=None if is_permanent(error) else RETRY_POLICY.next_try_at(mail.attempts),
    )


def _lock_next_due_mail() -> Mail | None:
    due = Mail.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
    # Mails that were never tried go first: a retry may fail again and must not delay them.
    locked = lock_batch(due.filter(status=Mail.Status.QUEUED), size=1) or lock_batch(due, size=1)
    if not locked:
        return None
    return _coalesce(locked[0]) if locked[0].topic else locked[0]


def _coalesce(mail: Mail) -> Mail:
    """Merge the pending mails to one member about one topic, and return the one to send.

    That is the untried one, of which there is at most one: it supersedes the others, so that nobody gets several after
    an outage. If all were tried, or the untried one is locked, `mail` is sent by itself: it may have arrived before,
    and news under its Message-ID would be taken for a duplicate.
    """
    is_waiting = Q(status__in=[Mail.Status.QUEUED, Mail.Status.FAILED], next_try_at__isnull=False)
    claim_has_expired = Q(status=Mail.Status.SENDING, next_try_at__lte=clock.now())
    about_topic = Mail.objects.filter(is_waiting | claim_has_expired, user=mail.user_id, topic=mail.topic)
    # Newest first, since the untried mail is the newest.
    others = lock_batch(about_topic.exclude(pk=mail.pk).order_by("-pk"), size=100)
    untried = next((each for each in (mail, *others) if each.status == Mail.Status.QUEUED), None)
    if untried is None:
        return mail
    superseded = {mail.pk, *(other.pk for other in others)} - {untried.pk}
    if superseded:
        # Also what they had superseded, so that one step always leads to the mail that was sent.
        Mail.objects.filter(Q(pk__in=superseded) | Q(superseded_by__in=superseded)).update(
            superseded_by=untried, status=Mail.Status.DROPPED, next_try_at=None
        )
    return untried
