"""What the pages of the portal cost the database, however many rows there are, beside Django's own way of counting.

Fills a database of its own, on SQLite and on PostgreSQL where one answers, to each of the sizes that are given, opens
every page of `pages` as a superuser and as a moderator, the lists once more with the paginator and the counts that
Django has by itself, and exports the longest lists.
"""

import json
import logging
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.database_cost import counted_by_django, timed
from bench.periodic_jobs import SOURCE, databases, say, version

SIZES = (100_000,)
TIMES = 3
DEEP = 1000
HOST = "localhost"


@dataclass(frozen=True)
class Page:
    """A page to open; `label` is the model whose list it is, for those that Django's own way is measured beside.

    What somebody else than a superuser sees of a list is the same rows: a moderator opens its first page alone.
    """

    name: str
    path: str
    label: str = ""
    by_moderators: bool = True


def pages() -> list[Page]:
    """Every page that is measured: the dashboard, one session and one member, and of every list the first page, a deep
    one, what a search finds and what it does not find."""
    from django.contrib import admin
    from django.urls import reverse

    from core.accounts.models import User
    from modules.sessions.models import Session

    waiting, member = Session.objects.filter(status="pending_approval").first(), User.objects.order_by("-pk").first()
    found = [Page("dashboard", reverse("admin:index"))]
    for name, row in (("a session that waits", waiting), ("a member", member)):
        if row is not None:
            found.append(Page(name, reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])))
    for label, model_admin in sorted((model._meta.label_lower, each) for model, each in admin.site._registry.items()):
        path = reverse(f"admin:{label.replace('.', '_')}_changelist")
        name = str(model_admin.opts.verbose_name_plural)
        found.append(Page(name, path, label))
        if label == "learning_sessions.session":
            tabs = ("soon", "edited", "cancelled", "all")
            found += [Page(f"{name}, {tab}", f"{path}?tab={tab}", label) for tab in tabs]
            path += "?tab=all&"
        else:
            path += "?"
        if label in SEARCHES:
            deep = min(DEEP, model_admin.model._default_manager.count() // model_admin.list_per_page)
            found.append(Page(f"{name}, page {deep}", f"{path}p={deep}", label, by_moderators=False))
            words = (*SEARCHES[label], "nobody") if model_admin.search_fields else ()
            found += [Page(f"{name}, {word!r}", f"{path}q={word}", label, by_moderators=False) for word in words]
    return found


# What is searched for in the long lists: what one row has, or a few, or many.
SEARCHES: dict[str, tuple[str, ...]] = {
    "core.user": ("member_777", "Alice"),
    "core.login": ("member_777",),
    "core.factrecord": ("777", "sessions.SessionOffered"),
    "core.faileddelivery": (),
    "core.mail": ("member_777", "member_777@example.com"),
    "learning_sessions.session": ("777", "Alice", "music"),
    "learning_sessions.bookingrequest": ("member_777", "part 777"),
    "learning_sessions.reminder": (),
    "learning_sessions.calendarfeed": ("member_777",),
    "notifications.notification": ("member_777",),
    "notifications.preference": ("member_777",),
    "materials.material": ("Sheet 777", "member_777"),
    "materials.storedfile": ("sheet-777",),
}

# The lists that are exported, as an address and a kind of file.
EXPORTS = (
    ("learning_sessions.session", "?tab=all"),
    ("core.mail", ""),
)


# --- On every database ------------------------------------------------------------------------------------------


def main(sizes: list[str]) -> None:
    results: dict[str, list[dict[str, Any]]] = {"pages": [], "exports": []}
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            for name, environment in databases():
                say(f"\n=== {name}, {int(size):,} sessions ===")
                there = {**os.environ, "DATA_DIR": scratch, "PYTHONPATH": str(SOURCE / "src"), **environment}
                for rows in (run(there, scratch, "--here", size), run(there, scratch, "--exports", size)):
                    for kind, found in rows.items():
                        results[kind] += found
    say(f"\nQueries and milliseconds in the database, the middle of {TIMES}, and of the whole page.\n")
    table(results["pages"])
    say("\nExports.\n")
    table(results["exports"])


def run(environment: dict[str, str], scratch: str, *arguments: str) -> dict[str, list[dict[str, Any]]]:
    file = Path(scratch) / "results.json"
    measured = subprocess.run(
        [sys.executable, "-m", "bench.portal", *arguments, str(file)], cwd=SOURCE, env=environment, check=False
    )
    if measured.returncode:
        sys.exit(measured.returncode)
    rows: dict[str, list[dict[str, Any]]] = json.loads(file.read_text())
    return rows


def table(results: list[dict[str, Any]]) -> None:
    if not results:
        return
    rows = [[*results[0]], *([str(value) for value in each.values()] for each in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        say("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


# --- On one -----------------------------------------------------------------------------------------------------


def set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    import django

    django.setup()
    # That somebody may not see a list is no news here.
    logging.disable(logging.CRITICAL)


def measure(size: int, file: str) -> None:
    set_up()
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from bench.fill_tables import fill_all
    from core.accounts.models import User

    call_command("migrate", verbosity=0)
    say(f"Python {platform.python_version()}, {connection.display_name} {version()}")
    boss = User.objects.create(username="boss", is_staff=True, is_superuser=True)
    moderator = User.objects.create(username="moderator", is_staff=True)
    moderator.groups.set(Group.objects.filter(name="Moderators"))
    began = time.perf_counter()
    for name in fill_all(size, moderator_id=moderator.pk):
        say(f"\rFilling: {name:<40}", end="")
    say(f"\rFilled in {time.perf_counter() - began:.0f} seconds {'':<40}")
    clients = {}
    for who, user in (("superuser", boss), ("moderator", moderator)):
        clients[who] = Client(headers={"host": HOST})
        clients[who].force_login(user)
    results = []
    for page in pages():
        for who, client in clients.items():
            if who == "moderator" and not (page.by_moderators and client.get(page.path).status_code == 200):
                continue
            row = measure_page(client, page)
            say(f"  {page.name} as {who}: {row}")
            results.append(
                {"database": connection.display_name, "rows": f"{size:,}", "page": page.name, "as": who, **row}
            )
    Path(file).write_text(json.dumps({"pages": results}))


def measure_page(client: Any, page: Page) -> dict[str, Any]:
    ours = spent(client, page.path)
    with counted_by_django() if page.label else nullcontext():
        theirs = spent(client, page.path) if page.label else None
    return {
        "queries": ours[0],
        "ms": f"{ours[1]:.1f}",
        "page, ms": f"{ours[2]:.0f}",
        "Django's queries": theirs[0] if theirs else "",
        "Django's ms": f"{theirs[1]:.1f}" if theirs else "",
    }


def spent(client: Any, path: str) -> tuple[int, float, float]:
    """How many queries a page takes, how long the database takes for them, and how long the page, in milliseconds."""
    from django.core.cache import cache

    samples = []
    for _ in range(TIMES):
        cache.clear()
        with timed() as database:
            began = time.perf_counter()
            response = client.get(path)
            whole = time.perf_counter() - began
        if response.status_code != 200:
            sys.exit(f"{path} was answered with {response.status_code}.")
        samples.append((database.queries, database.seconds * 1000, whole * 1000))
        if sum(sample[2] for sample in samples) > 20_000:
            # Long enough to be read off once or twice.
            break
    return samples[0][0], statistics.median(each[1] for each in samples), statistics.median(each[2] for each in samples)


# --- Exports ----------------------------------------------------------------------------------------------------


def export_all(size: str, file: str) -> None:
    """Each in a process of its own: how much memory one had at most is known of a process alone."""
    results = []
    for label, query in EXPORTS:
        for kind in ("csv", "xlsx"):
            results += run(dict(os.environ), str(Path(file).parent), "--export", size, label, query, kind)["exports"]
            say(f"  {results[-1]}")
    Path(file).write_text(json.dumps({"exports": results}))


def export(size: str, label: str, query: str, kind: str, file: str) -> None:
    set_up()
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from core.accounts.models import User

    client = Client(headers={"host": HOST})
    client.force_login(User.objects.get(username="boss"))
    changelist = f"admin:{label.replace('.', '_')}_changelist"
    # All that a first page loads is there before anything is measured.
    client.get(reverse(changelist) + query)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with timed() as database:
        began = time.perf_counter()
        response = client.post(reverse(changelist.replace("changelist", "export"), args=[kind]) + query)
        first: float | None = None
        length = rows = 0
        for part in response:
            first = first or time.perf_counter() - began
            length += len(part)
            rows += part.count(b"\r\n")
        whole = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    row = {
        "database": connection.display_name,
        "rows": f"{int(size):,}",
        "list": label,
        "kind": kind,
        "queries": database.queries,
        "database, s": f"{database.seconds:.1f}",
        "first byte, s": f"{first:.1f}",
        "all, s": f"{whole:.1f}",
        "size, MB": f"{length / 1e6:.1f}",
        "memory, MB": f"{memory / 1024:.0f}",
    }
    Path(file).write_text(json.dumps({"exports": [row]}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--here", size, file]:
            measure(int(size), file)
        case ["--exports", size, file]:
            export_all(size, file)
        case ["--export", size, label, query, kind, file]:
            export(size, label, query, kind, file)
        case given:
            main([size.replace(",", "").replace("_", "") for size in given] or [str(size) for size in SIZES])
