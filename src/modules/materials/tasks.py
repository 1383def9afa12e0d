"""Periodic jobs and tasks of materials."""

from core.jobs.periodic import periodic_job
from modules.materials.files.stored_files import delete_due_files, delete_released
from modules.materials.scanning import scan_due_files

__all__ = ["delete_released", "scan_files_for_viruses", "sweep_files"]


@periodic_job()
def sweep_files() -> int:
    return delete_due_files()


@periodic_job()
def scan_files_for_viruses() -> int:
    return scan_due_files()
