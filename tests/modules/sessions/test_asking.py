"""Asking to join a session, and when `can_join` promises that it would work."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    FINAL,
    NOW,
    OPEN,
    SESSIONS,
    STATES,
    error_of,
    facts,
    fields_of,
    last_fact,
    nothing_changes,
    path,
    user_row,
    z,
)

from modules.sessions.models import BookingRequest, Session

# The one open session that has no seat left; an approved one has no participants yet.
FULL = ("scheduled", True)


def ask(member: Any, session: Any, body: Any = None) -> Any:
    return Api(member).post(path(session, "join/"), body)


def test_asking_returns_the_documented_request(bob: Any, make_session: Any) -> None:
    session = make_session("approved")

    response = ask(bob, session, {"message": "I'm interested in joining this session"})

    assert response.status_code == 201
    assert list(response.json()) == ["id", "user", "message", "status", "requested_at"]
    assert response.json() == {
        "id": BookingRequest.objects.get().pk,
        "user": user_row(bob, email=True),
        "message": "I'm interested in joining this session",
        "status": "pending",
        "requested_at": z(NOW),
    }


@pytest.mark.parametrize("state", OPEN)
def test_asking_takes_no_seat_and_makes_no_transition(john: Any, bob: Any, make_session: Any, state: str) -> None:
    session = make_session(state)
    before = Api(john).get(path(session)).json()

    asked = ask(bob, session).json()

    after = Api(john).get(path(session)).json()
    assert after == before | {"booking_requests": [asked, *before["booking_requests"]]}


def test_asking_publishes_one_fact(john: Any, bob: Any, make_session: Any) -> None:
    session = make_session("approved")

    response = ask(bob, session)

    assert facts() == ["BookingRequested"]
    record = last_fact()
    assert (record.session_id, record.member_id, record.actor) == (session.pk, bob.pk, bob)
    assert record.request_id == response["X-Request-ID"]
    assert record.payload == {
        "session_id": session.pk,
        "title": session.title,
        "creator_id": john.pk,
        "request_id": response.json()["id"],
        "member_id": bob.pk,
        "requested_at": "2024-01-10T10:00:00.250000Z",
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, ""),
        ({}, ""),
        ({"message": None}, ""),
        ({"message": ""}, ""),
        ({"message": "  hello\nworld \n"}, "hello\nworld"),
        ({"message": "x" * 1000}, "x" * 1000),
        ({"message": f" {'🙂' * 1000} "}, "🙂" * 1000),
        ({"message": "hi", "status": "approved", "user": 1, "role": "tutor"}, "hi"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_body_and_message_are_optional(bob: Any, make_session: Any, body: Any, message: str) -> None:
    session = make_session("approved")

    response = ask(bob, session, body)

    assert (response.status_code, response.json()["message"], response.json()["status"]) == (201, message, "pending")


@pytest.mark.parametrize("message", ["x" * 1001, "\x00", 5, True, [], {}])
def test_a_message_that_breaks_a_rule_is_refused_by_name(bob: Any, make_session: Any, message: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        assert list(fields_of(ask(bob, session, {"message": message}))) == ["message"]


# --- Refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_a_creator_cannot_join_their_own_session(john: Any, make_session: Any, state: str) -> None:
    session = make_session(state)

    with nothing_changes():
        assert "own" in error_of(ask(john, session), 400)


def test_a_full_session_cannot_be_joined(bob: Any, make_member: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[make_member(), make_member()], max_participants=2)

    with nothing_changes():
        assert "full" in error_of(ask(bob, session), 400)


@pytest.mark.parametrize("state", ["ongoing", *FINAL])
def test_a_session_that_is_not_open_cannot_be_joined(bob: Any, make_session: Any, state: str) -> None:
    session = make_session(state, ever_approved=True)

    with nothing_changes():
        assert state in error_of(ask(bob, session), 400)


def test_a_moderator_cannot_join_a_session_that_waits_for_approval(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    with nothing_changes():
        error_of(ask(alice, session), 400)


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1), timedelta(days=3)])
def test_a_session_in_the_past_cannot_be_joined_even_if_the_worker_is_late(
    *, bob: Any, make_session: Any, clock: Any, state: str, late: timedelta
) -> None:
    session = make_session(state)
    clock.move_to(session.date + late, tick=False)

    with nothing_changes():
        error_of(ask(bob, session), 400)


def test_a_second_pending_request_is_refused(bob: Any, make_session: Any) -> None:
    session = make_session("approved")
    ask(bob, session, {"message": "first"})

    with nothing_changes():
        message = error_of(ask(bob, session, {"message": "second"}), 400)
    assert message != "Already joined"


@pytest.mark.parametrize("state", ["scheduled", "ongoing", "completed", "cancelled"])
@pytest.mark.parametrize("full", [False, True])
def test_a_participant_who_asks_again_gets_the_documented_error(
    *, bob: Any, jane: Any, make_session: Any, state: str, full: bool
) -> None:
    session = make_session(state, participants=[bob, jane], max_participants=2 if full else 15)

    with nothing_changes():
        response = ask(bob, session, {"message": "again"})

    assert response.status_code == 400
    assert response.json() == {"error": "Already joined"}


def test_the_documented_error_is_the_same_for_due_and_hidden_sessions(bob: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[bob], hidden_at=NOW)
    clock.move_to(session.date, tick=False)

    with nothing_changes():
        assert ask(bob, session).json() == {"error": "Already joined"}


# --- Again ------------------------------------------------------------------------------------------------------


def test_after_a_rejection_the_same_request_is_pending_again(
    john: Any, bob: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("approved")
    first = ask(bob, session, {"message": "first"}).json()
    Api(john).post(path(session, "reject_request/"), {"user_id": bob.pk})

    clock.shift(3600)
    again = ask(bob, session, {"message": "second"})

    assert again.status_code == 201
    assert again.json() == first | {"message": "second", "requested_at": z(NOW + timedelta(hours=1))}
    request = BookingRequest.objects.get()
    assert (request.status, request.decided_at, request.decided_by) == ("pending", None, None)
    # The creator hears of it again.
    assert facts() == ["BookingRequested", "BookingRequestRejected", "BookingRequested"]


def test_a_message_from_before_the_rejection_does_not_stay(bob: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "rejected"})

    assert ask(bob, session).json()["message"] == ""


def test_after_a_rejection_a_full_session_is_still_full(
    bob: Any, jane: Any, make_member: Any, make_session: Any
) -> None:
    session = make_session(
        "scheduled", participants=[jane, make_member()], requests={bob: "rejected"}, max_participants=2
    )

    with nothing_changes():
        assert "full" in error_of(ask(bob, session), 400)


def test_a_member_can_ask_again_after_leaving(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    Api(jane).post(path(session, "leave/"))

    assert ask(jane, session).status_code == 201
    assert Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk}).json()["status"] == "approved"


def test_a_member_can_ask_again_after_withdrawing(bob: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "pending"})
    Api(bob).post(path(session, "leave/"))

    assert ask(bob, session, {"message": "after all"}).json()["message"] == "after all"
    assert BookingRequest.objects.count() == 1


def test_a_member_can_ask_again_after_being_removed(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    Api(john).delete(path(session, f"participants/{jane.pk}/"))

    assert ask(jane, session).status_code == 201


# --- can_join ---------------------------------------------------------------------------------------------------


@pytest.fixture
def make_crowded(*, jane: Any, bob: Any, turned_down: Any, make_member: Any, make_session: Any) -> Any:
    """Makes a session in a state, with members in each role that the state allows; an open one starts in 5 minutes."""

    def make(state: str, *, is_full: bool, is_hidden: bool) -> Session:
        participants = [] if state in {"pending_approval", "approved", "expired"} else [jane]
        if is_full and participants:
            participants.append(make_member())
        waits = "pending" if state in OPEN else "rejected"
        return make_session(
            state,
            participants=participants,
            requests={} if state == "pending_approval" else {bob: waits, turned_down: "rejected"},
            max_participants=2 if is_full else 15,
            hidden_at=NOW if is_hidden else None,
            **({} if state in {"ongoing", "completed", "expired"} else {"date": "2024-01-10T10:05:00Z"}),
        )

    return make


@pytest.fixture
def turned_down(make_member: Any) -> Any:
    return make_member("rex")


@pytest.fixture
def everybody(*, john: Any, alice: Any, root: Any, jane: Any, bob: Any, turned_down: Any, mallory: Any) -> list[Any]:
    return [john, alice, root, jane, bob, turned_down, mallory]


def try_to_join(api: Api, session: Session, listed: dict[int, bool]) -> bool | None:
    """Return `can_join`, which joining and the list keep to, or `None` of a session that this member does not see."""
    shown = api.get(path(session))
    joined = api.post(path(session, "join/"))
    if shown.status_code == 404:
        assert joined.status_code == 404
        assert session.pk not in listed
        return None
    can_join: bool = shown.json()["can_join"]
    assert listed[session.pk] == can_join
    assert joined.status_code == (201 if can_join else 400)
    return can_join


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=5), timedelta(minutes=5, days=20)])
def test_can_join_is_true_exactly_when_joining_works(
    *, make_crowded: Any, everybody: list[Any], make_member: Any, clock: Any, later: timedelta, hidden: bool
) -> None:
    sessions = {
        (state, is_full): make_crowded(state, is_full=is_full, is_hidden=hidden)
        for state in STATES
        for is_full in (False, True)
    }
    clock.move_to((NOW + later).replace(microsecond=0), tick=False)
    can_join: dict[tuple[str, bool], set[str]] = {kind: set() for kind in sessions}

    for member in [*everybody, make_member(is_staff=True)]:
        api = Api(member)
        listed = {row["id"]: row["can_join"] for row in api.get(SESSIONS).json()["results"]}
        for kind, session in sessions.items():
            if try_to_join(api, session, listed):
                can_join[kind].add(member.username)

    is_early = later < timedelta(minutes=5)
    assert {kind for kind, members in can_join.items() if members} == {
        (state, is_full) for state, is_full in sessions if is_early and state in OPEN and (state, is_full) != FULL
    }
    assert all("john_doe" not in members for members in can_join.values())
