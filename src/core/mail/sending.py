"""Sending what is due, at least once."""

import logging
import threading
from datetime import timedelta
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPServerDisconnected,
)
from socket import gaierror
from ssl import SSLError
from typing import Any

from django.core.mail import get_connection
from django.db import transaction
from huey.contrib.djhuey import db_task

from core import clock
from core.locking import locked_batch
from core.mail.letters import WRITERS
from core.mail.models import Mail
from core.mail.rendering import message_of
from core.text import storable

logger = logging.getLogger(__name__)

# With the pauses between them, three days.
MOST_ATTEMPTS = 24
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
# A sender that died holds its mail no longer than this.
HOLD = timedelta(minutes=5)
# What every other mail would meet as well: the server is away, or does not know us.
SERVER_FAILS = (
    ConnectionError,
    TimeoutError,
    gaierror,
    SSLError,
    SMTPConnectError,
    SMTPHeloError,
    SMTPAuthenticationError,
    SMTPServerDisconnected,
)
# In characters.
LONGEST_ERROR = 2000

# A process sends one mail at a time: whoever kills it interrupts one at most.
_sending = threading.Lock()
_wanted = threading.Event()


@db_task()  # type: ignore[untyped-decorator]
def wake_sender() -> None:
    """The wake-up: something is due."""
    send_due_mail()


def send_due_mail(*, limit: int = 500) -> int:
    """Send what is due, whoever forgot to; returns how many mails were taken up.

    Where this process is sending already, that goes on to what has come meanwhile. Stops at a mail server that does
    not answer: waiting for it once for each mail would keep the worker from all else.
    """
    taken_up = 0
    _wanted.set()
    # Asked again after the lock is given back: somebody may have come in between.
    while _wanted.is_set() and _sending.acquire(blocking=False):
        try:
            _wanted.clear()
            taken_up += _send_all(limit)
        finally:
            _sending.release()
    return taken_up


def _send_all(limit: int) -> int:
    connection: Any = get_connection()
    taken_up = 0
    try:
        while taken_up < limit and (mail := _claim()) is not None:
            taken_up += 1
            if not _send(mail, connection):
                break
    finally:
        connection.close()
    return taken_up


def _claim() -> Mail | None:
    """Take the first mail that is due in hand, so that no other sender does; `None` where nothing is due."""
    while True:
        with transaction.atomic():
            due = Mail.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
            mail = next(iter(locked_batch(due, size=1)), None)
            if mail is None:
                return None
            if mail.attempts < MOST_ATTEMPTS:
                mail.status = Mail.Status.SENDING
                mail.attempts += 1
                mail.next_try_at = clock.now() + HOLD
                mail.save(update_fields=["status", "attempts", "next_try_at"])
                return mail
            _note(mail, Mail.Status.FAILED, error="Whoever tried to send it did not live to tell.")


def _send(mail: Mail, connection: Any) -> bool:
    """Send a mail that is in hand; false when the mail server did not answer.

    At least once: a process that dies between the mail server's answer and our note of it sends again, with the same
    Message-ID.
    """
    try:
        letter = WRITERS[mail.kind](mail)
        if letter is None:
            _note(mail, Mail.Status.DROPPED)
            return True
        message = message_of(mail, letter)
        # Opened by the first mail that has something to say, and kept for the others.
        connection.open()
        connection.send_messages([message])
    except Exception as error:
        logger.warning("Mail %s was not sent", mail.pk, exc_info=True)
        connection.close()
        _note(
            mail,
            Mail.Status.FAILED,
            error=storable(f"{type(error).__name__}: {error}", most=LONGEST_ERROR),
            for_good=_is_refused_for_good(error),
        )
        return not isinstance(error, SERVER_FAILS)
    _note(mail, Mail.Status.SENT)
    return True


def _is_refused_for_good(error: Exception) -> bool:
    """Whether the server has said, with a code of 5xx, that it will never take mail for this address."""
    return isinstance(error, SMTPRecipientsRefused) and all(code >= 500 for code, _ in error.recipients.values())


def _note(mail: Mail, status: Mail.Status, *, error: str = "", for_good: bool = False) -> None:
    at = clock.now()
    mail.status = status
    mail.error = error
    mail.sent_at = at if status is Mail.Status.SENT else None
    again = status is Mail.Status.FAILED and mail.attempts < MOST_ATTEMPTS and not for_good
    mail.next_try_at = at + _pause(mail.attempts) if again else None
    mail.save(update_fields=["status", "error", "sent_at", "next_try_at"])


def _pause(attempts: int) -> timedelta:
    return min(FIRST_PAUSE * (1 << (attempts - 1)), LONGEST_PAUSE)
