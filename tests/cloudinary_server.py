"""A server on the loopback that acts as Cloudinary does, as far as that is documented, and fails when it is told to.

It answers for the API and for the host that delivers, and trusts nobody: whatever must be signed is checked, with
nothing of Cloudinary's own code.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import socket
import struct
import tempfile
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import IO, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from werkzeug.formparser import parse_form_data

HOUR = 3600
SMALLEST_PART = 5 * 1024 * 1024
MOST_RESULTS = 500
UNSIGNED = {"file", "cloud_name", "resource_type", "api_key", "signature"}

# Where a file of a format has which bytes, and what Cloudinary calls that format.
IMAGES = [
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"GIF8", "gif"),
    (8, b"WEBP", "webp"),
    (0, b"BM", "bmp"),
    (0, b"II*\0", "tif"),
    (0, b"\0\0\1\0", "ico"),
    (0, b"8BPS", "psd"),
    (4, b"ftypavif", "avif"),
    (4, b"ftyphei", "heic"),
    (4, b"ftypmif1", "heic"),
    (4, b"jP  ", "jp2"),
]
VIDEOS = [
    (4, b"ftypqt", "mov"),
    (4, b"ftyp3gp", "3gp"),
    (4, b"ftyp", "mp4"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (8, b"AVI ", "avi"),
    (8, b"WAVE", "wav"),
    (8, b"AIFF", "aif"),
    (0, b"ID3", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"\xff\xf1", "aac"),
    (0, b"#!AMR", "amr"),
    (0, b"0&\xb2u", "wmv"),
    (0, b"FLV", "flv"),
    (0, b"\0\0\1\xba", "mpg"),
    (0, b"G", "ts"),
]
FORMATS = {"image": IMAGES, "video": VIDEOS}

API = re.compile(r"/v1_1/(?P<cloud>[^/]+)/(?P<kind>image|video|raw)/(?P<action>upload|destroy|download)")
ADMIN = re.compile(r"/v1_1/(?P<cloud>[^/]+)/resources/(?P<kind>image|video|raw)/(?P<type>[a-z]+)(?:/(?P<id>.+))?")
DELIVERY = re.compile(
    r"/(?P<cloud>[^/]+)/(?P<kind>image|video|raw)/(?P<type>[a-z]+)/(?:s--(?P<signature>[\w-]+)--/)?(?:v\d+/)?(?P<source>.+)"
)
RANGE = re.compile(r"bytes (?P<first>\d+)-(?P<last>\d+)/(?P<total>\d+)")


class Failure(Enum):
    """What it does instead of answering."""

    # It says that something has gone wrong.
    ERROR = auto()
    # It says something, but not what it is asked.
    GARBAGE = auto()
    # It listens and says nothing.
    SILENCE = auto()
    # It resets the connection in the middle of what it is sent; where that is nothing, of what it sends.
    RESET = auto()
    # It does what it is asked, and resets the connection instead of saying so.
    LOST = auto()
    # It says a little now and then.
    TRICKLE = auto()
    # It hangs up in the middle of its answer.
    CUT = auto()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came: what it asks for, and all that it says."""

    # One of upload, destroy, download, resource, resources and delivery.
    action: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class Stored:
    """A file that it has. The bytes lie on the disk, so that whoever measures memory measures what sends them."""

    kind: str
    type: str
    public_id: str
    path: Path
    format: str
    etag: str
    created_at: datetime
    version: int

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()

    def details(self) -> dict[str, Any]:
        named = {"format": self.format} if self.format else {}
        return {
            "asset_id": hashlib.md5(self.public_id.encode()).hexdigest(),
            "public_id": self.public_id,
            **named,
            "version": self.version,
            "resource_type": self.kind,
            "type": self.type,
            "created_at": self.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "bytes": self.path.stat().st_size,
            "etag": self.etag,
        }


@dataclass
class Answer:
    status: int
    document: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    # Instead of what is in the file, where it was asked for in another format.
    content: bytes | None = None


class Rejected(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.answer = Answer(status, {"error": {"message": message}})


class CloudinaryServer:
    """What it has is in `stored`, by kind, type and public id; what it was asked, in `requests`."""

    cloud_name = "school"
    api_key = "123456789012345"
    api_secret = "a-secret-of-the-school"

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, str], Stored] = {}
        self.requests: list[Asked] = []
        # What it says of an upload, where that is not the truth.
        self.misreports: dict[str, Any] = {}
        # The most that it lists on one page.
        self.page_limit = MOST_RESULTS
        self._parts: dict[str, Path] = {}
        self._failures: dict[tuple[str, int], Failure] = {}
        self._server: LoopbackServer | None = None
        self._folder = Path()
        self._lock = Lock()
        self.released = Event()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def options(self) -> dict[str, Any]:
        """What a storage has to be given to keep its files here."""
        return {
            "cloud_name": self.cloud_name,
            "api_key": self.api_key,
            "api_secret": self.api_secret,
            "api_url": self.url,
            "delivery_url": self.url,
        }

    def start(self) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self._server = LoopbackServer(self)
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.hang_up()
            self._server.server_close()
            self._server = None
        shutil.rmtree(self._folder)

    def fail(self, action: str, failure: Failure, *, times: int = 1, after: int = 0) -> None:
        """Go wrong at that action for so many times, once it has gone well for `after` times."""
        before = sum(asked.action == action for asked in self.requests)
        self._failures |= {(action, before + after + number): failure for number in range(times)}

    def asked(self, action: str) -> list[Asked]:
        return [asked for asked in self.requests if asked.action == action]

    def record(self, asked: Asked) -> None:
        with self._lock:
            self.requests.append(asked)

    def failure_of(self, action: str) -> Failure | None:
        return self._failures.get((action, len(self.asked(action))))

    def check_cloud(self, name: str) -> None:
        if name != self.cloud_name:
            raise Rejected(401, f"Invalid cloud_name {name}")

    # The Upload API

    def upload(self, kind: str, form: Mapping[str, str], headers: Mapping[str, str], file: IO[bytes]) -> Answer:
        self._check_signature(form)
        if not form.get("public_id") or "file" not in form:
            raise Rejected(400, "Missing required parameter - file")
        content_range = headers.get("Content-Range")
        if content_range is None:
            path = self._new_file()
            with path.open("wb") as target:
                shutil.copyfileobj(file, target)
        else:
            path, is_last = self._take_part(headers.get("X-Unique-Upload-Id", ""), content_range, file)
            if not is_last:
                so_far = {"public_id": form["public_id"], "resource_type": kind, "kind": form.get("type", "upload")}
                return Answer(200, {"done": False, "bytes": path.stat().st_size, **so_far})
        return Answer(200, {**self._store(kind, form, path), **self.misreports})

    def _take_part(self, upload_id: str, content_range: str, file: IO[bytes]) -> tuple[Path, bool]:
        match = RANGE.fullmatch(content_range)
        if match is None or not upload_id:
            raise Rejected(400, "Invalid Content-Range or X-Unique-Upload-Id")
        first, last, total = (int(match[group]) for group in ("first", "last", "total"))
        path = self._parts.setdefault(upload_id, self._new_file())
        if first != (path.stat().st_size if path.exists() else 0):
            raise Rejected(400, "Chunks must come in their order")
        with path.open("ab") as target:
            shutil.copyfileobj(file, target)
        if path.stat().st_size != last + 1 or last >= total:
            raise Rejected(400, "Content-Range does not match the size of the chunk")
        is_last = last + 1 == total
        if not is_last and last + 1 - first < SMALLEST_PART:
            raise Rejected(400, "All chunks but the last must be of at least 5 MB")
        if is_last:
            del self._parts[upload_id]
        return path, is_last

    def _store(self, kind: str, form: Mapping[str, str], path: Path) -> dict[str, Any]:
        key = (kind, form.get("type", "upload"), form["public_id"])
        with path.open("rb") as file:
            etag = hashlib.file_digest(file, "md5").hexdigest()
            file.seek(0)
            beginning = file.read(32)
        if not beginning:
            raise Rejected(400, "Empty file")
        file_format = _format_of(kind, beginning)
        if kind != "raw" and not file_format:
            raise Rejected(400, {"image": "Invalid image file", "video": "Unsupported video format or file"}[kind])
        with self._lock:
            if key in self.stored and form.get("overwrite") in {"0", "false"}:
                return {**self.stored[key].details(), "existing": True}
            now = time.time()
            self.stored[key] = Stored(
                kind=kind,
                type=key[1],
                public_id=key[2],
                path=path,
                format=file_format,
                etag=etag,
                created_at=datetime.fromtimestamp(now, UTC),
                version=int(now),
            )
            return self.stored[key].details()

    def destroy(self, kind: str, form: Mapping[str, str]) -> Answer:
        self._check_signature(form)
        stored = self.stored.pop((kind, form.get("type", "upload"), form["public_id"]), None)
        return Answer(200, {"result": "not found" if stored is None else "ok"})

    def download(self, kind: str, query: Mapping[str, str]) -> Answer:
        self._check_signature(query, is_fresh="expires_at" not in query)
        if time.time() > float(query.get("expires_at", "inf")):
            raise Rejected(401, "The address has expired")
        stored = self.stored.get((kind, query.get("type", "upload"), query["public_id"]))
        if stored is None:
            raise Rejected(404, f"Resource not found - {query['public_id']}")
        answer = self._bytes_of(stored, query.get("format", ""))
        if query.get("attachment"):
            answer.headers["Content-Disposition"] = f'attachment; filename="{Path(stored.public_id).name}"'
        return answer

    # The Admin API

    def resources(self, headers: Mapping[str, str], match: re.Match[str], query: Mapping[str, str]) -> Answer:
        given = headers.get("Authorization", "").removeprefix("Basic ")
        if not hmac.compare_digest(given.encode(), b64encode(f"{self.api_key}:{self.api_secret}".encode())):
            raise Rejected(401, "Invalid credentials")
        if match["id"]:
            public_id = unquote(match["id"])
            stored = self.stored.get((match["kind"], match["type"], public_id))
            if stored is None:
                raise Rejected(404, f"Resource not found - {public_id}")
            return Answer(200, {**stored.details(), "derived": []})
        most = int(query.get("max_results", "10"))
        if not 1 <= most <= MOST_RESULTS:
            raise Rejected(400, "Invalid value for parameter max_results")
        found = sorted(
            (stored.public_id, stored)
            for (kind, asset_type, public_id), stored in self.stored.items()
            if (kind, asset_type) == (match["kind"], match["type"]) and public_id.startswith(query.get("prefix", ""))
        )
        if "next_cursor" in query:
            after = bytes.fromhex(query["next_cursor"]).decode()
            found = [(public_id, stored) for public_id, stored in found if public_id > after]
        page = found[: min(most, self.page_limit)]
        more = {"next_cursor": page[-1][0].encode().hex()} if len(page) < len(found) else {}
        return Answer(200, {"resources": [stored.details() for _, stored in page], **more})

    # The host that delivers

    def deliver(self, match: re.Match[str]) -> Answer:
        source = match["source"]
        if match["type"] == "authenticated" and not self._is_signed(source, match["signature"] or ""):
            return Answer(401, headers={"X-Cld-Error": "Invalid signature"})
        public_id, file_format = unquote(source), ""
        if match["kind"] != "raw" and "." in Path(public_id).name:
            public_id, _, file_format = public_id.rpartition(".")
        stored = self.stored.get((match["kind"], match["type"], public_id))
        if match["cloud"] != self.cloud_name or stored is None:
            return Answer(404, headers={"X-Cld-Error": f"Resource not found - {public_id}"})
        return self._bytes_of(stored, file_format)

    def _bytes_of(self, stored: Stored, file_format: str) -> Answer:
        headers = {"Content-Type": f"{stored.kind}/{stored.format or 'octet-stream'}", "ETag": f'"{stored.etag}"'}
        if file_format not in {"", stored.format}:
            return Answer(200, headers=headers, content=f"Converted to {file_format}".encode())
        return Answer(200, headers=headers, path=stored.path)

    def _is_signed(self, source: str, signature: str) -> bool:
        signed = (source + self.api_secret).encode()
        digest = hashlib.sha1(signed) if len(signature) == 8 else hashlib.sha256(signed)
        expected = urlsafe_b64encode(digest.digest()).decode()[: 8 if len(signature) == 8 else 32]
        return hmac.compare_digest(signature.encode(), expected.encode())

    def _check_signature(self, params: Mapping[str, str], *, is_fresh: bool = True) -> None:
        if params.get("api_key") != self.api_key:
            raise Rejected(401, f"Unknown API key {params.get('api_key')}")
        signed = "&".join(
            f"{key}={value}".replace("&", "%26")
            for key, value in sorted(params.items())
            if key not in UNSIGNED and value
        )
        signature = params.get("signature", "")
        digest = hashlib.sha256 if len(signature) == 64 else hashlib.sha1
        expected = digest((signed + self.api_secret).encode()).hexdigest()
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            raise Rejected(401, f"Invalid Signature {signature}. String to sign - '{signed}'.")
        reported = int(params.get("timestamp", "0"))
        if is_fresh and abs(time.time() - reported) > HOUR:
            stated = datetime.fromtimestamp(reported, UTC)
            raise Rejected(400, f"Stale request - reported time is {stated} which is more than 1 hour ago")

    def _new_file(self) -> Path:
        return self._folder / secrets.token_hex(16)


class LoopbackServer(ThreadingHTTPServer):
    # So that none outlives its server.
    daemon_threads = False
    request_queue_size = 50

    def __init__(self, service: CloudinaryServer) -> None:
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
        """That somebody goes away is what is tested here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer

    def do_GET(self) -> None:
        self._take()

    def do_HEAD(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def log_message(self, *args: Any) -> None:
        """It keeps what it was asked, and has nothing to say of it."""

    def _take(self) -> None:
        service = self.server.service
        url = urlsplit(self.path)
        match = API.fullmatch(url.path) or ADMIN.fullmatch(url.path) or DELIVERY.fullmatch(url.path)
        action = _action(match)
        failure = service.failure_of(action)
        length = int(self.headers.get("Content-Length", 0))
        if failure is Failure.RESET and length:
            service.record(self._asked(action, {}))
            self.rfile.read(length // 2)
            self._reset()
            return
        # On the disk, where whoever measures memory does not see it; closed even if it never comes to its end.
        with tempfile.TemporaryFile() as file:
            form = self._form(length, file)
            service.record(self._asked(action, form))
            self._respond(match, form, file, failure)

    def _respond(
        self, match: re.Match[str] | None, form: Mapping[str, str], file: IO[bytes], failure: Failure | None
    ) -> None:
        if failure is Failure.SILENCE:
            self.server.service.released.wait()
            self.close_connection = True
        elif failure is Failure.ERROR:
            self._send(Answer(500, {"error": {"message": "Something went wrong"}}))
        elif failure is Failure.GARBAGE:
            self._send(Answer(200, content=b"<html>Please log in</html>"))
        else:
            self._send(self._answer(match, form, file), failure)

    def _answer(self, match: re.Match[str] | None, form: Mapping[str, str], file: IO[bytes]) -> Answer:
        try:
            return Answer(404) if match is None else self._do(match, form, file)
        except Rejected as rejected:
            return rejected.answer

    def _do(self, match: re.Match[str], form: Mapping[str, str], file: IO[bytes]) -> Answer:
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

    def _asked(self, action: str, form: Mapping[str, str]) -> Asked:
        return Asked(action=action, path=self.path, query=self._query(), form=form, headers=dict(self.headers))

    def _query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))

    def _form(self, length: int, file: IO[bytes]) -> dict[str, str]:
        """The fields; what was uploaded is written into the file."""
        environ = {
            "wsgi.input": self.rfile,
            "CONTENT_LENGTH": str(length),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "REQUEST_METHOD": self.command,
        }
        _, form, files = parse_form_data(environ, stream_factory=lambda *_, **__: file)
        return {**form.to_dict(), **({"file": "uploaded"} if "file" in files else {})}

    def _send(self, answer: Answer, failure: Failure | None = None) -> None:
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
        self._say(content, failure)

    def _say(self, content: bytes, failure: Failure | None) -> None:
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
        # Not by closing the socket, which waits for those that read from it and write to it.
        os.close(self.connection.detach())
        self.close_connection = True


def _action(match: re.Match[str] | None) -> str:
    if match is None or match.re is DELIVERY:
        return "delivery"
    if match.re is ADMIN:
        return "resource" if match["id"] else "resources"
    return match["action"]


def _format_of(kind: str, beginning: bytes) -> str:
    for position, expected, name in FORMATS.get(kind, ()):
        if beginning[position:].startswith(expected):
            return name
    return ""
