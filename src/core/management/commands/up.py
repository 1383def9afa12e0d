"""`./just up`: runs the whole product on one machine, until a stop signal."""

import errno
import http.client
import ipaddress
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import redis
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from core.accounts.models import User
from core.management.supervisor import Supervisor, list_stop_signals
from core.settings.checks import is_loopback, require_safe_settings

SOURCE = Path(settings.CHECKOUT) / "src"

DEMO_MEMBERS = ("john_doe", "jane_smith", "bob_wilson", "alice_jones")
DEMO_MODERATOR = "moderator"


class Stopped(BaseException):
    """A stop signal arrived before the children were started."""


class Command(BaseCommand):
    help = "Prepare the database, then run the web server and the worker until Ctrl-C."
    # `require_safe_settings` runs them and prints one sentence.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with stop_on_signals():
                self.require_safe_settings()
                address = resolve_listening_address()
                self.require_reachable_servers()
                self.prepare()
        except Stopped:
            return
        web = [
            *(sys.executable, "-m", "granian", "core.asgi:application", "--interface", "asginl", "--no-ws"),
            *("--host", address, "--port", str(settings.PORT), "--workers", "1"),
            *("--log-level", "warning", "--no-access-log", "--workers-kill-timeout", "5"),
        ]
        worker = [sys.executable, "manage.py", "run_huey"]
        demo = {"demo": [sys.executable, "manage.py", "load_demo_data"]} if self.wants_demo_data else {}
        failure = Supervisor(SOURCE).run(
            {"web": web, "worker": worker, **demo},
            is_ready=lambda: is_serving(address),
            when_ready=lambda: self.print_summary(build_site_url(address)),
            start_seconds=180 if demo else 60,
            one_shots=demo.keys(),
        )
        if failure:
            raise CommandError(failure)
        self.say("Stopped.")

    def say(self, text: str = "") -> None:
        """Print and flush; a closed terminal must not prevent the stop."""
        with suppress(OSError):
            self.stdout.write(text)
            self.stdout.flush()

    def require_safe_settings(self) -> None:
        try:
            require_safe_settings()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        serious = [problem for problem in run_checks() if problem.is_serious()]
        if serious:
            raise CommandError("Not started: " + " ".join(f"{each.msg} {each.hint or ''}".strip() for each in serious))

    def require_reachable_servers(self) -> None:
        try:
            connections["default"].ensure_connection()
        except DatabaseError as error:
            raise CommandError(
                f"Not started: the database of DATABASE_URL does not answer ({_get_first_line(error)})."
            ) from None
        if not settings.REDIS_URL:
            return
        try:
            redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5).ping()
        except redis.RedisError as error:
            raise CommandError(
                f"Not started: the server of REDIS_URL does not answer ({_get_first_line(error)})."
            ) from None

    def prepare(self) -> None:
        self.say("Preparing the database ...")
        call_command("migrate", verbosity=0, interactive=False)
        if not settings.DEBUG:
            call_command("collectstatic", verbosity=0, interactive=False)
        self.wants_demo_data = settings.DEBUG and is_loopback(settings.HOST) and not User.objects.exists()
        _close_connections()
        self.say("Starting ...")

    def print_summary(self, site: str) -> None:
        database = settings.DATABASES["default"]
        lines = {
            "API docs": f"{site}/api/docs",
            "Admin": f"{site}/admin/",
            "Data": str(settings.DATA_DIR),
        }
        if database["ENGINE"] != "django.db.backends.sqlite3":
            lines["Data"] += f", and the database {database['NAME']} at {database['HOST']}"
        if settings.DEBUG and User.objects.filter(username=DEMO_MODERATOR).exists():
            lines["Members"] = f"{', '.join(DEMO_MEMBERS)}, and {DEMO_MODERATOR} for the admin"
            lines["Password"] = "learn-together"
        summary = [f"  {name:<10}{value}" for name, value in lines.items()]
        _close_connections()
        self.say("\n".join(["", f"Peer Learning runs at {site}", "", *summary, "", "Ctrl-C stops it."]))


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise `Stopped` on a stop signal within the context."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Stopped

    previous = {number: signal.signal(number, stop) for number in list_stop_signals()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def resolve_listening_address() -> str:
    """Resolve HOST to an IP address; raises `CommandError` if PORT is in use there."""
    host, port = settings.HOST.strip("[]"), settings.PORT
    try:
        # The lowest family is IPv4: `localhost` has both.
        family, kind, _, _, address = min(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Not started: something else listens on port {port} already. "
                f"Choose another, as in `PORT={port + 1} ./just up`."
            ) from None
        raise CommandError(f"Not started: HOST={host}, PORT={port} cannot be used ({error.strerror}).") from None
    return str(address[0])


def is_serving(address: str) -> bool:
    """Whether the web process responds to the health check."""
    ip = ipaddress.ip_address(address)
    if ip.is_unspecified:
        address = "127.0.0.1" if ip.version == 4 else "::1"
    connection = http.client.HTTPConnection(address, settings.PORT, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def find_allowed_host() -> str:
    """Return an allowed host name for the URL of the site."""
    names = [name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    return names[0] if names else "localhost"


def build_site_url(address: str) -> str:
    """The URL of the site to print."""
    host = settings.HOST.strip("[]")
    if ipaddress.ip_address(address).is_unspecified:
        host = find_allowed_host()
    return f"http://[{host}]:{settings.PORT}" if ":" in host else f"http://{host}:{settings.PORT}"


def _close_connections() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def _get_first_line(error: Exception) -> str:
    """Return the first line of a driver's message."""
    return str(error).strip().split("\n")[0].rstrip(".")
