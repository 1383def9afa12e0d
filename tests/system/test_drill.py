"""The fault drill in its short form, and that each of its counters notices the fault that it is there for.

The drill runs once, for real: workers that are killed, a mail server that goes away, members who go on. What it leaves
behind is then spoiled in one way at a time.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from django.conf import settings

from drill.__main__ import is_required
from drill.counting import Counts, count
from drill.history import histories_of, slack_of
from drill.plans import Planner
from drill.records import Deed, Fact, FailedDelivery, Notice, Records
from drill.reminders import count_reminders
from drill.report import table
from drill.scenario import short

# All on one process: they share the one run.
pytestmark = pytest.mark.xdist_group("drill")

SERVER = (
    urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl() if os.environ.get("DATABASE_URL") else ""
)
MOST_SECONDS = 500


@dataclass
class Run:
    status: int
    printed: str
    records: Records
    # Where it had its scratch data.
    scratch: Path


def run_drill(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "drill", *arguments],
        cwd=settings.CHECKOUT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )


def place() -> list[str]:
    """The database that the tests run on; the queue is in Redis beside PostgreSQL, where there is one."""
    if not SERVER:
        return ["--database", "sqlite"]
    try:
        redis.Redis(socket_connect_timeout=5).ping()
    except redis.RedisError:
        return ["--database", "postgresql", "--queue", "file"]
    return ["--database", "postgresql", "--queue", "redis"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    kept, scratch = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("scratch")
    ended = run_drill(
        "--short",
        *place(),
        "--keep",
        str(kept),
        TMPDIR=str(scratch),
        **({"TEST_DATABASE_URL": SERVER} if SERVER else {}),
    )
    found = list(kept.glob("*-records.json"))
    assert found, ended.stdout + ended.stderr
    records = Records.model_validate_json(found[0].read_text())
    return Run(status=ended.returncode, printed=ended.stdout, records=records, scratch=scratch)


@pytest.fixture
def records(run: Run) -> Records:
    """What the run has left behind, to be spoiled."""
    return run.records.model_copy(deep=True)


def test_every_promise_is_kept_while_workers_are_killed_and_the_mail_server_goes_away(run: Run) -> None:
    counts = count(run.records)
    assert {name: found for name, found in counts.bad.items() if found} == {}, run.printed
    assert run.status == 0, run.printed
    assert len(run.records.kills) > 5
    assert run.records.outages == 2
    assert run.records.failed_deliveries
    assert run.records.arrivals
    assert count_reminders(run.records, histories_of(run.records)).due


def test_says_what_it_did_and_what_it_counted(run: Run) -> None:
    counts = count(run.records)
    assert "killing workers" in run.printed
    for line in table("PostgreSQL" if SERVER else "SQLite", counts):
        assert line in run.printed


def test_leaves_nothing_behind(run: Run) -> None:
    assert list(run.scratch.iterdir()) == []
    if SERVER:
        with psycopg.connect(SERVER) as connection:
            names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'peer_learning_drill_%'")
            assert names.fetchall() == []


def test_a_seed_makes_the_choices_of_the_members_repeatable() -> None:
    assert Planner(short(seed=7)).draw() == Planner(short(seed=7)).draw()
    assert Planner(short(seed=7)).draw() != Planner(short(seed=8)).draw()


def test_says_in_one_line_which_server_is_missing() -> None:
    ended = run_drill("--short", "--database", "postgresql", TEST_DATABASE_URL="postgres://drill:secret@127.0.0.1:1/x")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1] == "PostgreSQL: did not run, no PostgreSQL at 127.0.0.1:1"
    assert "secret" not in ended.stdout + ended.stderr


def test_a_missing_server_is_a_failure_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_POSTGRESQL", raising=False)
    assert not is_required("both")
    assert is_required("postgresql")
    monkeypatch.setenv("REQUIRE_POSTGRESQL", "1")
    assert is_required("both")


# --- Planted faults ---------------------------------------------------------------------------------------------

Fault = Callable[[Records], object]
FAULTS: list[tuple[str, Fault]] = []


def noticed_as(counter: str) -> Callable[[Fault], Fault]:
    def plant(fault: Fault) -> Fault:
        FAULTS.append((counter, fault))
        return fault

    return plant


class Finder:
    """Finds in the records what a fault can be planted in."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.facts = {fact.id: fact for fact in records.facts}
        self.histories = histories_of(records)
        self.arrived = {arrival.message_id for arrival in records.arrivals}
        self.mails = {mail.id: mail for mail in records.mails}

    def name(self, notice: Notice) -> str:
        return self.facts[notice.fact_id].name

    def alone_in_mail(self) -> Iterator[Notice]:
        """Notifications whose loss costs no mail."""
        for notice in self.records.notices:
            if notice.mail_id is None or self.mails[notice.mail_id].message_id in self.arrived:
                yield notice

    def due_reminder(self) -> Notice:
        due = count_reminders(self.records, self.histories).due
        people = {(session, person, start.isoformat(), offset) for session, person, start, offset in due}
        for notice in self.alone_in_mail():
            fact = self.facts[notice.fact_id]
            if fact.name == "ReminderDue" and (
                (fact.session_id, notice.user_id, self.start_of(fact), fact.payload["minutes_before"]) in people
            ):
                return notice
        raise LookupError("No reminder that was due was sent")

    def start_of(self, fact: Fact) -> str:
        return next(
            span.date.isoformat() for span in self.histories[fact.session_id or 0].opened if span.holds_at(fact)
        )

    def other(self) -> Notice:
        """A notification that is no reminder."""
        return next(
            notice
            for notice in self.alone_in_mail()
            if self.name(notice) in ("BookingRequested", "BookingRequestApproved")
        )

    def session(self, *statuses: str) -> int:
        return next(session for session, history in self.histories.items() if history.status in statuses)

    def forget_mails(self, concerned: Callable[[Notice], bool]) -> None:
        """Let these notifications have had no mails."""
        forgotten = set()
        for notice in filter(concerned, self.records.notices):
            forgotten.add(notice.mail_id)
            notice.by_mail, notice.mail_id = False, None
        message_ids = {mail.message_id for mail in self.records.mails if mail.id in forgotten}
        self.records.mails = [mail for mail in self.records.mails if mail.id not in forgotten]
        self.records.arrivals = [each for each in self.records.arrivals if each.message_id not in message_ids]

    def add_fact(self, name: str, session_id: int, **payload: object) -> Fact:
        fact = Fact(
            id=max(self.facts) + 1,
            name=name,
            session_id=session_id,
            member_id=None,
            actor_id=None,
            at=self.records.ended_at,
            payload=payload,
            changes={},
        )
        self.records.facts.append(fact)
        return fact

    def add_notice(self, fact: Fact, user_id: int) -> None:
        notice = Notice(
            id=max(each.id for each in self.records.notices) + 1,
            fact_id=fact.id,
            user_id=user_id,
            at=fact.at,
            message="",
            by_mail=False,
            mail_id=None,
        )
        self.records.notices.append(notice)


@noticed_as("reminders missing")
def no_notification_for_a_reminder(records: Records) -> None:
    records.notices.remove(Finder(records).due_reminder())


@noticed_as("reminders doubled")
def a_second_notification_for_a_reminder(records: Records) -> None:
    notice = Finder(records).due_reminder()
    records.notices.append(notice.model_copy(update={"id": notice.id + 10**6, "fact_id": notice.fact_id}))


@noticed_as("reminders after a change")
def a_reminder_of_a_session_that_was_cancelled(records: Records) -> None:
    finder = Finder(records)
    history = next(
        history
        for history in finder.histories.values()
        if history.status == "cancelled"
        and history.opened
        and not any(told.fact.name == "ReminderDue" for told in history.told)
    )
    fact = finder.add_fact(
        "ReminderDue", history.session_id, date=history.date.isoformat(), minutes_before=min(records.offsets)
    )
    fact.at = history.told[-1].fact.at
    finder.add_notice(fact, history.creator_id)


@noticed_as("reminders after a change")
def a_reminder_of_a_start_that_was_moved(records: Records) -> None:
    finder = Finder(records)
    notice = finder.due_reminder()
    fact = finder.facts[notice.fact_id]
    moved = (records.ended_at + timedelta(days=1)).isoformat()
    minutes = fact.payload["minutes_before"]
    other = finder.add_fact("ReminderDue", fact.session_id or 0, date=moved, minutes_before=minutes)
    finder.add_notice(other, notice.user_id)


@noticed_as("reminders after the start")
def a_reminder_that_came_when_it_had_begun(records: Records) -> None:
    finder = Finder(records)
    notice = finder.due_reminder()
    start = datetime.fromisoformat(finder.facts[notice.fact_id].payload["date"])
    notice.at = start + slack_of(records) + timedelta(seconds=1)


@noticed_as("reminders to outsiders")
def a_reminder_to_somebody_who_was_not_in(records: Records) -> None:
    finder = Finder(records)
    fact = finder.facts[finder.due_reminder().fact_id]
    history = finder.histories[fact.session_id or 0]
    outsider = next(
        member for member in records.addresses if member not in history.seats and member != history.creator_id
    )
    finder.add_notice(fact, outsider)


@noticed_as("reminders out of time")
def a_reminder_before_it_was_due(records: Records) -> None:
    finder = Finder(records)
    fact = finder.facts[finder.due_reminder().fact_id]
    fact.at -= timedelta(minutes=max(records.offsets))


@noticed_as("nudges wrong")
def a_nudge_where_nobody_waits(records: Records) -> None:
    finder = Finder(records)
    history = finder.histories[finder.session("ongoing")]
    fact = finder.add_fact("RequestsUndecided", history.session_id, date=history.date.isoformat(), undecided=1)
    finder.add_notice(fact, history.creator_id)


@noticed_as("digests wrong")
def a_second_digest_within_the_hour(records: Records) -> None:
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    told = [notice for notice in records.notices if notice.fact_id == digest.id]
    again = max(fact.id for fact in records.facts) + 1
    records.facts.append(digest.model_copy(update={"id": again, "at": digest.at + timedelta(minutes=1)}))
    records.notices += [notice.model_copy(update={"id": notice.id + 10**6, "fact_id": again}) for notice in told]


@noticed_as("digests wrong")
def no_digest_though_sessions_wait(records: Records) -> None:
    digests = {fact.id for fact in records.facts if fact.name == "SessionsWaiting"}
    records.facts = [fact for fact in records.facts if fact.id not in digests]
    for notice in [notice for notice in records.notices if notice.fact_id in digests]:
        records.notices.remove(notice)
        mail = next(mail for mail in records.mails if mail.id == notice.mail_id)
        records.mails.remove(mail)
        records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@noticed_as("states wrong")
def a_session_that_is_open_though_it_has_begun(records: Records) -> None:
    session = Finder(records).session("ongoing")
    next(row for row in records.sessions if row.id == session).status = "scheduled"


@noticed_as("states wrong")
def a_place_too_few(records: Records) -> None:
    session = Finder(records).session("ongoing")
    next(row for row in records.sessions if row.id == session).participant_count -= 1


@noticed_as("states late")
def a_session_that_the_clock_forgot(records: Records) -> None:
    finder = Finder(records)
    forgotten = next(
        notice
        for notice in records.notices
        if finder.name(notice) == "SessionExpired" and not finder.facts[notice.fact_id].payload["requester_ids"]
    )
    expiry = finder.facts[forgotten.fact_id]
    before = "approved" if expiry.payload["why"] == "nobody_in" else "pending_approval"
    history = finder.histories[expiry.session_id or 0]
    if any(told.fact.name == "SessionScheduled" for told in history.told):
        before = "scheduled"
    records.notices.remove(forgotten)
    # What was dropped because the session had expired, or waited no longer, would be missed now.
    about_it = (expiry.session_id, None)
    finder.forget_mails(lambda notice: finder.facts[notice.fact_id].session_id in about_it)
    records.facts.remove(expiry)
    next(row for row in records.sessions if row.id == expiry.session_id).status = before


@noticed_as("states early")
def a_session_that_the_clock_began_too_early(records: Records) -> None:
    finder = Finder(records)
    start = next(fact for fact in records.facts if fact.name == "SessionStarted" and fact.actor_id is None)
    start.at = finder.histories[start.session_id or 0].date - timedelta(seconds=1)


@noticed_as("requests wrong")
def a_participant_whose_request_is_rejected(records: Records) -> None:
    next(row for row in records.requests if row.status == "approved").status = "rejected"


@noticed_as("requests left undecided")
def a_request_that_waits_though_it_has_begun(records: Records) -> None:
    finder = Finder(records)
    begun = {session for session, history in finder.histories.items() if history.status in ("ongoing", "expired")}
    next(row for row in records.requests if row.status == "rejected" and row.session_id in begun).status = "pending"


@noticed_as("facts impossible")
def somebody_who_is_let_in_twice(records: Records) -> None:
    finder = Finder(records)
    history = next(
        history for history in finder.histories.values() if history.status == "ongoing" and history.participants
    )
    member = min(history.participants)
    finder.add_notice(finder.add_fact("BookingRequestApproved", history.session_id, member_id=member), member)


@noticed_as("deeds lost")
def a_deed_without_a_fact(records: Records) -> None:
    done = next(deed for deed in records.deeds if deed.action == "ask" and deed.outcome == "done")
    records.deeds.append(done.model_copy())


@noticed_as("facts impossible")
def a_fact_without_a_deed(records: Records) -> None:
    records.deeds.remove(next(deed for deed in records.deeds if deed.action == "ask" and deed.outcome == "done"))


@noticed_as("deeds broken")
def a_deed_that_ended_in_an_error(records: Records) -> None:
    at = records.ended_at
    records.deeds.append(
        Deed(
            action="ask",
            outcome="broke",
            why="OperationalError: database is locked",
            session_id=1,
            by_id=1,
            whom_id=None,
            duration=None,
            before=at,
            after=at,
        )
    )


@noticed_as("notifications missing")
def a_notification_too_few(records: Records) -> None:
    records.notices.remove(Finder(records).other())


@noticed_as("notifications surplus")
def a_notification_too_many(records: Records) -> None:
    notice = Finder(records).other()
    records.notices.append(notice.model_copy(update={"id": notice.id + 10**6}))


@noticed_as("notifications surplus")
def a_notification_to_somebody_whom_it_does_not_concern(records: Records) -> None:
    finder = Finder(records)
    told = finder.other()
    finder.add_notice(
        finder.facts[told.fact_id], next(member for member in records.addresses if member != told.user_id)
    )


@noticed_as("mails lost")
def a_mail_that_was_noted_as_sent_and_never_arrived(records: Records) -> None:
    lost = records.arrivals[0].message_id
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != lost]


@noticed_as("mails lost")
def a_notification_that_says_mail_and_has_none(records: Records) -> None:
    next(notice for notice in Finder(records).alone_in_mail() if notice.by_mail).mail_id = None


@noticed_as("mails lost")
def a_mail_that_was_dropped_with_news_that_still_holds(records: Records) -> None:
    finder = Finder(records)
    cancelled = next(
        notice for notice in finder.alone_in_mail() if finder.name(notice) == "SessionCancelled" and notice.mail_id
    )
    mail = finder.mails[cancelled.mail_id or 0]
    mail.status = "dropped"
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@noticed_as("mails lost")
def a_mail_that_says_nothing_of_its_news(records: Records) -> None:
    finder = Finder(records)
    cancelled = next(
        notice for notice in finder.alone_in_mail() if finder.name(notice) == "SessionCancelled" and notice.mail_id
    )
    message_id = finder.mails[cancelled.mail_id or 0].message_id
    for arrival in records.arrivals:
        if arrival.message_id == message_id:
            arrival.text = "Hello there."


@noticed_as("mails lost")
def a_mail_that_was_given_up(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.kind == "welcome")
    mail.status = "failed"
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@noticed_as("mails lost")
def a_member_whom_nobody_welcomed(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.kind == "welcome")
    records.mails.remove(mail)
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@noticed_as("mails repeated")
def a_mail_that_came_again_without_a_kill(records: Records) -> None:
    arrival = records.arrivals[-1]
    records.kills = [kill for kill in records.kills if kill < arrival.at - slack_of(records)]
    records.arrivals.append(arrival.model_copy())


@noticed_as("mails repeated")
def more_repetitions_than_kills(records: Records) -> None:
    first = {arrival.message_id: arrival for arrival in reversed(records.arrivals)}
    for arrival in list(first.values())[: len(records.kills) + 1]:
        records.arrivals.append(arrival.model_copy(update={"at": records.ended_at}))


@noticed_as("mails unaccounted for")
def a_mail_that_the_ledger_does_not_know(records: Records) -> None:
    records.arrivals.append(records.arrivals[0].model_copy(update={"message_id": "<stranger@localhost>"}))


@noticed_as("mails unaccounted for")
def a_mail_that_went_to_somebody_else(records: Records) -> None:
    records.arrivals[0].to = ["somebody.else@example.com"]


@noticed_as("rows standing still")
def a_mail_that_is_still_in_hand(records: Records) -> None:
    mail = next(mail for mail in records.mails if mail.status == "sent")
    mail.status, mail.next_try_at = "sending", records.ended_at


@noticed_as("rows standing still")
def a_session_that_no_sweep_takes_up(records: Records) -> None:
    records.sessions[0].due_at.append(records.ended_at - timedelta(minutes=5))


@noticed_as("rows standing still")
def a_receiver_that_was_never_served(records: Records) -> None:
    records.failed_deliveries.append(
        FailedDelivery(fact_id=records.facts[0].id, receiver="modules.notifications.receivers.remind", delivered=False)
    )


@noticed_as("rows standing still")
def a_sweep_that_is_late(records: Records) -> None:
    records.late_sweeps.append("send mail that is due")


@noticed_as("processes that died")
def a_worker_that_ended_by_itself(records: Records) -> None:
    records.died.append("worker, with status 1")


@pytest.mark.parametrize(
    ("counter", "fault"), FAULTS, ids=[f"{fault.__name__}-{counter.replace(' ', '_')}" for counter, fault in FAULTS]
)
def test_a_planted_fault_raises_its_counter_and_no_other(counter: str, fault: Fault, records: Records) -> None:
    fault(records)
    counts = count(records)
    assert {name for name, found in counts.bad.items() if found} == {counter}, counts.bad
    assert not counts.is_clean


def test_every_counter_has_a_planted_fault(records: Records) -> None:
    assert {counter for counter, _ in FAULTS} == set(count(records).bad)


def test_the_table_says_that_a_promise_was_broken_and_which() -> None:
    broken = Counts(figures={"workers killed": "3"}, bad={"mails lost": ["mail 7 to jane@example.com"]})
    assert list(table("SQLite", broken)) == [
        "SQLite: FAILED",
        "  workers killed  3",
        "  ----------------------",
        "  mails lost      1",
        "      mail 7 to jane@example.com",
    ]
