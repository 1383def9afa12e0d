"""The system checks of the settings for materials."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import run_checks

from core.settings.checks import TAG

MEBIBYTE = 1024 * 1024


@pytest.fixture
def find(settings: Any) -> Callable[..., list[Any]]:
    """The ids of the failed checks with these settings."""

    def find(**changes: object) -> list[Any]:
        for name, value in changes.items():
            setattr(settings, name, value)
        return [message for message in run_checks(tags=[TAG]) if str(message.id).startswith("materials.")]

    return find


def test_the_default_settings_pass(find: Callable[..., list[Any]]) -> None:
    assert find() == []


@pytest.mark.parametrize("chosen", ["cloudinary", "s3"])
def test_a_storage_without_its_credentials_fails_the_check(chosen: str, find: Callable[..., list[Any]]) -> None:
    [message] = find(MATERIALS_STORAGE=chosen)
    assert message.id == "materials.E001"
    assert message.msg == f"MATERIALS_STORAGE={chosen} is chosen without its credentials."
    assert ("CLOUDINARY_URL" if chosen == "cloudinary" else "S3_BUCKET") in message.hint


@pytest.mark.parametrize("chosen", ["cloudinary", "s3"])
def test_a_storage_with_its_credentials_passes(
    chosen: str, find: Callable[..., list[Any]], set_up: Callable[[str], Any]
) -> None:
    set_up(chosen)
    assert find(MATERIALS_STORAGE=chosen) == []


@pytest.mark.parametrize("name", ["MATERIALS_MAX_BYTES_PER_SESSION", "MATERIALS_MAX_BYTES_PER_MEMBER"])
def test_a_quota_below_the_maximum_size_of_a_file_fails_the_check(name: str, find: Callable[..., list[Any]]) -> None:
    [message] = find(**{name: 24 * MEBIBYTE})
    assert message.id == "materials.E002"
    assert message.msg == f"{name} is less than MATERIALS_MAX_BYTES, which one file may have."


def test_a_validity_of_urls_above_seven_days_fails_the_check_for_s3(
    find: Callable[..., list[Any]], set_up: Callable[[str], Any]
) -> None:
    assert find(MATERIALS_URL_MINUTES=10_081) == []
    set_up("s3")
    assert find(MATERIALS_URL_MINUTES=10_080) == []
    [message] = find(MATERIALS_URL_MINUTES=10_081)
    assert message.id == "materials.E003"


def test_incomplete_s3_credentials_fail_the_check(
    find: Callable[..., list[Any]], set_up: Callable[[str], Any], settings: Any
) -> None:
    set_up("s3")
    s3 = settings.STORAGES["materials_s3"]
    halved = {**s3, "OPTIONS": {**s3["OPTIONS"], "secret_key": None}}
    [message] = find(STORAGES={**settings.STORAGES, "materials_s3": halved})
    assert message.id == "materials.E004"
