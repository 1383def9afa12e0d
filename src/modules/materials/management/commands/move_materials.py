"""`move_materials`: move all files to another storage, while the service runs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Sum
from tqdm import tqdm

from core.errors import DomainError
from core.text import sizes
from modules.materials.files.storages import get_default_storage_name, is_configured
from modules.materials.files.transfer import move_file, select_files_to_move
from modules.materials.models import StoredFile

# Consecutive failures after which the storage counts as down.
MAX_FAILURES = 5


class Command(BaseCommand):
    help = "Move the files of all materials to another storage. Can be stopped at any time, and run again to go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to", required=True, choices=StoredFile.Storage.values, help="the storage to move them to"
        )

    def handle(self, *args: Any, to: str, **options: Any) -> None:
        """Raises `CommandError` if any file could not be moved."""
        if not is_configured(to):
            raise CommandError(f"{to} is not set up: see `MATERIALS_STORAGE` in docs/configuration.md.")
        if get_default_storage_name() != to:
            self.stderr.write(f"New files still go to {get_default_storage_name()}: set MATERIALS_STORAGE={to} first.")
        ahead = select_files_to_move(to=to).aggregate(count=Count("pk"), size=Sum("size"))
        self.moved, self.moved_bytes, self.failed = 0, 0, 0
        with tqdm(
            total=ahead["size"] or 0, unit="B", unit_scale=True, unit_divisor=1024, desc=f"To {to}", disable=None
        ) as bar:
            try:
                self.move_all(to, bar)
            except KeyboardInterrupt:
                raise CommandError(f"Stopped. {self.summarize(to)} Run it again to go on.", returncode=130) from None
        if self.failed:
            raise CommandError(f"{self.summarize(to)} {self.failed} could not be moved, as told above: run it again.")
        self.stdout.write(self.summarize(to))

    def move_all(self, to: str, bar: "tqdm[Any]") -> None:
        consecutive_failures = 0
        failed: set[int] = set()
        # A new query each time: files are uploaded and deleted meanwhile.
        while file := select_files_to_move(to=to).exclude(pk__in=failed).first():
            try:
                moved = move_file(file, to=to)
            except Exception as error:
                failed.add(file.pk)
                self.failed = len(failed)
                consecutive_failures += 1
                tqdm.write(f"{file.name}: {_format_error(error)}", file=self.stderr)
                if consecutive_failures == MAX_FAILURES:
                    raise CommandError(
                        f"{self.summarize(to)} Given up after {consecutive_failures} failures in a row."
                    ) from error
            else:
                consecutive_failures = 0
                if moved:
                    self.moved += 1
                    self.moved_bytes += file.size
            bar.update(file.size)

    def summarize(self, to: str) -> str:
        files = "1 file" if self.moved == 1 else f"{self.moved} files"
        return f"Moved {files} ({sizes.format_size(self.moved_bytes)}) to {to}."


def _format_error(error: Exception) -> str:
    # The message for members omits the cause, which an operator needs.
    cause = error.__cause__ if isinstance(error, DomainError) and error.__cause__ is not None else error
    return str(cause) or type(cause).__name__
