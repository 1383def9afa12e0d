"""Sending the mails that are due, at least once."""

import threading
from datetime import datetime, timedelta
from enum import Enum, auto
from smtplib import SMTPSenderRefused
from time import monotonic
from typing import Any

from django.core.mail import EmailMessage, get_connection
from huey.contrib.djhuey import db_task

from core.jobs.periodic import WAKE_UP_EXPIRY
from core.mail.claiming import claim_next_mail, record_failure, record_result
from core.mail.letters import LETTER_WRITERS
from core.mail.models import Mail
from core.mail.rendering import build_message
from core.mail.transport import (
    ServerUnavailable,
    close_connection,
    is_interruption,
    normalize_recipient,
    send_message,
)
from core.text.email_addresses import normalize_address_if_valid
from core.time import clock

# A run begins no mail after this time. If it leaves a backlog, wake-ups are ignored for as long again.
MAX_RUN_DURATION = timedelta(minutes=1)
# After so many interrupted mails in a row, the server counts as unavailable.
MAX_INTERRUPTIONS = 3

# A process sends one mail at a time, so that killing it interrupts one at most.
_send_lock = threading.Lock()
_run_requested = threading.Event()
# When the last run of this process ended with mails left; `None` if it left none.
_backlog_since: datetime | None = None


class Outcome(Enum):
    """Whether a run goes on after one mail."""

    # The mail is settled: sent, refused, not written, or nothing to send.
    CONTINUE = auto()
    # The exchange broke off: the next mail may succeed, unless several in a row break off.
    INTERRUPTED = auto()
    # The server is unavailable, or refuses our sender: every other mail would fail too.
    STOP = auto()


@db_task(expires=WAKE_UP_EXPIRY)  # type: ignore[untyped-decorator]
def wake_sender() -> None:
    """Send what is due, unless this process has just left a backlog, which the periodic job works off.

    A slow or unavailable mail server would otherwise keep the worker busy with one wake-up after the other.
    """
    since = _backlog_since
    if since is None or not since <= clock.now() < since + MAX_RUN_DURATION:
        send_due_mail()


def send_due_mail(*, backend: str | None = None) -> int:
    """Send what is due, for about a minute; return how many mails were processed.

    `backend` is the dotted path of a mail backend, by default that of EMAIL_URL. Does nothing where another thread of
    this process is sending: that one goes on to what is due since. Stops at a mail server that is unavailable, since
    waiting for it once for each mail would keep the worker from everything else.
    """
    processed = 0
    deadline = monotonic() + MAX_RUN_DURATION.total_seconds()
    _run_requested.set()
    # Checked again after the lock is released: another thread may have asked for a run in between.
    while monotonic() < deadline and _run_requested.is_set() and _send_lock.acquire(blocking=False):
        try:
            _run_requested.clear()
            processed += _send_until(deadline, backend)
        finally:
            _send_lock.release()
    return processed


def _send_until(deadline: float, backend: str | None) -> int:
    global _backlog_since  # noqa: PLW0603
    connection: Any = get_connection(backend)
    processed = interruptions = 0
    try:
        while monotonic() < deadline:
            mail = claim_next_mail()
            if mail is None:
                _backlog_since = None
                return processed
            processed += 1
            outcome = _send(mail, connection)
            interruptions = interruptions + 1 if outcome is Outcome.INTERRUPTED else 0
            if outcome is Outcome.STOP or interruptions == MAX_INTERRUPTIONS:
                break
        _backlog_since = clock.now()
        return processed
    finally:
        close_connection(connection)


def _send(mail: Mail, connection: Any) -> Outcome:
    """Send a claimed mail and record the result.

    At least once: a mail whose sender dies between the server's response and the record of it is sent again, with the
    same Message-ID.
    """
    try:
        message = _write_message(mail)
    except Exception as error:
        record_failure(mail, error)
        return Outcome.CONTINUE
    if message is None:
        record_result(mail, Mail.Status.DROPPED)
        return Outcome.CONTINUE
    try:
        send_message(message, connection)
    except ServerUnavailable as unavailable:
        record_failure(mail, unavailable.error)
        return Outcome.STOP
    except SMTPSenderRefused as error:
        record_failure(mail, error)
        return Outcome.STOP
    except Exception as error:
        record_failure(mail, error)
        return Outcome.INTERRUPTED if is_interruption(error) else Outcome.CONTINUE
    record_result(mail, Mail.Status.SENT)
    return Outcome.CONTINUE


def _write_message(mail: Mail) -> EmailMessage | None:
    """Build the message with current data; return `None` if there is no recipient or nothing to say."""
    if mail.topic:
        # News goes to the current address of the member, a letter about an account to the address that it is about.
        recipient = mail.user
        if recipient is None or not recipient.is_active or not recipient.email:
            return None
        mail.address = normalize_address_if_valid(recipient.email)
    letter = LETTER_WRITERS[mail.kind](mail)
    if letter is None:
        return None
    message = build_message(mail, letter)
    message.to = [normalize_recipient(address) for address in message.to]
    return message
