"""Signed URLs: whoever has one may read that file until it expires."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from core.errors import Forbidden, NotFound
from core.storages import SignedUrlStorage
from core.time import clock
from modules.materials.file_types import can_be_shown_inline
from modules.materials.files.scanner import is_scanner_configured
from modules.materials.files.storages import get_storage, is_configured
from modules.materials.models import StoredFile

logger = logging.getLogger(__name__)

SALT = "modules.materials.file"


@dataclass(frozen=True, kw_only=True)
class FileToken:
    """The content of a valid token: a file, and for how many seconds the token is still valid."""

    file_id: int
    seconds_left: int


def build_url(file: StoredFile, *, file_name: str, origin: str) -> str:
    """Build the URL of a file: that of its storage where it has some, else a signed URL of this service.

    A signed URL of this service begins with `origin` (`https://host`) and expires after MATERIALS_URL_MINUTES. A file
    that waits for the virus scanner has one, too, which returns 503 until then. Sends no requests.
    """
    storage_url = build_storage_url(file, file_name=file_name) if is_available(file) else ""
    return storage_url or _build_signed_url(file, origin)


def build_storage_url(file: StoredFile, *, file_name: str) -> str:
    """Build the URL of a file at its storage; empty where that has no URLs, cannot build one, or is not configured."""
    storage: object = get_storage(file.place) if is_configured(file.place) else None
    if not isinstance(storage, SignedUrlStorage):
        return ""
    try:
        return storage.build_signed_url(
            file.name,
            file_name=file_name,
            content_type=file.content_type,
            inline=can_be_shown_inline(file.content_type),
        )
    except Exception:
        # Such as missing credentials: one broken file must not fail the list that it is in.
        logger.exception("%s has no address for %s", file.place, file.name)
        return ""


def is_available(file: StoredFile) -> bool:
    """Return whether a file may be read: if there is a virus scanner, it must have scanned it."""
    return file.scan_at is None or not is_scanner_configured()


def parse_token(token: str) -> FileToken:
    """Verify a token. Raises `NotFound` for one that was not signed here and `Forbidden` for one that has expired."""
    try:
        file_id, expires_at = map(int, Signer(salt=SALT).unsign(token).split("-"))
        left = datetime.fromtimestamp(expires_at, tz=clock.now().tzinfo) - clock.now()
    except (BadSignature, ValueError, OverflowError, OSError):
        raise NotFound("There is no such file. Take its address from the materials of the session.") from None
    if left <= timedelta(0):
        raise Forbidden("This address has run out. Load the materials of the session again for a new one.")
    return FileToken(file_id=file_id, seconds_left=int(left.total_seconds()))


def _build_signed_url(file: StoredFile, origin: str) -> str:
    expires_at = clock.now() + timedelta(minutes=settings.MATERIALS_URL_MINUTES)
    token = Signer(salt=SALT).sign(f"{file.pk}-{int(expires_at.timestamp())}")
    return origin + reverse("api:get_file", args=[token])
