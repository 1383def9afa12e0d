"""An SMTP server on loopback, which refuses, drops connections and stops on demand."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MailServer:
    """`received` has the accepted messages, as they were sent."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[EmailMessage] = []
        # The recipients in the envelope of each message.
        self.recipients: list[list[str]] = []
        self.connections = 0
        # Replies to RCPT other than 250, by address.
        self.rcpt_replies: dict[str, str] = {}
        # The reply to DATA, if it is not 250.
        self.data_reply = ""
        self.max_mails_per_connection = 1000
        # How many clients have to connect before any gets a reply.
        self.min_connections = 0
        self._all_connected = asyncio.Event()
        self.quit_reply = "221 Bye"
        # Recipients for whom it drops the connection.
        self.dropped_recipients: set[str] = set()
        # How often it drops the connection instead of replying to DATA.
        self.dropped_mails = 0
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen on the same port as the last time."""
        self._controller = AnyPortController(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        self.port = self._controller.port

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def list_recipients(self) -> list[str]:
        """Return the recipients of all accepted messages, sorted; with duplicates."""
        return sorted(address for addresses in self.recipients for address in addresses)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        if self.connections >= self.min_connections:
            self._all_connected.set()
        await self._all_connected.wait()
        session.host_name = hostname
        session.mails = 0  # type: ignore[attr-defined]
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        session.mails += 1  # type: ignore[attr-defined]
        if session.mails > self.max_mails_per_connection:  # type: ignore[attr-defined]
            return "421 4.7.0 Too many mails over one connection"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.dropped_recipients:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 Gone"
        if address in self.rcpt_replies:
            return self.rcpt_replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.dropped_mails:
            self.dropped_mails -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 Gone"
        if self.data_reply:
            return self.data_reply
        assert isinstance(envelope.original_content, bytes)
        self.received.append(message_from_bytes(envelope.original_content, policy=default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self.quit_reply


class AnyPortController(Controller):
    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
