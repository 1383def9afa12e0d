"""The fault drill in its short form, and that each of its counters notices the fault that it is there for.

The drill runs once, for real: workers that are killed, a mail server that goes away, members who go on. What it leaves
behind is then spoiled in one way at a time.
"""

import os
import re
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
from drill.ceasing import NOT_TAKING_PLACE, is_stale
from drill.counting import Counts, count
from drill.history import histories_of, slack_of
from drill.kinds import KIND_OF, KINDS, Wishes
from drill.mailbox import WRITTEN_WITHIN, Mailbox, News
from drill.news import ENDS, count_said
from drill.plans import Planner
from drill.records import Arrival, Deed, Fact, FailedDelivery, MailRow, Notice, Records
from drill.reminders import count_reminders
from drill.report import table
from drill.scenario import short

pytestmark = pytest.mark.system

SERVER = (
    urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl() if os.environ.get("DATABASE_URL") else ""
)
MOST_SECONDS = 500


@dataclass
class Run:
    pid: int
    status: int
    printed: str
    records: Records
    # Where it had its scratch data.
    scratch: Path


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A drill that is over."""

    pid: int
    returncode: int
    stdout: str
    stderr: str


def run_drill(*arguments: str, **environment: str) -> Ended:
    process = subprocess.Popen(
        [sys.executable, "-m", "drill", *arguments],
        cwd=settings.CHECKOUT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=MOST_SECONDS)
    finally:
        process.kill()
    return Ended(pid=process.pid, returncode=process.returncode, stdout=stdout, stderr=stderr)


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
    return Run(pid=ended.pid, status=ended.returncode, printed=ended.stdout, records=records, scratch=scratch)


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
    assert run.records.refusals
    assert run.records.hang_ups
    assert run.records.arrivals
    assert any(arrival.calendars for arrival in run.records.arrivals)
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
            # Other drills may be on their way.
            own = (f"peer_learning_drill_{run.pid}",)
            assert connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", own).fetchall() == []


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


def test_holds_the_product_to_the_contracts_own_table_of_what_is_mailed() -> None:
    contract = (settings.CHECKOUT / "docs/contract.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|.*\| (?:yes|no) \| (yes|no) \|$", contract, re.MULTILINE)
    assert {kind: mailed == "yes" for kind, mailed in rows} == KINDS


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
        self.mails = {mail.id: mail for mail in records.mails}

    def name(self, notice: Notice) -> str:
        return self.facts[notice.fact_id].name

    def silence(self, *people: int) -> None:
        """Let these have chosen to be mailed of nothing, and let them have got nothing: so that a fault in what they
        were told is none in their mails."""
        addresses = {self.records.addresses[person] for person in people}
        self.records.deeds += [
            deed(self.records, "choose", by_id=person, choice=dict.fromkeys(KINDS, False)) for person in people
        ]
        for notice in self.records.notices:
            if notice.user_id in people:
                notice.by_mail, notice.mail_id = False, None
        self.forget_mails(lambda mail: mail.kind == "news" and mail.address in addresses)

    def forget_mails(self, concerned: Callable[[MailRow], bool]) -> None:
        message_ids = {mail.message_id for mail in self.records.mails if concerned(mail)}
        self.records.mails = [mail for mail in self.records.mails if not concerned(mail)]
        self.records.arrivals = [each for each in self.records.arrivals if each.message_id not in message_ids]

    def due_reminder(self) -> Notice:
        """Whose reader is mailed of nothing."""
        due = count_reminders(self.records, self.histories).due
        people = {(session, person, start.isoformat(), offset) for session, person, start, offset in due}
        for notice in self.records.notices:
            fact = self.facts[notice.fact_id]
            if fact.name == "ReminderDue" and (
                (fact.session_id, notice.user_id, self.start_of(fact), fact.payload["minutes_before"]) in people
            ):
                self.silence(notice.user_id)
                return notice
        raise LookupError("No reminder that was due was sent")

    def start_of(self, fact: Fact) -> str:
        return next(
            span.date.isoformat() for span in self.histories[fact.session_id or 0].opened if span.holds_at(fact)
        )

    def other(self) -> Notice:
        """A notification that is no reminder, whose reader is mailed of nothing."""
        names = ("BookingRequested", "BookingRequestApproved")
        notice = next(notice for notice in self.records.notices if self.name(notice) in names)
        self.silence(notice.user_id)
        return notice

    def mailed(self, *names: str) -> Notice:
        """A notification that arrived in its own mail."""
        arrived = {arrival.message_id for arrival in self.records.arrivals}
        return next(
            notice
            for notice in self.records.notices
            if notice.mail_id and self.mails[notice.mail_id].message_id in arrived and self.name(notice) in names
        )

    def news(self) -> Iterator[News]:
        """What arrived, the last first: when nobody was killed any more."""
        return reversed(list(Mailbox(self.records, self.histories).news()))

    def names(self, news: News) -> set[str]:
        return {self.name(notice) for line in news.lines for notice in line.notices}

    def invited(self) -> News:
        """Somebody who was asked in by a file, and was in all the while."""
        return next(news for news in self.news() if news.arrival.calendars and self.is_in(news))

    def is_in(self, news: News) -> bool:
        moments = self.histories[int(news.topic.partition(":")[2])].between(news.begin, news.end)
        return all(moment.is_in(news.person) and moment.status not in NOT_TAKING_PLACE for moment in moments)

    def untold(self) -> tuple[News, str]:
        """A mail, and a line that none says: it had clearly ceased before this mail was written."""
        mailbox = Mailbox(self.records, self.histories)
        arrived = list(mailbox.news())
        told = {(news.person, news.topic, line.words) for news in arrived for line in news.lines}
        wishes = Wishes(self.records)
        return next(
            (news, notice.message)
            for news in arrived
            for notice in mailbox.told[news.person, news.topic]
            if self.name(notice) == "BookingRequested"
            and (news.person, news.topic, notice.message) not in told
            and wishes.by_mail("BookingRequested", news.person)
            and is_stale(self.facts[notice.fact_id], news.person, self.histories, news.begin, news.end)
            and notice.at < news.begin
        )

    def session(self, *statuses: str) -> int:
        return next(session for session, history in self.histories.items() if history.status in statuses)

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


def deed(
    records: Records, action: str, *, by_id: int, choice: dict[str, bool] | None = None, outcome: str = "done"
) -> Deed:
    return Deed(
        action=action,
        outcome=outcome,
        why="",
        session_id=None,
        by_id=by_id,
        whom_id=None,
        duration=None,
        choice=choice,
        before=records.ended_at,
        after=records.ended_at,
    )


def last_answered(records: Records) -> Arrival:
    """A mail that arrived when nobody was killed any more."""
    return next(arrival for arrival in reversed(records.arrivals) if arrival.answered)


def again_in_another_mail(records: Records, arrival: Arrival) -> None:
    """Let what this mail says have been told once more, under another Message-ID."""
    mail = next(mail for mail in records.mails if mail.message_id == arrival.message_id)
    records.mails.append(mail.model_copy(update={"id": mail.id + 10**6, "message_id": "<another@localhost>"}))
    again = {"message_id": "<another@localhost>", "at": records.ended_at, "answered": True}
    records.arrivals.append(arrival.model_copy(update=again))


def say_more(arrival: Arrival, line: str) -> None:
    greeting, _, rest = arrival.text.partition("\n")
    arrival.text = f"{greeting}\n\n{line}\n{rest}"


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
    finder.silence(history.creator_id)
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
    finder.silence(outsider)
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
    finder.silence(history.creator_id)
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
    records.notices = [notice for notice in records.notices if notice.fact_id not in digests]
    Finder(records).forget_mails(lambda mail: mail.topic == "moderation")


@noticed_as("digests wrong")
def a_digest_that_names_a_session_which_was_not_offered_yet(records: Records) -> None:
    finder = Finder(records)
    finder.silence(*records.moderators)
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    last = max(finder.histories.values(), key=lambda history: history.told[0].fact.at)
    digest.payload["sessions"].append({"session_id": last.session_id, "creator_id": last.creator_id})


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
    # What was dropped because the session had expired, or waited no longer, would be missed now.
    finder.silence(*records.addresses)
    records.notices.remove(forgotten)
    records.facts.remove(expiry)
    next(row for row in records.sessions if row.id == expiry.session_id).status = before


@noticed_as("states early")
def a_session_that_the_clock_began_too_early(records: Records) -> None:
    finder = Finder(records)
    finder.silence(*records.addresses)
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
    finder.silence(member)
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
    records.deeds.append(deed(records, "ask", by_id=1, outcome="broke"))


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
    other = next(member for member in records.addresses if member != told.user_id)
    finder.silence(other)
    finder.add_notice(finder.facts[told.fact_id], other)


@noticed_as("mails lost")
def a_mail_that_was_noted_as_sent_and_never_arrived(records: Records) -> None:
    lost = records.arrivals[0].message_id
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != lost]


@noticed_as("mails lost")
def a_notification_that_says_mail_and_has_none(records: Records) -> None:
    Finder(records).mailed(*KIND_OF).mail_id = None


@noticed_as("mails lost")
def no_news_mailed_and_none_that_is_said_to_be(records: Records) -> None:
    for notice in records.notices:
        notice.by_mail, notice.mail_id = False, None
    Finder(records).forget_mails(lambda mail: mail.kind == "news")


@noticed_as("mails lost")
def a_mail_that_was_dropped_with_news_that_still_holds(records: Records) -> None:
    finder = Finder(records)
    cancelled = finder.mailed("SessionCancelled")
    mail = finder.mails[cancelled.mail_id or 0]
    mail.status = "dropped"
    records.arrivals = [arrival for arrival in records.arrivals if arrival.message_id != mail.message_id]


@noticed_as("mails lost")
def a_mail_that_says_nothing_of_its_news(records: Records) -> None:
    finder = Finder(records)
    cancelled = finder.mailed("SessionCancelled")
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
    arrival = last_answered(records)
    records.kills = [kill for kill in records.kills if kill < arrival.at - slack_of(records)]
    records.arrivals.append(arrival.model_copy())


@noticed_as("mails repeated")
def more_repetitions_than_kills(records: Records) -> None:
    first = {arrival.message_id: arrival for arrival in reversed(records.arrivals) if arrival.answered}
    for arrival in list(first.values())[: len(records.kills) + 1]:
        records.arrivals.append(arrival.model_copy(update={"at": records.ended_at}))


@noticed_as("mails telling it again")
def news_that_came_again_in_another_mail(records: Records) -> None:
    finder = Finder(records)
    arrival = next(
        news.arrival
        for news in finder.news()
        if news.arrival.answered and any(len(line.notices) == 1 for line in news.lines)
    )
    records.kills = [kill for kill in records.kills if kill < arrival.at - slack_of(records)]
    again_in_another_mail(records, arrival)


@noticed_as("mails untrue")
def a_line_of_somebody_elses_news(records: Records) -> None:
    news = list(Finder(records).news())
    own = [(each.person, line.words) for each in news for line in each.lines]
    theirs = next(words for person, words in own if (news[0].person, words) not in own)
    say_more(news[0].arrival, theirs)


@noticed_as("mails untrue")
def a_reminder_that_says_more_time_than_there_was(records: Records) -> None:
    finder = Finder(records)
    arrival = next(news.arrival for news in finder.news() if "ReminderDue" in finder.names(news))
    arrival.text = re.sub(r"starts in .+\.", "starts in 55 minutes.", arrival.text)


@noticed_as("mails unwanted")
def a_mail_of_a_kind_that_its_reader_does_not_want(records: Records) -> None:
    notice = Finder(records).mailed("BookingRequestApproved")
    records.deeds.append(deed(records, "choose", by_id=notice.user_id, choice={"booking_decision": False}))


@noticed_as("mails stale")
def a_request_that_was_mailed_of_when_it_was_decided(records: Records) -> None:
    news, line = Finder(records).untold()
    say_more(news.arrival, line)


@noticed_as("calendar files wrong")
def a_file_that_takes_the_session_from_who_is_in(records: Records) -> None:
    file = Finder(records).invited().arrival.calendars[0]
    file.method, file.content = "CANCEL", file.content.replace("METHOD:REQUEST", "METHOD:CANCEL")


@noticed_as("calendar files wrong")
def a_file_whose_mail_calls_it_something_else(records: Records) -> None:
    Finder(records).invited().arrival.calendars[0].method = "PUBLISH"


@noticed_as("calendar files wrong")
def the_uid_of_another_session(records: Records) -> None:
    finder = Finder(records)
    invited = finder.invited()
    file = invited.arrival.calendars[0]
    other = next(news for news in finder.news() if news.arrival.calendars and news.topic != invited.topic)
    uid = re.search(r"(?m)^UID:.*$", other.arrival.calendars[0].content)
    assert uid
    file.content = re.sub(r"(?m)^UID:.*$", uid[0], file.content)


@noticed_as("calendar files wrong")
def a_sequence_that_falls_when_a_mail_comes_again(records: Records) -> None:
    invited = Finder(records).invited()
    arrival = invited.arrival
    arrival.answered = False
    at = arrival.at + WRITTEN_WITHIN * slack_of(records)
    again = arrival.model_copy(deep=True, update={"at": at, "begun_at": at, "answered": True})
    records.arrivals.append(again)
    arrival.calendars[0].content = re.sub(r"SEQUENCE:\d+", "SEQUENCE:99", arrival.calendars[0].content)


@noticed_as("calendar files wrong")
def a_file_with_somebody_elses_address(records: Records) -> None:
    file = Finder(records).invited().arrival.calendars[0]
    unfolded = file.content.replace("\r\n ", "")
    file.content = re.sub(r"(ATTENDEE.*mailto:)\S+", r"\1somebody.else@example.com", unfolded)


@noticed_as("calendar files wrong")
def an_approval_without_a_file(records: Records) -> None:
    finder = Finder(records)
    next(news for news in finder.news() if "SessionApproved" in finder.names(news)).arrival.calendars = []


@noticed_as("calendar files wrong")
def a_file_for_somebody_who_was_never_in(records: Records) -> None:
    finder = Finder(records)
    file = finder.invited().arrival.calendars[0]
    refused = next(
        news
        for news in finder.news()
        if finder.names(news) == {"SessionExpired"}
        and news.person not in finder.histories[int(news.topic.partition(":")[2])].seats
        and not news.arrival.calendars
    )
    refused.arrival.calendars.append(file)


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


def test_a_mail_server_that_hung_up_explains_one_repetition(records: Records) -> None:
    arrival = last_answered(records)
    records.kills = []
    before = set(count(records).bad["mails repeated"])
    arrival.answered = False
    records.arrivals.append(arrival.model_copy(update={"answered": True, "at": records.ended_at}))
    assert set(count(records).bad["mails repeated"]) == before
    records.arrivals.append(arrival.model_copy(update={"answered": True, "at": records.ended_at}))
    assert len(count(records).bad["mails repeated"]) == len(before) + 1


def test_a_mail_server_that_hung_up_explains_that_news_is_told_in_another_mail(records: Records) -> None:
    arrival = next(news.arrival for news in Finder(records).news() if news.arrival.answered)
    arrival.answered = False
    again_in_another_mail(records, arrival)
    assert count(records).is_clean


def test_what_is_said_beside_a_cancellation_is_stale(records: Records) -> None:
    finder = Finder(records)
    news = next(news for news in finder.news() if not finder.names(news) & ENDS)
    assert count_said(records, finder.histories).stale == []
    cancellation = finder.add_fact("SessionCancelled", int(news.topic.partition(":")[2]))
    cancellation.at = news.begin
    finder.add_notice(cancellation, news.person)
    records.notices[-1].at = news.begin
    records.notices[-1].message = "It is cancelled."
    say_more(news.arrival, "It is cancelled.")
    stale = count_said(records, finder.histories).stale
    assert [words.partition(" says: ")[2] for words in stale] == [line.words for line in news.lines]


def test_a_digest_is_missing_where_there_was_news_an_hour_after_the_last(records: Records) -> None:
    digest = next(fact for fact in records.facts if fact.name == "SessionsWaiting")
    digest.at -= timedelta(hours=2)
    wrong = count(records).bad["digests wrong"]
    assert any(words.startswith("no digest from") for words in wrong), wrong


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
