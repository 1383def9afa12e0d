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

# After so long the others get their turn: the worker has more to do.
MAX_SECONDS = 30


def scan_due_files(*, limit: int = 50) -> int:
    """Show up to `limit` of the files that wait to the scanner, if there is one; returns how many have a verdict.

    What it finds something in is taken back. Any number of workers may do so at once. Raises `ScannerUnavailable`
    where it cannot be reached.
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
        # Those that had no turn come before those that had one.
        StoredFile.objects.filter(pk__in=[file.pk for file in files], scan_at__isnull=False).update(scan_at=clock.now())
    return verdicts


def _claim_due(size: int) -> list[StoredFile]:
    """Take files that are due, so that no other worker has them until the pause is over.

    Only those of materials: of an upload that is under way, all bytes need not be there yet.
    """
    now = clock.now()
    with transaction.atomic():
        due = StoredFile.objects.filter(scan_at__lte=now, sweep_at=None).order_by("scan_at", "pk")
        files = lock_batch(due, size=size)
        StoredFile.objects.filter(pk__in=[file.pk for file in files]).update(scan_at=now + RETRY_DELAY)
    return files


def _require_whole(content: IO[bytes], file: StoredFile) -> None:
    """Raises `ValueError` where these are not the bytes that were stored: a verdict would be about others."""
    if compute_hash(content) != file.sha256:
        raise ValueError(f"{file.name} does not have the bytes that were stored")


def _scan(file: StoredFile) -> bool:
    """Whether there is a verdict. Raises `ScannerUnavailable`."""
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
        # Too long for the scanner, or bytes that cannot be read: the others can still be shown to it.
        logger.exception("Nothing is known of viruses in %s", file.name)
        return False
    return True
