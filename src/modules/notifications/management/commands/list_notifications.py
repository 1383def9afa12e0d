from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core.management.documents import write_section
from modules.notifications.receivers.documentation import render_table


class Command(BaseCommand):
    help = "Print who is notified of what, as Markdown, or write it into docs/contract.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", action="store_true", help="update docs/contract.md")

    def handle(self, *_: Any, write: bool, **__: Any) -> None:
        if write:
            write_section("contract.md", "notifications", render_table())
        else:
            self.stdout.write(render_table())
