"""Mail over SMTP, with an end to how long one mail may take."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangoEmailBackend


class EmailBackend(DjangoEmailBackend):
    """Django's own has a timeout for each answer: a server that says a little now and then would hold it for ever."""

    _in_hand: smtplib.SMTP | None = None

    @property
    def connection_class(self) -> Any:
        backend = self

        class Connection(super().connection_class):  # type: ignore[misc]
            """Known to the backend before it is complete: a server may be slow from its first word on."""

            def __init__(self, *args: Any, **values: Any) -> None:
                backend._in_hand = self
                super().__init__(*args, **values)

        return Connection

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Hang up once that time is over: whatever waits for the server inside raises `SMTPServerDisconnected`."""
        watch = threading.Timer(seconds, self._hang_up)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def _hang_up(self) -> None:
        connected = getattr(self._in_hand, "sock", None)
        if connected is not None:
            # Not closed: it belongs to the thread that waits, which this wakes.
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
