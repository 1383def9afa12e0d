"""Scan files that were stored while the virus scanner was down, or before there was one."""

import logging
import time
from typing import IO

from django.db import transaction

from core.database.locking import lock_batch
from core.time import clock
from modules.materials import services
from modules.materials.files import scanner
from modules.materials.files.hashing import compute_hash
from modules.materials.files.storages import get_storage
from modules.materials.files.stored_files import RETRY_DELAY
from modules.materials.models import StoredFile

logger = logging.getLogger(__name__)

# The time budget of one run, so that the worker gets to its other jobs.
MAX_SECONDS = 30


def scan_due_files(*, limit: int = 50) -> int:
    """Scan up to `limit` due files, if there is a scanner; return how many have a verdict.

    Materials with a virus are removed. Any number of workers may run it at once. Raises `ScannerUnavailable`.
    """
    if not scanner.is_scanner_configured():
        return 0
    end = time.monotonic() + MAX_SECONDS
    files = _claim_due(limit)
    verdicts = 0
    try:
        while files and time.monotonic() < end:
            verdicts += _scan(files[0])
            files.pop(0)
    finally:
        # Due now, and so before the files that were tried.
        StoredFile.objects.filter(pk__in=[file.pk for file in files], scan_at__isnull=False).update(scan_at=clock.now())
    return verdicts


def _claim_due(size: int) -> list[StoredFile]:
    """Claim due files: other workers skip them until RETRY_DELAY has passed.

    Only attached ones: the bytes of a staged file may not be complete.
    """
    now = clock.now()
    with transaction.atomic():
        due = StoredFile.objects.filter(scan_at__lte=now, sweep_at=None).order_by("scan_at", "pk")
        files = lock_batch(due, size=size)
        StoredFile.objects.filter(pk__in=[file.pk for file in files]).update(scan_at=now + RETRY_DELAY)
    return files


def _require_whole(content: IO[bytes], file: StoredFile) -> None:
    """Raise `ValueError` if the bytes are not those that were stored, for which a verdict would not hold."""
    if compute_hash(content) != file.sha256:
        raise ValueError(f"{file.name} does not have the bytes that were stored")


def _scan(file: StoredFile) -> bool:
    """Scan a file, and remove its material if it has a virus; return whether there is a verdict.

    Raises `ScannerUnavailable`.
    """
    try:
        with get_storage(file.place).open(file.name, "rb") as content:
            _require_whole(content, file)
            virus = scanner.find_virus(content)
        if virus:
            logger.warning("The virus scanner has found %s in %s", virus, file.name)
            services.remove_material_of_file(file_id=file.pk, reason=f"The virus scanner has found {virus} in it.")
        else:
            StoredFile.objects.filter(pk=file.pk).update(scan_at=None)
    except scanner.ScannerUnavailable:
        raise
    except Exception:
        # Too large for the scanner, or unreadable: go on with the other files.
        logger.exception("%s could not be scanned for viruses", file.name)
        return False
    return True
