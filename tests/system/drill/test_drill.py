"""The short form of the fault drill: workers are killed and the mail server has outages while members go on."""

import re

import psycopg
import pytest
from django.conf import settings
from tests.system.drill.running import SERVER, Run, run_drill

from drill.__main__ import is_required
from drill.counting import count
from drill.history import build_histories
from drill.mail_preferences import KINDS
from drill.member_plans import Planner
from drill.reminders import count_reminders
from drill.report import build_table
from drill.scenario import build_short

pytestmark = pytest.mark.system


def test_nothing_is_lost_while_workers_are_killed_and_the_mail_server_has_outages(run: Run) -> None:
    counts = count(run.records)
    assert {name: found for name, found in counts.violations.items() if found} == {}, run.printed
    assert run.status == 0, run.printed
    assert len(run.records.kills) > 5
    assert run.records.outages == 2
    assert run.records.failed_deliveries
    assert run.records.refusals
    assert run.records.hang_ups
    assert run.records.arrivals
    assert any(arrival.calendars for arrival in run.records.arrivals)
    assert count_reminders(run.records, build_histories(run.records)).due


def test_prints_its_progress_and_the_table(run: Run) -> None:
    counts = count(run.records)
    assert "killing workers" in run.printed
    for line in build_table("PostgreSQL" if SERVER else "SQLite", counts):
        assert line in run.printed


def test_removes_its_scratch_data(run: Run) -> None:
    assert list(run.scratch.iterdir()) == []
    if SERVER:
        with psycopg.connect(SERVER) as connection:
            # Other drills may be running.
            own = (f"peer_learning_drill_{run.pid}",)
            assert connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", own).fetchall() == []


def test_a_seed_makes_the_actions_of_the_members_repeatable() -> None:
    assert Planner(build_short(seed=7)).draw() == Planner(build_short(seed=7)).draw()
    assert Planner(build_short(seed=7)).draw() != Planner(build_short(seed=8)).draw()


def test_prints_in_one_line_which_server_is_missing() -> None:
    ended = run_drill("--short", "--database", "postgresql", TEST_DATABASE_URL="postgres://drill:secret@127.0.0.1:1/x")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1] == "PostgreSQL: did not run, no PostgreSQL at 127.0.0.1:1"
    assert "secret" not in ended.stdout + ended.stderr


def test_a_missing_server_is_a_failure_only_if_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_POSTGRESQL", raising=False)
    assert not is_required("both")
    assert is_required("postgresql")
    monkeypatch.setenv("REQUIRE_POSTGRESQL", "1")
    assert is_required("both")


def test_the_kinds_mailed_by_default_are_those_of_the_contract() -> None:
    contract = (settings.CHECKOUT / "docs/contract.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|.*\| (?:yes|no) \| (yes|no) \|$", contract, re.MULTILINE)
    assert {kind: mailed == "yes" for kind, mailed in rows} == KINDS
