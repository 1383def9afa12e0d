"""The system checks of the deployment."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection
from pytest_django import Settings

from core.settings import checks

Find = Callable[..., set[str]]


@pytest.fixture
def find(settings: Settings) -> Find:
    """Runs the checks with a valid deployment and some other settings; returns the ids of errors."""
    settings.HOST = "127.0.0.1"
    settings.DEBUG = False
    settings.SECRET_KEY = "known-to-us-alone-and-long-enough-for-its-hash"
    settings.ALLOWED_HOSTS = ["learning.example"]
    settings.WEB_PROCESSES = 1

    def find(**changes: object) -> set[str]:
        for name, value in changes.items():
            setattr(settings, name, value)
        return {str(message.id) for message in run_checks(tags=[checks.TAG])}

    return find


@pytest.fixture
def built_in_key(settings: Settings) -> str:
    return str(settings.BUILT_IN_SECRET_KEY)


def test_a_valid_deployment_passes(find: Find) -> None:
    assert find() == set()
    assert find(HOST="0.0.0.0") == set()


def test_the_default_settings_pass(find: Find, built_in_key: str) -> None:
    assert find(DEBUG=True, SECRET_KEY=built_in_key, ALLOWED_HOSTS=[]) == set()


def test_the_built_in_key_needs_debug_and_a_loopback_host(find: Find, built_in_key: str) -> None:
    assert find(SECRET_KEY=built_in_key) == {"core.E001"}
    assert find(SECRET_KEY=built_in_key, HOST="0.0.0.0") == {"core.E001"}
    assert find(SECRET_KEY=built_in_key, HOST="0.0.0.0", DEBUG=True) == {"core.E001", "core.E002"}


def test_a_short_key_is_refused_without_debug(find: Find) -> None:
    assert find(SECRET_KEY="x" * 31) == {"core.E006"}
    assert find(SECRET_KEY="x" * 32) == set()
    assert find(SECRET_KEY="x", DEBUG=True) == set()


def test_the_asgi_application_does_not_start_with_the_built_in_key(tmp_path: Path) -> None:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    source = Path(settings.CHECKOUT) / "src"
    run = subprocess.run(
        [sys.executable, "-c", "import core.asgi"],
        cwd=source,
        env={**inherited, "DATA_DIR": str(tmp_path), "DEBUG": "false", "ALLOWED_HOSTS": "learning.example"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "SECRET_KEY is the built-in one" in run.stderr.splitlines()[-1]


def test_debug_needs_a_loopback_host(find: Find) -> None:
    assert find(DEBUG=True, HOST="192.168.1.20") == {"core.E002"}


def test_without_debug_allowed_hosts_are_required(find: Find) -> None:
    assert find(ALLOWED_HOSTS=[]) == {"core.E003"}


def test_several_processes_need_row_locks(find: Find) -> None:
    found = find(WEB_PROCESSES=4)

    assert ("core.E004" in found) == (connection.vendor == "sqlite")


def test_several_processes_need_a_shared_cache(find: Find) -> None:
    memory = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    redis = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1"}}

    assert "core.E005" in find(WEB_PROCESSES=4, CACHES=memory)
    assert "core.E005" not in find(WEB_PROCESSES=4, CACHES=redis)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_a_loopback_host_is_recognized(host: str) -> None:
    assert checks.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "learning.example", "localhost.example", ""])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not checks.is_loopback(host)
