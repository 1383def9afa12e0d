"""Limits of materials, and the storages that hold them."""

from typing import Any
from urllib.parse import unquote, urlsplit

from environs import validate

from core.settings import environment
from core.settings.base import DATA_DIR, env

# The storage of new files; others stay readable in their storage until `move_materials` has moved them.
MATERIALS_STORAGE: str = env.str("MATERIALS_STORAGE", "local", validate=validate.OneOf(["local", "cloudinary", "s3"]))
_MEBIBYTE = 1024 * 1024
MATERIALS_MAX_BYTES: int = env.int("MATERIALS_MAX_BYTES", 25 * _MEBIBYTE, validate=validate.Range(min=1))
MATERIALS_MAX_BYTES_PER_SESSION: int = env.int(
    "MATERIALS_MAX_BYTES_PER_SESSION", 500 * _MEBIBYTE, validate=validate.Range(min=1)
)
MATERIALS_MAX_BYTES_PER_MEMBER: int = env.int(
    "MATERIALS_MAX_BYTES_PER_MEMBER", 2048 * _MEBIBYTE, validate=validate.Range(min=1)
)
MATERIALS_MAX_PER_SESSION: int = env.int("MATERIALS_MAX_PER_SESSION", 100, validate=validate.Range(min=1))
# Of all notes together.
MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION: int = env.int(
    "MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION", 500_000, validate=validate.Range(min=1)
)
# A browser needs four bytes of memory for each pixel of a displayed picture.
MATERIALS_MAX_PIXELS: int = env.int("MATERIALS_MAX_PIXELS", 120_000_000, validate=validate.Range(min=1))
MATERIALS_URL_MINUTES: int = env.int("MATERIALS_URL_MINUTES", 10, validate=validate.Range(min=1))
# For each response of a storage or of the virus scanner.
MATERIALS_TIMEOUT_SECONDS: int = env.int("MATERIALS_TIMEOUT_SECONDS", 30, validate=validate.Range(min=1))
# The folder or prefix of all files, for an account or bucket that has other files, too.
MATERIALS_PREFIX: str = env.str(
    "MATERIALS_PREFIX",
    "materials",
    validate=validate.Regexp(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z", error="A folder, as in school/materials."),
)
CLAMAV_URL: str = env.value("CLAMAV_URL", "", environment.parse_scanner_url)

STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "materials_local": {
        "BACKEND": "core.storages.local.LocalStorage",
        "OPTIONS": {"location": str(DATA_DIR / "materials")},
    },
}

_cloudinary = urlsplit(
    env.str(
        "CLOUDINARY_URL",
        "",
        validate=validate.Regexp(
            r"(cloudinary://[\w%.~-]+:[\w%.~-]+@[\w-]+/?)?\Z", error="Write it as cloudinary://key:secret@cloud."
        ),
    )
)
cloudinary_api_secret = unquote(_cloudinary.password or "")
_cloudinary_minutes: int = env.int("CLOUDINARY_URL_MINUTES", 0, validate=validate.Range(min=0))
_cloudinary_api: str = env.value("CLOUDINARY_API_URL", "https://api.cloudinary.com", environment.parse_web_address)
_cloudinary_delivery: str = env.value(
    "CLOUDINARY_DELIVERY_URL", "https://res.cloudinary.com", environment.parse_web_address
)
if _cloudinary.hostname:
    STORAGES["materials_cloudinary"] = {
        "BACKEND": "core.storages.cloudinary.CloudinaryStorage",
        "OPTIONS": {
            # Not `hostname`, which is in lower case.
            "cloud_name": _cloudinary.netloc.rpartition("@")[2],
            "api_key": unquote(_cloudinary.username or ""),
            "api_secret": cloudinary_api_secret,
            "api_url": _cloudinary_api.rstrip("/"),
            "delivery_url": _cloudinary_delivery.rstrip("/"),
            "prefix": MATERIALS_PREFIX,
            "timeout": MATERIALS_TIMEOUT_SECONDS,
            # Without it, signed URLs do not expire.
            "link_seconds": _cloudinary_minutes * 60 or None,
        },
    }

_s3_bucket: str = env.str("S3_BUCKET", "")
s3_secret_access_key: str = env.str("S3_SECRET_ACCESS_KEY", "")
_s3: dict[str, Any] = {
    # `None` means Amazon's.
    "endpoint_url": env.value("S3_ENDPOINT_URL", "", environment.parse_web_address) or None,
    "region_name": env.str("S3_REGION", "us-east-1"),
    # `None` means the credentials of the machine: a role, or a file.
    "access_key": env.str("S3_ACCESS_KEY_ID", "") or None,
    "secret_key": s3_secret_access_key or None,
    "addressing_style": env.str("S3_ADDRESSING_STYLE", "auto", validate=validate.OneOf(["auto", "path", "virtual"])),
}
if _s3_bucket:
    STORAGES["materials_s3"] = {
        "BACKEND": "core.storages.s3.S3Storage",
        "OPTIONS": {
            **_s3,
            "bucket_name": _s3_bucket,
            "location": MATERIALS_PREFIX,
            "querystring_expire": MATERIALS_URL_MINUTES * 60,
            "timeout": MATERIALS_TIMEOUT_SECONDS,
        },
    }
