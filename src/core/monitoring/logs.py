"""What no log may hold: passwords, tokens, cookies and whatever else opens something to whoever reads it."""

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote

INSTEAD = "[redacted]"
# Shorter ones are found by what stands before them alone: as a word of their own they would be everywhere.
SHORTEST_SECRET = 8

# What a value is called that is a secret, also where more follows, as in `password1`.
_NAME = (
    r"(?:(?:token|password|passwd|secret|signature|credential|api[_-]?key|sessionid|session_key|csrf)[\w-]{0,20}"
    r"|(?<![\w-])(?:access|refresh))"
)
_HEADER = r"(?:HTTP_|Proxy-|Set-)?(?:Authorization|Cookie|X[_-]CSRF[_-]?Token|X-Amz-Security-Token|X[_-]API[_-]Key)"
# What is quoted inside a value may be escaped more than once. One that never ends is taken out to the end.
_DOUBLE, _SINGLE = r"""b?"(?:\\+.|[^"\\])*(?:"|\Z)""", r"""b?'(?:\\+.|[^'\\])*(?:'|\Z)"""
_QUOTED = f"(?:{_DOUBLE}|{_SINGLE})"
# Such a name, perhaps the end of a longer one, as a key.
_KEY = rf"""["'][\w.-]{{0,30}}{_NAME}["']"""
_BARE = r"""[^\s&"'<>()\[\]{},;]+"""

# What a text has to contain, in small letters, to be looked at any closer, which takes long.
_NAMES = ("token", "passw", "secret", "signature", "credential", "key", "sessionid", "csrf", "access", "refresh")
_HEADERS = ("authorization", "cookie", "csrf", "security", "key")

# Each with what stays of it. None may look at a text again from each of its characters: anybody may send a long one.
_PATTERNS = [
    (words, re.compile(pattern, re.IGNORECASE), kept)
    for words, pattern, kept in (
        # A header, as Python shows it or as it is sent.
        (_HEADERS, rf"""({_HEADER}["']\s*[:=,]\s*){_QUOTED}""", rf"\g<1>'{INSTEAD}'"),
        (_HEADERS, rf"({_HEADER}\s*[:=]\s*)(?![\s'\[])[^\n]+", rf"\g<1>{INSTEAD}"),
        # Another scheme than the one that is asked for, as the library of the API tells of it.
        (("unexpected auth",), r"(Unexpected auth - )'[^\n]*'", rf"\g<1>'{INSTEAD}'"),
        (
            ("bearer", "token", "basic", "digest", "jwt", "apikey"),
            r"\b(Bearer|Token|Basic|Digest|JWT|ApiKey)(\s+)(?=[^\s\"']{16}|[^\s\"']*[\d=+])[^\s\"',;]{6,}",
            rf"\g<1>\g<2>{INSTEAD}",
        ),
        # As JSON and Python have it: with a value, a list of values, or within a text that is JSON itself.
        (_NAMES, rf"({_KEY}\s*[:=,]\s*\[\s*){_QUOTED}(?:\s*,\s*{_QUOTED})*", rf"\g<1>'{INSTEAD}'"),
        (_NAMES, rf"({_KEY}\s*[:=,]\s*){_DOUBLE}", rf'\g<1>"{INSTEAD}"'),
        (_NAMES, rf"({_KEY}\s*[:=,]\s*){_SINGLE}", rf"\g<1>'{INSTEAD}'"),
        (_NAMES, rf"({_KEY}\s*:\s*)(?!\[){_BARE}", rf"\g<1>{INSTEAD}"),
        (_NAMES, rf"""(\\["']{_NAME}\\["']\s*:\s*\\["'])(?:(?!\\["'])[^\n])*""", rf"\g<1>{INSTEAD}"),
        # As in a query, also one inside another, and in what a database is connected by.
        (_NAMES, rf"({_NAME}(?:=|%3D))(?:{_QUOTED}|{_BARE})", rf"\g<1>{INSTEAD}"),
        # The password in an address.
        (("://",), r"""(://[^\s/?#'":]*:)[^\s/?#'"]*@""", rf"\g<1>{INSTEAD}@"),
        # The path to a file: a number, when it runs out, and a signature. And the signature in one at Cloudinary.
        (("/api/files/",), r"(/api/files/)\d+-\d+(?::|%3A)[\w-]+", rf"\g<1>{INSTEAD}"),
        (("/s--",), r"/s--[\w-]{8,}--/", f"/s--{INSTEAD}--/"),
        # Whatever has been signed, wherever it stands.
        (("eyj",), r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?", INSTEAD),
        (("",), r"(?<=[:.])[\w-]{43}(?![\w-])", INSTEAD),
        # A password that is hashed, and a value that was refused.
        (("$",), r"\b(pbkdf2_\w+|argon2\w*|scrypt|bcrypt\w*|md5|sha1)\$[^\s'\",)]+", rf"\g<1>${INSTEAD}"),
        (("input_value",), r"(input_value=)[^\n]{1,500}?(, input_type=)", rf"\g<1>{INSTEAD}\g<2>"),
    )
]
_formatter = logging.Formatter()


def redact(text: str) -> str:
    """The text with the value of whatever opens something taken out."""
    small = text.lower()
    for words, pattern, kept in _PATTERNS:
        if any(word in small for word in words):
            text = pattern.sub(kept, text)
    return text


class RedactionFilter(logging.Filter):
    """Takes secrets out of a record: its message with all that is put into it, and its traceback. Whoever wrote it.

    `secrets` are those of this installation, which are taken out wherever they stand.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        known = {secret for secret in secrets if secret and len(secret) >= SHORTEST_SECRET}
        forms = known | {quote(secret, safe="") for secret in known}
        self.known = re.compile("|".join(re.escape(each) for each in sorted(forms, key=len, reverse=True)) or r"(?!)")

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:
            # It does not fit its arguments, which logging itself reports, with both of them.
            message = ""
            self._clean_parts(record)
        if (clean := self._clean(message)) != message:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self._clean(record.stack_info)
        return True

    def _clean(self, text: str) -> str:
        return redact(self.known.sub(INSTEAD, text))

    def _clean_parts(self, record: logging.LogRecord) -> None:
        record.msg = self._clean(_shown(record.msg))
        # A mapping as a whole: what its values are, its keys say.
        given = record.args if isinstance(record.args, tuple) else (record.args,)
        record.args = tuple(self._cleaned(each) for each in given)

    def _cleaned(self, value: object) -> object:
        """What is shown of a value by its `repr`, as logging does it; only what cannot hold a secret stays itself."""
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._clean(_shown(value))


def _shown(value: object) -> str:
    try:
        return value if type(value) is str else repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
