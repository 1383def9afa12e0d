"""Redaction of secrets in logs: passwords, tokens, cookies, keys and signed URLs."""

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote

REPLACEMENT = "[redacted]"
# Shorter secrets are redacted by their context only: by themselves they would match common words.
MIN_SECRET_LENGTH = 8

# Names of secrets, also with a suffix, as in `password1`.
_NAME = (
    r"(?:(?:token|password|passwd|secret|signature|credential|api[_-]?key|sessionid|session_key|csrf)[\w-]{0,20}"
    r"|(?<![\w-])(?:access|refresh))"
)
_HEADER = r"(?:HTTP_|Proxy-|Set-)?(?:Authorization|Cookie|X[_-]CSRF[_-]?Token|X-Amz-Security-Token|X[_-]API[_-]Key)"
# Quotes within a value may be escaped repeatedly. A value without a closing quote extends to the end of the text.
_DOUBLE, _SINGLE = r"""b?"(?:\\+.|[^"\\])*(?:"|\Z)""", r"""b?'(?:\\+.|[^'\\])*(?:'|\Z)"""
_QUOTED = f"(?:{_DOUBLE}|{_SINGLE})"
# A quoted key that ends in such a name.
_KEY = rf"""["'][\w.-]{{0,30}}{_NAME}["']"""
_BARE = r"""[^\s&"'<>()\[\]{},;]+"""

# The words of which a lower-case text must contain one before the slow patterns are tried.
_NAMES = ("token", "passw", "secret", "signature", "credential", "key", "sessionid", "csrf", "access", "refresh")
_HEADERS = ("authorization", "cookie", "csrf", "security", "key")

# The words that a pattern needs, the pattern, and its replacement. All patterns must run in linear time, since clients
# can send long texts.
_PATTERNS = [
    (words, re.compile(pattern, re.IGNORECASE), replacement)
    for words, pattern, replacement in (
        # A header, in the repr of a dict or as it is sent.
        (_HEADERS, rf"""({_HEADER}["']\s*[:=,]\s*){_QUOTED}""", rf"\g<1>'{REPLACEMENT}'"),
        (_HEADERS, rf"({_HEADER}\s*[:=]\s*)(?![\s'\[])[^\n]+", rf"\g<1>{REPLACEMENT}"),
        # An unsupported authentication scheme, in a message of django-ninja.
        (("unexpected auth",), r"(Unexpected auth - )'[^\n]*'", rf"\g<1>'{REPLACEMENT}'"),
        (
            ("bearer", "token", "basic", "digest", "jwt", "apikey"),
            r"\b(Bearer|Token|Basic|Digest|JWT|ApiKey)(\s+)(?=[^\s\"']{16}|[^\s\"']*[\d=+])[^\s\"',;]{6,}",
            rf"\g<1>\g<2>{REPLACEMENT}",
        ),
        # A key in JSON or a Python dict: with a value, a list of values, or within JSON in a string.
        (_NAMES, rf"({_KEY}\s*[:=,]\s*\[\s*){_QUOTED}(?:\s*,\s*{_QUOTED})*", rf"\g<1>'{REPLACEMENT}'"),
        (_NAMES, rf"({_KEY}\s*[:=,]\s*){_DOUBLE}", rf'\g<1>"{REPLACEMENT}"'),
        (_NAMES, rf"({_KEY}\s*[:=,]\s*){_SINGLE}", rf"\g<1>'{REPLACEMENT}'"),
        (_NAMES, rf"({_KEY}\s*:\s*)(?!\[){_BARE}", rf"\g<1>{REPLACEMENT}"),
        (_NAMES, rf"""(\\["']{_NAME}\\["']\s*:\s*\\["'])(?:(?!\\["'])[^\n])*""", rf"\g<1>{REPLACEMENT}"),
        # A query parameter, also of a nested URL, and a parameter of a connection string.
        (_NAMES, rf"({_NAME}(?:=|%3D))(?:{_QUOTED}|{_BARE})", rf"\g<1>{REPLACEMENT}"),
        # The password in a URL.
        (("://",), r"""(://[^\s/?#'":]*:)[^\s/?#'"]*@""", rf"\g<1>{REPLACEMENT}@"),
        # A signed URL of a file (its id, expiry and signature), and the signature in a URL of Cloudinary.
        (("/api/files/",), r"(/api/files/)\d+-\d+(?::|%3A)[\w-]+", rf"\g<1>{REPLACEMENT}"),
        (("/s--",), r"/s--[\w-]{8,}--/", f"/s--{REPLACEMENT}--/"),
        # Tokens: JWTs, and values signed by Django.
        (("eyj",), r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?", REPLACEMENT),
        (("",), r"(?<=[:.])[\w-]{43}(?![\w-])", REPLACEMENT),
        # A hashed password, and an input in an error of pydantic.
        (("$",), r"\b(pbkdf2_\w+|argon2\w*|scrypt|bcrypt\w*|md5|sha1)\$[^\s'\",)]+", rf"\g<1>${REPLACEMENT}"),
        (("input_value",), r"(input_value=)[^\n]{1,500}?(, input_type=)", rf"\g<1>{REPLACEMENT}\g<2>"),
    )
]
_formatter = logging.Formatter()


def redact(text: str) -> str:
    """Replace the values of secrets in the text."""
    lower_text = text.lower()
    for words, pattern, replacement in _PATTERNS:
        if any(word in lower_text for word in words):
            text = pattern.sub(replacement, text)
    return text


class RedactionFilter(logging.Filter):
    """Redacts secrets in the message of a record, in its arguments and its traceback.

    `secrets` are the configured ones, which are redacted in any context.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        long_enough = {secret for secret in secrets if secret and len(secret) >= MIN_SECRET_LENGTH}
        forms = long_enough | {quote(secret, safe="") for secret in long_enough}
        self.known_secrets = re.compile(
            "|".join(re.escape(each) for each in sorted(forms, key=len, reverse=True)) or r"(?!)"
        )

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:
            # The arguments do not match the message; logging reports that, with both.
            message = ""
            self._redact_parts(record)
        if (redacted := self._redact(message)) != message:
            record.msg, record.args = redacted, None
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redact(record.stack_info)
        return True

    def _redact(self, text: str) -> str:
        return redact(self.known_secrets.sub(REPLACEMENT, text))

    def _redact_parts(self, record: logging.LogRecord) -> None:
        record.msg = self._redact(_format_value(record.msg))
        # A mapping is redacted as a whole, since its keys tell which values are secrets.
        arguments = record.args if isinstance(record.args, tuple) else (record.args,)
        record.args = tuple(self._redact_argument(each) for each in arguments)

    def _redact_argument(self, value: object) -> object:
        """Redact the repr of an argument; values that cannot contain a secret are returned as they are."""
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._redact(_format_value(value))


def _format_value(value: object) -> str:
    try:
        return value if type(value) is str else repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
