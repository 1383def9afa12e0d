"""Validation of links, which are stored and shown, never fetched."""

import unicodedata
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from core.errors import Invalid

MAX_URL_LENGTH = 2000


def validate_url(url: str) -> str:
    """Return the URL. Raises `Invalid` for `url` if it is not an ordinary http or https URL without credentials."""
    if not url:
        raise _build_error("A link needs a url.")
    if len(url) > MAX_URL_LENGTH:
        raise _build_error(f"At most {MAX_URL_LENGTH} characters.")
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Zs", "Zl", "Zp"} for letter in url):
        raise _build_error("May not contain spaces or invisible characters.")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _build_error("This is no web address, such as https://docs.python.org/3/.") from None
    if parts.scheme not in {"http", "https"}:
        raise _build_error("Must begin with http:// or https://.")
    if "@" in parts.netloc:
        raise _build_error("May not contain a user name or a password.")
    try:
        URLValidator(schemes=["http", "https"])(url)
    except ValidationError:
        raise _build_error("This is no web address, such as https://docs.python.org/3/.") from None
    return url


def _build_error(message: str) -> Invalid:
    return Invalid({"url": [message]})
