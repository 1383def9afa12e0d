"""Django under ASGI, but for what a stranger can make it do before any of our code is reached."""

from typing import Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.utils.http import parse_header_parameters

from core.http.json import encode
from core.http.middleware import UNREADABLE
from core.http.request_body import Receive, RequestBody, Scope, Send

# To read parameters takes time that grows with the square of their length, and Django does so in the event loop.
LONGEST_CONTENT_TYPE = 500


class Request(ASGIRequest):
    """A request whose content type names no codec and is read in no time: what cannot be read so is
    `UNREADABLE`, and `RefusalMiddleware` answers it like every charset but UTF-8."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        content_type: str = meta.get("CONTENT_TYPE", "")
        # A parameter with a star brings an encoding of its own (RFC 2231), which would be looked up among the codecs.
        if len(content_type) > LONGEST_CONTENT_TYPE or "*" in content_type.partition(";")[2]:
            self.content_type, self.content_params = "", {"charset": UNREADABLE}
        else:
            self.content_type, self.content_params = parse_header_parameters(content_type)


class Handler(ASGIHandler):
    """The application of this product. There are no sockets: a handshake is refused."""

    request_class = Request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        if scope["type"] == "websocket":
            await _refuse_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)  # type: ignore[arg-type]
            return
        body = RequestBody(scope, receive)
        try:
            await super().__call__(scope, body, body.close_when_unread(send))  # type: ignore[arg-type]
        finally:
            body.release()
        await body.discard_rest()

    async def read_body(self, receive: RequestBody) -> Any:  # type: ignore[override]
        return await receive.open()


async def _refuse_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """404 in the contract's shape where the server lets us answer, and what it makes of a closing otherwise."""
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": encode({"error": "There are no sockets here."})})
