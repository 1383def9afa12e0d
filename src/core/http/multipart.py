"""Forms (multipart/form-data) as clients send them, which is not always as RFC 7578 has it.

Nothing that a part says of its own character set is asked: values are UTF-8, and the names of files whatever they are.
"""

import base64
import binascii
import contextlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, cast
from urllib.parse import unquote_to_bytes

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

# Room for a name of some thousand characters, written twice. Django's own bound is a kibibyte.
MOST_BYTES_OF_HEAD = 64 * 1024
PIECE = 64 * 1024
FOLD = re.compile(rb"\r\n[ \t]+")
PARAMETER = re.compile(rb';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:\\.?|[^"\\])*)(?:"|$)|([^;]*))', re.DOTALL)
ESCAPED = re.compile(rb'\\(["\\])')
# RFC 2047, as mail has it and some clients have here.
ENCODED_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bqBQ])\?([^?]*)\?=")
BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t]{1,8}(?==\?)")
# How a browser writes a letter that the page's own encoding lacks, and what would end the name.
REFERENCE = re.compile(r"&#([0-9]{1,7});")
BROWSERS = {"%22": '"', "%0D": "\r", "%0A": "\n"}
# Those that a name may say it is written in. Nothing else is looked up: some of Python's codecs are no encodings.
ENCODINGS = {
    *("ascii", "utf-8", "utf-16", "utf-16le", "utf-16be", "shift-jis", "cp932", "euc-jp", "iso-2022-jp", "gbk"),
    *("gb2312", "gb18030", "big5", "euc-kr", "koi8-r", "koi8-u"),
    *(f"iso-8859-{number}" for number in (*range(1, 12), 13, 14, 15, 16)),
    *(f"windows-{number}" for number in range(1250, 1259)),
}
NAMELESS = "file"
# What lies before the first boundary of a form, and after its last.
AROUND = 2
# Four times what Django keeps of a name. Composing takes time that grows with the square of the length.
MOST_CHARACTERS, END_OF_NAME = 1000, 100
LONGEST_FIELD_NAME = 100


class NotUtf8(MultiPartParserError):
    """Values of a form in another encoding; `fields` names them."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(f"Not UTF-8: {', '.join(fields)}")
        self.fields = fields


class FormParser(MultiPartParser):
    """Finds every file of a form, whatever it is called and in whichever encoding. Raises what Django's parser does.

    `file_field` is the field that holds a file even where the client gives it no name, but a content type.
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
        self._announce()
        try:
            self._receive_all()
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

    def _announce(self) -> None:
        """The handler that keeps files in memory only does so for a body of which it has been told the length."""
        for handler in self._upload_handlers:
            if not isinstance(handler, FormUploadHandler):
                handler.handle_raw_input(
                    self._input_data, self._meta, self._content_length, cast(str, self._boundary), self._encoding
                )

    def _receive_all(self) -> None:
        # A file is complete once a boundary follows it; one that is cut off is none.
        unfinished: tuple[Part, list[int]] | None = None
        # Those that are skipped take their time, too.
        most_parts = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + settings.DATA_UPLOAD_MAX_NUMBER_FILES + AROUND
        for number, part in enumerate(self._parts(), start=1):
            if number > most_parts:
                raise TooManyFieldsSent("There are more parts in the form than it may have fields and files.")
            if unfinished:
                self._complete(*unfinished)
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

    def _parts(self) -> "Iterator[Part]":
        stream = LazyStream(ChunkIter(self._input_data, self._chunk_size))
        for inner in InterBoundaryIter(stream, b"--" + self._boundary):
            yield Part(inner)

    def _receive_text(self, part: "Part") -> None:
        self._fields_read += 1
        most_fields, most_bytes = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if self._fields_read > most_fields:
            raise TooManyFieldsSent("There are more fields in the form than DATA_UPLOAD_MAX_NUMBER_FIELDS.")
        value = part.stream.read(most_bytes - self._bytes_of_fields + 1)
        self._bytes_of_fields += len(value) + len(part.field)
        if self._bytes_of_fields > most_bytes:
            raise RequestDataTooBig("The fields of the form are longer than DATA_UPLOAD_MAX_MEMORY_SIZE.")
        if part.is_base64:
            with contextlib.suppress(binascii.Error):
                value = base64.b64decode(value)
        try:
            self._post.appendlist(part.field, value.decode("utf-8"))
        except UnicodeDecodeError:
            self._not_utf8.append(part.field[:LONGEST_FIELD_NAME])

    def _receive_file(self, part: "Part") -> list[int] | None:
        """How many bytes each handler was given; `None` where one does not want the file."""
        self._files_read += 1
        most_files = settings.DATA_UPLOAD_MAX_NUMBER_FILES
        if self._files_read > most_files:
            raise TooManyFilesSent("There are more files in the form than DATA_UPLOAD_MAX_NUMBER_FILES.")
        counters = [0] * len(self._upload_handlers)
        try:
            for handler in self._upload_handlers:
                try:
                    # Handlers make names of temporary files from it: they get the real one in the end.
                    handler.new_file(part.field, NAMELESS, part.content_type, None, None, {})
                except StopFutureHandlers:
                    break
            for chunk in _from_base64(part.stream) if part.is_base64 else part.stream:
                self._hand_on(chunk, counters)
        except SkipFile:
            self._close_files()
            return None
        return counters

    def _hand_on(self, chunk: bytes, counters: list[int]) -> None:
        for number, handler in enumerate(self._upload_handlers):
            left = handler.receive_data_chunk(chunk, counters[number])
            counters[number] += len(chunk)
            if left is None:
                return
            chunk = left

    def _complete(self, part: "Part", counters: list[int]) -> None:
        for handler, counter in zip(self._upload_handlers, counters, strict=True):
            file = handler.file_complete(counter)
            if file:
                file.name = part.file_name or NAMELESS
                self._files.appendlist(part.field, file)
                return


class FormUploadHandler(FileUploadHandler):
    """Lets `FormParser` read the forms that Django reads itself, the portal's among them."""

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


class Part:
    """What lies between two boundaries: what its headers say, and the stream of what follows them."""

    def __init__(self, stream: LazyStream) -> None:
        self.stream = stream
        headers = _headers_of(stream)
        disposition = _parameters(headers.get(b"content-disposition", b""))
        self.field = (_parameter(disposition, b"name") or "").strip()
        name = _parameter(disposition, b"filename")
        # Empty for a name of which nothing is left.
        self.file_name = None if name is None else _without_path(name)
        self._is_unnamed = not name
        self.content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().decode("ascii", "replace")
        self.is_base64 = headers.get(b"content-transfer-encoding", b"").strip().lower() == b"base64"

    def is_file(self, file_field: str) -> bool:
        if self.file_name is None:
            return self.field == file_field and self.content_type.lower() not in {"", "text/plain"}
        # This is how a browser sends that nobody has chosen a file.
        return not self._is_unnamed or self._goes_on()

    def _goes_on(self) -> bool:
        beginning: bytes = self.stream.read(1)
        self.stream.unget(beginning)
        return bool(beginning)


def _headers_of(stream: LazyStream) -> dict[bytes, bytes]:
    """Those of a part, their names in small letters; none for what is no part. Raises `MultiPartParserError`."""
    size = 1024
    while size <= MOST_BYTES_OF_HEAD:
        beginning = stream.read(size)
        end = beginning.find(b"\r\n\r\n")
        if end >= 0:
            stream.unget(beginning[end + 4 :])
            lines = FOLD.sub(b" ", beginning[:end]).split(b"\r\n")
            pairs = (line.partition(b":") for line in lines)
            return {name.strip().lower(): value.strip() for name, _, value in pairs}
        stream.unget(beginning)
        if len(beginning) < size:
            return {}
        size *= 2
    raise MultiPartParserError("The headers of a part are too long.")


def _parameters(header: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, quoted, plain in PARAMETER.findall(header):
        found.setdefault(name.lower(), ESCAPED.sub(rb"\1", quoted) or plain.strip())
    return found


def _parameter(parameters: dict[bytes, bytes], name: bytes) -> str | None:
    """The first of the ways to write it that is there: RFC 8187, RFC 2231 (in pieces), then as it comes."""
    if extended := parameters.get(name + b"*"):
        return _from_extended(extended)
    pieces, number = b"", 0
    is_extended = name + b"*0*" in parameters
    while (piece := parameters.get(b"%b*%d*" % (name, number), parameters.get(b"%b*%d" % (name, number)))) is not None:
        pieces, number = pieces + piece, number + 1
    if pieces:
        return _from_extended(pieces) if is_extended else _from_plain(pieces)
    return _from_plain(parameters[name]) if name in parameters else None


def _from_extended(value: bytes) -> str:
    """`charset'language'value`, the value percent-encoded; or without the first two."""
    charset, _, rest = value.partition(b"'")
    _, quote, encoded = rest.partition(b"'")
    return _decoded(unquote_to_bytes(encoded), charset) if quote else _decoded(unquote_to_bytes(value))


def _from_plain(value: bytes) -> str:
    text = _decoded(value)
    text = ENCODED_WORD.sub(_from_encoded_word, BETWEEN_WORDS.sub("", text))
    for written, meant in BROWSERS.items():
        text = text.replace(written, meant)
    return REFERENCE.sub(_referred_to, text)


def _from_encoded_word(word: re.Match[str]) -> str:
    charset, how, written = word.groups()
    try:
        if how in "bB":
            raw = base64.b64decode(written + "=" * (-len(written) % 4))
        else:
            raw = unquote_to_bytes(written.replace("%", "%25").replace("=", "%").replace("_", " "))
    except ValueError:
        return word[0]
    return _decoded(raw, charset.encode("ascii", "replace"))


def _referred_to(reference: re.Match[str]) -> str:
    number = int(reference[1])
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else reference[0]


def _decoded(raw: bytes, charset: bytes = b"utf-8") -> str:
    """In the encoding that is named; else UTF-8; else Windows-1252, in which any bytes mean something."""
    encoding = charset.decode("ascii", "replace").strip().lower().replace("_", "-")
    for candidate in (encoding if encoding in ENCODINGS else "utf-8", "utf-8", "windows-1252"):
        try:
            return raw.decode(candidate)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _without_path(name: str) -> str:
    name = re.split(r"[/\\]", name)[-1]
    if len(name) > MOST_CHARACTERS:
        name = name[: MOST_CHARACTERS - END_OF_NAME] + name[-END_OF_NAME:]
    # Composed before Django cuts it to the length that it allows.
    return "" if name in {".", ".."} else unicodedata.normalize("NFC", name)


def _from_base64(stream: LazyStream) -> Iterator[bytes]:
    """Raises `MultiPartParserError`."""
    rest = b""
    for chunk in stream:
        letters = rest + b"".join(chunk.split())
        whole = len(letters) // 4 * 4
        rest = letters[whole:]
        try:
            yield base64.b64decode(letters[:whole])
        except binascii.Error as error:
            raise MultiPartParserError("Could not decode base64 data.") from error
    if rest:
        raise MultiPartParserError("Could not decode base64 data.")


def _exhaust(stream: Any) -> None:
    """Read to the end, and forget."""
    while stream.read(PIECE):
        pass
