import re
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.facts.listing import Entry, find_gaps, list_facts, list_questions
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
    """Each fact and question with its places below it, as `path:line`."""
    lines = []
    for entry in list_facts():
        lines += [f"{entry.name}  {entry.place}", *_indent("published", entry.senders)]
        lines += _indent("received", entry.receivers or ["by nobody"])
    for entry in list_questions():
        lines += [f"{entry.name}?  {entry.place}", *_indent("asked", entry.senders)]
        lines += _indent("answered", entry.receivers)
    return "\n".join(lines)


def _indent(label: str, places: Sequence[str]) -> list[str]:
    return [f"    {label:<10} {place}" for place in places]


def render_markdown() -> str:
    """Two tables: without numbers of lines, so that they change with the structure alone."""
    return "\n\n".join(
        [
            _render_table(("fact", "published in", "received in"), list_facts()),
            _render_table(("question", "asked in", "answered in"), list_questions()),
        ]
    )


def _render_table(header: Sequence[str], entries: Sequence[Entry]) -> str:
    rows = [f"| `{entry.name}` | {_join(entry.senders)} | {_join(entry.receivers)} |" for entry in entries]
    return "\n".join([f"| {' | '.join(header)} |", "| --- | --- | --- |", *rows])


def _join(places: Sequence[str]) -> str:
    files = dict.fromkeys(re.sub(r":\d+$", "", place).removeprefix("src/") for place in places)
    return ", ".join(f"`{file}`" for file in files)
