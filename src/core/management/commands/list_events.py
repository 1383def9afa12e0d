import re
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.facts.listing import EventEntry, find_gaps, list_facts, list_questions
from core.management.documents import write_section

DOCUMENT, SECTION = "architecture.md", "events"


class Command(BaseCommand):
    help = "Print who publishes and receives each fact, and who asks and answers each question."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--markdown", action="store_true", help="print it as docs/architecture.md has it")
        parser.add_argument("--write", action="store_true", help="update docs/architecture.md")

    def handle(self, *_: Any, markdown: bool, write: bool, **__: Any) -> None:
        if write:
            write_section(DOCUMENT, SECTION, render_markdown())
        elif markdown:
            self.stdout.write(render_markdown())
        else:
            self.stdout.write(render_text())
        if gaps := find_gaps():
            raise CommandError("\n".join(gaps))


def render_text() -> str:
    """List each fact and question with its senders and receivers, as `path:line`."""
    lines = []
    for entry in list_facts():
        lines += [f"{entry.name}  {entry.location}", *_format_locations("published", entry.senders)]
        lines += _format_locations("received", entry.receivers or ["by nobody"])
    for entry in list_questions():
        lines += [f"{entry.name}?  {entry.location}", *_format_locations("asked", entry.senders)]
        lines += _format_locations("answered", entry.receivers)
    return "\n".join(lines)


def _format_locations(label: str, locations: Sequence[str]) -> list[str]:
    return [f"    {label:<10} {location}" for location in locations]


def render_markdown() -> str:
    """Render two tables, without line numbers, so that they change only with the structure."""
    return "\n\n".join(
        [
            _render_table(("fact", "published in", "received in"), list_facts()),
            _render_table(("question", "asked in", "answered in"), list_questions()),
        ]
    )


def _render_table(header: Sequence[str], entries: Sequence[EventEntry]) -> str:
    rows = [f"| `{entry.name}` | {_join_files(entry.senders)} | {_join_files(entry.receivers)} |" for entry in entries]
    return "\n".join([f"| {' | '.join(header)} |", "| --- | --- | --- |", *rows])


def _join_files(locations: Sequence[str]) -> str:
    files = dict.fromkeys(re.sub(r":\d+$", "", location).removeprefix("src/") for location in locations)
    return ", ".join(f"`{file}`" for file in files)
