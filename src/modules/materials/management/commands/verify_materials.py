"""`verify_materials`: find files without bytes, damaged files and orphans, and repair what can be repaired."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from tqdm import tqdm

from core.text import sizes
from modules.materials import services
from modules.materials.files.storages import StorageNotConfigured, get_storage, is_configured, list_configured
from modules.materials.files.stored_files import delete_due_files
from modules.materials.files.verification import Comparison, compare_storage, is_lost, is_orphan
from modules.materials.models import StoredFile

# Lines for each kind of finding.
MAX_SHOWN = 20


class Command(BaseCommand):
    help = "Compare the files of materials with the bytes in the storages, and say where they do not agree."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--checksums", action="store_true", help="read all bytes and compare their checksums, too")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="delete bytes of no file, and remove materials whose bytes are lost (who added them is told)",
        )
        parser.add_argument(
            "--even-if-most",
            action="store_true",
            help="let --repair go on though it would delete or remove most of what a storage has",
        )

    def handle(self, *args: Any, checksums: bool, repair: bool, even_if_most: bool, **options: Any) -> None:
        """Raises `CommandError` if something does not agree, or could not be repaired."""
        disagree = repairable = False
        for storage_name in list_configured():
            try:
                comparison = self.compare(storage_name, checksums=checksums)
                self.report(comparison)
                repairable |= bool(comparison.orphans or comparison.lost)
                if repair:
                    disagree |= not self.repair(comparison, even_if_most=even_if_most)
                else:
                    disagree |= not comparison.is_clean
            except (OSError, StorageNotConfigured) as error:
                self.stdout.write(f"{storage_name}: cannot be compared: {error}")
                disagree = True
        disagree |= self.report_unconfigured_storages()
        if repair:
            while delete_due_files():
                pass
        if disagree:
            advice = " --repair mends what can be mended." if repairable and not repair else ""
            raise CommandError(f"Bytes and files do not agree.{advice}")

    def compare(self, storage_name: str, *, checksums: bool) -> Comparison:
        total = StoredFile.objects.filter(place=storage_name, sweep_at=None).count()
        with tqdm(total=total, unit=" files", desc=storage_name, disable=None) as bar:
            return compare_storage(storage_name, checksums=checksums, progress=bar.update)

    def report(self, comparison: Comparison) -> None:
        orphans, lost, damaged = comparison.orphans, comparison.lost, comparison.damaged
        self.stdout.write(
            f"{comparison.storage_name}: {comparison.agree} files agree, {len(orphans)} bytes of no file,"
            f" {len(lost)} files without bytes, {len(damaged)} damaged files."
        )
        self.write_findings("bytes of no file", [f"{each.name}, {sizes.format_size(each.size)}" for each in orphans])
        self.write_findings("files without bytes", [_describe(row) for row in lost])
        self.write_findings("damaged files", [f"{_describe(row)}: {wrong}" for row, wrong in damaged])

    def write_findings(self, what: str, lines: list[str]) -> None:
        for line in lines[:MAX_SHOWN]:
            self.stdout.write(f"  {what}: {line}")
        if len(lines) > MAX_SHOWN:
            self.stdout.write(f"  {what}: and {len(lines) - MAX_SHOWN} more")

    def repair(self, comparison: Comparison, *, even_if_most: bool) -> bool:
        """Delete orphans and remove lost materials, unless these are most of all; return whether all agree now."""
        most = [
            *(["bytes that are there belong to no file here"] if comparison.most_are_orphans else []),
            *(["files are not there"] if comparison.most_are_lost else []),
        ]
        if most and not even_if_most:
            self.stdout.write(
                f"  nothing was mended, since most {' and most '.join(most)}: is this the right database, and the right"
                " folder or bucket, with nobody else's files in it? --even-if-most mends it all the same"
            )
            return False
        self.delete_orphans(comparison)
        self.remove_lost(comparison)
        if comparison.damaged:
            self.stdout.write(
                "  damaged files stay as they are: put their bytes back from a backup, or delete the materials"
            )
        return not comparison.damaged

    def delete_orphans(self, comparison: Comparison) -> None:
        deleted = 0
        for each in comparison.orphans:
            if is_orphan(comparison.storage_name, each.name):
                get_storage(comparison.storage_name).delete(each.name)
                deleted += 1
        if deleted:
            self.stdout.write(f"  deleted the bytes of {deleted}")

    def remove_lost(self, comparison: Comparison) -> None:
        reason = "Its file was lost; add it again, please."
        removed = sum(
            services.remove_material_of_file(file_id=row.pk, reason=reason) for row in comparison.lost if is_lost(row)
        )
        if removed:
            self.stdout.write(f"  removed {removed} materials whose files are lost")

    def report_unconfigured_storages(self) -> bool:
        """Report files in storages that are not configured; return whether there are any."""
        counts = StoredFile.objects.values_list("place").annotate(count=Count("pk")).order_by("place")
        unconfigured = [(storage_name, count) for storage_name, count in counts if not is_configured(storage_name)]
        for storage_name, count in unconfigured:
            self.stdout.write(f"{storage_name}: {count} files, but it is not set up here.")
        return bool(unconfigured)


def _describe(row: StoredFile) -> str:
    material = getattr(row, "material", None)
    return f"{row.name}, material {material.pk}" if material else row.name
