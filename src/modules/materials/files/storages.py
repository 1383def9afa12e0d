"""The storages of files: each configured one has an alias in STORAGES; MATERIALS_STORAGE is the one for new files."""

from django.conf import settings
from django.core.files.storage import InvalidStorageError, Storage, storages

from modules.materials.models import StoredFile


class StorageNotConfigured(RuntimeError):
    """The settings have no credentials for a storage in which there are files."""


def get_default_storage_name() -> str:
    return settings.MATERIALS_STORAGE


def is_configured(storage_name: str) -> bool:
    """Return whether the settings have an alias for the storage, and so its credentials."""
    return _get_alias(storage_name) in settings.STORAGES


def list_configured() -> list[str]:
    return [storage_name for storage_name in StoredFile.Storage.values if is_configured(storage_name)]


def get_storage(storage_name: str) -> Storage:
    """Return the storage named as in `StoredFile.place`. Raises `StorageNotConfigured`."""
    try:
        return storages[_get_alias(storage_name)]
    except InvalidStorageError as error:
        raise StorageNotConfigured(f"There are files in {storage_name}, which is not set up here.") from error


def _get_alias(storage_name: str) -> str:
    return f"materials_{storage_name}"
