"""Files at Cloudinary, which can show pictures and videos in other sizes and formats."""

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import quote, urlencode

import cloudinary
from cloudinary import utils
from django.core.files.base import File
from django.core.files.storage import Storage
from urllib3 import BaseHTTPResponse, PoolManager, Timeout, make_headers
from urllib3.exceptions import HTTPError
from urllib3.filepost import choose_boundary, encode_multipart_formdata

from core.storages import Listed, Refused, Unanswered
from core.storages.cloudinary_names import KINDS, Asset, asset_of, name_of
from core.time import clock

__all__ = ["CloudinaryStorage", "Refused", "Unanswered"]

MEBIBYTE = 1024 * 1024
BLOCK = 64 * 1024
LONGEST_ANSWER = 8 * MEBIBYTE
TYPE = "authenticated"
# How many names are tried for one file.
MOST_NAMES = 3

MD5 = re.compile(r"[0-9a-f]{32}")

# Whatever the SDK is not told, it takes from a configuration of the whole process, which reads the environment.
SIGNED_AS_USUAL = {"signature_algorithm": "sha1", "signature_version": 2}
DELIVERY = "https://res.cloudinary.com"
DELIVERED_AS_USUAL = {
    "auth_token": False,
    "cdn_subdomain": False,
    "cname": None,
    "dpr": None,
    "force_version": True,
    "long_url_signature": False,
    "private_cdn": False,
    "responsive_width": False,
    "secure": True,
    "secure_cdn_subdomain": False,
    "secure_distribution": None,
    "shorten": False,
    "signature_algorithm": "sha1",
    "use_fetch_format": False,
    "use_root_path": False,
}


class ErrorAnswer(Unanswered):
    """Cloudinary has said, in its own words, that something is wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"Cloudinary answers {status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Part:
    """The bytes of a file from one position up to another, of so many in all."""

    start: int
    stop: int
    total: int

    @property
    def is_whole(self) -> bool:
        return self.stop - self.start == self.total


class CloudinaryStorage(Storage):
    """Nobody reads a file here without an address that was signed with the secret.

    `timeout` is how many seconds it may take to connect, and then each time until something comes or goes; and how
    many an answer of the API, which is short, may take in all. Nothing is tried twice, and nothing is taken from the
    SDK's global configuration. Besides `Refused`, for bytes that Cloudinary does not want, all that goes wrong raises
    `Unanswered`, and what is not there raises `FileNotFoundError`.
    """

    # Cloudinary takes no part of less than 5 MiB, but for the last.
    part_size = 6 * MEBIBYTE
    # How many files a page of the listing has; Cloudinary has no more in one.
    page_size = 500

    def __init__(
        self,
        *,
        cloud_name: str,
        api_key: str,
        api_secret: str,
        prefix: str = "materials",
        timeout: float = 30,
        api_url: str = "https://api.cloudinary.com",
        delivery_url: str = DELIVERY,
        link_seconds: int | None = None,
    ) -> None:
        """With `link_seconds`, addresses run out after so long; without, they hold for as long as the file is there."""
        self._beginning = f"{prefix.strip('/')}/"
        self._timeout = timeout
        self._delivery_url = delivery_url
        self._link_seconds = link_seconds
        self._cloud = {"cloud_name": cloud_name, "upload_prefix": api_url}
        self._signing = {"api_key": api_key, "api_secret": api_secret, **SIGNED_AS_USUAL}
        self._headers = {"User-Agent": cloudinary.get_user_agent()}
        self._authorization = make_headers(basic_auth=f"{api_key}:{api_secret}")
        self._http = PoolManager(
            maxsize=10, timeout=Timeout(connect=timeout, read=timeout), retries=False, **cloudinary.CERT_KWARGS
        )

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        """Not asked for: Cloudinary says so when the file is sent, and has few questions a day to spare."""
        return not max_length or len(name) <= max_length

    def exists(self, name: str) -> bool:
        try:
            self._details(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """In bytes. Raises `FileNotFoundError`."""
        details = self._details(name)
        with _understood():
            return int(details["bytes"])

    def get_created_time(self, name: str) -> datetime:
        """Raises `FileNotFoundError`."""
        details = self._details(name)
        with _understood():
            return datetime.fromisoformat(details["created_at"])

    def get_modified_time(self, name: str) -> datetime:
        """That of its making: no file is ever changed here. Raises `FileNotFoundError`."""
        return self.get_created_time(name)

    def delete(self, name: str) -> None:
        """Also from the copies all over the world, which takes them a few minutes. What is not there is fine."""
        if not name:
            raise ValueError("The name must be given to delete().")
        asset = asset_of(name, self._beginning)
        answer = self._post(asset.kind, "destroy", {"public_id": asset.public_id, "type": TYPE, "invalidate": True})
        if answer.get("result") not in {"ok", "not found"}:
            raise Unanswered(f"Cloudinary has not deleted {name}: {answer.get('result')!r}")

    def url(self, name: str | None) -> str:
        return self._address(name or "", attachment=False)

    def address(self, name: str, *, file_name: str, content_type: str, inline: bool) -> str:
        """Cloudinary goes by the bytes and the name that a file has there: it heeds neither `file_name` nor
        `content_type`, and `inline` only in addresses that run out."""
        return self._address(name, attachment=not inline)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """The folders and the files in a folder; none where there is no such."""
        folder = f"{path.strip('/')}/".lstrip("/")
        folders, files = set(), []
        for kind in KINDS:
            # No more of a kind than what may be in the folder, and nothing of the others.
            inside = folder.removeprefix(f"{kind}/")
            if folder and inside == folder and kind != "raw":
                continue
            for listed in self._listed(kind, "" if kind == "raw" else inside):
                if listed.name.startswith(folder):
                    first, slash, _ = listed.name.removeprefix(folder).partition("/")
                    if slash:
                        folders.add(first)
                    else:
                        files.append(first)
        return sorted(folders), files

    def walk(self) -> Iterator[Listed]:
        """Everything below the prefix that was saved from here."""
        for kind in KINDS:
            yield from self._listed(kind)

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """Only for reading; in memory if it is small, else on the disk. Raises `FileNotFoundError`."""
        if mode != "rb":
            raise ValueError("Files at Cloudinary are opened with rb; they are written by save().")
        with ExitStack() as undone:
            content = undone.enter_context(SpooledTemporaryFile(max_size=MEBIBYTE))
            self._download(name, content)
            content.seek(0)
            undone.pop_all()
        return File(content, name=name)

    def _save(self, name: str, content: "File[bytes]") -> str:
        """`content` must be able to seek; it is sent from its beginning, and left open."""
        path = PurePosixPath(name)
        for _ in range(MOST_NAMES):
            if self._upload(asset_of(name, self._beginning), content):
                return name
            name = str(path.with_name(self.get_alternative_name(path.stem, path.suffix)))
        raise FileExistsError(f"Cloudinary has had a file by each of {MOST_NAMES} names for {path}")

    def _upload(self, asset: Asset, content: "File[bytes]") -> bool:
        """Whether it is there now; not so if there was another by that name, which stays as it is."""
        total = content.seek(0, os.SEEK_END)
        digest = hashlib.md5(usedforsecurity=False)
        upload_id = secrets.token_hex(16)
        answer: Mapping[str, Any] = {}
        for start in range(0, max(total, 1), self.part_size):
            part = Part(start=start, stop=min(start + self.part_size, total), total=total)
            answer = self._send(asset, content, part, upload_id=upload_id, digest=digest)
        if answer.get("existing"):
            return False
        stored = {"public_id": asset.public_id, "resource_type": asset.kind, "type": TYPE, "bytes": total}
        # Of a file that came in parts it may be something else than the MD5 of its bytes.
        if MD5.fullmatch(str(answer.get("etag"))):
            stored["etag"] = digest.hexdigest()
        for key, value in stored.items():
            if answer.get(key) != value:
                raise Unanswered(f"Cloudinary has stored something else: {key} is {answer.get(key)!r}, not {value!r}")
        return True

    def _send(self, asset: Asset, content: "File[bytes]", part: Part, *, upload_id: str, digest: Any) -> dict[str, Any]:
        params = {"public_id": asset.public_id, "type": TYPE, "overwrite": False}
        headers = {}
        if not part.is_whole:
            headers = {
                "Content-Range": f"bytes {part.start}-{part.stop - 1}/{part.total}",
                "X-Unique-Upload-Id": upload_id,
            }
        try:
            return self._post(
                asset.kind, "upload", params, headers=headers, file=(_blocks(content, part, digest), part)
            )
        except ErrorAnswer as error:
            # A clock that is wrong is not the fault of the file.
            if error.status != HTTPStatus.BAD_REQUEST or error.message.startswith("Stale request"):
                raise
            raise Refused(error.message) from error

    def _download(self, name: str, target: "SpooledTemporaryFile[bytes]") -> None:
        """The bytes as they were sent, which is what there is at an address without a format."""
        with self._response("GET", self._delivery_address(asset_of(name, self._beginning)), {}) as response:
            if response.status == HTTPStatus.NOT_FOUND:
                raise FileNotFoundError(name)
            if response.status != HTTPStatus.OK:
                raise ErrorAnswer(response.status, response.headers.get("X-Cld-Error", ""))
            length = 0
            for block in response.stream(BLOCK):
                length += len(block)
                target.write(block)
            # Of one in chunks its end can be seen.
            if not response.chunked and response.headers.get("Content-Length") != str(length):
                raise Unanswered(f"Cloudinary has sent {length} bytes of {name}, which may not be all")

    def _address(self, name: str, *, attachment: bool) -> str:
        asset = asset_of(name, self._beginning)
        if self._link_seconds is None:
            return self._delivery_address(asset)
        return str(
            utils.private_download_url(
                asset.public_id,
                # In that which it has.
                format=None,
                resource_type=asset.kind,
                type=TYPE,
                attachment=attachment or None,
                expires_at=int(clock.now().timestamp()) + self._link_seconds,
                **self._cloud,
                **self._signing,
            )
        )

    def _delivery_address(self, asset: Asset) -> str:
        url, _ = utils.cloudinary_url(
            asset.public_id,
            resource_type=asset.kind,
            type=TYPE,
            version=1,
            sign_url=True,
            cloud_name=self._cloud["cloud_name"],
            api_secret=self._signing["api_secret"],
            **DELIVERED_AS_USUAL,
        )
        return self._delivery_url + str(url).removeprefix(DELIVERY)

    def _details(self, name: str) -> dict[str, Any]:
        """Raises `FileNotFoundError`."""
        asset = asset_of(name, self._beginning)
        try:
            return self._get("resources", asset.kind, TYPE, quote(asset.public_id))
        except ErrorAnswer as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise FileNotFoundError(name) from error
            raise

    def _listed(self, kind: str, folder: str = "") -> Iterator[Listed]:
        cursor = None
        while True:
            query = {"prefix": self._beginning + folder, "max_results": self.page_size, "next_cursor": cursor}
            page = self._get("resources", kind, TYPE, query=query)
            with _understood():
                found = [
                    (name_of(kind, entry["public_id"], self._beginning), int(entry["bytes"]))
                    for entry in page["resources"]
                ]
            # What is not called as it would have been called here is not ours.
            yield from (Listed(name=name, size=size) for name, size in found if name)
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def _get(self, *path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask the Admin API, of which only so many questions an hour are answered."""
        url = utils.base_api_url(list(path), **self._cloud)
        given = {key: value for key, value in (query or {}).items() if value is not None}
        return self._answer("GET", f"{url}?{urlencode(given)}" if given else url, self._authorization)

    def _post(
        self,
        kind: str,
        action: str,
        params: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        file: tuple[Iterator[bytes], Part] | None = None,
    ) -> dict[str, Any]:
        url = utils.cloudinary_api_url(action, resource_type=kind, **self._cloud)
        signed = utils.sign_request({**params, "timestamp": utils.now()}, self._signing)
        boundary = choose_boundary()
        fields: dict[str, Any] = dict(signed)
        if file is not None:
            # The last one, so that its bytes, which are not in memory, come right before the end.
            fields["file"] = ("file", b"", "application/octet-stream")
        form, content_type = encode_multipart_formdata(fields, boundary=boundary)
        end = f"\r\n--{boundary}--\r\n".encode()
        blocks, length = (iter(()), 0) if file is None else (file[0], file[1].stop - file[1].start)
        sent = {
            "Content-Type": content_type,
            "Content-Length": str(len(form) + length),
            **(headers or {}),
        }
        return self._answer("POST", url, sent, body=_joined(form.removesuffix(end), blocks, end))

    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], *, body: Iterator[bytes] | None = None
    ) -> dict[str, Any]:
        """What the API says. Raises `ErrorAnswer` where it says that something is wrong."""
        with self._response(method, url, headers, body=body) as response:
            content = self._read(response)
        with _understood():
            answer: dict[str, Any] = json.loads(content)
            error = answer.get("error")
            message = "" if error is None else str(error["message"])
        if message:
            raise ErrorAnswer(response.status, message)
        if response.status != HTTPStatus.OK:
            raise Unanswered(f"Cloudinary answers {response.status}")
        return answer

    def _read(self, response: BaseHTTPResponse) -> bytes:
        end = time.monotonic() + self._timeout
        content = b""
        while block := response.read1(BLOCK):
            content += block
            # One that comes byte by byte would hold us for ever.
            if len(content) > LONGEST_ANSWER or time.monotonic() > end:
                raise Unanswered("Cloudinary does not come to an end")
        return content

    @contextmanager
    def _response(
        self, method: str, url: str, headers: Mapping[str, str], *, body: Iterator[bytes] | None = None
    ) -> Iterator[BaseHTTPResponse]:
        # The SDK's own way of sending would hold a file in memory several times, try thrice, and wait for as long as
        # it is told to.
        sent = {**self._headers, "Accept-Encoding": "identity", **headers}
        try:
            response = self._http.request(method, url, headers=sent, body=body, preload_content=False)
            try:
                yield response
            except BaseException:
                # With what it still has to say, it is of no use to the next.
                response.close()
                raise
            finally:
                response.release_conn()
        except Unanswered:
            raise
        except (HTTPError, TimeoutError, ConnectionError) as error:
            raise Unanswered(f"Cloudinary does not answer: {error}") from error


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Unanswered("Cloudinary answers with what nobody can read") from error


def _blocks(content: "File[bytes]", part: Part, digest: Any) -> Iterator[bytes]:
    content.seek(part.start)
    left = part.stop - part.start
    while left:
        block = content.read(min(BLOCK, left))
        if not block:
            raise Unanswered("The file has become shorter while it was sent")
        left -= len(block)
        digest.update(block)
        yield block


def _joined(beginning: bytes, blocks: Iterator[bytes], end: bytes) -> Iterator[bytes]:
    yield beginning
    yield from blocks
    yield end
