"""`load_demo_data`: a small community to look around in."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.accounts.models import User
from core.errors import Unavailable
from core.settings.checks import is_loopback
from core.time import clock


class Command(BaseCommand):
    help = "Load demo members, sessions, requests, notifications and materials into an empty database."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `CommandError`, and changes nothing, where strangers could use the well-known password."""
        if not settings.DEBUG:
            raise CommandError("Demo data has a well-known password: it is not loaded where DEBUG is off.")
        if not is_loopback(settings.HOST):
            raise CommandError(f"Demo data has a well-known password: it is not loaded where HOST is {settings.HOST}.")
        if User.objects.exists():
            raise CommandError("There are members already: demo data is loaded into an empty database alone.")
        needed = ("modules.sessions", "modules.notifications", "modules.materials")
        missing = [name for name in needed if not apps.is_installed(name)]
        if missing:
            raise CommandError(f"The demo needs the modules that are left out: {', '.join(missing)}.")
        from demo.community import Community
        from demo.story import share_files, write_story

        self.stdout.write("Loading demo data ...")
        community = Community(clock.now())
        write_story(community)
        with transaction.atomic():
            community.tell()
        try:
            share_files(community)
        except Unavailable as error:
            self.stderr.write(f"The demo goes without its files: {error.message}")
        self.stdout.write(f"Loaded {len(community.people)} members and {len(community.sessions)} sessions.")
