"""Parsing and validation of environment variables.

The message for an invalid value names the variable and has a valid example; it does not repeat values that may contain
secrets. Paths are never converted to URLs, since a path may contain `#` and `?`.
"""

import ipaddress
import re
import warnings
from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

import dj_database_url
import dj_email_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from core.text.email_addresses import normalize_domain, normalize_sender

Value = TypeVar("Value")
Parser = Callable[[str], Value]

ORIGIN_SHAPE = "a scheme and a host, and a port where it has one, without a slash at the end, as in https://app.example"
MAX_PORT = 65535

_ORIGIN = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\s\\]+)(:(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PLACEHOLDER = re.compile(r"\{(.*?)\}")


class Environment(Env):
    """Environment variables, where an empty or blank one counts as not set."""

    def _get_value(self, env_key: str, default: Any) -> Any:
        value = super()._get_value(env_key, default)
        return default if isinstance(value, str) and not value.strip() else value

    def value(self, name: str, default: Value, parse: Parser[Value]) -> Value:
        """Return the variable, parsed; `parse` raises `ValueError` with a message for an invalid value."""
        text = self.str(name, None)
        return default if text is None else _parse(name, text.strip(), parse)

    def items(self, name: str, default: Iterable[Value], parse: Parser[Value]) -> list[Value]:
        """Return the parsed items of a comma-separated list, without duplicates, empty items and blanks."""
        items = [item.strip() for item in (self.str(name, None) or "").split(",")]
        return list(dict.fromkeys(_parse(name, item, parse) for item in items if item)) or list(default)


def _parse(name: str, text: str, parse: Parser[Value]) -> Value:
    try:
        return parse(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def _expects(shape: str) -> Callable[[Parser[Value]], Parser[Value]]:
    """Replace the message of every `ValueError` of a parser by one that describes the expected shape."""

    def decorate(parse: Parser[Value]) -> Parser[Value]:
        @wraps(parse)
        def parse_or_explain(text: str) -> Value:
            try:
                return parse(text)
            except ValueError:
                # A URL with user information or a query may contain a secret.
                value = "what it says" if {"@", "?"} & set(text) else ascii(text)
                raise ValueError(f"{value} cannot be read; write {shape}.") from None

        return parse_or_explain

    return decorate


def _require(condition: object) -> None:
    if not condition:
        raise ValueError


# --- Hosts, origins and senders ---------------------------------------------------------------------------------


@_expects("a name or an address without a scheme, a port or a path, as in learn.example, .learn.example or [::1]")
def parse_allowed_host(text: str) -> str:
    """Parse an item of ALLOWED_HOSTS; `.learn.example` includes subdomains, `*` all hosts."""
    if text == "*":
        return text
    return f".{normalize_domain(text[1:])}" if text.startswith(".") else _normalize_host(text)


@_expects("a name or an address without a scheme or a port, as in 127.0.0.1 or 0.0.0.0")
def parse_listening_host(text: str) -> str:
    """Parse the host name or IP address that a server listens on."""
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        return normalize_domain(text)


@_expects(ORIGIN_SHAPE)
def parse_origin(text: str) -> str:
    """Parse an origin and normalize it as browsers do: in lower case, without a default port."""
    return _normalize_origin(text)


@_expects(ORIGIN_SHAPE)
def parse_trusted_origin(text: str) -> str:
    """Parse an item of CSRF_TRUSTED_ORIGINS; `https://*.learn.example` means all subdomains."""
    scheme, _, host = text.partition("://")
    _require(scheme.lower() in _DEFAULT_PORTS)
    if host.startswith("*."):
        return _normalize_origin(f"{scheme}://{host[2:]}").replace("://", "://*.")
    return _normalize_origin(text)


@_expects("where the site is, as in https://app.example or https://app.example/folder, without a password, ? or #")
def parse_web_address(text: str) -> str:
    """Parse the base URL of a site; return it without a trailing slash."""
    parts = urlsplit(text)
    _require(parts.scheme in _DEFAULT_PORTS)
    _require(not {"?", "#", "\\"} & set(text) and not re.search(r"\s", text))
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~")
    return f"{_normalize_origin(f'{parts.scheme}://{parts.netloc}')}{path}".rstrip("/")


@_expects('one address, as in noreply@learn.example or "Learning, e.V." <noreply@learn.example>')
def parse_sender(text: str) -> str:
    """Parse the sender of mails, with or without a name."""
    return normalize_sender(text)


def _normalize_origin(text: str) -> str:
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise ValueError
    scheme, port = match["scheme"].lower(), int(match["port"] or 0)
    _require(port <= MAX_PORT)
    host = _normalize_host(match["host"])
    return f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS.get(scheme) else "")


def _normalize_host(host: str) -> str:
    if host.startswith("["):
        return f"[{ipaddress.IPv6Address(host.removeprefix('[').removesuffix(']'))}]"
    return normalize_domain(host)


# --- URLs of services -------------------------------------------------------------------------------------------


@_expects("postgres://user:password@host:5432/name or sqlite:////folder/file.sqlite3, with # as %23 and ? as %3F")
def parse_database_url(text: str) -> dict[str, Any]:
    """Parse into Django's settings for a database."""
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(text))
    except Exception:
        raise ValueError from None
    is_file = database["ENGINE"] == "django.db.backends.sqlite3"
    _require(is_file or database["ENGINE"] == "django.db.backends.postgresql")
    # A `#` or `?` would truncate the path or password.
    _require(database["NAME"] and "#" not in text and not (is_file and "?" in text))
    return database


@_expects(
    "submission://user:password@host:587, smtps://user:password@host:465, smtp://host:25, "
    "file:///folder or console://, with # as %23 and ? as %3F"
)
def parse_email_url(text: str) -> dict[str, Any]:
    """Parse into Django's settings for mail."""
    parts = urlsplit(text)
    with warnings.catch_warnings():
        # Warnings about deprecated schemes.
        warnings.simplefilter("ignore")
        email: dict[str, Any] = dj_email_url.parse(text)
    _require("EMAIL_BACKEND" in email and "#" not in text)
    # Parameters without an effect are refused, `timeout` among them.
    _require(set(parse_qs(parts.query, keep_blank_values=True)) <= {"ssl", "tls"})
    if parts.scheme == "smtps" and not parts.query:
        email |= {"EMAIL_USE_SSL": True, "EMAIL_USE_TLS": False, "EMAIL_PORT": email["EMAIL_PORT"] or 465}
    if parts.scheme == "file":
        _require(not parts.netloc and not parts.query and len(parts.path) > 1)
        email["EMAIL_FILE_PATH"] = unquote(parts.path)
    else:
        _check_server(email["EMAIL_HOST"] or "", email["EMAIL_PORT"])
    return email


@_expects("redis://host:6379/0, rediss://host:6379/0 or unix:///path/of/the.socket, with # as %23")
def parse_redis_url(text: str) -> str:
    """Validate the URL of Redis."""
    parts = urlsplit(text)
    _require(parts.scheme in {"redis", "rediss", "unix"} and "#" not in text)
    if parts.scheme == "unix":
        _require(len(parts.path) > 1 and not parts.netloc)
    else:
        _require(parts.hostname)
        _check_server(parts.hostname or "", parts.port)
    return text


@_expects("tcp://host:3310 or unix:///path/of/the.socket, with # as %23 and ? as %3F")
def parse_scanner_url(text: str) -> str:
    """Validate the URL of clamd, the virus scanner."""
    parts = urlsplit(text)
    _require(not {"#", "?", "@"} & set(text))
    if parts.scheme == "unix":
        _require(len(parts.path) > 1 and not parts.netloc)
    else:
        _require(parts.scheme == "tcp" and parts.hostname and parts.port and parts.path in {"", "/"})
        _check_server(parts.hostname or "", parts.port)
    return text


def _check_server(host: str, port: int | None) -> None:
    """Require an ASCII host name, since Python would encode another one by IDNA 2003; and a port above 0."""
    _require(re.fullmatch(r"[A-Za-z0-9._:%-]*", host) and (port is None or port > 0))


# --- Other values -----------------------------------------------------------------------------------------------


def parse_module(text: str) -> str:
    """Validate the dotted path of a module by importing it."""
    try:
        import_module(text)
    except (ImportError, TypeError, ValueError) as error:
        raise ValueError(f"{error}.") from error
    return text


@_expects("whole minutes before the start, separated by commas, as in 1440,60")
def parse_minutes(text: str) -> int:
    """Parse a number of minutes, of up to a year."""
    _require(re.fullmatch(r"[0-9]{1,6}", text) and 0 < int(text) <= 365 * 24 * 60)
    return int(text)


def build_path_parser(*, example: str, required: Iterable[str] = (), optional: Iterable[str] = ()) -> Parser[str]:
    """Build a parser of paths of the app, which have each required placeholder once and optional ones at most once."""

    @_expects(f"a path of the app that begins with a slash, in visible letters of ASCII, as in {example}")
    def parse(text: str) -> str:
        found = _PLACEHOLDER.findall(text)
        _require(re.fullmatch(r"/[!-~]*", text) and not re.search(r'[<>"\\^`|]|[{}]', _PLACEHOLDER.sub("", text)))
        _require(set(required) <= set(found) <= {*required, *optional} and len(set(found)) == len(found))
        return text

    return parse
