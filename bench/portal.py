"""Measures the queries of the portal's pages on full tables, beside Django's own pagination and counts.

Fills a database of its own, on SQLite and on PostgreSQL if one answers, to each of the given sizes. Opens every page of
`list_pages` as a superuser and as a moderator, opens the lists again with Django's default pagination, and exports the
longest lists.
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

from bench.database_cost import measure_database, use_django_counts
from bench.periodic_jobs import SOURCE, create_databases, print_text, read_version

SIZES = (100_000,)
TIMES = 3
DEEP_PAGE = 1000
HOST = "localhost"


@dataclass(frozen=True)
class Page:
    """A page to open; `label` is the model of a list that is also measured with Django's default pagination.

    Moderators open only the first page of a list, since its rows are the same as for a superuser.
    """

    name: str
    path: str
    label: str = ""
    by_moderators: bool = True


def list_pages() -> list[Page]:
    """Return the pages to measure: the dashboard, one session, one member, and pages of each list.

    Of a list these are the first page, a deep one, and searches with and without results.
    """
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
            deep = min(DEEP_PAGE, model_admin.model._default_manager.count() // model_admin.list_per_page)
            found.append(Page(f"{name}, page {deep}", f"{path}p={deep}", label, by_moderators=False))
            words = (*SEARCHES[label], "nobody") if model_admin.search_fields else ()
            found += [Page(f"{name}, {word!r}", f"{path}q={word}", label, by_moderators=False) for word in words]
    return found


# Search terms that match one row, a few, or many.
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

# The lists to export, each with its query string.
EXPORTS = (
    ("learning_sessions.session", "?tab=all"),
    ("core.mail", ""),
)


# --- All databases ------------------------------------------------------------------------------------------------


def main(sizes: list[str]) -> None:
    results: dict[str, list[dict[str, Any]]] = {"pages": [], "exports": []}
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            for name, variables in create_databases():
                print_text(f"\n=== {name}, {int(size):,} sessions ===")
                environment = {**os.environ, "DATA_DIR": scratch, "PYTHONPATH": str(SOURCE / "src"), **variables}
                for rows in (
                    run_process(environment, scratch, "--here", size),
                    run_process(environment, scratch, "--exports", size),
                ):
                    for kind, found in rows.items():
                        results[kind] += found
    print_text(
        f"\nQueries and milliseconds in the database, the median of {TIMES}, and milliseconds of the whole page.\n"
    )
    print_table(results["pages"])
    print_text("\nExports.\n")
    print_table(results["exports"])


def run_process(environment: dict[str, str], scratch: str, *arguments: str) -> dict[str, list[dict[str, Any]]]:
    file = Path(scratch) / "results.json"
    process = subprocess.run(
        [sys.executable, "-m", "bench.portal", *arguments, str(file)], cwd=SOURCE, env=environment, check=False
    )
    if process.returncode:
        sys.exit(process.returncode)
    rows: dict[str, list[dict[str, Any]]] = json.loads(file.read_text())
    return rows


def print_table(results: list[dict[str, Any]]) -> None:
    if not results:
        return
    rows = [[*results[0]], *([str(value) for value in each.values()] for each in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        print_text("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


# --- One database -------------------------------------------------------------------------------------------------


def set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    import django

    django.setup()
    # Denied pages are expected, and would be logged as warnings.
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
    print_text(f"Python {platform.python_version()}, {connection.display_name} {read_version()}")
    superuser = User.objects.create(username="superuser", is_staff=True, is_superuser=True)
    moderator = User.objects.create(username="moderator", is_staff=True)
    moderator.groups.set(Group.objects.filter(name="Moderators"))
    began = time.perf_counter()
    for name in fill_all(size, moderator_id=moderator.pk):
        print_text(f"\rFilling: {name:<40}", end="")
    print_text(f"\rFilled in {time.perf_counter() - began:.0f} seconds {'':<40}")
    clients = {}
    for who, user in (("superuser", superuser), ("moderator", moderator)):
        clients[who] = Client(headers={"host": HOST})
        clients[who].force_login(user)
    results = []
    for page in list_pages():
        for who, client in clients.items():
            if who == "moderator" and not (page.by_moderators and client.get(page.path).status_code == 200):
                continue
            row = measure_page(client, page)
            print_text(f"  {page.name} as {who}: {row}")
            results.append(
                {"database": connection.display_name, "rows": f"{size:,}", "page": page.name, "as": who, **row}
            )
    Path(file).write_text(json.dumps({"pages": results}))


def measure_page(client: Any, page: Page) -> dict[str, Any]:
    ours = measure_response(client, page.path)
    with use_django_counts() if page.label else nullcontext():
        theirs = measure_response(client, page.path) if page.label else None
    return {
        "queries": ours[0],
        "ms": f"{ours[1]:.1f}",
        "page, ms": f"{ours[2]:.0f}",
        "Django's queries": theirs[0] if theirs else "",
        "Django's ms": f"{theirs[1]:.1f}" if theirs else "",
    }


def measure_response(client: Any, path: str) -> tuple[int, float, float]:
    """Return the number of queries, the milliseconds in the database, and the milliseconds of the whole page."""
    from django.core.cache import cache

    samples = []
    for _ in range(TIMES):
        cache.clear()
        with measure_database() as usage:
            began = time.perf_counter()
            response = client.get(path)
            whole = time.perf_counter() - began
        if response.status_code != 200:
            sys.exit(f"{path} was answered with {response.status_code}.")
        samples.append((usage.queries, usage.seconds * 1000, whole * 1000))
        if sum(sample[2] for sample in samples) > 20_000:
            # Slow enough for fewer samples.
            break
    return samples[0][0], statistics.median(each[1] for each in samples), statistics.median(each[2] for each in samples)


# --- Exports ------------------------------------------------------------------------------------------------------


def export_all(size: str, file: str) -> None:
    """Export each list in its own process, since peak memory is known per process."""
    results = []
    for label, query in EXPORTS:
        for kind in ("csv", "xlsx"):
            exported = run_process(dict(os.environ), str(Path(file).parent), "--export", size, label, query, kind)
            results += exported["exports"]
            print_text(f"  {results[-1]}")
    Path(file).write_text(json.dumps({"exports": results}))


def export(size: str, label: str, query: str, kind: str, file: str) -> None:
    set_up()
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from core.accounts.models import User

    client = Client(headers={"host": HOST})
    client.force_login(User.objects.get(username="superuser"))
    changelist = f"admin:{label.replace('.', '_')}_changelist"
    # Warm up: the first page loads everything that is loaded lazily.
    client.get(reverse(changelist) + query)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with measure_database() as usage:
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
        "queries": usage.queries,
        "database, s": f"{usage.seconds:.1f}",
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
        case sizes:
            main([size.replace(",", "").replace("_", "") for size in sizes] or [str(size) for size in SIZES])
