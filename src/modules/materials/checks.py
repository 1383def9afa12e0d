"""What a deployer can get wrong about materials. The ids stay what they are."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core.checks import TAG
from modules.materials.files.places import is_set_up, place_of_new_files

CREDENTIALS = {
    "cloudinary": "Set CLOUDINARY_URL to cloudinary://key:secret@cloud, as the console of Cloudinary shows it.",
    "s3": "Set S3_BUCKET, and S3_ENDPOINT_URL, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY where the store needs them.",
}


@register(TAG)
def check_materials(**_: Any) -> list[CheckMessage]:
    return [*_credentials(), *_limits()]


def _credentials() -> Iterator[CheckMessage]:
    place = place_of_new_files()
    if not is_set_up(place):
        yield Error(
            f"MATERIALS_STORAGE={place} is chosen without its credentials.",
            hint=CREDENTIALS[place],
            id="materials.E001",
        )


def _limits() -> Iterator[CheckMessage]:
    for name in ("MATERIALS_MAX_BYTES_PER_SESSION", "MATERIALS_MAX_BYTES_PER_MEMBER"):
        if getattr(settings, name) < settings.MATERIALS_MAX_BYTES:
            yield Error(
                f"{name} is less than MATERIALS_MAX_BYTES, which one file may have.",
                hint=f"Set {name} to the size of several files.",
                id="materials.E002",
            )
