"""One drill on one database: `python -m drill.director`, in the environment that `drill.scratch_databases` builds.

This process forks all others, so it has no threads and no open connections until the last fork.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import django

from drill.child_processes import ChildProcesses
from drill.clock import Clock
from drill.journal import open_journals
from drill.scenario import Scenario

# In real seconds.
PROGRESS_SECONDS = 3
MAX_PREPARATION_SECONDS = 120


def main() -> None:
    """Run the scenario in the first argument, as JSON, and write the records to DATA_DIR."""
    scenario = Scenario(**{**(given := json.loads(sys.argv[1])), "outages": tuple(map(tuple, given["outages"]))})
    folder = Path(os.environ["DATA_DIR"])
    reserved, port = reserve_port()
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    os.environ["REMINDER_MINUTES"] = ",".join(map(str, scenario.offsets))
    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    django.setup()
    adapt_product(scenario)
    children = ChildProcesses(folder / "processes.log")
    try:
        Director(scenario, folder, children, port).run()
    finally:
        children.end()
        reserved.close()


def reserve_port() -> tuple[socket.socket, int]:
    """Bind a port without listening, so that no other process gets it during an outage of the mail server."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved, reserved.getsockname()[1]


def adapt_product(scenario: Scenario) -> None:
    """Change what is different in a drill, for all processes."""
    from django.conf import settings
    from django.core.mail.utils import DNS_NAME

    from drill.failing_receivers import make_receivers_fail

    make_receivers_fail(scenario.failing_deliveries)
    settings.EMAIL_TIMEOUT = scenario.mail_timeout
    # Slow password hashes would take CPU time from the workers.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Resolved once for all processes.
    str(DNS_NAME)


class Director:
    """Starts, kills and stops the processes of a drill."""

    clock: Clock

    def __init__(self, scenario: Scenario, folder: Path, children: ChildProcesses, port: int) -> None:
        self.scenario = scenario
        self.folder = folder
        self.children = children
        self.port = port
        self.actions, self.arrivals, self.kills = open_journals(folder)
        self.random = Random(scenario.seed)  # noqa: S311
        self.died: list[str] = []
        # When it was last checked what is due, and which periodic jobs were late then.
        self.checked_at = datetime.max.replace(tzinfo=UTC)
        self.late_jobs: list[str] = []
        self.next_progress = time.monotonic()

    def run(self) -> None:
        from core.time import clock as product_clock
        from drill import worker
        from drill.mail_server import serve_mail
        from drill.member_plans import Planner
        from drill.members import MemberActions
        from drill.records import read_records

        plan = Planner(self.scenario).draw()
        clock = Clock(began_at=product_clock.now().replace(microsecond=0), origin=0.0, rate=self.scenario.rate)
        product_clock.set_source(lambda: clock.began_at - timedelta(seconds=1))
        self._prepare(lambda: MemberActions(self.scenario, plan, clock, self.actions).prepare())

        clock = replace(clock, origin=time.monotonic())
        product_clock.set_source(clock.now)
        self.clock = clock
        self._fork_workers(worker.work)
        self.children.fork(
            "mail server",
            lambda: serve_mail(scenario=self.scenario, port=self.port, clock=clock, arrivals=self.arrivals),
        )
        self.children.fork("members", lambda: MemberActions(self.scenario, plan, clock, self.actions).run())
        self._kill_workers(worker.work)
        self._wait_for("the members", self._have_members_finished, self.scenario.settle_seconds)
        self._wait_for("due work", self._is_nothing_due, self.scenario.settle_seconds)
        # Nothing may change while records are read.
        self._reap_children()
        self.children.end()
        records = read_records(
            self.folder,
            rate=self.scenario.rate,
            ended_at=self.checked_at,
            late_jobs=self.late_jobs,
            died=self.died,
        )
        (self.folder / "records.json").write_text(records.model_dump_json())

    def _prepare(self, begin: Callable[[], None]) -> None:
        """Migrate the database and take the first actions, in a child process whose connections end with it."""
        from django.core.management import call_command

        self._print("preparing the database, members and sessions")

        def prepare() -> None:
            call_command("migrate", verbosity=0)
            begin()

        self.children.fork("preparation", prepare)
        deadline = time.monotonic() + MAX_PREPARATION_SECONDS
        while not (ended := self.children.reap()):
            if time.monotonic() > deadline:
                raise TimeoutError("The preparation did not end.")
            time.sleep(0.05)
        if ended[0][1] != 0:
            raise RuntimeError(f"The preparation failed:\n{self.children.log.read_text()[-4000:]}")

    # --- Killing workers ------------------------------------------------------------------------------------

    def _fork_workers(self, work: Callable[[], None]) -> None:
        while len(self.children.list_named("worker")) < self.scenario.workers:
            self.children.fork("worker", work)

    def _kill_workers(self, work: Callable[[], None]) -> None:
        end = self.clock.origin + self.scenario.seconds
        next_kill = self.clock.origin + self.scenario.kill_every
        while time.monotonic() < end:
            self._reap_children()
            self._fork_workers(work)
            if time.monotonic() >= next_kill:
                next_kill = max(next_kill + self.scenario.kill_every, time.monotonic())
                self.children.kill(self.random.choice(self.children.list_named("worker")))
                self.kills.append(at=self.clock.now())
                self._fork_workers(work)
            self._show_progress("killing workers")
            time.sleep(0.02)

    def _reap_children(self) -> None:
        for name, status in self.children.reap():
            if (name, status) != ("members", 0):
                self.died.append(f"{name}, with status {status}")

    # --- After the last kill -----------------------------------------------------------------------

    def _wait_for(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        """Wait until the condition holds, or the time is over: the count finds what is not done by then."""
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            self._reap_children()
            self._show_progress(f"waiting for {what}")
            time.sleep(0.2)

    def _have_members_finished(self) -> bool:
        return not self.children.list_named("members")

    def _is_nothing_due(self) -> bool:
        """Whether the last start is past, nothing is due, no mail waits and no periodic job is late."""
        from django.db.models import Q

        from core.facts.models import FailedDelivery
        from core.jobs.periodic import read_heartbeat
        from core.mail.models import Mail
        from core.time import clock
        from modules.sessions.models import Session

        now = self.checked_at = clock.now()
        self.late_jobs = list(read_heartbeat().late_jobs)
        due = Q(moves_at__lte=now) | Q(reminder_due_at__lte=now) | Q(nudge_due_at__lte=now)
        return (
            self.clock.elapsed() > (self.scenario.last_start + 1) * 60
            and not Session.objects.filter(due).exists()
            and not Mail.objects.filter(next_try_at__isnull=False).exists()
            and not FailedDelivery.objects.filter(next_try_at__isnull=False).exists()
            and not self.late_jobs
        )

    # --- Progress -----------------------------------------------------------------------------------------

    def _show_progress(self, doing: str) -> None:
        if time.monotonic() >= self.next_progress:
            self.next_progress = time.monotonic() + PROGRESS_SECONDS
            done = f"{len(self.actions)} actions, {len(self.kills)} kills, {len(self.arrivals)} mails"
            self._print(f"{time.monotonic() - self.clock.origin:4.0f} s  {doing}: {done}")

    def _print(self, line: str) -> None:
        sys.stdout.write(f"  {line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
