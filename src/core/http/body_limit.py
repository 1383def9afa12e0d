"""A bound on what a request may send, kept before Django writes the body to disk (it reads it whole under ASGI)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_TOO_LARGE = "body_too_large"


class BodyLimit:
    """Cuts a body off after `most` bytes and marks the request, which `ApiErrorMiddleware` then answers with 413.

    Also says how long a body was that came in chunks: Django takes one of no known length for an empty form.
    """

    def __init__(self, application: Application, *, most: int) -> None:
        self.application = application
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        declared = _declared_length(scope)
        received = 0
        complete = False

        async def bounded() -> Message:
            nonlocal received, complete
            if complete:
                # Django now waits for the client to go, and must not meet the rest of what it cut off.
                while (message := await receive())["type"] == "http.request":
                    pass
                return message
            message = {"type": "http.request", "body": b""} if (declared or 0) > self.most else await receive()
            if message["type"] != "http.request":
                return message
            received += len(message.get("body", b""))
            if max(received, declared or 0) > self.most:
                scope[BODY_TOO_LARGE] = True
                message = {"type": "http.request", "body": b"", "more_body": False}
            complete = not message.get("more_body", False)
            if complete and declared is None and received:
                scope["headers"] = [*scope["headers"], (b"content-length", b"%d" % received)]
            return message

        await self.application(scope, bounded, send)


def _declared_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None
