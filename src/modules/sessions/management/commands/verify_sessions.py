"""`verify_sessions`: find stored values of sessions that differ from their booking requests and fields."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from modules.sessions.queries.consistency import count_sessions, find_mismatches


class Command(BaseCommand):
    help = "Compare the counters and computed fields of all sessions with their rows, and list what does not agree."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each mismatch. Raises `CommandError` if there is one."""
        total, mismatches = count_sessions(), 0
        with tqdm(total=total, unit=" sessions", disable=None) as bar:
            for mismatch in find_mismatches(on_progress=bar.update):
                mismatches += 1
                self.stdout.write(str(mismatch))
        if mismatches:
            raise CommandError(f"Sessions and their rows do not agree: {mismatches} mismatches.")
        self.stdout.write(f"{total} sessions agree with their rows.")
