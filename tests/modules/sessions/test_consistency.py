"""`verify_sessions`: stored values of sessions agree with their rows."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from tests.modules.sessions.conftest import NOW, STATES, MakeSession, join, path

from core.accounts.models import User
from modules.sessions.models import BookingRequest, DecisionLease, Session
from modules.sessions.queries.consistency import find_mismatches

pytestmark = pytest.mark.django_db


def found() -> list[str]:
    return [str(mismatch) for mismatch in find_mismatches()]


def test_sessions_of_every_status_agree_with_their_rows(
    make_session: MakeSession, jane: User, bob: User, api_of: Callable[[User], Any], john: User
) -> None:
    for status in STATES:
        make_session(status)
    session = make_session("approved", requests={bob: "pending", jane: "rejected"})
    api_of(john).post(path(session, "approve_request/"), {"user_id": bob.pk})
    api_of(jane).post(path(session, "join/"))

    assert found() == []


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ({"participant_count": 0}, "participant_count is 0, expected 1"),
        ({"participant_count": 2}, "participant_count is 2, expected 1"),
        ({"waiting_count": 0}, "waiting_count is 0, expected 1"),
        (
            {"ends_at": NOW + timedelta(days=9)},
            "ends_at is 2024-01-19 10:00:00.250000+00:00, expected 2024-01-15 11:30:00+00:00",
        ),
        ({"moves_at": NOW}, "moves_at is 2024-01-10 10:00:00.250000+00:00, expected 2024-01-15 10:00:00+00:00"),
        ({"subject_key": "Programming"}, "subject_key is Programming, expected programming"),
        (
            {"nudge_due_at": NOW},
            "nudge_due_at is 2024-01-10 10:00:00.250000+00:00, expected 2024-01-14 10:00:00+00:00",
        ),
        (
            {"visible_title": "Before"},
            "visible_title is 'Before', expected nothing, since it is not hidden",
        ),
        ({"hidden_at": NOW}, "visible_title is '', expected the title when it was hidden"),
    ],
)
def test_a_value_changed_without_the_services_is_found(
    stored: dict[str, Any], told: str, make_session: MakeSession, jane: User, bob: User
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})
    make_session("scheduled")
    Session.objects.filter(pk=session.pk).update(**stored)

    assert found() == [f"session {session.pk}: {told}"]


def test_a_participant_added_without_the_services_is_found(make_session: MakeSession, jane: User) -> None:
    session = make_session("scheduled")
    join(session, jane, "approved")

    assert found() == [f"session {session.pk}: participant_count is 1, expected 2"]


def test_a_participant_deleted_without_the_services_is_found(make_session: MakeSession, jane: User) -> None:
    session = make_session("scheduled", participants=[jane])
    BookingRequest.objects.all().delete()

    assert found() == [f"session {session.pk}: participant_count is 1, expected 0"]


def test_more_participants_than_seats_are_found(
    make_session: MakeSession, make_member: Callable[..., User], jane: User, bob: User
) -> None:
    session = make_session("scheduled", participants=[jane, bob], max_participants=2)
    join(session, make_member(), "approved")

    assert found() == [
        f"session {session.pk}: participant_count is 2, expected 3",
        f"session {session.pk}: approved booking requests is 3, expected at most 2",
    ]


def test_a_lease_that_outlived_the_decision_is_found(make_session: MakeSession, alice: User) -> None:
    session = make_session("approved")
    DecisionLease.objects.create(session=session, holder=alice, taken_at=NOW, ends_at=NOW + timedelta(minutes=5))

    assert found() == [f"session {session.pk}: has_lease is True, expected False"]


def test_a_lease_on_a_session_that_waits_is_no_mismatch(make_session: MakeSession, alice: User) -> None:
    session = make_session("pending_approval")
    DecisionLease.objects.create(session=session, holder=alice, taken_at=NOW, ends_at=NOW + timedelta(minutes=5))

    assert found() == []


def test_all_sessions_are_compared_in_one_query(
    make_session: MakeSession, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _ in range(5):
        make_session("scheduled")

    with django_assert_num_queries(1):
        assert found() == []


def test_progress_is_reported_for_every_session(make_session: MakeSession) -> None:
    for _ in range(3):
        make_session("scheduled")
    steps: list[int] = []

    assert list(find_mismatches(on_progress=steps.append)) == []
    assert sum(steps) == 3


def test_the_command_says_how_many_sessions_agree(make_session: MakeSession) -> None:
    make_session("scheduled")
    output = io.StringIO()

    call_command("verify_sessions", stdout=output)

    assert output.getvalue().splitlines() == ["1 sessions agree with their rows."]


def test_the_command_prints_a_line_for_each_mismatch_and_fails(make_session: MakeSession) -> None:
    first, second = make_session("scheduled"), make_session("scheduled")
    Session.objects.update(participant_count=2)
    output = io.StringIO()

    with pytest.raises(CommandError, match=r"^Sessions and their rows do not agree: 2 mismatches\.$"):
        call_command("verify_sessions", stdout=output)

    assert output.getvalue().splitlines() == [
        f"session {first.pk}: participant_count is 2, expected 1",
        f"session {second.pk}: participant_count is 2, expected 1",
    ]
