"""One drill on one database: `python -m drill.director`, with the environment that `drill.scratch_databases` has made.

This process forks all others, and so keeps free of threads and connections until nobody is forked any more.
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
from drill.journal import journals
from drill.scenario import Scenario

# In real seconds.
PROGRESS_EVERY = 3
LONGEST_START = 120


def main() -> None:
    """Read the scenario from the first argument, drill, and leave the records in DATA_DIR."""
    scenario = Scenario(**{**(given := json.loads(sys.argv[1])), "outages": tuple(map(tuple, given["outages"]))})
    folder = Path(os.environ["DATA_DIR"])
    held, port = hold_port()
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    os.environ["REMINDER_MINUTES"] = ",".join(map(str, scenario.offsets))
    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    django.setup()
    adapt_product(scenario)
    children = ChildProcesses(folder / "processes.log")
    try:
        Director(scenario, folder, children, port).direct()
    finally:
        children.end()
        held.close()


def hold_port() -> tuple[socket.socket, int]:
    """A port that nobody else gets while the mail server is away: bound here too, without listening."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    return held, held.getsockname()[1]


def adapt_product(scenario: Scenario) -> None:
    """What is different in a drill, for all processes: little."""
    from django.conf import settings
    from django.core.mail.utils import DNS_NAME

    from drill.failing_receivers import let_receivers_fail

    let_receivers_fail(scenario.failing_receivers)
    settings.EMAIL_TIMEOUT = scenario.mail_timeout
    # The drill is not about passwords, and hashing them well takes what the workers need.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Looked up once for all processes.
    str(DNS_NAME)


class Director:
    """Lets everything happen in one place, in the order in which it has to begin and to end."""

    clock: Clock

    def __init__(self, scenario: Scenario, folder: Path, children: ChildProcesses, port: int) -> None:
        self.scenario = scenario
        self.folder = folder
        self.children = children
        self.port = port
        self.deeds, self.arrivals, self.kills = journals(folder)
        self.random = Random(scenario.seed)  # noqa: S311
        self.died: list[str] = []
        # When it was last looked whether all is settled, and which sweeps were late then.
        self.looked_at = datetime.max.replace(tzinfo=UTC)
        self.late_sweeps: list[str] = []
        self.next_progress = time.monotonic()

    def direct(self) -> None:
        from core.time import clock as product_clock
        from drill import worker
        from drill.mail_server import serve_mail
        from drill.member_plans import Planner
        from drill.members import MemberActions
        from drill.records import read_records

        plan = Planner(self.scenario).draw()
        clock = Clock(began_at=product_clock.now().replace(microsecond=0), origin=0.0, rate=self.scenario.rate)
        product_clock.set_source(lambda: clock.began_at - timedelta(seconds=1))
        self._prepare(lambda: MemberActions(self.scenario, plan, clock, self.deeds).begin())

        clock = replace(clock, origin=time.monotonic())
        product_clock.set_source(clock.now)
        self.clock = clock
        self._fork_workers(worker.work)
        self.children.fork(
            "mail server",
            lambda: serve_mail(scenario=self.scenario, port=self.port, clock=clock, arrivals=self.arrivals),
        )
        self.children.fork("members", lambda: MemberActions(self.scenario, plan, clock, self.deeds).act())
        self._kill_workers(worker.work)
        self._wait_for("the members", self._members_are_through, self.scenario.settle_seconds)
        self._wait_for("all that is due", self._all_is_settled, self.scenario.settle_seconds)
        # What is read must not change meanwhile.
        self._reap_children()
        self.children.end()
        records = read_records(
            self.folder,
            rate=self.scenario.rate,
            ended_at=self.looked_at,
            late_sweeps=self.late_sweeps,
            died=self.died,
        )
        (self.folder / "records.json").write_text(records.model_dump_json())

    def _prepare(self, begin: Callable[[], None]) -> None:
        """Make the database and what is there from the beginning, in a child whose connections end with it."""
        from django.core.management import call_command

        self._say("making the database, its members and their sessions")

        def prepare() -> None:
            call_command("migrate", verbosity=0)
            begin()

        self.children.fork("preparation", prepare)
        deadline = time.monotonic() + LONGEST_START
        while not (ended := self.children.reap()):
            if time.monotonic() > deadline:
                raise TimeoutError("The preparation did not end.")
            time.sleep(0.05)
        if ended[0][1] != 0:
            raise RuntimeError(f"The preparation failed:\n{self.children.log.read_text()[-4000:]}")

    # --- While workers die ------------------------------------------------------------------------------------

    def _fork_workers(self, work: Callable[[], None]) -> None:
        while len(self.children.named("worker")) < self.scenario.workers:
            self.children.fork("worker", work)

    def _kill_workers(self, work: Callable[[], None]) -> None:
        end = self.clock.origin + self.scenario.seconds
        next_kill = self.clock.origin + self.scenario.kill_every
        while time.monotonic() < end:
            self._reap_children()
            self._fork_workers(work)
            if time.monotonic() >= next_kill:
                next_kill = max(next_kill + self.scenario.kill_every, time.monotonic())
                self.children.kill(self.random.choice(self.children.named("worker")))
                self.kills.note(at=self.clock.now())
                self._fork_workers(work)
            self._show_progress("killing workers")
            time.sleep(0.02)

    def _reap_children(self) -> None:
        for name, status in self.children.reap():
            if (name, status) != ("members", 0):
                self.died.append(f"{name}, with status {status}")

    # --- Once nobody is killed any more -----------------------------------------------------------------------

    def _wait_for(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        """Wait until it holds, and no longer than that: what is not done by then, the count will find."""
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            self._reap_children()
            self._show_progress(f"waiting for {what}")
            time.sleep(0.2)

    def _members_are_through(self) -> bool:
        return not self.children.named("members")

    def _all_is_settled(self) -> bool:
        """Whether the last start is past, nothing is due, no mail waits and every sweep keeps up."""
        from django.db.models import Q

        from core.facts.models import FailedDelivery
        from core.jobs.periodic import read_heartbeat
        from core.mail.models import Mail
        from core.time import clock
        from modules.sessions.models import Session

        now = self.looked_at = clock.now()
        self.late_sweeps = list(read_heartbeat().late_jobs)
        due = Q(moves_at__lte=now) | Q(reminder_due_at__lte=now) | Q(nudge_due_at__lte=now)
        return (
            self.clock.elapsed() > (self.scenario.last_start + 1) * 60
            and not Session.objects.filter(due).exists()
            and not Mail.objects.filter(next_try_at__isnull=False).exists()
            and not FailedDelivery.objects.filter(next_try_at__isnull=False).exists()
            and not self.late_sweeps
        )

    # --- What is said -----------------------------------------------------------------------------------------

    def _show_progress(self, doing: str) -> None:
        if time.monotonic() >= self.next_progress:
            self.next_progress = time.monotonic() + PROGRESS_EVERY
            done = f"{len(self.deeds)} deeds, {len(self.kills)} kills, {len(self.arrivals)} mails"
            self._say(f"{time.monotonic() - self.clock.origin:4.0f} s  {doing}: {done}")

    def _say(self, line: str) -> None:
        sys.stdout.write(f"  {line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
