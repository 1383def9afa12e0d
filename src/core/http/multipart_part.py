"""The headers of one part of a form: the names of fields and files in the encodings that clients use.

Of the charsets that parts declare, only those in `ENCODINGS` are used.
"""

import base64
import re
import unicodedata
from urllib.parse import unquote_to_bytes

from django.http.multipartparser import LazyStream, MultiPartParserError

# Enough for a name of some thousand characters in two encodings; Django's limit is 1 KiB.
MAX_HEADER_BYTES = 64 * 1024
FOLD = re.compile(rb"\r\n[ \t]+")
PARAMETER = re.compile(rb';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:\\.?|[^"\\])*)(?:"|$)|([^;]*))', re.DOTALL)
ESCAPED = re.compile(rb'\\(["\\])')
# RFC 2047: meant for mail, but some clients use it in forms.
ENCODED_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bqBQ])\?([^?]*)\?=")
BLANKS_BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t]{1,8}(?==\?)")
# How browsers escape characters that the encoding of the page lacks, and those that would end the name.
CHARACTER_REFERENCE = re.compile(r"&#([0-9]{1,7});")
BROWSER_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}
# The charsets that a name may declare. No others are looked up: some of Python's codecs are no text encodings.
ENCODINGS = {
    *("ascii", "utf-8", "utf-16", "utf-16le", "utf-16be", "shift-jis", "cp932", "euc-jp", "iso-2022-jp", "gbk"),
    *("gb2312", "gb18030", "big5", "euc-kr", "koi8-r", "koi8-u"),
    *(f"iso-8859-{number}" for number in (*range(1, 12), 13, 14, 15, 16)),
    *(f"windows-{number}" for number in range(1250, 1259)),
}
# In characters; Django keeps 255. NFC normalization takes time that is quadratic in the length.
MAX_NAME_LENGTH, KEPT_EXTENSION_LENGTH = 1000, 100


class Part:
    """One part of a form: its parsed headers, and the stream of its content."""

    def __init__(self, stream: LazyStream) -> None:
        self.stream = stream
        headers = _read_headers(stream)
        disposition = _parse_parameters(headers.get(b"content-disposition", b""))
        self.field = (_get_parameter(disposition, b"name") or "").strip()
        name = _get_parameter(disposition, b"filename")
        # Empty if the name is only a path, such as `../`.
        self.file_name = None if name is None else _strip_path(name)
        self._has_empty_name = not name
        self.content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().decode("ascii", "replace")
        self.is_base64 = headers.get(b"content-transfer-encoding", b"").strip().lower() == b"base64"

    def is_file(self, file_field: str) -> bool:
        if self.file_name is None:
            return self.field == file_field and self.content_type.lower() not in {"", "text/plain"}
        # A browser sends an empty name and no content if no file was selected.
        return not self._has_empty_name or self._has_content()

    def _has_content(self) -> bool:
        beginning: bytes = self.stream.read(1)
        self.stream.unget(beginning)
        return bool(beginning)


def _read_headers(stream: LazyStream) -> dict[bytes, bytes]:
    """Read the headers by lower-case name; none if their end is missing. Raises `MultiPartParserError`."""
    size = 1024
    while size <= MAX_HEADER_BYTES:
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


def _parse_parameters(header: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, quoted, plain in PARAMETER.findall(header):
        found.setdefault(name.lower(), ESCAPED.sub(rb"\1", quoted) or plain.strip())
    return found


def _get_parameter(parameters: dict[bytes, bytes], name: bytes) -> str | None:
    """Read a parameter in the first syntax that is present: RFC 8187, RFC 2231 (continuations), then the plain one."""
    if extended := parameters.get(name + b"*"):
        return _decode_extended(extended)
    pieces, number = b"", 0
    is_extended = name + b"*0*" in parameters
    while (piece := parameters.get(b"%b*%d*" % (name, number), parameters.get(b"%b*%d" % (name, number)))) is not None:
        pieces, number = pieces + piece, number + 1
    if pieces:
        return _decode_extended(pieces) if is_extended else _decode_plain(pieces)
    return _decode_plain(parameters[name]) if name in parameters else None


def _decode_extended(value: bytes) -> str:
    """Decode `charset'language'value` with a percent-encoded value, also without the first two."""
    charset, _, rest = value.partition(b"'")
    _, quote, encoded = rest.partition(b"'")
    return _decode(unquote_to_bytes(encoded), charset) if quote else _decode(unquote_to_bytes(value))


def _decode_plain(value: bytes) -> str:
    text = _decode(value)
    text = ENCODED_WORD.sub(_decode_encoded_word, BLANKS_BETWEEN_WORDS.sub("", text))
    for escape, character in BROWSER_ESCAPES.items():
        text = text.replace(escape, character)
    return CHARACTER_REFERENCE.sub(_resolve_reference, text)


def _decode_encoded_word(word: re.Match[str]) -> str:
    charset, encoding, encoded = word.groups()
    try:
        if encoding in "bB":
            raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        else:
            raw = unquote_to_bytes(encoded.replace("%", "%25").replace("=", "%").replace("_", " "))
    except ValueError:
        return word[0]
    return _decode(raw, charset.encode("ascii", "replace"))


def _resolve_reference(reference: re.Match[str]) -> str:
    number = int(reference[1])
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else reference[0]


def _decode(raw: bytes, charset: bytes = b"utf-8") -> str:
    """Decode in the named encoding if it is known, else UTF-8, else Windows-1252, which takes almost all bytes."""
    encoding = charset.decode("ascii", "replace").strip().lower().replace("_", "-")
    for candidate in (encoding if encoding in ENCODINGS else "utf-8", "utf-8", "windows-1252"):
        try:
            return raw.decode(candidate)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _strip_path(name: str) -> str:
    name = re.split(r"[/\\]", name)[-1]
    if len(name) > MAX_NAME_LENGTH:
        name = name[: MAX_NAME_LENGTH - KEPT_EXTENSION_LENGTH] + name[-KEPT_EXTENSION_LENGTH:]
    # Normalized before Django truncates it.
    return "" if name in {".", ".."} else unicodedata.normalize("NFC", name)
