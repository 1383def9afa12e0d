"""How settings are read from the environment.

What cannot be read ends in one sentence that names the variable and shows a right value; it repeats no value that may
hold a secret. Nothing that is a path passes through an address: a path may hold `#` and `?`, which would end it there.
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

ORIGIN_SHAPE = "a scheme and a host, and a port where it has one, without a slash at the end, as in https://app.example"
LAST_PORT = 65535

_ORIGIN = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\s\\]+)(:(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PLACEHOLDER = re.compile(r"\{(.*?)\}")


class Environment(Env):
    """A variable that is set to nothing, or to blanks, is one that is not set."""

    def _get_value(self, env_key: str, default: Any) -> Any:
        value = super()._get_value(env_key, default)
        return default if isinstance(value, str) and not value.strip() else value

    def value(self, name: str, default: Value, read: Callable[[str], Value]) -> Value:
        """What `read` makes of the variable; it raises `ValueError` with a sentence for what it cannot read."""
        text = self.str(name, None)
        return default if text is None else _read(name, text.strip(), read)

    def items(self, name: str, default: Iterable[Value], read: Callable[[str], Value]) -> list[Value]:
        """The same for each item of a list, once; blanks around commas and empty items do no harm."""
        items = [item.strip() for item in (self.str(name, None) or "").split(",")]
        return list(dict.fromkeys(_read(name, item, read) for item in items if item)) or list(default)


def _read(name: str, text: str, read: Callable[[str], Value]) -> Value:
    try:
        return read(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


Read = Callable[[str], Value]


def _or_shows(shape: str) -> Callable[[Read[Value]], Read[Value]]:
    """Lets a reader say what it could not read and what is right, whatever kind of `ValueError` it ended in."""

    def decorate(read: Read[Value]) -> Read[Value]:
        @wraps(read)
        def explaining(text: str) -> Value:
            try:
                return read(text)
            except ValueError:
                # What has an @ or a query may hold a secret.
                given = "what it says" if {"@", "?"} & set(text) else ascii(text)
                raise ValueError(f"{given} cannot be read; write {shape}.") from None

        return explaining

    return decorate


def _require(condition: object) -> None:
    if not condition:
        raise ValueError


# --- Hosts, origins and senders ---------------------------------------------------------------------------------


@_or_shows("a name or an address without a scheme, a port or a path, as in learn.example, .learn.example or [::1]")
def parse_allowed_host(text: str) -> str:
    """A name that requests may come by; `.learn.example` stands for it and what lies below it, `*` for all."""
    if text == "*":
        return text
    return f".{normalize_domain(text[1:])}" if text.startswith(".") else _normalize_host(text)


@_or_shows("a name or an address without a scheme or a port, as in 127.0.0.1 or 0.0.0.0")
def parse_listening_host(text: str) -> str:
    """What a server listens on: a name or an address of this machine."""
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        return normalize_domain(text)


@_or_shows(ORIGIN_SHAPE)
def parse_origin(text: str) -> str:
    """An origin as browsers send it, who write neither the usual port nor capitals."""
    return _normalize_origin(text)


@_or_shows(ORIGIN_SHAPE)
def parse_trusted_origin(text: str) -> str:
    """The same for pages of the admin; `https://*.learn.example` stands for all below it."""
    scheme, _, host = text.partition("://")
    _require(scheme.lower() in _DEFAULT_PORTS)
    if host.startswith("*."):
        return _normalize_origin(f"{scheme}://{host[2:]}").replace("://", "://*.")
    return _normalize_origin(text)


@_or_shows("where the site is, as in https://app.example or https://app.example/folder, without a password, ? or #")
def parse_web_address(text: str) -> str:
    """Where a site is, without a slash at its end."""
    parts = urlsplit(text)
    _require(parts.scheme in _DEFAULT_PORTS)
    _require(not {"?", "#", "\\"} & set(text) and not re.search(r"\s", text))
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~")
    return f"{_normalize_origin(f'{parts.scheme}://{parts.netloc}')}{path}".rstrip("/")


@_or_shows('one address, as in noreply@learn.example or "Learning, e.V." <noreply@learn.example>')
def parse_sender(text: str) -> str:
    """From whom mails are, with a name or without."""
    return normalize_sender(text)


def _normalize_origin(text: str) -> str:
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise ValueError
    scheme, port = match["scheme"].lower(), int(match["port"] or 0)
    _require(port <= LAST_PORT)
    host = _normalize_host(match["host"])
    return f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS.get(scheme) else "")


def _normalize_host(host: str) -> str:
    if host.startswith("["):
        return f"[{ipaddress.IPv6Address(host.removeprefix('[').removesuffix(']'))}]"
    return normalize_domain(host)


# --- Other servers ----------------------------------------------------------------------------------------------


@_or_shows("postgres://user:password@host:5432/name or sqlite:////folder/file.sqlite3, with # as %23 and ? as %3F")
def parse_database_url(text: str) -> dict[str, Any]:
    """Django's settings for a database."""
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(text))
    except Exception:
        raise ValueError from None
    is_file = database["ENGINE"] == "django.db.backends.sqlite3"
    _require(is_file or database["ENGINE"] == "django.db.backends.postgresql")
    # What follows would be cut off from a path or a password.
    _require(database["NAME"] and "#" not in text and not (is_file and "?" in text))
    return database


@_or_shows(
    "submission://user:password@host:587, smtps://user:password@host:465, smtp://host:25, "
    "file:///folder or console://, with # as %23 and ? as %3F"
)
def parse_email_url(text: str) -> dict[str, Any]:
    """Django's settings for mail."""
    parts = urlsplit(text)
    with warnings.catch_warnings():
        # That a scheme is out of date is no reason not to start.
        warnings.simplefilter("ignore")
        email: dict[str, Any] = dj_email_url.parse(text)
    _require("EMAIL_BACKEND" in email and "#" not in text)
    # What has no effect is refused rather than left out without a word: a timeout, too, is a setting of ours.
    _require(set(parse_qs(parts.query, keep_blank_values=True)) <= {"ssl", "tls"})
    if parts.scheme == "smtps" and not parts.query:
        email |= {"EMAIL_USE_SSL": True, "EMAIL_USE_TLS": False, "EMAIL_PORT": email["EMAIL_PORT"] or 465}
    if parts.scheme == "file":
        _require(not parts.netloc and not parts.query and len(parts.path) > 1)
        # A folder of the machine, from its root.
        email["EMAIL_FILE_PATH"] = unquote(parts.path)
    else:
        _check_server(email["EMAIL_HOST"] or "", email["EMAIL_PORT"])
    return email


@_or_shows("redis://host:6379/0, rediss://host:6379/0 or unix:///path/of/the.socket, with # as %23")
def parse_redis_url(text: str) -> str:
    """Where Redis is."""
    parts = urlsplit(text)
    _require(parts.scheme in {"redis", "rediss", "unix"} and "#" not in text)
    if parts.scheme == "unix":
        _require(len(parts.path) > 1 and not parts.netloc)
    else:
        _require(parts.hostname)
        _check_server(parts.hostname or "", parts.port)
    return text


@_or_shows("tcp://host:3310 or unix:///path/of/the.socket, with # as %23 and ? as %3F")
def parse_scanner_url(text: str) -> str:
    """Where the virus scanner is."""
    parts = urlsplit(text)
    _require(not {"#", "?", "@"} & set(text))
    if parts.scheme == "unix":
        _require(len(parts.path) > 1 and not parts.netloc)
    else:
        _require(parts.scheme == "tcp" and parts.hostname and parts.port and parts.path in {"", "/"})
        _check_server(parts.hostname or "", parts.port)
    return text


def _check_server(host: str, port: int | None) -> None:
    """A name beyond ASCII is written in A-labels: Python would look up another one, by the rules of 2003."""
    _require(re.fullmatch(r"[A-Za-z0-9._:%-]*", host) and (port is None or port > 0))


# --- The rest ---------------------------------------------------------------------------------------------------


def parse_module(text: str) -> str:
    """The dotted path of a module that there is."""
    try:
        import_module(text)
    except (ImportError, TypeError, ValueError) as error:
        raise ValueError(f"{error}.") from error
    return text


@_or_shows("whole minutes before the start, separated by commas, as in 1440,60")
def parse_minutes(text: str) -> int:
    """Minutes before a start, up to those of a year."""
    _require(re.fullmatch(r"[0-9]{1,6}", text) and 0 < int(text) <= 365 * 24 * 60)
    return int(text)


def parse_frontend_path(*, example: str, required: Iterable[str] = (), optional: Iterable[str] = ()) -> Read[str]:
    """Reads a path of the app: with each of the required placeholders once, and the optional ones at most once."""

    @_or_shows(f"a path of the app that begins with a slash, in visible letters of ASCII, as in {example}")
    def read(text: str) -> str:
        found = _PLACEHOLDER.findall(text)
        _require(re.fullmatch(r"/[!-~]*", text) and not re.search(r'[<>"\\^`|]|[{}]', _PLACEHOLDER.sub("", text)))
        _require(set(required) <= set(found) <= {*required, *optional} and len(set(found)) == len(found))
        return text

    return read
