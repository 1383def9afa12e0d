"""Sending one message to the mail server, and classifying its errors."""

from contextlib import AbstractContextManager, nullcontext, suppress
from smtplib import (
    SMTPDataError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.message import sanitize_address

from core.mail.smtp import EmailBackend
from core.text.email_addresses import get_deliverable_address

# How long the exchange with the server about one mail may take.
SERVER_DEADLINE_SECONDS = 120.0


class ServerUnavailable(Exception):
    """No connection to the mail server could be opened; `error` says why."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class UnwritableAddress(Exception):
    """An address that no mail can carry."""


def send_message(message: EmailMessage, connection: Any) -> None:
    """Send a message. The connection is opened if it is closed, and kept open for the next message.

    Raises `ServerUnavailable` and `SMTPSenderRefused`, which concern every mail, and the backend's errors for this one.
    """
    was_reused = False
    try:
        with _limit_duration(connection):
            was_reused = not _open(connection)
            connection.send_messages([message])
    except (SMTPServerDisconnected, SMTPSenderRefused, ConnectionError):
        close_connection(connection)
        if not was_reused:
            raise
        # Servers close idle connections, and limit the mails of one connection.
        with _limit_duration(connection):
            _open(connection)
            connection.send_messages([message])
    except Exception as error:
        if is_interruption(error):
            close_connection(connection)
        raise


def close_connection(connection: Any) -> None:
    """Close the connection, ignoring errors: they do not concern mails that were accepted."""
    with suppress(OSError):
        connection.close()


def normalize_recipient(address: str) -> str:
    """Return the address as it is sent, in a form that Django and Python do not convert again by IDNA 2003.

    Raises `UnwritableAddress` if it cannot be written.
    """
    try:
        written = get_deliverable_address(address)
        sanitize_address(written, "utf-8")
    except Exception as error:
        raise UnwritableAddress(f"{address!r}: {error}") from error
    return written


def is_interruption(error: Exception) -> bool:
    """Whether the exchange broke off without a response. The cause may be this mail only."""
    return isinstance(error, OSError) and not isinstance(error, SMTPResponseException | SMTPRecipientsRefused)


def is_permanent(error: Exception) -> bool:
    """Whether another attempt is useless: the address cannot be written, or the server refused the recipient or the
    content with a 5xx code.

    A refused sender is not permanent, since our configuration can be corrected; nor is an error in writing the letter.
    """
    if isinstance(error, UnwritableAddress):
        return True
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, SMTPDataError) and error.smtp_code >= 500


def _open(connection: Any) -> bool:
    """Open the connection; return whether it was closed before."""
    try:
        return connection.open() is not False
    except OSError as error:
        raise ServerUnavailable(error) from error


def _limit_duration(connection: Any) -> AbstractContextManager[None]:
    return connection.with_deadline(SERVER_DEADLINE_SECONDS) if isinstance(connection, EmailBackend) else nullcontext()
