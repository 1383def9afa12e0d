"""How the body of a request is read under ASGI: who sends half of one, slowly, or without end, costs nobody else.

A body is read to its end before Django sees the request: it waits in the event loop and takes neither a thread nor a
database connection, and lies in memory, up to DATA_UPLOAD_MAX_MEMORY_SIZE. A form under `/api/` may hold a file: it is
left to the operation that takes it, which knows by then who sends it and whether they may.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from io import BufferedIOBase, BufferedReader, BytesIO, RawIOBase
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig

from core.database.connections import release_connection
from core.errors import DomainError
from core.http.paths import API_PREFIX

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# In the scope: the status that `RefusalMiddleware` answers, where the body could not be read.
REFUSAL = "body_refused_with"
# All bodies in memory together, of one process. Whoever sends less than `SMALL_BYTES` gets through even so.
MOST_BYTES_HELD = 64 * 1024 * 1024
SMALL_BYTES = 64 * 1024
# Who drips, just fast enough, holds memory that is everybody's: a body in memory has so many times
# REQUEST_BODY_SECONDS in all.
WINDOWS_FOR_SMALL = 3
# Of a form, how much is read at once.
BUFFER_BYTES = 64 * 1024
# How long what still comes after an answer is read and dropped, so that the answer arrives: a client that is in the
# middle of sending would find its connection reset instead.
LINGER_SECONDS = 5


class BodyStalled(DomainError):
    """The body did not arrive in time."""

    def __init__(self) -> None:
        super().__init__("The body of the request did not arrive in time. Send it again.")


class BodyStore:
    """How many bytes of bodies this process holds in memory. For the event loop alone."""

    held = 0


class RequestBody:
    """The body of one request. Takes the place of ASGI's `receive` for Django, which then waits for a disconnect.

    It hears of none that comes within the body: that may be a body that cannot be read, which is answered.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.loop = asyncio.get_running_loop()
        self.started_at = self.loop.time()
        self.window_ends_at = self.started_at + settings.REQUEST_BODY_SECONDS
        self.received_in_window = 0
        self.declared = _declared_length(scope)
        self.received = 0
        self.held = 0
        self.is_complete = False
        self.has_stalled = False
        self.has_disconnected = False
        self._has_ended = asyncio.Event()

    async def __call__(self) -> Message:
        await self._has_ended.wait()
        while not self.has_disconnected:
            self.has_disconnected = (await self.receive())["type"] != "http.request"
        return {"type": "http.disconnect"}

    async def open(self) -> BufferedIOBase:
        """The body as a file. One that is refused is empty, and the scope says why."""
        if self._may_hold_a_file():
            if self.declared is None:
                # Django takes a form of no known length for an empty one.
                self._declare(settings.REQUEST_MAX_BYTES)
            return BufferedReader(StreamedBody(self), buffer_size=BUFFER_BYTES)
        try:
            content = await self._read_whole()
        except RequestDataTooBig:
            self.scope[REFUSAL] = 413
        except BodyStalled:
            self.scope[REFUSAL] = 408
        except BufferError:
            self.scope[REFUSAL] = 503
        except ConnectionError:
            # Or it is no body by the rules of HTTP: the server says the same of both, and one of them reads the answer.
            self.scope[REFUSAL] = 400
        else:
            self._declare(len(content))
            return BytesIO(content)
        return BytesIO()

    async def read_chunk(self, *, most: int, ends_at: float = math.inf) -> bytes:
        """The next piece, `b""` at the end.

        `ends_at` is the time of the loop when it is enough, however well the bytes come. Raises `BodyStalled`,
        `RequestDataTooBig` beyond `most` bytes in all, and `ConnectionError` if the client goes away.
        """
        while not self.is_complete:
            if max(self.received, self.declared or 0) > most:
                raise RequestDataTooBig
            try:
                async with asyncio.timeout_at(min(self.window_ends_at, ends_at)):
                    message = await self.receive()
            except TimeoutError:
                self.has_stalled = True
                raise BodyStalled from None
            if message["type"] != "http.request":
                self.has_disconnected = True
                raise ConnectionError("The body ends before its end.")
            chunk = bytes(message.get("body", b""))
            self._count(len(chunk))
            if not message.get("more_body", False):
                self.is_complete = True
                self._has_ended.set()
            if self.received > most:
                raise RequestDataTooBig
            if chunk:
                return chunk
        return b""

    def close_when_unread(self, send: Send) -> Send:
        """Say in the answer that the connection ends with it, where the body was not read to its end."""

        async def send_closing(message: Message) -> None:
            is_first_version = str(self.scope.get("http_version", "1.1")).startswith("1")
            if message["type"] == "http.response.start" and not self.is_complete and is_first_version:
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            await send(message)

        return send_closing

    def release(self) -> None:
        BodyStore.held -= self.held
        self.held = 0

    async def discard_rest(self) -> None:
        """Drop what still comes after the answer, for a moment."""
        with suppress(TimeoutError, RequestDataTooBig, ConnectionError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not (self.is_complete or self.has_stalled or self.has_disconnected):
                    message = await self.receive()
                    self.received += len(message.get("body", b""))
                    self.is_complete = not message.get("more_body", False)
                    if self.received > settings.REQUEST_MAX_BYTES:
                        raise RequestDataTooBig

    def _may_hold_a_file(self) -> bool:
        path = self.scope["path"].removeprefix(self.scope.get("root_path", ""))
        kinds = [value for name, value in self.scope["headers"] if name == b"content-type"]
        return path.startswith(API_PREFIX) and any(
            kind.strip().lower().startswith(b"multipart/form-data") for kind in kinds
        )

    async def _read_whole(self) -> bytes:
        """Raises `BufferError` where this process holds as many bodies as it may."""
        content = bytearray()
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        ends_at = self.started_at + WINDOWS_FOR_SMALL * settings.REQUEST_BODY_SECONDS
        while chunk := await self.read_chunk(most=most, ends_at=ends_at):
            self.held += len(chunk)
            BodyStore.held += len(chunk)
            if BodyStore.held > MOST_BYTES_HELD and self.held > SMALL_BYTES:
                self.release()
                raise BufferError
            content += chunk
        return bytes(content)

    def _count(self, size: int) -> None:
        """What has come in good time begins another window: a fast beginning earns no slow end."""
        self.received += size
        self.received_in_window += size
        if self.received_in_window >= settings.REQUEST_BODY_SECONDS * settings.REQUEST_MIN_BYTES_PER_SECOND:
            self.received_in_window = 0
            self.window_ends_at = self.loop.time() + settings.REQUEST_BODY_SECONDS

    def _declare(self, length: int) -> None:
        others = [header for header in self.scope["headers"] if header[0] != b"content-length"]
        self.scope["headers"] = [*others, (b"content-length", b"%d" % length)]


class StreamedBody(RawIOBase):
    """A form that is read while it arrives, by the thread of the view that takes it. That view keeps no connection to
    the database meanwhile.

    Reading raises `BodyStalled`, `RequestDataTooBig`, and `ConnectionError` if the client goes away.
    """

    def __init__(self, body: RequestBody) -> None:
        self.body = body
        self._unread = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._unread:
            self._unread = self._wait_for_chunk(most=settings.REQUEST_MAX_BYTES)
        piece, self._unread = self._unread[: len(buffer)], self._unread[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        """All at once, within what fits in memory."""
        pieces = [self._unread]
        self._unread = b""
        while piece := self._wait_for_chunk(most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE):
            pieces.append(piece)
        return b"".join(pieces)

    def _wait_for_chunk(self, *, most: int) -> bytes:
        release_connection()
        waiting = asyncio.run_coroutine_threadsafe(self.body.read_chunk(most=most), self.body.loop)
        return waiting.result()


def _declared_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None
