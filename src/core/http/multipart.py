"""A lenient parser of forms (multipart/form-data), since clients do not always follow RFC 7578.

The charsets that parts declare are ignored: values are UTF-8; multipart_part.py decodes the names of files.
"""

import base64
import binascii
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers, StopUpload
from django.http import QueryDict
from django.http.multipartparser import (
    ChunkIter,
    InterBoundaryIter,
    LazyStream,
    MultiPartParser,
    MultiPartParserError,
)
from django.utils.datastructures import MultiValueDict

from core.http.multipart_part import Part

READ_BYTES = 64 * 1024
DEFAULT_FILE_NAME = "file"
# The preamble before the first boundary of a form, and the epilogue after its last.
PARTS_OUTSIDE_BOUNDARIES = 2
MAX_FIELD_NAME_LENGTH = 100


class NotUtf8(MultiPartParserError):
    """Values of a form are not UTF-8; `fields` has the names of their fields."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(f"Not UTF-8: {', '.join(fields)}")
        self.fields = fields


class FormParser(MultiPartParser):
    """Django's parser with lenient parsing of part headers. Raises what Django's does, and `NotUtf8`.

    `file_field` is the field that is a file even without a file name, if it has a content type.
    """

    _meta: Any
    _input_data: Any
    _boundary: bytes
    _chunk_size: int
    _content_length: int
    _encoding: str
    _upload_handlers: Sequence[FileUploadHandler]
    _close_files: Callable[[], None]
    _files: "MultiValueDict[str, UploadedFile]"

    def __init__(
        self, meta: Any, stream: IO[bytes], handlers: Sequence[FileUploadHandler], *, file_field: str = ""
    ) -> None:
        super().__init__(meta, stream, list(handlers), "utf-8")
        self._file_field = file_field
        self._fields_read = self._files_read = self._bytes_of_fields = 0
        self._not_utf8: list[str] = []

    def _parse(self) -> tuple[QueryDict, MultiValueDict[str, UploadedFile]]:
        self._post, self._files = QueryDict(mutable=True), MultiValueDict()
        if self._content_length == 0:
            return self._post, self._files
        self._announce_length()
        try:
            self._receive_parts()
        except StopUpload as stop:
            self._close_files()
            if not stop.connection_reset:
                _exhaust(self._input_data)
        else:
            _exhaust(self._input_data)
        for handler in self._upload_handlers:
            handler.upload_complete()
        if self._not_utf8:
            raise NotUtf8(self._not_utf8)
        return self._post, self._files

    def _announce_length(self) -> None:
        """Tell the handlers the length of the body, by which one decides whether it keeps files in memory."""
        for handler in self._upload_handlers:
            if not isinstance(handler, FormUploadHandler):
                handler.handle_raw_input(
                    self._input_data, self._meta, self._content_length, cast(str, self._boundary), self._encoding
                )

    def _receive_parts(self) -> None:
        # A file is complete once a boundary follows it; a truncated one is dropped.
        unfinished: tuple[Part, list[int]] | None = None
        # Skipped parts take time, too, and count.
        max_parts = (
            settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + settings.DATA_UPLOAD_MAX_NUMBER_FILES + PARTS_OUTSIDE_BOUNDARIES
        )
        for number, part in enumerate(self._iterate_parts(), start=1):
            if number > max_parts:
                raise TooManyFieldsSent("There are more parts in the form than it may have fields and files.")
            if unfinished:
                self._complete_file(*unfinished)
                unfinished = None
            if not part.field:
                pass
            elif part.is_file(self._file_field):
                counters = self._receive_file(part)
                unfinished = (part, counters) if counters is not None else None
            elif part.file_name is None:
                self._receive_text(part)
            _exhaust(part.stream)
        if unfinished:
            for handler in self._upload_handlers:
                handler.upload_interrupted()

    def _iterate_parts(self) -> Iterator[Part]:
        stream = LazyStream(ChunkIter(self._input_data, self._chunk_size))
        for inner in InterBoundaryIter(stream, b"--" + self._boundary):
            yield Part(inner)

    def _receive_text(self, part: Part) -> None:
        self._fields_read += 1
        max_fields, max_bytes = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if self._fields_read > max_fields:
            raise TooManyFieldsSent("There are more fields in the form than DATA_UPLOAD_MAX_NUMBER_FIELDS.")
        value = part.stream.read(max_bytes - self._bytes_of_fields + 1)
        self._bytes_of_fields += len(value) + len(part.field)
        if self._bytes_of_fields > max_bytes:
            raise RequestDataTooBig("The fields of the form are longer than DATA_UPLOAD_MAX_MEMORY_SIZE.")
        if part.is_base64:
            with contextlib.suppress(binascii.Error):
                value = base64.b64decode(value)
        try:
            self._post.appendlist(part.field, value.decode("utf-8"))
        except UnicodeDecodeError:
            self._not_utf8.append(part.field[:MAX_FIELD_NAME_LENGTH])

    def _receive_file(self, part: Part) -> list[int] | None:
        """Pass a file to the handlers; return how many bytes each received, or `None` if one skips the file."""
        self._files_read += 1
        max_files = settings.DATA_UPLOAD_MAX_NUMBER_FILES
        if self._files_read > max_files:
            raise TooManyFilesSent("There are more files in the form than DATA_UPLOAD_MAX_NUMBER_FILES.")
        counters = [0] * len(self._upload_handlers)
        try:
            for handler in self._upload_handlers:
                try:
                    # Handlers name temporary files after it; the uploaded file gets its real name at the end.
                    handler.new_file(part.field, DEFAULT_FILE_NAME, part.content_type, None, None, {})
                except StopFutureHandlers:
                    break
            for chunk in _decode_base64(part.stream) if part.is_base64 else part.stream:
                self._pass_to_handlers(chunk, counters)
        except SkipFile:
            self._close_files()
            return None
        return counters

    def _pass_to_handlers(self, chunk: bytes, counters: list[int]) -> None:
        for number, handler in enumerate(self._upload_handlers):
            remaining = handler.receive_data_chunk(chunk, counters[number])
            counters[number] += len(chunk)
            if remaining is None:
                return
            chunk = remaining

    def _complete_file(self, part: Part, counters: list[int]) -> None:
        for handler, counter in zip(self._upload_handlers, counters, strict=True):
            file = handler.file_complete(counter)
            if file:
                file.name = part.file_name or DEFAULT_FILE_NAME
                self._files.appendlist(part.field, file)
                return


class FormUploadHandler(FileUploadHandler):
    """Makes Django parse forms by `FormParser`, for example those of the portal."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 (Django calls it so)
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> Any:
        handlers = self.request.upload_handlers if self.request else [self]
        return FormParser(META, input_data, handlers).parse()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def _decode_base64(stream: LazyStream) -> Iterator[bytes]:
    """Raises `MultiPartParserError`."""
    rest = b""
    for chunk in stream:
        encoded = rest + b"".join(chunk.split())
        complete = len(encoded) // 4 * 4
        rest = encoded[complete:]
        try:
            yield base64.b64decode(encoded[:complete])
        except binascii.Error as error:
            raise MultiPartParserError("Could not decode base64 data.") from error
    if rest:
        raise MultiPartParserError("Could not decode base64 data.")


def _exhaust(stream: Any) -> None:
    """Read to the end and discard the content."""
    while stream.read(READ_BYTES):
        pass
