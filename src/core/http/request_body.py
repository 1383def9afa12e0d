"""Reading of request bodies under ASGI, with limits on size, time and memory against slow or endless bodies.

A body is read into memory in the event loop before Django handles the request, up to DATA_UPLOAD_MAX_MEMORY_SIZE: a
slow client occupies neither a thread nor a database connection. A form under `/api/` may have a file and is streamed:
the operation reads it once the client is authenticated and authorized.
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

# The key in the scope for the status that `RefusalMiddleware` responds with when the body could not be read.
REFUSAL = "body_refused_with"
# For all bodies in the memory of this process. Bodies of up to `SMALL_BYTES` are accepted even beyond it.
MAX_BUFFERED_BYTES = 64 * 1024 * 1024
SMALL_BYTES = 64 * 1024
# A body that is read into memory may take so many times REQUEST_BODY_SECONDS in all, however steadily it arrives.
MAX_WINDOWS = 3
# The size of the read buffer of a streamed form.
STREAM_BUFFER_BYTES = 64 * 1024
# How long the rest of a body is read and discarded after the response. A client that is still sending would get a
# connection reset instead of the response.
LINGER_SECONDS = 5


class BodyStalled(DomainError):
    """The body did not arrive in time."""

    def __init__(self) -> None:
        super().__init__("The body of the request did not arrive in time. Send it again.")


class BodyStore:
    """How many bytes of bodies are in the memory of this process. Not thread-safe: only the event loop uses it."""

    buffered_bytes = 0


class RequestBody:
    """The body of one request. Replaces ASGI's `receive`, by which Django then waits for a disconnect only.

    A disconnect within the body is not passed on: it may be a malformed body, which gets a response.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.loop = asyncio.get_running_loop()
        self.started_at = self.loop.time()
        self.window_ends_at = self.started_at + settings.REQUEST_BODY_SECONDS
        self.received_in_window = 0
        self.declared_length = _read_content_length(scope)
        self.received = 0
        self.buffered_bytes = 0
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
        """Return the body as a file. A refused body is empty, and the scope has the status under `REFUSAL`."""
        if self._may_have_file():
            if self.declared_length is None:
                # Django treats a form without a Content-Length as empty.
                self._set_content_length(settings.REQUEST_MAX_BYTES)
            return BufferedReader(StreamedBody(self), buffer_size=STREAM_BUFFER_BYTES)
        try:
            content = await self._read_into_memory()
        except RequestDataTooBig:
            self.scope[REFUSAL] = 413
        except BodyStalled:
            self.scope[REFUSAL] = 408
        except BufferError:
            self.scope[REFUSAL] = 503
        except ConnectionError:
            # The server reports a disconnect for a malformed body, too, whose client reads the response.
            self.scope[REFUSAL] = 400
        else:
            self._set_content_length(len(content))
            return BytesIO(content)
        return BytesIO()

    async def read_chunk(self, *, max_bytes: int, deadline: float = math.inf) -> bytes:
        """Return the next chunk, `b""` at the end.

        `deadline` is the time of the event loop at which the body has to be complete. Raises `BodyStalled`,
        `RequestDataTooBig` beyond `max_bytes` in all, and `ConnectionError` on a disconnect.
        """
        while not self.is_complete:
            if max(self.received, self.declared_length or 0) > max_bytes:
                raise RequestDataTooBig
            try:
                async with asyncio.timeout_at(min(self.window_ends_at, deadline)):
                    message = await self.receive()
            except TimeoutError:
                self.has_stalled = True
                raise BodyStalled from None
            if message["type"] != "http.request":
                self.has_disconnected = True
                raise ConnectionError("The body ends before its end.")
            chunk = bytes(message.get("body", b""))
            self._count_received(len(chunk))
            if not message.get("more_body", False):
                self.is_complete = True
                self._has_ended.set()
            if self.received > max_bytes:
                raise RequestDataTooBig
            if chunk:
                return chunk
        return b""

    def close_when_unread(self, send: Send) -> Send:
        """Wrap `send` so that the response closes an HTTP/1 connection whose body was not read to its end."""

        async def send_with_close(message: Message) -> None:
            is_http1 = str(self.scope.get("http_version", "1.1")).startswith("1")
            if message["type"] == "http.response.start" and not self.is_complete and is_http1:
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            await send(message)

        return send_with_close

    def release_memory(self) -> None:
        BodyStore.buffered_bytes -= self.buffered_bytes
        self.buffered_bytes = 0

    async def discard_rest(self) -> None:
        """Read and discard the rest of the body, for at most `LINGER_SECONDS`."""
        with suppress(TimeoutError, RequestDataTooBig, ConnectionError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not (self.is_complete or self.has_stalled or self.has_disconnected):
                    message = await self.receive()
                    self.received += len(message.get("body", b""))
                    self.is_complete = not message.get("more_body", False)
                    if self.received > settings.REQUEST_MAX_BYTES:
                        raise RequestDataTooBig

    def _may_have_file(self) -> bool:
        path = self.scope["path"].removeprefix(self.scope.get("root_path", ""))
        content_types = [value for name, value in self.scope["headers"] if name == b"content-type"]
        return path.startswith(API_PREFIX) and any(
            value.strip().lower().startswith(b"multipart/form-data") for value in content_types
        )

    async def _read_into_memory(self) -> bytes:
        """Raises what `read_chunk` does, and `BufferError` beyond `MAX_BUFFERED_BYTES`."""
        content = bytearray()
        max_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        deadline = self.started_at + MAX_WINDOWS * settings.REQUEST_BODY_SECONDS
        while chunk := await self.read_chunk(max_bytes=max_bytes, deadline=deadline):
            self.buffered_bytes += len(chunk)
            BodyStore.buffered_bytes += len(chunk)
            if BodyStore.buffered_bytes > MAX_BUFFERED_BYTES and self.buffered_bytes > SMALL_BYTES:
                self.release_memory()
                raise BufferError
            content += chunk
        return bytes(content)

    def _count_received(self, size: int) -> None:
        """Count received bytes; begin another window once this one has the bytes of the minimum rate."""
        self.received += size
        self.received_in_window += size
        if self.received_in_window >= settings.REQUEST_BODY_SECONDS * settings.REQUEST_MIN_BYTES_PER_SECOND:
            self.received_in_window = 0
            self.window_ends_at = self.loop.time() + settings.REQUEST_BODY_SECONDS

    def _set_content_length(self, length: int) -> None:
        others = [header for header in self.scope["headers"] if header[0] != b"content-length"]
        self.scope["headers"] = [*others, (b"content-length", b"%d" % length)]


class StreamedBody(RawIOBase):
    """A form that the thread of its view reads while it arrives. Reading releases the database connection.

    Reading raises `BodyStalled`, `RequestDataTooBig`, and `ConnectionError` on a disconnect.
    """

    def __init__(self, body: RequestBody) -> None:
        self.body = body
        self._unread = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._unread:
            self._unread = self._wait_for_chunk(max_bytes=settings.REQUEST_MAX_BYTES)
        chunk, self._unread = self._unread[: len(buffer)], self._unread[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readall(self) -> bytes:
        """Read the rest into memory, up to DATA_UPLOAD_MAX_MEMORY_SIZE."""
        chunks = [self._unread]
        self._unread = b""
        while chunk := self._wait_for_chunk(max_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE):
            chunks.append(chunk)
        return b"".join(chunks)

    def _wait_for_chunk(self, *, max_bytes: int) -> bytes:
        release_connection()
        future = asyncio.run_coroutine_threadsafe(self.body.read_chunk(max_bytes=max_bytes), self.body.loop)
        return future.result()


def _read_content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None
