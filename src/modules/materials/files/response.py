"""Stream a stored file, with conditional and range requests (RFC 9110, sections 13 and 14)."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, cast

from asgiref.sync import sync_to_async
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from core.http.error_responses import build_error_response

# A single range: first and last byte, first byte, or suffix length. Several ranges are answered with the whole file.
RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{1,18})?|-(?P<length>[0-9]{1,18}))", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ServedFile:
    """A file to send, with its headers and validators."""

    content: IO[bytes]
    # In bytes.
    size: int
    content_type: str
    file_name: str
    is_attachment: bool
    sha256: str
    stored_at: datetime


class StreamedFile(FileResponse):
    """A `FileResponse` that streams under ASGI, too, where Django's reads the whole file first."""

    block_size = 64 * 1024

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.file_to_stream is None:
            # A response without a body, such as to HEAD.
            return
        read = sync_to_async(cast(IO[bytes], self.file_to_stream).read)
        while block := await read(self.block_size):
            yield block


class FileRange:
    """The next `length` bytes of a file."""

    def __init__(self, content: IO[bytes], length: int) -> None:
        self.content = content
        self.left = length
        self.close = content.close

    def read(self, size: int) -> bytes:
        block = self.content.read(min(size, self.left))
        self.left -= len(block)
        return block


def build_file_response(request: HttpRequest, served: ServedFile, *, headers: Mapping[str, str]) -> HttpResponseBase:
    """Respond with 200 and the file, 206 and a range of it, or 304; 412 and 416 are errors in the API's format.

    The file is closed with the response.
    """
    etag = f'"{served.sha256}"'
    validators = {"ETag": etag, "Last-Modified": http_date(served.stored_at.timestamp()), **headers}
    last_modified = int(served.stored_at.timestamp())
    conditional = get_conditional_response(request, etag=etag, last_modified=last_modified)
    if conditional is not None:
        served.content.close()
        return _build_bodiless_response(conditional.status_code, validators, size=served.size)
    part = _parse_range(request, served, validators)
    if part is None:
        response = _stream(served.content, served, {**validators, "Accept-Ranges": "bytes"})
        if request.method == "HEAD":
            response.streaming_content = ()
            served.content.close()
        return response
    if not part:
        served.content.close()
        refusal = build_error_response(416)
        refusal["Content-Range"] = f"bytes */{served.size}"
        return refusal
    served.content.seek(part.start)
    partial = _stream(FileRange(served.content, len(part)), served, validators)
    partial.status_code = 206
    partial["Content-Length"] = str(len(part))
    partial["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{served.size}"
    return partial


def _stream(content: Any, served: ServedFile, headers: Mapping[str, str]) -> StreamedFile:
    return StreamedFile(
        content,
        as_attachment=served.is_attachment,
        filename=served.file_name,
        content_type=served.content_type,
        headers=dict(headers),
    )


def _build_bodiless_response(status: int, validators: Mapping[str, str], *, size: int) -> HttpResponse:
    if status != 304:
        return build_error_response(status)
    response = HttpResponse(status=304, headers={**validators, "Content-Length": str(size)})
    del response["Content-Type"]
    return response


def _parse_range(request: HttpRequest, served: ServedFile, validators: Mapping[str, str]) -> range | None:
    """Return the requested positions: empty if the file has none of them, `None` for the whole file."""
    asked = RANGE.fullmatch(request.headers.get("Range", "").strip())
    # A range of a changed file would not fit what the client already has.
    unchanged = request.headers.get("If-Range", "") in {"", validators["ETag"], validators["Last-Modified"]}
    if request.method != "GET" or asked is None or not unchanged:
        return None
    if asked["length"] is not None:
        return range(max(served.size - int(asked["length"]), 0), served.size)
    first = int(asked["first"])
    last = served.size - 1 if asked["last"] is None else int(asked["last"])
    if asked["last"] is not None and last < first:
        return None
    return range(first, min(last + 1, served.size))
