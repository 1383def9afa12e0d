"""The HTTP side of the fake Cloudinary."""

import json
import os
import re
import shutil
import socket
import struct
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.cloudinary_messages import Failure, RecordedRequest, Rejected, Response
from werkzeug.formparser import parse_form_data

if TYPE_CHECKING:
    from tests.cloudinary_server import CloudinaryServer


API = re.compile(r"/v1_1/(?P<cloud>[^/]+)/(?P<kind>image|video|raw)/(?P<action>upload|destroy|download)")
ADMIN = re.compile(r"/v1_1/(?P<cloud>[^/]+)/resources/(?P<kind>image|video|raw)/(?P<type>[a-z]+)(?:/(?P<id>.+))?")
DELIVERY = re.compile(
    r"/(?P<cloud>[^/]+)/(?P<kind>image|video|raw)/(?P<type>[a-z]+)/(?:s--(?P<signature>[\w-]+)--/)?(?:v\d+/)?(?P<source>.+)"
)


class LoopbackServer(ThreadingHTTPServer):
    # Threads end before the server has stopped.
    daemon_threads = False
    request_queue_size = 50

    def __init__(self, service: "CloudinaryServer") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = service
        self._connected: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connected.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connected.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connected in list(self._connected):
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore closed connections, which tests provoke."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, *args: Any) -> None:
        """Log nothing: requests are recorded."""

    def _handle(self) -> None:
        service = self.server.service
        url = urlsplit(self.path)
        match = API.fullmatch(url.path) or ADMIN.fullmatch(url.path) or DELIVERY.fullmatch(url.path)
        action = _action(match)
        failure = service.get_failure(action)
        length = int(self.headers.get("Content-Length", 0))
        if failure is Failure.RESET and length:
            service.record(self._build_request(action, {}))
            self.rfile.read(length // 2)
            self._reset()
            return
        # On disk, so that it does not count where tests measure memory.
        with tempfile.TemporaryFile() as file:
            form = self._form(length, file)
            service.record(self._build_request(action, form))
            self._respond(match, form, file, failure)

    def _respond(
        self, match: re.Match[str] | None, form: Mapping[str, str], file: IO[bytes], failure: Failure | None
    ) -> None:
        if failure is Failure.SILENCE:
            self.server.service.released.wait()
            self.close_connection = True
        elif failure is Failure.ERROR:
            self._send(Response(500, {"error": {"message": "Something went wrong"}}))
        elif failure is Failure.GARBAGE:
            self._send(Response(200, content=b"<html>Please log in</html>"))
        else:
            self._send(self._answer(match, form, file), failure)

    def _answer(self, match: re.Match[str] | None, form: Mapping[str, str], file: IO[bytes]) -> Response:
        try:
            return Response(404) if match is None else self._do(match, form, file)
        except Rejected as rejected:
            return rejected.answer

    def _do(self, match: re.Match[str], form: Mapping[str, str], file: IO[bytes]) -> Response:
        service = self.server.service
        if match.re is DELIVERY:
            return service.deliver(match)
        service.check_cloud(match["cloud"])
        if match.re is ADMIN:
            return service.resources(self.headers, match, self._query())
        if match["action"] == "upload":
            return service.upload(match["kind"], form, self.headers, file)
        if match["action"] == "destroy":
            return service.destroy(match["kind"], form)
        return service.download(match["kind"], self._query())

    def _build_request(self, action: str, form: Mapping[str, str]) -> RecordedRequest:
        return RecordedRequest(
            action=action, path=self.path, query=self._query(), form=form, headers=dict(self.headers)
        )

    def _query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))

    def _form(self, length: int, file: IO[bytes]) -> dict[str, str]:
        """Return the fields of the form; an upload is written to the file."""
        environ = {
            "wsgi.input": self.rfile,
            "CONTENT_LENGTH": str(length),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "REQUEST_METHOD": self.command,
        }
        _, form, files = parse_form_data(environ, stream_factory=lambda *_, **__: file)
        return {**form.to_dict(), **({"file": "uploaded"} if "file" in files else {})}

    def _send(self, answer: Response, failure: Failure | None = None) -> None:
        if failure is Failure.LOST:
            self._reset()
            return
        content = answer.content or b""
        if answer.document is not None:
            content = json.dumps(answer.document).encode()
            answer.headers["Content-Type"] = "application/json; charset=utf-8"
        length = answer.path.stat().st_size if answer.path else len(content)
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if failure is None and answer.path is not None:
            with answer.path.open("rb") as file:
                shutil.copyfileobj(file, self.wfile)
            return
        content = answer.path.read_bytes() if answer.path else content
        self._write(content, failure)

    def _write(self, content: bytes, failure: Failure | None) -> None:
        if failure is Failure.TRICKLE:
            for position in range(0, len(content), 2):
                self.wfile.write(content[position : position + 2])
                self.server.service.released.wait(0.03)
        elif failure in {Failure.RESET, Failure.CUT}:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            if failure is Failure.RESET:
                self._reset()
        else:
            self.wfile.write(content)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Closing the socket object would wait for its readers and writers.
        os.close(self.connection.detach())
        self.close_connection = True


def _action(match: re.Match[str] | None) -> str:
    if match is None or match.re is DELIVERY:
        return "delivery"
    if match.re is ADMIN:
        return "resource" if match["id"] else "resources"
    return match["action"]
