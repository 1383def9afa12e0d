"""What is published is received by somebody or meant for nobody; what is asked is answered; and docs say so."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from core.facts import Fact, listing
from core.facts.listing import EventEntry, find_gaps, list_facts, list_questions
from core.facts.registry import RECEIVERS
from core.management.commands.list_events import render_markdown
from core.management.documents import read_section
from core.portal.events import OwnSessionsAsked
from modules.materials.events import MaterialAdded, MaterialRemoved
from modules.notifications.receivers import table
from modules.notifications.receivers.documentation import render_table
from modules.sessions import events
from modules.sessions.events import SessionFact
from modules.sessions.receivers.still_holds import CONDITIONS

# Failed deliveries of earlier versions name them.
STORED_NAMES = {
    "tell_of_booking_request": events.BookingRequested,
    "tell_of_booking_approval": events.BookingRequestApproved,
    "tell_of_booking_rejection": events.BookingRequestRejected,
    "tell_of_rejection_at_start": events.SessionStarted,
    "tell_of_seat_left": events.SeatLeft,
    "tell_of_removal": events.ParticipantRemoved,
    "nudge": events.RequestsUndecided,
    "tell_of_session_approval": events.SessionApproved,
    "tell_of_session_rejection": events.SessionRejected,
    "tell_of_new_date": events.SessionRescheduled,
    "tell_of_cancellation": events.SessionCancelled,
    "tell_of_expiry": events.SessionExpired,
    "let_go_of_session": events.SessionDeleted,
    "tell_of_material": MaterialAdded,
    "tell_of_material_removed": MaterialRemoved,
    "remind": events.ReminderDue,
    "tell_moderators": events.SessionsWaiting,
}


def find(entries: list[EventEntry], name: str) -> EventEntry:
    (entry,) = [entry for entry in entries if entry.name == name]
    return entry


def list_files(locations: list[str]) -> list[str]:
    return [location.partition(":")[0] for location in locations]


def test_each_fact_is_published_and_each_question_is_asked_and_answered() -> None:
    assert find_gaps() == []


def test_the_architecture_lists_facts_and_questions_as_they_are() -> None:
    assert read_section("architecture.md", "events") == render_markdown()


def test_the_contract_lists_notifications_as_they_are() -> None:
    assert read_section("contract.md", "notifications") == render_table()


def test_publishers_and_receivers_are_found_with_their_lines() -> None:
    fact = find(list_facts(), "sessions.SessionDeleted")

    assert list_files(fact.senders) == ["src/modules/sessions/services/offering.py"]
    assert list_files(fact.receivers) == [
        "src/modules/notifications/receivers/table.py",
        "src/modules/materials/receivers/__init__.py",
    ]


def test_a_receiver_that_a_row_of_a_table_declares_is_located_at_this_row() -> None:
    lines = Path(table.__file__).read_text().splitlines()
    number = find(list_facts(), "sessions.SessionDeleted").receivers[0].partition(":")[2]

    assert lines[int(number) - 1].strip() == "Rule("
    assert lines[int(number)].strip() == "fact=sessions.SessionDeleted,"


def test_askers_and_answerers_are_found_with_their_lines() -> None:
    question = find(list_questions(), "portal.OwnSessionsAsked")

    assert list_files(question.senders) == ["src/core/admin/members/record.py"]
    assert list_files(question.receivers) == ["src/modules/sessions/receivers/members.py"]


def test_the_listing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("list_events")

    printed = capsys.readouterr().out
    assert "sessions.SessionRejected  src/modules/sessions/events.py:" in printed
    assert "    received   src/modules/notifications/receivers/table.py:" in printed


def test_a_fact_without_a_rule_fails_the_check() -> None:
    class KettleBoiled(Fact):
        pass

    def list_undecided() -> list[str]:
        errors = [error.msg for error in run_checks() if error.id == "notifications.E001"]
        # Other tests have facts of their own.
        return [message for message in errors if "KettleBoiled" in message]

    try:
        assert f"Nobody has decided who is told of {KettleBoiled.name}." in list_undecided()
    finally:
        del Fact.kinds[KettleBoiled.name]
    assert list_undecided() == []


def test_a_fact_that_nobody_publishes_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_find_calls", lambda names: {name: ["a.py:1"] for name in names - {"SeatLeft"}})

    assert find_gaps() == [f"Nobody publishes sessions.SeatLeft ({find(list_facts(), 'sessions.SeatLeft').location})."]
    with pytest.raises(CommandError, match=r"Nobody publishes sessions\.SeatLeft"):
        call_command("list_events")


def test_a_question_that_nobody_answers_is_a_gap() -> None:
    receivers = OwnSessionsAsked.signal.receivers
    OwnSessionsAsked.signal.receivers = []
    try:
        assert [gap.partition(" (")[0] for gap in find_gaps()] == ["Nobody answers portal.OwnSessionsAsked"]
    finally:
        OwnSessionsAsked.signal.receivers = receivers


def test_a_fact_with_a_rule_that_is_also_listed_without_one_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.NOT_NOTIFIED, table.TABLE[0].fact, "A mistake.")

    assert [error.id for error in run_checks() if error.id == "notifications.E002"] == ["notifications.E002"]


def test_each_notified_fact_of_a_session_defines_when_it_still_holds() -> None:
    told = {rule.fact for rule in table.TABLE if issubclass(rule.fact, SessionFact)}

    assert told == set(CONDITIONS)


def test_receivers_keep_the_names_that_failed_deliveries_have() -> None:
    assert {rule.receiver: rule.fact for rule in table.TABLE} == STORED_NAMES
    assert RECEIVERS.keys() >= {f"modules.notifications.receivers.{name}" for name in STORED_NAMES}


@pytest.mark.parametrize("rule", table.TABLE, ids=lambda rule: rule.receiver)
def test_each_rule_has_a_text_for_its_sample(rule: Any) -> None:
    (row,) = [line for line in render_table().splitlines() if line.startswith(f"| {rule.fact.__name__} |")]

    assert row.count(" | ") == 4
    assert not row.endswith("|  |")
