"""A mail server on loopback that takes its time with some mails, and is away now and then."""

import asyncio
import time
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Conversation

from drill.clock import Clock
from drill.journal import Journal
from drill.scenario import Scenario

# In real seconds.
SLOW = 0.3
# One mail in so many is slow, in one of three ways.
ONE_IN = 3


class Clerk:
    """Takes mails and writes them into the journal, before it says so.

    Some are slow before the text comes, some between the text and the journal, some between the journal and the
    answer: so that a sender that is killed dies at each of these points. Once nobody is killed any more it is quick, so
    that the last mails find no sender at work already.
    """

    def __init__(self, clock: Clock, arrivals: Journal, *, slow_until: float) -> None:
        self.clock = clock
        self.arrivals = arrivals
        self.slow_until = slow_until
        self.count = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, _conversation: Conversation, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.count += 1
        await self._take_time(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _conversation: Conversation, envelope: Envelope) -> str:  # noqa: N802
        await self._take_time(1)
        message = message_from_bytes(bytes(envelope.original_content or b""), policy=default)
        body = message.get_body(("plain",))
        self.arrivals.note(
            kind="mail",
            message_id=str(message["Message-ID"] or ""),
            to=list(envelope.rcpt_tos),
            subject=str(message["Subject"] or ""),
            text=body.get_content() if body else "",
            at=self.clock.now(),
        )
        await self._take_time(2)
        return "250 OK"

    async def _take_time(self, point: int) -> None:
        if self.count % (3 * ONE_IN) == point * ONE_IN and self.clock.elapsed() < self.slow_until:
            await asyncio.sleep(SLOW)


class Counter(SMTP):
    """One conversation. A mail that it has begun to take is answered before it closes."""

    taking = False
    closing = False

    def __init__(self, clerk: Clerk, open_counters: "set[Counter]") -> None:
        self.open_counters = open_counters
        super().__init__(clerk, hostname="localhost", loop=asyncio.get_running_loop())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.open_counters.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.open_counters.discard(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self.taking = True
        try:
            await super().smtp_DATA(arg)
        finally:
            self.taking = False
            if self.closing:
                self.close()

    def close(self) -> None:
        self.closing = True
        if not self.taking and self.transport is not None:
            # What has been written is sent first.
            self.transport.close()


def keep_post_office(*, scenario: Scenario, port: int, clock: Clock, arrivals: Journal) -> None:
    """Serve until killed, and be away when the scenario says so."""
    asyncio.run(_serve(scenario, port, clock, arrivals))


async def _serve(scenario: Scenario, port: int, clock: Clock, arrivals: Journal) -> None:
    clerk = Clerk(clock, arrivals, slow_until=scenario.seconds * scenario.rate)
    open_counters: set[Counter] = set()

    async def open_door() -> Any:
        return await asyncio.get_running_loop().create_server(
            # The port is held by the drill even while nobody listens: see `drill.run`.
            lambda: Counter(clerk, open_counters),
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
        for counter in list(open_counters):
            counter.close()
        arrivals.note(kind="away", at=clock.now())
        await sleep_until(end)
        server = await open_door()
        arrivals.note(kind="back", at=clock.now())
    await asyncio.Event().wait()
