"""A fake of Cloudinary on loopback that follows its documentation, and fails on demand.

It serves the APIs and the delivery host, and checks all signatures with an implementation of its own.
"""

import hashlib
import hmac
import re
import secrets
import shutil
import tempfile
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import IO, Any
from urllib.parse import unquote

from tests.cloudinary_http import LoopbackServer
from tests.cloudinary_messages import Failure, RecordedRequest, Rejected, Response, Stored

HOUR = 3600
MIN_CHUNK_BYTES = 5 * 1024 * 1024
MAX_RESULTS = 500
UNSIGNED = {"file", "cloud_name", "resource_type", "api_key", "signature"}

# Offset and bytes of the signature of each format, with its name at Cloudinary.
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

RANGE = re.compile(r"bytes (?P<first>\d+)-(?P<last>\d+)/(?P<total>\d+)")


class CloudinaryServer:
    """`stored` has assets by kind, type and public id, `requests` has all requests."""

    cloud_name = "school"
    api_key = "123456789012345"
    api_secret = "a-secret-of-the-school"

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, str], Stored] = {}
        self.requests: list[RecordedRequest] = []
        # Values that replace those in responses to uploads.
        self.misreports: dict[str, Any] = {}
        self.page_limit = MAX_RESULTS
        self._chunked_uploads: dict[str, Path] = {}
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
        """The options of a storage that uses this server."""
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
        """Let an action fail `times` times, after it has succeeded `after` times."""
        before = sum(request.action == action for request in self.requests)
        self._failures |= {(action, before + after + number): failure for number in range(times)}

    def list_requests(self, action: str) -> list[RecordedRequest]:
        return [request for request in self.requests if request.action == action]

    def record(self, request: RecordedRequest) -> None:
        with self._lock:
            self.requests.append(request)

    def get_failure(self, action: str) -> Failure | None:
        return self._failures.get((action, len(self.list_requests(action))))

    def check_cloud(self, name: str) -> None:
        if name != self.cloud_name:
            raise Rejected(401, f"Invalid cloud_name {name}")

    # The Upload API

    def upload(self, kind: str, form: Mapping[str, str], headers: Mapping[str, str], file: IO[bytes]) -> Response:
        self._check_signature(form)
        if not form.get("public_id") or "file" not in form:
            raise Rejected(400, "Missing required parameter - file")
        content_range = headers.get("Content-Range")
        if content_range is None:
            path = self._new_file()
            with path.open("wb") as target:
                shutil.copyfileobj(file, target)
        else:
            path, is_last = self._append_chunk(headers.get("X-Unique-Upload-Id", ""), content_range, file)
            if not is_last:
                so_far = {"public_id": form["public_id"], "resource_type": kind, "kind": form.get("type", "upload")}
                return Response(200, {"done": False, "bytes": path.stat().st_size, **so_far})
        return Response(200, {**self._store(kind, form, path), **self.misreports})

    def _append_chunk(self, upload_id: str, content_range: str, file: IO[bytes]) -> tuple[Path, bool]:
        match = RANGE.fullmatch(content_range)
        if match is None or not upload_id:
            raise Rejected(400, "Invalid Content-Range or X-Unique-Upload-Id")
        first, last, total = (int(match[group]) for group in ("first", "last", "total"))
        path = self._chunked_uploads.setdefault(upload_id, self._new_file())
        if first != (path.stat().st_size if path.exists() else 0):
            raise Rejected(400, "Chunks must come in their order")
        with path.open("ab") as target:
            shutil.copyfileobj(file, target)
        if path.stat().st_size != last + 1 or last >= total:
            raise Rejected(400, "Content-Range does not match the size of the chunk")
        is_last = last + 1 == total
        if not is_last and last + 1 - first < MIN_CHUNK_BYTES:
            raise Rejected(400, "All chunks but the last must be of at least 5 MB")
        if is_last:
            del self._chunked_uploads[upload_id]
        return path, is_last

    def _store(self, kind: str, form: Mapping[str, str], path: Path) -> dict[str, Any]:
        key = (kind, form.get("type", "upload"), form["public_id"])
        with path.open("rb") as file:
            etag = hashlib.file_digest(file, "md5").hexdigest()
            file.seek(0)
            beginning = file.read(32)
        if not beginning:
            raise Rejected(400, "Empty file")
        file_format = _detect_format(kind, beginning)
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

    def destroy(self, kind: str, form: Mapping[str, str]) -> Response:
        self._check_signature(form)
        stored = self.stored.pop((kind, form.get("type", "upload"), form["public_id"]), None)
        return Response(200, {"result": "not found" if stored is None else "ok"})

    def download(self, kind: str, query: Mapping[str, str]) -> Response:
        self._check_signature(query, is_fresh="expires_at" not in query)
        if time.time() > float(query.get("expires_at", "inf")):
            raise Rejected(401, "The address has expired")
        stored = self.stored.get((kind, query.get("type", "upload"), query["public_id"]))
        if stored is None:
            raise Rejected(404, f"Resource not found - {query['public_id']}")
        answer = self._build_response(stored, query.get("format", ""))
        if query.get("attachment"):
            answer.headers["Content-Disposition"] = f'attachment; filename="{Path(stored.public_id).name}"'
        return answer

    # The Admin API

    def resources(self, headers: Mapping[str, str], match: re.Match[str], query: Mapping[str, str]) -> Response:
        given = headers.get("Authorization", "").removeprefix("Basic ")
        if not hmac.compare_digest(given.encode(), b64encode(f"{self.api_key}:{self.api_secret}".encode())):
            raise Rejected(401, "Invalid credentials")
        if match["id"]:
            public_id = unquote(match["id"])
            stored = self.stored.get((match["kind"], match["type"], public_id))
            if stored is None:
                raise Rejected(404, f"Resource not found - {public_id}")
            return Response(200, {**stored.details(), "derived": []})
        most = int(query.get("max_results", "10"))
        if not 1 <= most <= MAX_RESULTS:
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
        return Response(200, {"resources": [stored.details() for _, stored in page], **more})

    # The host that delivers

    def deliver(self, match: re.Match[str]) -> Response:
        source = match["source"]
        if match["type"] == "authenticated" and not self._is_signed(source, match["signature"] or ""):
            return Response(401, headers={"X-Cld-Error": "Invalid signature"})
        public_id, file_format = unquote(source), ""
        if match["kind"] != "raw" and "." in Path(public_id).name:
            public_id, _, file_format = public_id.rpartition(".")
        stored = self.stored.get((match["kind"], match["type"], public_id))
        if match["cloud"] != self.cloud_name or stored is None:
            return Response(404, headers={"X-Cld-Error": f"Resource not found - {public_id}"})
        return self._build_response(stored, file_format)

    def _build_response(self, stored: Stored, file_format: str) -> Response:
        headers = {"Content-Type": f"{stored.kind}/{stored.format or 'octet-stream'}", "ETag": f'"{stored.etag}"'}
        if file_format not in {"", stored.format}:
            return Response(200, headers=headers, content=f"Converted to {file_format}".encode())
        return Response(200, headers=headers, path=stored.path)

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


def _detect_format(kind: str, beginning: bytes) -> str:
    for position, expected, name in FORMATS.get(kind, ()):
        if beginning[position:].startswith(expected):
            return name
    return ""
