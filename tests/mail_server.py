"""A mail server on the loopback, which refuses, hangs up and goes down when it is told to."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MailServer:
    """What it took is in `received`, as it came over the wire."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[EmailMessage] = []
        # To whom, of each: the envelope rather than the header.
        self.recipients: list[list[str]] = []
        self.connections = 0
        # What it answers for an address, where that is not yes.
        self.refused: dict[str, str] = {}
        # What it answers to mails, whoever they are for.
        self.refuses_all = ""
        # How many mails it takes over one connection.
        self.patience = 1000
        # How many have to have come before it speaks to any.
        self.company = 0
        self._complete = asyncio.Event()
        self.farewell = "221 Bye"
        # For whom it takes no mail, and says so by going away.
        self.hangs_up_on: set[str] = set()
        # How often it goes away before it answers a mail.
        self.hangs_up = 0
        self._controller: Controller | None = None

    def start(self) -> None:
        """On the port that it had the last time."""
        self._controller = OnAnyPort(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        self.port = self._controller.port

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def addressed(self) -> list[str]:
        """Who has got mail, once for each, in the order of the alphabet."""
        return sorted(address for addresses in self.recipients for address in addresses)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        if self.connections >= self.company:
            self._complete.set()
        await self._complete.wait()
        session.host_name = hostname
        session.mails = 0  # type: ignore[attr-defined]
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        session.mails += 1  # type: ignore[attr-defined]
        if session.mails > self.patience:  # type: ignore[attr-defined]
            return "421 4.7.0 Too many mails over one connection"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.hangs_up_on:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 Gone"
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hangs_up:
            self.hangs_up -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 Gone"
        if self.refuses_all:
            return self.refuses_all
        assert isinstance(envelope.original_content, bytes)
        self.received.append(message_from_bytes(envelope.original_content, policy=default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self.farewell


class OnAnyPort(Controller):
    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
