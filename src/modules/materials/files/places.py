"""Where the bytes of files lie: each place that is set up has a storage, and one setting says where new files go."""

from django.conf import settings
from django.core.files.storage import InvalidStorageError, Storage, storages

from modules.materials.models import StoredFile


class NotSetUp(RuntimeError):
    """Files lie in a place for which the settings have no credentials, or no longer."""


def place_of_new_files() -> str:
    return settings.MATERIALS_STORAGE


def is_set_up(place: str) -> bool:
    return _alias(place) in settings.STORAGES


def places_set_up() -> list[str]:
    return [place for place in StoredFile.Place.values if is_set_up(place)]


def storage_of(place: str) -> Storage:
    """Raises `NotSetUp`."""
    try:
        return storages[_alias(place)]
    except InvalidStorageError as error:
        raise NotSetUp(f"There are files in {place}, which is not set up here.") from error


def _alias(place: str) -> str:
    return f"materials_{place}"
