"""A mail server on loopback with delays, temporary refusals, dropped connections and outages."""

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
DELAY_SECONDS = 0.3
# One mail in so many is delayed, at one of three points.
DELAY_CYCLE = 3
# Of so many mails, one each fails in one of these ways.
FAILURE_CYCLE = 23
REFUSE_RCPT, REFUSE_DATA, DISCARD_AND_HANG_UP, ACCEPT_AND_HANG_UP = 3, 9, 15, 21


class HangUp(Exception):
    """The mail server closes the connection instead of replying."""


class MailServerPolicy:
    """Accepts mails and writes them to the journal before it replies, or without replying.

    Delays come before DATA, between DATA and the journal, and between the journal and the reply, so that senders are
    killed at each of these points. After the last kill it neither delays nor fails, so that the last mails get through.
    """

    def __init__(self, clock: Clock, arrivals: Journal, *, fail_until: float) -> None:
        self.clock = clock
        self.arrivals = arrivals
        self.fail_until = fail_until
        self.count = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: "SmtpProtocol", _conversation: Conversation, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.count += 1
        server.failure = self.count % FAILURE_CYCLE if self._may_fail() else 0
        await self._delay(0)
        if server.failure == REFUSE_RCPT:
            return self._refuse("450 Mailbox busy, try again later")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: "SmtpProtocol", _conversation: Conversation, envelope: Envelope
    ) -> str:
        await self._delay(1)
        if server.failure == REFUSE_DATA:
            return self._refuse("451 Local error, try again later")
        if server.failure == DISCARD_AND_HANG_UP:
            self.arrivals.append(kind="discarded", at=self.clock.now())
            raise HangUp
        content = bytes(envelope.original_content or b"")
        message = message_from_bytes(content, policy=default)
        body = message.get_body(("plain",))
        self.arrivals.append(
            kind="mail",
            message_id=str(message["Message-ID"] or ""),
            to=list(envelope.rcpt_tos),
            subject=str(message["Subject"] or ""),
            text=body.get_content() if body else "",
            calendars=_extract_calendars(message),
            acknowledged=server.failure != ACCEPT_AND_HANG_UP,
            begun_at=server.begun_at,
            at=self.clock.now(),
        )
        if server.failure == ACCEPT_AND_HANG_UP:
            raise HangUp
        await self._delay(2)
        return "250 OK"

    def _refuse(self, answer: str) -> str:
        self.arrivals.append(kind="refused", at=self.clock.now())
        return answer

    async def _delay(self, point: int) -> None:
        if self.count % (3 * DELAY_CYCLE) == point * DELAY_CYCLE and self._may_fail():
            await asyncio.sleep(DELAY_SECONDS)

    def _may_fail(self) -> bool:
        return self.clock.elapsed() < self.fail_until


def _extract_calendars(message: EmailMessage) -> list[dict[str, str]]:
    parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    return [
        {"method": str(part.get_param("method", "")), "content": cast(bytes, part.get_payload(decode=True)).decode()}
        for part in parts
    ]


class SmtpProtocol(SMTP):
    """One connection. It replies to a mail that it has begun to receive before it closes, except where it hangs up."""

    in_data = False
    closing = False
    # Of the current mail: its kind of failure, and when its sender issued MAIL FROM.
    failure = 0
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
        self.in_data = True
        try:
            await super().smtp_DATA(arg)
        except HangUp:
            self.closing = True
        finally:
            self.in_data = False
            if self.closing:
                self.close()

    def close(self) -> None:
        self.closing = True
        if not self.in_data and self.transport is not None:
            # Flushes what has been written.
            self.transport.close()


def serve_mail(*, scenario: Scenario, port: int, clock: Clock, arrivals: Journal) -> None:
    """Serve until killed, with the outages of the scenario."""
    asyncio.run(_serve(scenario, port, clock, arrivals))


async def _serve(scenario: Scenario, port: int, clock: Clock, arrivals: Journal) -> None:
    policy = MailServerPolicy(clock, arrivals, fail_until=scenario.seconds * scenario.rate)
    open_connections: set[SmtpProtocol] = set()

    async def listen() -> Any:
        return await asyncio.get_running_loop().create_server(
            # `reserve_port` has bound it too.
            lambda: SmtpProtocol(policy, open_connections),
            "127.0.0.1",
            port,
            reuse_port=True,
        )

    async def sleep_until(second: float) -> None:
        await asyncio.sleep(max(0, clock.origin + second - time.monotonic()))

    server = await listen()
    for begin, end in scenario.outages:
        await sleep_until(begin)
        server.close()
        for connection in list(open_connections):
            connection.close()
        arrivals.append(kind="outage", at=clock.now())
        await sleep_until(end)
        server = await listen()
        arrivals.append(kind="recovery", at=clock.now())
    await asyncio.Event().wait()
