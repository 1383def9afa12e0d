"""System checks of the settings for materials. Their ids are public."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core.settings.checks import TAG
from modules.materials.files.storages import get_default_storage_name, is_configured

CREDENTIALS = {
    "cloudinary": "Set CLOUDINARY_URL to cloudinary://key:secret@cloud, as the console of Cloudinary shows it.",
    "s3": "Set S3_BUCKET, and S3_ENDPOINT_URL, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY where the store needs them.",
}

# The limit of AWS signature version 4.
MAX_PRESIGNED_DAYS = 7


@register(TAG)
def check_materials(**_: Any) -> list[CheckMessage]:
    return [*_check_credentials(), *_check_limits(), *_check_lifetimes()]


def _check_credentials() -> Iterator[CheckMessage]:
    options = settings.STORAGES.get("materials_s3", {}).get("OPTIONS", {})
    if bool(options.get("access_key")) != bool(options.get("secret_key")):
        yield Error(
            "One of S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY is set without the other.",
            hint="Set both, or neither where the machine has credentials of its own.",
            id="materials.E004",
        )
    storage_name = get_default_storage_name()
    if not is_configured(storage_name):
        yield Error(
            f"MATERIALS_STORAGE={storage_name} is chosen without its credentials.",
            hint=CREDENTIALS[storage_name],
            id="materials.E001",
        )


def _check_lifetimes() -> Iterator[CheckMessage]:
    if is_configured("s3") and settings.MATERIALS_URL_MINUTES > MAX_PRESIGNED_DAYS * 24 * 60:
        yield Error(
            f"MATERIALS_URL_MINUTES is more than {MAX_PRESIGNED_DAYS} days, for which no bucket's links work.",
            hint="Set MATERIALS_URL_MINUTES to 10080 or less.",
            id="materials.E003",
        )


def _check_limits() -> Iterator[CheckMessage]:
    for name in ("MATERIALS_MAX_BYTES_PER_SESSION", "MATERIALS_MAX_BYTES_PER_MEMBER"):
        if getattr(settings, name) < settings.MATERIALS_MAX_BYTES:
            yield Error(
                f"{name} is less than MATERIALS_MAX_BYTES, which one file may have.",
                hint=f"Set {name} to the size of several files.",
                id="materials.E002",
            )
