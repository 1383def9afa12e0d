"""Files that came while the virus scanner was down, or before there was one."""

import logging

from django.db import transaction

from core import clock
from core.locking import locked_batch
from modules.materials import services
from modules.materials.files import scanner
from modules.materials.files.places import storage_of
from modules.materials.files.stored_files import PAUSE
from modules.materials.models import StoredFile

logger = logging.getLogger(__name__)


def scan_waiting(*, limit: int = 50) -> int:
    """Show up to `limit` of the files that wait to the scanner, if there is one; returns how many have a verdict.

    What it finds something in is taken back. Any number of workers may do so at once. Raises `ScannerUnavailable`
    where it does not answer.
    """
    if not scanner.is_scanning():
        return 0
    return sum(_scan(file) for file in _claimed(limit))


def _claimed(size: int) -> list[StoredFile]:
    """Take files that are due, so that no other worker has them until the pause is over."""
    now = clock.now()
    with transaction.atomic():
        due = StoredFile.objects.filter(scan_at__lte=now, released_at=None).order_by("scan_at", "pk")
        files = locked_batch(due, size=size)
        StoredFile.objects.filter(pk__in=[file.pk for file in files]).update(scan_at=now + PAUSE)
    return files


def _scan(file: StoredFile) -> bool:
    try:
        with storage_of(file.place).open(file.name, "rb") as content:
            virus = scanner.virus_in(content)
    except scanner.ScannerUnavailable:
        raise
    except Exception:
        # Too long for the scanner, or bytes that cannot be read: the others can still be shown to it.
        logger.exception("Nothing is known of viruses in %s", file.name)
        return False
    if virus:
        logger.warning("The virus scanner has found %s in %s", virus, file.name)
        services.withdraw_file(file_id=file.pk, reason=f"The virus scanner has found {virus} in it.")
    else:
        StoredFile.objects.filter(pk=file.pk).update(scan_at=None)
    return True
