"""A client of the virus scanner clamd (its command INSTREAM)."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO
from urllib.parse import unquote, urlsplit

from django.conf import settings

CHUNK_SIZE = 64 * 1024
MAX_ANSWER_LENGTH = 4096


class ScannerUnavailable(OSError):
    """The scanner cannot be reached, for any file."""


class ConnectionClosed(Exception):
    """The scanner closed the connection while the file was sent."""


class NoVerdict(ValueError):
    """The scanner was reached, but did not scan this file."""


def is_scanner_configured() -> bool:

    return bool(settings.CLAMAV_URL)


def find_virus(content: IO[bytes]) -> str:
    """Scan a whole file; return the name of the virus, or an empty string.

    Raises `ScannerUnavailable` and `NoVerdict`.
    """
    content.seek(0)
    with _connect() as connection:
        _send_file(connection, content)
        answer = _receive_answer(connection)
    # `stream: OK`, `stream: Eicar-Test-Signature FOUND`, or a message that ends in `ERROR`.
    verdict = answer.rstrip("\0\n").removeprefix("stream: ")
    if verdict == "OK":
        return ""
    if verdict.endswith(" FOUND"):
        return verdict.removesuffix(" FOUND")
    raise NoVerdict(f"The virus scanner has no verdict: {verdict or 'it has hung up'}")


def _send_file(connection: socket.socket, content: IO[bytes]) -> None:
    # It closes the connection on a file that is too large, after its answer.
    with suppress(ConnectionClosed):
        _send_part(connection, b"zINSTREAM\0")
        while chunk := content.read(CHUNK_SIZE):
            _send_part(connection, struct.pack("!L", len(chunk)) + chunk)
        _send_part(connection, struct.pack("!L", 0))


def _send_part(connection: socket.socket, part: bytes) -> None:
    try:
        connection.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        raise ConnectionClosed from None
    except OSError as error:
        raise NoVerdict(f"The virus scanner does not take the file: {error}") from error


def _receive_answer(connection: socket.socket) -> str:
    answer = b""
    end = time.monotonic() + settings.MATERIALS_TIMEOUT_SECONDS
    try:
        # The timeout of the socket alone would not bound an answer that arrives byte by byte.
        while not answer.endswith(b"\0") and len(answer) < MAX_ANSWER_LENGTH and time.monotonic() < end:
            received = connection.recv(MAX_ANSWER_LENGTH)
            if not received:
                break
            answer += received
    except OSError as error:
        raise NoVerdict(f"The virus scanner does not answer: {error}") from error
    return answer.decode("utf-8", errors="replace")


@contextmanager
def _connect() -> Iterator[socket.socket]:
    parts = urlsplit(settings.CLAMAV_URL)
    with ExitStack() as stack:
        try:
            if parts.scheme == "unix":
                connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                connection.settimeout(settings.MATERIALS_TIMEOUT_SECONDS)
                connection.connect(unquote(parts.path))
            else:
                address = (parts.hostname or "", parts.port or 0)
                connection = socket.create_connection(address, timeout=settings.MATERIALS_TIMEOUT_SECONDS)
                stack.enter_context(connection)
        except (OSError, OverflowError, ValueError) as error:
            raise ScannerUnavailable(f"The virus scanner cannot be reached: {error}") from error
        yield connection
