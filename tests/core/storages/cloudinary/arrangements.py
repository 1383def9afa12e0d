"""Helpers for tests of the Cloudinary storage."""

from collections.abc import Callable
from typing import Any

from django.core.files.base import ContentFile
from tests.core.storages.samples import NAME, PNG

from core.storages.cloudinary import CloudinaryStorage

PICTURE = f"image/{NAME}.png"


DOCUMENT = f"raw/{NAME}.pdf"


MEBIBYTE = 1024 * 1024


CALLS: dict[str, Callable[[CloudinaryStorage], Any]] = {
    "upload": lambda storage: storage.save(PICTURE, ContentFile(PNG)),
    "delivery": lambda storage: storage.open(PICTURE, "rb"),
    "resource": lambda storage: storage.size(PICTURE),
    "resources": lambda storage: list(storage.walk()),
    "destroy": lambda storage: storage.delete(PICTURE),
}


def get_url(storage: CloudinaryStorage, name: str, *, inline: bool = False) -> str:
    return storage.build_signed_url(name, file_name="Übung.png", content_type="image/png", inline=inline)
