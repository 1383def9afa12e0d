"""A mail server on loopback that takes its time with some mails, refuses some for now, hangs up, and is away now and
then."""

import asyncio
import time
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Conversation

from drill.clock import Clock
from drill.journal import Journal
from drill.scenario import Scenario

# In real seconds.
SLOW = 0.3
# One mail in so many is slow, in one of three ways.
ONE_IN = 3
# Of so many mails one each is refused, or is not answered, in one of these ways.
MOODS_IN = 23
REFUSES_ADDRESS, REFUSES_TEXT, FORGETS_AND_HANGS_UP, TAKES_AND_HANGS_UP = 3, 9, 15, 21


class HungUp(Exception):
    """The mail server ends the conversation instead of answering."""


class MailServerPolicy:
    """Takes mails and writes them into the journal, before it says so; or does not say so.

    Some are slow before the text comes, some between the text and the journal, some between the journal and the
    answer: so that a sender that is killed dies at each of these points. Once nobody is killed any more it is quick and
    takes them all, so that the last mails find no sender at work already.
    """

    def __init__(self, clock: Clock, arrivals: Journal, *, slow_until: float) -> None:
        self.clock = clock
        self.arrivals = arrivals
        self.slow_until = slow_until
        self.count = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: "SmtpProtocol", _conversation: Conversation, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.count += 1
        server.mood = self.count % MOODS_IN if self._is_early() else 0
        await self._take_time(0)
        if server.mood == REFUSES_ADDRESS:
            return self._refuse("450 Mailbox busy, try again later")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: "SmtpProtocol", _conversation: Conversation, envelope: Envelope
    ) -> str:
        await self._take_time(1)
        if server.mood == REFUSES_TEXT:
            return self._refuse("451 Local error, try again later")
        if server.mood == FORGETS_AND_HANGS_UP:
            self.arrivals.note(kind="forgotten", at=self.clock.now())
            raise HungUp
        content = bytes(envelope.original_content or b"")
        message = message_from_bytes(content, policy=default)
        body = message.get_body(("plain",))
        self.arrivals.note(
            kind="mail",
            message_id=str(message["Message-ID"] or ""),
            to=list(envelope.rcpt_tos),
            subject=str(message["Subject"] or ""),
            text=body.get_content() if body else "",
            calendars=_calendars(message),
            answered=server.mood != TAKES_AND_HANGS_UP,
            begun_at=server.begun_at,
            at=self.clock.now(),
        )
        if server.mood == TAKES_AND_HANGS_UP:
            raise HungUp
        await self._take_time(2)
        return "250 OK"

    def _refuse(self, answer: str) -> str:
        self.arrivals.note(kind="refused", at=self.clock.now())
        return answer

    async def _take_time(self, point: int) -> None:
        if self.count % (3 * ONE_IN) == point * ONE_IN and self._is_early():
            await asyncio.sleep(SLOW)

    def _is_early(self) -> bool:
        return self.clock.elapsed() < self.slow_until


def _calendars(message: EmailMessage) -> list[dict[str, str]]:
    parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    return [
        {"method": str(part.get_param("method", "")), "content": cast(bytes, part.get_payload(decode=True)).decode()}
        for part in parts
    ]


class SmtpProtocol(SMTP):
    """One conversation. A mail that it has begun to take is answered before it closes, but where it hangs up."""

    taking = False
    closing = False
    # Of the mail at hand: what becomes of it, and when its sender came with it, written already.
    mood = 0
    begun_at: datetime

    def __init__(self, policy: MailServerPolicy, open_connections: "set[SmtpProtocol]") -> None:
        self.open_connections = open_connections
        super().__init__(policy, hostname="localhost", loop=asyncio.get_running_loop())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.open_connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.open_connections.discard(self)
        super().connection_lost(error)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        self.begun_at = self.event_handler.clock.now()
        await super().smtp_MAIL(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self.taking = True
        try:
            await super().smtp_DATA(arg)
        except HungUp:
            self.closing = True
        finally:
            self.taking = False
            if self.closing:
                self.close()

    def close(self) -> None:
        self.closing = True
        if not self.taking and self.transport is not None:
            # What has been written is sent first.
            self.transport.close()


def serve_mail(*, scenario: Scenario, port: int, clock: Clock, arrivals: Journal) -> None:
    """Serve until killed, and be away when the scenario says so."""
    asyncio.run(_serve(scenario, port, clock, arrivals))


async def _serve(scenario: Scenario, port: int, clock: Clock, arrivals: Journal) -> None:
    policy = MailServerPolicy(clock, arrivals, slow_until=scenario.seconds * scenario.rate)
    open_connections: set[SmtpProtocol] = set()

    async def open_door() -> Any:
        return await asyncio.get_running_loop().create_server(
            # The port is held by the drill even while nobody listens: see `hold_port`.
            lambda: SmtpProtocol(policy, open_connections),
            "127.0.0.1",
            port,
            reuse_port=True,
        )

    async def sleep_until(second: float) -> None:
        await asyncio.sleep(max(0, clock.origin + second - time.monotonic()))

    server = await open_door()
    for begin, end in scenario.outages:
        await sleep_until(begin)
        server.close()
        for counter in list(open_connections):
            counter.close()
        arrivals.note(kind="away", at=clock.now())
        await sleep_until(end)
        server = await open_door()
        arrivals.note(kind="back", at=clock.now())
    await asyncio.Event().wait()
