"""The storages of files. Each configured one has an entry in STORAGES; MATERIALS_STORAGE names that of new files."""

from django.conf import settings
from django.core.files.storage import InvalidStorageError, Storage, storages

from modules.materials.models import StoredFile


class StorageNotConfigured(RuntimeError):
    """Files are in a storage for which the settings have no credentials, or no longer."""


def get_default_storage_name() -> str:
    return settings.MATERIALS_STORAGE


def is_configured(place: str) -> bool:
    """Whether the settings have what it takes to reach a storage, such as its credentials."""
    return _get_alias(place) in settings.STORAGES


def list_configured() -> list[str]:
    return [place for place in StoredFile.Place.values if is_configured(place)]


def get_storage(place: str) -> Storage:
    """Return the storage named as in `StoredFile.place`. Raises `StorageNotConfigured`."""
    try:
        return storages[_get_alias(place)]
    except InvalidStorageError as error:
        raise StorageNotConfigured(f"There are files in {place}, which is not set up here.") from error


def _get_alias(place: str) -> str:
    return f"materials_{place}"
