"""`load_demo_data` runs only on a local installation without real members."""

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from core.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    settings.DEBUG = True
    settings.HOST = "127.0.0.1"


def load() -> None:
    call_command("load_demo_data", verbosity=0)


def test_it_is_not_loaded_without_debug(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG is off"):
        load()
    assert not User.objects.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "learning.example"])
def test_it_is_not_loaded_on_a_public_host(host: str, settings: Settings) -> None:
    settings.HOST = host
    with pytest.raises(CommandError, match="well-known password"):
        load()
    assert not User.objects.exists()


def test_it_is_not_loaded_if_there_are_members(john: User) -> None:
    with pytest.raises(CommandError, match="empty database"):
        load()
    assert list(User.objects.all()) == [john]
