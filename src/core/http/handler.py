"""Django's ASGI handler, hardened against denial of service before any view or middleware runs."""

from typing import Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.utils.http import parse_header_parameters

from core.http.json import encode
from core.http.middleware import UNREADABLE
from core.http.request_body import Receive, RequestBody, Scope, Send

# Django parses the parameters in the event loop, in time that is quadratic in their length.
MAX_CONTENT_TYPE_LENGTH = 500


class Request(ASGIRequest):
    """A request with a safe content type: a long or encoded one gets the charset `UNREADABLE`, which
    `RefusalMiddleware` refuses like every charset but UTF-8."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        content_type: str = meta.get("CONTENT_TYPE", "")
        # A parameter with a star names its encoding (RFC 2231), which Python would look up among its codecs.
        if len(content_type) > MAX_CONTENT_TYPE_LENGTH or "*" in content_type.partition(";")[2]:
            self.content_type, self.content_params = "", {"charset": UNREADABLE}
        else:
            self.content_type, self.content_params = parse_header_parameters(content_type)


class Handler(ASGIHandler):
    """The ASGI application. WebSocket handshakes are refused."""

    request_class = Request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        if scope["type"] == "websocket":
            await _refuse_websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)  # type: ignore[arg-type]
            return
        body = RequestBody(scope, receive)
        try:
            await super().__call__(scope, body, body.close_when_unread(send))  # type: ignore[arg-type]
        finally:
            body.release_memory()
        await body.discard_rest()

    async def read_body(self, receive: RequestBody) -> Any:  # type: ignore[override]
        return await receive.open()


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with a 404 if the server supports that, else close the connection."""
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": encode({"error": "There are no sockets here."})})
