"""What a deployer can get wrong about materials is found, by its id."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import run_checks

from core.settings.checks import TAG

MEBIBYTE = 1024 * 1024


@pytest.fixture
def find(settings: Any) -> Callable[..., list[Any]]:
    """What is found of materials with these settings."""

    def find(**changes: object) -> list[Any]:
        for name, value in changes.items():
            setattr(settings, name, value)
        return [message for message in run_checks(tags=[TAG]) if str(message.id).startswith("materials.")]

    return find


def test_the_default_passes(find: Callable[..., list[Any]]) -> None:
    assert find() == []


@pytest.mark.parametrize("chosen", ["cloudinary", "s3"])
def test_a_storage_that_is_chosen_without_its_credentials(chosen: str, find: Callable[..., list[Any]]) -> None:
    [message] = find(MATERIALS_STORAGE=chosen)
    assert message.id == "materials.E001"
    assert message.msg == f"MATERIALS_STORAGE={chosen} is chosen without its credentials."
    assert ("CLOUDINARY_URL" if chosen == "cloudinary" else "S3_BUCKET") in message.hint


@pytest.mark.parametrize("chosen", ["cloudinary", "s3"])
def test_with_its_credentials_it_passes(
    chosen: str, find: Callable[..., list[Any]], set_up: Callable[[str], Any]
) -> None:
    set_up(chosen)
    assert find(MATERIALS_STORAGE=chosen) == []


@pytest.mark.parametrize("name", ["MATERIALS_MAX_BYTES_PER_SESSION", "MATERIALS_MAX_BYTES_PER_MEMBER"])
def test_a_total_in_which_one_file_finds_no_room(name: str, find: Callable[..., list[Any]]) -> None:
    [message] = find(**{name: 24 * MEBIBYTE})
    assert message.id == "materials.E002"
    assert message.msg == f"{name} is less than MATERIALS_MAX_BYTES, which one file may have."


def test_links_that_no_bucket_would_take(find: Callable[..., list[Any]], set_up: Callable[[str], Any]) -> None:
    assert find(MATERIALS_URL_MINUTES=10_081) == []
    set_up("s3")
    assert find(MATERIALS_URL_MINUTES=10_080) == []
    [message] = find(MATERIALS_URL_MINUTES=10_081)
    assert message.id == "materials.E003"


def test_half_of_the_credentials_of_a_bucket(
    find: Callable[..., list[Any]], set_up: Callable[[str], Any], settings: Any
) -> None:
    set_up("s3")
    s3 = settings.STORAGES["materials_s3"]
    halved = {**s3, "OPTIONS": {**s3["OPTIONS"], "secret_key": None}}
    [message] = find(STORAGES={**settings.STORAGES, "materials_s3": halved})
    assert message.id == "materials.E004"
