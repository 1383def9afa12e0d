"""An ASGI client that calls the application in this process."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from core.asgi import application


@dataclass
class AsgiResponse:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def send(
    path: str,
    chunks: Iterable[bytes] = (),
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    to: Any = application,
    is_complete: bool = True,
) -> AsgiResponse:
    """Send one request whose chunks are available at once; with `is_complete=False` the body does not end."""
    return async_to_sync(_send)(path, list(chunks), method, headers or {}, to, is_complete)


def build_scope(path: str, *, headers: list[tuple[bytes, bytes]], method: str = "POST") -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


async def _send(
    path: str, chunks: list[bytes], method: str, headers: dict[str, str], to: Any, is_complete: bool
) -> AsgiResponse:
    scope = build_scope(
        path,
        method=method,
        headers=[
            (name.lower().encode(), value.encode("latin-1")) for name, value in {"Host": "localhost", **headers}.items()
        ],
    )
    client = ApplicationCommunicator(to, scope)
    for chunk in chunks:
        await client.send_input({"type": "http.request", "body": chunk, "more_body": True})
    if is_complete:
        await client.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await client.receive_output(timeout=10)
    body = b""
    while True:
        message = await client.receive_output(timeout=10)
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await client.send_input({"type": "http.disconnect"})
    await asyncio.wait_for(client.future, timeout=10)
    return AsgiResponse(
        status=start["status"],
        headers={name.decode().title(): value.decode("latin-1") for name, value in start["headers"]},
        body=body,
    )
