"""A Django storage at Cloudinary, which can show pictures and videos in other sizes and formats."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import quote

from django.core.files.base import File
from django.core.files.storage import Storage

from core.storages import ListedFile, OutcomeUnknown, Refused
from core.storages.cloudinary_client import (
    BLOCK,
    DELIVERY_HOST,
    CloudinaryClient,
    CloudinaryError,
    Upload,
    translate_parse_errors,
)
from core.storages.cloudinary_names import KINDS, Asset, build_name, parse_name
from core.time import clock

MEBIBYTE = 1024 * 1024
# Cloudinary's name for files that are read by signed URLs alone.
DELIVERY_TYPE = "authenticated"
# How many names are tried for one file.
MAX_NAMES = 3

MD5 = re.compile(r"[0-9a-f]{32}")


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
    """Stores private files: nobody reads one without a signed URL.

    `timeout` limits, in seconds: connecting, each wait for data, and each response of the API as a whole. Nothing is
    retried, and nothing is taken from the SDK's global configuration. Raises `Refused` for bytes that are rejected,
    `FileNotFoundError` for a missing file, and `OutcomeUnknown` for every other failure.
    """

    # Cloudinary takes no part of less than 5 MiB, except the last.
    part_size = 6 * MEBIBYTE
    # Files in one page of the listing, at most 500.
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
        delivery_url: str = DELIVERY_HOST,
        link_seconds: int | None = None,
    ) -> None:
        """With `link_seconds`, URLs expire after so long; without, they are valid for as long as the file exists."""
        self._prefix = f"{prefix.strip('/')}/"
        self._link_seconds = link_seconds
        self._client = CloudinaryClient(
            cloud_name=cloud_name,
            api_key=api_key,
            api_secret=api_secret,
            api_url=api_url,
            delivery_url=delivery_url,
            timeout=timeout,
        )

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        """Check the length alone: Cloudinary reports a name in use on upload, and limits calls of the Admin API."""
        return not max_length or len(name) <= max_length

    def exists(self, name: str) -> bool:
        try:
            self._fetch_details(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """In bytes. Raises `FileNotFoundError`."""
        details = self._fetch_details(name)
        with translate_parse_errors():
            return int(details["bytes"])

    def get_created_time(self, name: str) -> datetime:
        """Raises `FileNotFoundError`."""
        details = self._fetch_details(name)
        with translate_parse_errors():
            return datetime.fromisoformat(details["created_at"])

    def get_modified_time(self, name: str) -> datetime:
        """The same as the time of creation, since files are never changed here. Raises `FileNotFoundError`."""
        return self.get_created_time(name)

    def delete(self, name: str) -> None:
        """Delete a file, and its copies in the CDN within minutes. A missing file is no error."""
        if not name:
            raise ValueError("The name must be given to delete().")
        asset = parse_name(name, self._prefix)
        params = {"public_id": asset.public_id, "type": DELIVERY_TYPE, "invalidate": True}
        result = self._client.post(asset.kind, "destroy", params)
        if result.get("result") not in {"ok", "not found"}:
            raise OutcomeUnknown(f"Cloudinary has not deleted {name}: {result.get('result')!r}")

    def url(self, name: str | None) -> str:
        return self._build_url(name or "", as_attachment=False)

    def build_signed_url(self, name: str, *, file_name: str, content_type: str, inline: bool) -> str:
        """Build a signed URL. Cloudinary has its own name and type for the file: `file_name` and `content_type` have no
        effect, and `inline` only has one on URLs that expire."""
        return self._build_url(name, as_attachment=not inline)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """The folders and the files in a folder; none where there is no such folder."""
        folder = f"{path.strip('/')}/".lstrip("/")
        folders, files = set(), []
        for kind in KINDS:
            # Only query the kinds that the folder may contain, by the part of its path that they know.
            inside = folder.removeprefix(f"{kind}/")
            if folder and inside == folder and kind != "raw":
                continue
            for listed in self._list_files(kind, "" if kind == "raw" else inside):
                if listed.name.startswith(folder):
                    first, slash, _ = listed.name.removeprefix(folder).partition("/")
                    if slash:
                        folders.add(first)
                    else:
                        files.append(first)
        return sorted(folders), files

    def walk(self) -> Iterator[ListedFile]:
        """Iterate over the files below the prefix that this storage saved."""
        for kind in KINDS:
            yield from self._list_files(kind)

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """Download a file, into memory if it is small, else to disk. Raises `FileNotFoundError`."""
        if mode != "rb":
            raise ValueError("Files at Cloudinary are opened with rb; they are written by save().")
        with ExitStack() as on_error:
            content = on_error.enter_context(SpooledTemporaryFile(max_size=MEBIBYTE))
            self._download(name, content)
            content.seek(0)
            on_error.pop_all()
        return File(content, name=name)

    def _save(self, name: str, content: "File[bytes]") -> str:
        """Upload `content`, which must be seekable, from its beginning; it is left open."""
        path = PurePosixPath(name)
        for _ in range(MAX_NAMES):
            if self._upload(parse_name(name, self._prefix), content):
                return name
            name = str(path.with_name(self.get_alternative_name(path.stem, path.suffix)))
        raise FileExistsError(f"Cloudinary has files by all {MAX_NAMES} names that were tried for {path}")

    def _upload(self, asset: Asset, content: "File[bytes]") -> bool:
        """Upload a file in parts; return false where another has the name, which is left as it is."""
        total = content.seek(0, os.SEEK_END)
        digest = hashlib.md5(usedforsecurity=False)
        upload_id = secrets.token_hex(16)
        result: Mapping[str, Any] = {}
        for start in range(0, max(total, 1), self.part_size):
            part = Part(start=start, stop=min(start + self.part_size, total), total=total)
            result = self._upload_part(asset, content, part, upload_id=upload_id, digest=digest)
        if result.get("existing"):
            return False
        expected = {"public_id": asset.public_id, "resource_type": asset.kind, "type": DELIVERY_TYPE, "bytes": total}
        # The ETag of a file that was uploaded in parts may be something else than the MD5 of its bytes.
        if MD5.fullmatch(str(result.get("etag"))):
            expected["etag"] = digest.hexdigest()
        for key, value in expected.items():
            if result.get(key) != value:
                raise OutcomeUnknown(
                    f"The response differs from the upload: {key} is {result.get(key)!r}, not {value!r}"
                )
        return True

    def _upload_part(
        self, asset: Asset, content: "File[bytes]", part: Part, *, upload_id: str, digest: Any
    ) -> dict[str, Any]:
        params = {"public_id": asset.public_id, "type": DELIVERY_TYPE, "overwrite": False}
        headers = {}
        if not part.is_whole:
            headers = {
                "Content-Range": f"bytes {part.start}-{part.stop - 1}/{part.total}",
                "X-Unique-Upload-Id": upload_id,
            }
        file = Upload(blocks=_read_blocks(content, part, digest), length=part.stop - part.start)
        try:
            return self._client.post(asset.kind, "upload", params, headers=headers, file=file)
        except CloudinaryError as error:
            # A wrong clock of this machine is not the fault of the file.
            if error.status != HTTPStatus.BAD_REQUEST or error.message.startswith("Stale request"):
                raise
            raise Refused(error.message) from error

    def _download(self, name: str, target: "SpooledTemporaryFile[bytes]") -> None:
        """Download the original bytes, which a URL without a format returns."""
        url = self._build_delivery_url(parse_name(name, self._prefix))
        with self._client.open_url("GET", url, {}) as response:
            if response.status == HTTPStatus.NOT_FOUND:
                raise FileNotFoundError(name)
            if response.status != HTTPStatus.OK:
                raise CloudinaryError(response.status, response.headers.get("X-Cld-Error", ""))
            length = 0
            for block in response.stream(BLOCK):
                length += len(block)
                target.write(block)
            # A chunked response marks its own end.
            if not response.chunked and response.headers.get("Content-Length") != str(length):
                raise OutcomeUnknown(f"Cloudinary has sent {length} bytes of {name}, which may not be all")

    def _build_url(self, name: str, *, as_attachment: bool) -> str:
        asset = parse_name(name, self._prefix)
        if self._link_seconds is None:
            return self._build_delivery_url(asset)
        return self._client.build_download_url(
            asset.kind,
            asset.public_id,
            delivery_type=DELIVERY_TYPE,
            expires_at=int(clock.now().timestamp()) + self._link_seconds,
            as_attachment=as_attachment,
        )

    def _build_delivery_url(self, asset: Asset) -> str:
        return self._client.build_delivery_url(asset.kind, asset.public_id, delivery_type=DELIVERY_TYPE)

    def _fetch_details(self, name: str) -> dict[str, Any]:
        """Raises `FileNotFoundError`."""
        asset = parse_name(name, self._prefix)
        try:
            return self._client.get("resources", asset.kind, DELIVERY_TYPE, quote(asset.public_id))
        except CloudinaryError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise FileNotFoundError(name) from error
            raise

    def _list_files(self, kind: str, folder: str = "") -> Iterator[ListedFile]:
        cursor = None
        while True:
            query = {"prefix": self._prefix + folder, "max_results": self.page_size, "next_cursor": cursor}
            page = self._client.get("resources", kind, DELIVERY_TYPE, query=query)
            with translate_parse_errors():
                found = [
                    (build_name(kind, entry["public_id"], self._prefix), int(entry["bytes"]))
                    for entry in page["resources"]
                ]
            # Files without a name were not saved by this storage.
            yield from (ListedFile(name=name, size=size) for name, size in found if name)
            cursor = page.get("next_cursor")
            if not cursor:
                return


def _read_blocks(content: "File[bytes]", part: Part, digest: Any) -> Iterator[bytes]:
    """Read a part block by block, and add each block to the digest."""
    content.seek(part.start)
    left = part.stop - part.start
    while left:
        block = content.read(min(BLOCK, left))
        if not block:
            raise OutcomeUnknown("The file was truncated during the upload")
        left -= len(block)
        digest.update(block)
        yield block
