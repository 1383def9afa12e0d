"""Sending what is due, at least once."""

import logging
import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from enum import Enum, auto
from smtplib import (
    SMTPDataError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from time import monotonic
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.message import sanitize_address
from django.db import transaction
from django.db.models import Q
from huey.contrib.djhuey import db_task

from core.database.locking import lock_batch
from core.jobs.periodic import WAKE_UP_EXPIRY
from core.jobs.retry_policy import RetryPolicy
from core.mail.letters import WRITERS
from core.mail.models import Mail
from core.mail.rendering import message_of
from core.mail.smtp import EmailBackend
from core.text.email_addresses import get_deliverable_address, normalize_address_if_valid
from core.text.normalization import make_storable
from core.time import clock

logger = logging.getLogger(__name__)

# With the pauses between them, almost three days.
MOST_ATTEMPTS = 24
RETRY_POLICY = RetryPolicy(max_attempts=MOST_ATTEMPTS, max_delay=timedelta(hours=4))
# A sender that died holds its mail no longer than this, and no living one needs longer: twice MOST_SECONDS, beside what
# connecting takes.
HOLD = timedelta(minutes=10)
# A turn of sending begins no mail after that, and what it has left is for the sweep alone for as long.
TURN = timedelta(minutes=1)
# How long the conversation about one mail may take, in seconds, and how many in a row may break off before the server
# is taken for one that is away.
MOST_SECONDS = 120.0
MOST_INTERRUPTED = 3
# Of what went wrong, in characters.
LONGEST_ERROR = 2000

# A process sends one mail at a time: whoever kills it interrupts one at most.
_sending = threading.Lock()
_wanted = threading.Event()
# When a turn of this process has last left something, as long as no other has found nothing left.
_left_some_at: datetime | None = None


class Outcome(Enum):
    """How the mail server took one mail."""

    # With a yes or a no; a mail that had nothing to say did not ask it.
    ANSWERED = auto()
    INTERRUPTED = auto()
    NO_SERVER = auto()


class NoServer(Exception):
    """There was no mail server that wanted us."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class UnwritableAddress(Exception):
    """An address that no mail can carry."""


@db_task(expires=WAKE_UP_EXPIRY)  # type: ignore[untyped-decorator]
def wake_sender() -> None:
    """The wake-up: something is due.

    Where a turn has just left something, since the mail server is slow or does not answer, the sweep goes on with it:
    wake-ups, of which there may be many, one after the other would keep the worker from all else.
    """
    left_at = _left_some_at
    if left_at is None or not left_at <= clock.now() < left_at + TURN:
        send_due_mail()


def send_due_mail(*, backend: str | None = None) -> int:
    """Send what is due, whoever forgot to, for about a minute; returns how many mails were taken up.

    `backend` is the dotted path of where they go, if not where EMAIL_URL says.

    Where this process is sending already, that goes on to what has come meanwhile. Stops at a mail server that is
    away: waiting for it once for each mail would keep the worker from all else.
    """
    taken_up = 0
    ends_at = monotonic() + TURN.total_seconds()
    _wanted.set()
    # Asked again after the lock is given back: somebody may have come in between.
    while monotonic() < ends_at and _wanted.is_set() and _sending.acquire(blocking=False):
        try:
            _wanted.clear()
            taken_up += _send_until(ends_at, backend)
        finally:
            _sending.release()
    return taken_up


def _send_until(ends_at: float, backend: str | None) -> int:
    global _left_some_at  # noqa: PLW0603
    connection: Any = get_connection(backend)
    taken_up = interrupted = 0
    try:
        while monotonic() < ends_at:
            mail = _claim()
            if mail is None:
                _left_some_at = None
                return taken_up
            taken_up += 1
            outcome = _send(mail, connection)
            interrupted = interrupted + 1 if outcome is Outcome.INTERRUPTED else 0
            if outcome is Outcome.NO_SERVER or interrupted == MOST_INTERRUPTED:
                break
        _left_some_at = clock.now()
        return taken_up
    finally:
        _close(connection)


def _claim() -> Mail | None:
    """Take the first mail that is due in hand, so that no other sender does; `None` where nothing is due."""
    while True:
        with transaction.atomic():
            due = Mail.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at", "pk")
            # What was tried before may fail again, and has waited already: it keeps nobody else waiting.
            first = lock_batch(due.filter(status=Mail.Status.QUEUED), size=1) or lock_batch(due, size=1)
            if not first:
                return None
            mail = first[0]
            if mail.topic:
                mail = _speaker_for(mail)
            if mail.attempts < MOST_ATTEMPTS:
                mail.status = Mail.Status.SENDING
                mail.attempts += 1
                mail.next_try_at = clock.now() + HOLD
                mail.save(update_fields=["status", "attempts", "next_try_at"])
                return mail
            mail.status = Mail.Status.FAILED
            mail.error = "Whoever tried to send it did not live to tell."
            mail.next_try_at = None
            mail.save(update_fields=["status", "error", "next_try_at"])


def _speaker_for(mail: Mail) -> Mail:
    """The one that speaks for all that wait to tell the same member of the same topic: the one that nobody has tried
    to send, of which there is one at most. After an outage nobody gets several.

    Where all were tried, or the new one is locked just now, this one goes by itself: it may have arrived, and under its
    Message-ID, what the others say would be taken for a repetition.
    """
    waits = Q(status__in=[Mail.Status.QUEUED, Mail.Status.FAILED], next_try_at__isnull=False)
    # Whoever had it in hand has died.
    was_let_go = Q(status=Mail.Status.SENDING, next_try_at__lte=clock.now())
    about_it = Mail.objects.filter(waits | was_let_go, user=mail.user_id, topic=mail.topic)
    # The new one is the last.
    others = lock_batch(about_it.exclude(pk=mail.pk).order_by("-pk"), size=100)
    # Once tried, a mail is never `queued` again.
    speaker = next((each for each in (mail, *others) if each.status == Mail.Status.QUEUED), None)
    if speaker is None:
        return mail
    silent = {mail.pk, *(other.pk for other in others)} - {speaker.pk}
    if silent:
        # With those that they spoke for, so that one step always leads to the mail that was sent.
        Mail.objects.filter(Q(pk__in=silent) | Q(superseded_by__in=silent)).update(
            superseded_by=speaker, status=Mail.Status.DROPPED, next_try_at=None
        )
    return speaker


def _send(mail: Mail, connection: Any) -> Outcome:
    """Send a mail that is in hand.

    At least once: a process that dies between the mail server's answer and our note of it sends again, with the same
    Message-ID.
    """
    try:
        message = _message(mail)
    except Exception as error:
        _note_failure(mail, error)
        return Outcome.ANSWERED
    if message is None:
        _note(mail, Mail.Status.DROPPED)
        return Outcome.ANSWERED
    try:
        _hand_over(message, connection)
    except NoServer as no_server:
        _note_failure(mail, no_server.error)
        return Outcome.NO_SERVER
    except SMTPSenderRefused as error:
        # What it says of our address it says of every mail.
        _note_failure(mail, error)
        return Outcome.NO_SERVER
    except Exception as error:
        _note_failure(mail, error)
        return Outcome.INTERRUPTED if _has_hung_up(error) else Outcome.ANSWERED
    _note(mail, Mail.Status.SENT)
    return Outcome.ANSWERED


def _message(mail: Mail) -> EmailMessage | None:
    """What the mail says now, `None` where nobody is to be told."""
    if mail.topic:
        # News goes to where its reader is now. A letter about an account goes to the address that it is about.
        reader = mail.user
        if reader is None or not reader.is_active or not reader.email:
            return None
        mail.address = normalize_address_if_valid(reader.email)
    letter = WRITERS[mail.kind](mail)
    if letter is None:
        return None
    message = message_of(mail, letter)
    message.to = [_writable(address) for address in message.to]
    return message


def _writable(address: str) -> str:
    """The address as it goes to the wire: Django and Python, which fold domains by the rules of 2003, find nothing left
    to fold.

    Raises `UnwritableAddress` for what would break on its way, whatever by: what members type is cleaned everywhere
    else, and the sender is ours.
    """
    try:
        written = get_deliverable_address(address)
        sanitize_address(written, "utf-8")
    except Exception as error:
        raise UnwritableAddress(f"{address!r}: {error}") from error
    return written


def _hand_over(message: EmailMessage, connection: Any) -> None:
    """Opened by the first mail that has something to say, the connection is kept for the others.

    Raises `NoServer` where every other mail would meet the same.
    """
    was_kept = False
    try:
        with _for_a_while(connection):
            was_kept = _open(connection)
            connection.send_messages([message])
    except (SMTPServerDisconnected, SMTPSenderRefused, ConnectionError):
        _close(connection)
        if not was_kept:
            raise
        # Servers close a connection that has idled, or has brought as many mails as they take at once.
        with _for_a_while(connection):
            _open(connection)
            connection.send_messages([message])
    except Exception as error:
        if _has_hung_up(error):
            _close(connection)
        raise


def _open(connection: Any) -> bool:
    """Whether it was open already."""
    try:
        return connection.open() is False
    except OSError as error:
        raise NoServer(error) from error


def _for_a_while(connection: Any) -> AbstractContextManager[None]:
    """A mail server has so long for one mail, however slowly it speaks."""
    return connection.within(MOST_SECONDS) if isinstance(connection, EmailBackend) else nullcontext()


def _close(connection: Any) -> None:
    """Whatever the server still says to it: what it has taken it has taken."""
    with suppress(OSError):
        connection.close()


def _has_hung_up(error: Exception) -> bool:
    """Whether the conversation broke off, rather than ended with an answer: it may have been about this mail alone."""
    return isinstance(error, OSError) and not isinstance(error, SMTPResponseException | SMTPRecipientsRefused)


def _is_for_good(error: Exception) -> bool:
    """Whether no mail can carry this address, or the server has said, with a code of 5xx, that it will never take this
    mail, or any for this address.

    What it says of the sender is about our configuration, which can be put right; and so can a writer that fails.
    """
    if isinstance(error, UnwritableAddress):
        return True
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, SMTPDataError) and error.smtp_code >= 500


def _note_failure(mail: Mail, error: Exception) -> None:
    # Of an address, and of what a server says, one line is enough; what went wrong here has to be found.
    ours = None if isinstance(error, OSError | UnwritableAddress) else error
    logger.warning("Mail %s was not sent: %s", mail.pk, error, exc_info=ours)
    _note(
        mail,
        Mail.Status.FAILED,
        error=make_storable(f"{type(error).__name__}: {error}", most=LONGEST_ERROR),
        next_try_at=None if _is_for_good(error) else RETRY_POLICY.next_try_at(mail.attempts),
    )


def _note(mail: Mail, status: Mail.Status, *, error: str = "", next_try_at: datetime | None = None) -> None:
    # Who held it for too long has lost it to another sender, and what that says holds.
    in_hand = Mail.objects.filter(pk=mail.pk, status=Mail.Status.SENDING, attempts=mail.attempts)
    in_hand.update(
        status=status,
        address=mail.address,
        error=error,
        next_try_at=next_try_at,
        sent_at=clock.now() if status is Mail.Status.SENT else None,
    )
