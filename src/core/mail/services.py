"""Queueing and sending mail."""

import logging
from datetime import timedelta
from smtplib import SMTPConnectError, SMTPServerDisconnected
from socket import gaierror

from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from huey.contrib.djhuey import db_task

from core import clock
from core.accounts.models import User
from core.locking import locked_batch
from core.mail.letters import WRITERS
from core.mail.models import Mail
from core.text import storable

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(minutes=1)
# A sender that died holds its mail no longer than this.
HOLD = timedelta(minutes=5)
KEPT = timedelta(days=30)
NO_ANSWER = (ConnectionError, TimeoutError, gaierror, SMTPConnectError, SMTPServerDisconnected)
# In characters.
LONGEST_ERROR = 2000


def queue_mail(*, kind: str, address: str, user: User | None) -> None:
    """Put a mail into the ledger, in the caller's transaction; the worker is woken when that has committed.

    `kind` is what a function of somebody's `letters` writes. Without an address there is nothing to send.
    """
    if not address:
        return
    version = user.token_version if user else None
    mail = Mail.objects.create(kind=kind, address=address, user=user, member_version=version)
    transaction.on_commit(lambda: send_mail(mail.pk), robust=True)


@db_task()  # type: ignore[untyped-decorator]
def send_mail(mail_id: int) -> None:
    """The wake-up for one mail."""
    send_one(mail_id)


def send_due_mail(*, limit: int = 200) -> int:
    """Send what is due, whoever forgot to; returns how many were taken up.

    Stops at a mail server that does not answer: waiting for it once for each mail would keep the worker from all else.
    """
    with transaction.atomic():
        due = Mail.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
        identifiers = [mail.pk for mail in locked_batch(due, size=limit)]
    taken_up = 0
    for identifier in identifiers:
        taken_up += 1
        if not send_one(identifier):
            break
    return taken_up


def send_one(mail_id: int) -> bool:
    """Send one mail if it is due; does nothing for one that is sent, held by another sender, or not due yet.

    False when the mail server did not answer.

    At least once: a process that dies between the mail server's answer and our note of it sends again.
    """
    with transaction.atomic():
        mail = Mail.objects.select_for_update().filter(pk=mail_id, next_try_at__lte=clock.now()).first()
        if mail is None:
            return True
        if mail.attempts >= MOST_ATTEMPTS:
            _note(mail, Mail.Status.FAILED, error="Whoever tried to send it did not live to tell.")
            return True
        mail.attempts += 1
        mail.next_try_at = clock.now() + HOLD
        mail.save(update_fields=["attempts", "next_try_at"])
    try:
        letter = WRITERS[mail.kind](mail)
        if letter is None:
            _note(mail, Mail.Status.DROPPED)
            return True
        with get_connection() as connection:
            EmailMessage(letter.subject, letter.body, to=[letter.to or mail.address], connection=connection).send()
    except Exception as error:
        logger.exception("Mail %s was not sent", mail.pk)
        _note(mail, Mail.Status.FAILED, error=storable(f"{type(error).__name__}: {error}", most=LONGEST_ERROR))
        return not isinstance(error, NO_ANSWER)
    _note(mail, Mail.Status.SENT)
    return True


def _note(mail: Mail, status: Mail.Status, *, error: str = "") -> None:
    at = clock.now()
    mail.status = status
    mail.error = error
    mail.sent_at = at if status is Mail.Status.SENT else None
    again = status is Mail.Status.FAILED and mail.attempts < MOST_ATTEMPTS
    mail.next_try_at = at + FIRST_PAUSE * (1 << (mail.attempts - 1)) if again else None
    mail.save(update_fields=["status", "error", "sent_at", "next_try_at"])


def forget_old_mail() -> int:
    """Delete the ledger's rows that are done with and older than 30 days; returns how many."""
    deleted, _ = Mail.objects.filter(next_try_at=None, queued_at__lt=clock.now() - KEPT).delete()
    return deleted
