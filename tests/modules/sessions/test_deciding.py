"""Approving and rejecting booking requests."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    NOW,
    error_of,
    facts,
    fields_of,
    last_fact,
    nothing_changes,
    path,
    user_row,
    z,
)

from core.facts.models import FactRecord
from modules.sessions.models import BookingRequest
from modules.sessions.services.life_cycle import advance_due_sessions

APPROVE, REJECT = "approve_request/", "reject_request/"


def decide(member: Any, session: Any, action: str, requester: Any) -> Any:
    return Api(member).post(path(session, action), {"user_id": requester.pk})


# --- Approving --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["creator", "moderator", "superuser"])
@pytest.mark.parametrize("action", [APPROVE, REJECT])
def test_deciding_returns_the_request(
    *, john: Any, alice: Any, root: Any, bob: Any, make_session: Any, action: str, who: str
) -> None:
    session = make_session("approved", requests={bob: "pending"})
    request = BookingRequest.objects.get()

    response = decide({"creator": john, "moderator": alice, "superuser": root}[who], session, action, bob)

    assert response.status_code == 200
    assert list(response.json()) == ["id", "user", "message", "status", "requested_at"]
    assert response.json() == {
        "id": request.pk,
        "user": user_row(bob, email=True),
        "message": request.message,
        "status": "approved" if action == APPROVE else "rejected",
        "requested_at": z(request.requested_at),
    }


def test_an_approved_requester_is_a_participant(john: Any, bob: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "pending"}, max_participants=2)

    decide(john, session, APPROVE, bob)

    shown = Api(john).get(path(session)).json()
    assert shown["participants"] == [
        {
            "id": BookingRequest.objects.get().pk,
            "user": user_row(bob, email=True),
            "role": "student",
            "status": "approved",
            "joined_at": z(NOW),
        }
    ]
    assert [row["status"] for row in shown["booking_requests"]] == ["approved"]
    assert (shown["participant_count"], shown["available_spots"], shown["is_full"]) == (1, 1, False)


def test_the_first_participant_schedules_the_session(john: Any, bob: Any, jane: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "pending", jane: "pending"})

    decide(john, session, APPROVE, bob)
    assert Api(john).get(path(session)).json()["status"] == "scheduled"
    decide(john, session, APPROVE, jane)

    assert facts() == ["BookingRequestApproved", "SessionScheduled", "BookingRequestApproved"]
    scheduled = FactRecord.objects.get(name="sessions.SessionScheduled")
    assert scheduled.changes == {"status": ["approved", "scheduled"]}


def test_an_approval_is_recorded(alice: Any, john: Any, bob: Any, make_session: Any) -> None:
    session = make_session("scheduled", requests={bob: "pending"})

    response = decide(alice, session, APPROVE, bob)

    request = BookingRequest.objects.get(user=bob)
    assert (request.decided_by, request.decided_at, request.joined_at) == (alice, NOW, NOW)
    record = last_fact()
    assert (record.name, record.session_id, record.member_id, record.actor) == (
        "sessions.BookingRequestApproved",
        session.pk,
        bob.pk,
        alice,
    )
    assert record.request_id == response["X-Request-ID"]
    assert record.payload == {
        "session_id": session.pk,
        "title": session.title,
        "creator_id": john.pk,
        "request_id": request.pk,
        "member_id": bob.pk,
    }


def test_the_last_seat_can_be_given_and_no_more(john: Any, bob: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", requests={bob: "pending", jane: "pending"}, max_participants=2)

    assert decide(john, session, APPROVE, bob).status_code == 200
    assert Api(john).get(path(session)).json()["is_full"] is True
    with nothing_changes():
        assert "full" in error_of(decide(john, session, APPROVE, jane), 400)


@pytest.mark.parametrize("action", [APPROVE, REJECT])
def test_deciding_the_same_way_twice_changes_nothing(
    john: Any, alice: Any, bob: Any, make_session: Any, action: str
) -> None:
    session = make_session("approved", requests={bob: "pending"})
    first = decide(john, session, action, bob).json()

    for member in (john, alice):
        with nothing_changes():
            again = decide(member, session, action, bob)
        assert (again.status_code, again.json()) == (200, first)


@pytest.mark.parametrize("state", ["scheduled", "ongoing", "completed", "cancelled"])
def test_approving_is_idempotent_even_in_a_full_or_closed_session(
    john: Any, bob: Any, jane: Any, make_session: Any, state: str
) -> None:
    session = make_session(state, participants=[bob, jane], max_participants=2)

    with nothing_changes():
        assert decide(john, session, APPROVE, bob).status_code == 200


@pytest.mark.parametrize("state", ["ongoing", "completed", "cancelled", "expired"])
def test_rejecting_is_idempotent_even_in_a_closed_session(john: Any, bob: Any, make_session: Any, state: str) -> None:
    session = make_session(state, requests={bob: "rejected"})

    with nothing_changes():
        assert decide(john, session, REJECT, bob).json()["status"] == "rejected"


def test_a_rejected_request_can_be_approved_while_seats_are_free(john: Any, bob: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "rejected"})

    assert decide(john, session, APPROVE, bob).json()["status"] == "approved"
    assert Api(john).get(path(session)).json()["participant_count"] == 1


def test_a_rejected_request_cannot_be_approved_in_a_full_session(
    john: Any, bob: Any, make_member: Any, make_session: Any
) -> None:
    session = make_session(
        "scheduled", participants=[make_member(), make_member()], requests={bob: "rejected"}, max_participants=2
    )

    with nothing_changes():
        assert "full" in error_of(decide(john, session, APPROVE, bob), 400)


@pytest.mark.parametrize("state", ["ongoing", "completed", "cancelled", "expired"])
def test_requests_cannot_be_approved_unless_the_session_is_open(
    john: Any, bob: Any, make_session: Any, state: str
) -> None:
    session = make_session(state, requests={bob: "rejected"})

    with nothing_changes():
        assert state in error_of(decide(john, session, APPROVE, bob), 400)


@pytest.mark.parametrize("state", ["approved", "scheduled"])
def test_requests_cannot_be_approved_after_the_start_even_if_the_worker_is_late(
    john: Any, bob: Any, make_session: Any, clock: Any, state: str
) -> None:
    session = make_session(state, requests={bob: "pending"})
    clock.move_to(session.date, tick=False)

    with nothing_changes():
        error_of(decide(john, session, APPROVE, bob), 400)


# --- Rejecting --------------------------------------------------------------------------------------------------


def test_a_rejection_is_recorded_and_takes_no_seat(john: Any, bob: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "pending"})

    decide(john, session, REJECT, bob)

    request = BookingRequest.objects.get()
    assert (request.status, request.decided_by, request.decided_at, request.joined_at) == ("rejected", john, NOW, None)
    assert facts() == ["BookingRequestRejected"]
    assert (last_fact().member_id, last_fact().actor) == (bob.pk, john)
    session.refresh_from_db()
    assert (session.status, session.participant_count) == ("approved", 0)


@pytest.mark.parametrize("state", ["scheduled", "ongoing", "completed"])
def test_a_participant_cannot_be_rejected(john: Any, jane: Any, make_session: Any, state: str) -> None:
    session = make_session(state, participants=[jane])

    with nothing_changes():
        error_of(decide(john, session, REJECT, jane), 400)


# --- Who may, about whom ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [APPROVE, REJECT])
def test_deciding_on_a_member_without_a_request_is_a_404(
    john: Any, jane: Any, mallory: Any, make_session: Any, action: str
) -> None:
    session = make_session("approved")
    make_session("approved", requests={jane: "pending"})

    for member in (john, jane, mallory):
        with nothing_changes():
            error_of(decide(john, session, action, member), 404)
    with nothing_changes():
        error_of(Api(john).post(path(session, action), {"user_id": 4711}), 404)


@pytest.mark.parametrize("action", [APPROVE, REJECT])
@pytest.mark.parametrize(
    "body", [None, {}, *({"user_id": value} for value in [None, 0, -1, "x", True, 1.5, [], 2**63])]
)
def test_an_invalid_user_id_is_refused(john: Any, make_session: Any, action: str, body: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        error_of(Api(john).post(path(session, action), body), 400)
    if body is not None:
        assert list(fields_of(Api(john).post(path(session, action), body))) == ["user_id"]


@pytest.mark.parametrize("action", [APPROVE, REJECT])
def test_members_cannot_decide_on_their_own_request(jane: Any, bob: Any, make_session: Any, action: str) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})

    for member in (jane, bob):
        with nothing_changes():
            error_of(decide(member, session, action, bob), 403)


@pytest.mark.parametrize("who", ["alice", "root"])
def test_moderators_cannot_approve_their_own_request(
    who: str, request: pytest.FixtureRequest, make_session: Any
) -> None:
    member = request.getfixturevalue(who)
    session = make_session("scheduled", requests={member: "pending"})

    with nothing_changes():
        assert error_of(decide(member, session, APPROVE, member), 403) == "Nobody decides their own request."


def test_a_deactivated_member_cannot_be_approved(john: Any, bob: Any, make_session: Any) -> None:
    session = make_session("scheduled", requests={bob: "pending"})
    bob.is_active = False
    bob.save()

    with nothing_changes():
        message = error_of(decide(john, session, APPROVE, bob), 400)
    assert message == "The account of this member is deactivated."
    assert decide(john, session, REJECT, bob).status_code == 200


# --- What nobody decided ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cancelled", "started", "begun by the clock", "expired"])
def test_closing_a_session_rejects_pending_requests(
    *, john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any, clock: Any, how: str
) -> None:
    in_it = [] if how == "expired" else [jane]
    session = make_session(
        "scheduled",
        participants=in_it,
        requests={bob: "pending", mallory: "rejected"},
        date="2024-01-10T10:10:00Z",
    )
    if how == "cancelled":
        Api(john).post(path(session, "cancel/"))
    elif how == "started":
        Api(john).post(path(session, "start/"))
    else:
        clock.move_to("2024-01-10T10:10:00Z", tick=False)
        advance_due_sessions()

    fact = {"cancelled": "SessionCancelled", "expired": "SessionExpired"}.get(how, "SessionStarted")
    # One fact for all: nobody is told of a rejection besides.
    assert facts() == [fact]
    assert last_fact().payload["requester_ids"] == [bob.pk]
    statuses = dict(BookingRequest.objects.values_list("user__username", "status"))
    assert statuses == {member.username: "approved" for member in in_it} | {
        "bob_wilson": "rejected",
        "mallory": "rejected",
    }
    closed = BookingRequest.objects.get(user=bob)
    assert (closed.decided_at, closed.decided_by) == (last_fact().occurred_at, None)
    # Who was turned down before is left as they are.
    assert BookingRequest.objects.get(user=mallory).decided_at != closed.decided_at


def test_participants_of_a_cancelled_session_stay_listed(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    shown = Api(john).post(path(session, "cancel/")).json()

    assert (shown["participant_count"], [row["user"]["id"] for row in shown["participants"]]) == (1, [jane.pk])
