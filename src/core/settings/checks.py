"""System checks of the deployment, run by `manage.py check` and before every start. Their ids must not change."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

TAG = "deployment"
# In characters: as many as the hash by which tokens are signed (SHA-256) has bytes.
MIN_KEY_LENGTH = 32


def is_loopback(host: str) -> bool:
    """Whether a server that listens on `host` is unreachable from other machines; false for names but `localhost`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_safe_settings() -> None:
    """Run the checks of the deployment; raises `ImproperlyConfigured` with all their messages."""
    problems = run_checks(tags=[TAG])
    if problems:
        reasons = ", and ".join(problem.msg.rstrip(".") for problem in problems)
        remedies = " ".join(str(problem.hint) for problem in problems)
        raise ImproperlyConfigured(f"Not started: {reasons}. {remedies}")


@register(TAG)
def check_deployment(**_: Any) -> list[CheckMessage]:
    return [*_check_exposure(), *_check_multiple_processes()]


def _check_exposure() -> Iterator[Error]:
    is_exposed = not is_loopback(settings.HOST)
    if settings.SECRET_KEY == settings.BUILT_IN_SECRET_KEY and (is_exposed or not settings.DEBUG):
        yield Error(
            "SECRET_KEY is the built-in one, which everybody can read.",
            hint="Set SECRET_KEY to a long random value of your own.",
            id="core.E001",
        )
    elif len(settings.SECRET_KEY) < MIN_KEY_LENGTH and not settings.DEBUG:
        yield Error(
            f"SECRET_KEY has less than {MIN_KEY_LENGTH} characters, which can be guessed.",
            hint="Set SECRET_KEY to a long random value of your own.",
            id="core.E006",
        )
    if settings.DEBUG and is_exposed:
        yield Error(
            f"DEBUG is on while HOST={settings.HOST} lets other machines in.",
            hint="Set DEBUG=false, or HOST=127.0.0.1.",
            id="core.E002",
        )
    if not settings.DEBUG and not settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS is empty, so that without DEBUG every request is refused.",
            hint="Set ALLOWED_HOSTS to the names that lead here, separated by commas.",
            id="core.E003",
        )


def _check_multiple_processes() -> Iterator[Error]:
    processes: int = settings.WEB_PROCESSES
    if processes == 1:
        return
    if connection.vendor == "sqlite":
        yield Error(
            f"SQLite cannot lock rows for WEB_PROCESSES={processes}.",
            hint="Set DATABASE_URL to a PostgreSQL database, or WEB_PROCESSES=1.",
            id="core.E004",
        )
    if settings.CACHES["default"]["BACKEND"] == "django.core.cache.backends.locmem.LocMemCache":
        yield Error(
            f"Each of WEB_PROCESSES={processes} has a cache and counters of its own.",
            hint="Set REDIS_URL, or WEB_PROCESSES=1.",
            id="core.E005",
        )
