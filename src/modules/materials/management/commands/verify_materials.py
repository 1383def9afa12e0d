"""`verify_materials`: whether every file has its bytes, and all bytes belong to a file."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from tqdm import tqdm

from core import sizes
from modules.materials import services
from modules.materials.files.comparing import Comparison, compare, is_orphan
from modules.materials.files.places import is_set_up, places_set_up, storage_of
from modules.materials.files.stored_files import sweep
from modules.materials.models import StoredFile

# Of each kind of finding; the count says how many there are.
MOST_SHOWN = 20


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
            "--even-if-most-are-lost",
            action="store_true",
            help="let --repair remove materials though most files of a storage are not in it",
        )

    def handle(self, *args: Any, checksums: bool, repair: bool, even_if_most_are_lost: bool, **options: Any) -> None:
        """Raises `CommandError` where something does not agree, or could not be mended."""
        disagree = False
        for place in places_set_up():
            total = StoredFile.objects.filter(place=place, sweep_at=None).count()
            with tqdm(total=total, unit=" files", desc=place, disable=None) as bar:
                comparison = compare(place, checksums=checksums, progress=bar.update)
            self.tell(comparison)
            if repair:
                disagree |= not self.mend(comparison, even_if_most_are_lost=even_if_most_are_lost)
            else:
                disagree |= not comparison.is_clean
        disagree |= self.tell_of_places_not_set_up()
        if repair:
            while sweep():
                pass
        if disagree:
            raise CommandError(
                "Bytes and files do not agree." + ("" if repair else " --repair mends what can be mended.")
            )

    def tell(self, comparison: Comparison) -> None:
        found = [
            ("bytes of no file", [f"{each.name}, {sizes.in_words(each.size)}" for each in comparison.orphans]),
            ("files without bytes", [_described(row) for row in comparison.lost]),
            ("damaged files", [f"{_described(row)}: {wrong}" for row, wrong in comparison.damaged]),
        ]
        counts = ", ".join(f"{len(lines)} {what}" for what, lines in found)
        self.stdout.write(f"{comparison.place}: {comparison.agree} files agree, {counts}.")
        for what, lines in found:
            self.list(what, lines)

    def list(self, what: str, lines: list[str]) -> None:
        for line in lines[:MOST_SHOWN]:
            self.stdout.write(f"  {what}: {line}")
        if len(lines) > MOST_SHOWN:
            self.stdout.write(f"  {what}: and {len(lines) - MOST_SHOWN} more")

    def mend(self, comparison: Comparison, *, even_if_most_are_lost: bool) -> bool:
        """Whether all agree now."""
        deleted = self.delete_orphans(comparison.place, [each.name for each in comparison.orphans])
        if deleted:
            self.stdout.write(f"  deleted the bytes of {deleted}")
        if comparison.damaged:
            self.stdout.write(
                "  damaged files stay as they are: put the bytes back from a backup, or delete the materials"
            )
        if comparison.most_are_lost and not even_if_most_are_lost:
            self.stdout.write(
                "  nothing was removed, since most files are not there: is this the right folder or bucket?"
                " --even-if-most-are-lost removes their materials all the same"
            )
            return False
        removed = sum(
            services.withdraw_file(file_id=row.pk, reason="Its file was lost; add it again, please.")
            for row in comparison.lost
        )
        if removed:
            self.stdout.write(f"  removed {removed} materials whose files are lost")
        return not comparison.damaged

    def delete_orphans(self, place: str, names: Iterable[str]) -> int:
        deleted = 0
        for name in names:
            if is_orphan(place, name):
                storage_of(place).delete(name)
                deleted += 1
        return deleted

    def tell_of_places_not_set_up(self) -> bool:
        """Whether there are files that nobody can look for."""
        counts = StoredFile.objects.values_list("place").annotate(count=Count("pk")).order_by("place")
        elsewhere = [(place, count) for place, count in counts if not is_set_up(place)]
        for place, count in elsewhere:
            self.stdout.write(f"{place}: {count} files, but it is not set up here.")
        return bool(elsewhere)


def _described(row: StoredFile) -> str:
    material = getattr(row, "material", None)
    return f"{row.name}, material {material.pk}" if material else row.name
