"""An SMTP backend with a deadline for each mail."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangoEmailBackend


class EmailBackend(DjangoEmailBackend):
    """Adds a deadline to Django's backend, whose timeout limits each read only: a dripping server would block it."""

    _smtp: smtplib.SMTP | None = None

    @property
    def connection_class(self) -> Any:
        backend = self

        class Connection(super().connection_class):  # type: ignore[misc]
            """Registers itself before it connects, since the greeting may be slow too."""

            def __init__(self, *args: Any, **values: Any) -> None:
                backend._smtp = self
                super().__init__(*args, **values)

        return Connection

    @contextmanager
    def with_deadline(self, seconds: float) -> Iterator[None]:
        """Disconnect after so many seconds: whatever waits for the server inside raises `SMTPServerDisconnected`."""
        timer = threading.Timer(seconds, self._disconnect)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _disconnect(self) -> None:
        connected = getattr(self._smtp, "sock", None)
        if connected is not None:
            # Shut down and not closed: the socket belongs to the waiting thread, which this wakes.
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
