"""Leaving, withdrawing requests, removing participants, and roles."""

from datetime import timedelta
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

from modules.sessions.models import BookingRequest


def leave(member: Any, session: Any) -> Any:
    return Api(member).post(path(session, "leave/"))


def remove(member: Any, session: Any, participant: Any) -> Any:
    return Api(member).delete(path(session, f"participants/{participant.pk}/"))


def set_role(member: Any, session: Any, participant: Any, role: Any) -> Any:
    return Api(member).post(path(session, f"participants/{participant.pk}/role/"), {"role": role})


# --- Leaving ----------------------------------------------------------------------------------------------------


def test_leaving_frees_the_seat_at_once(john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane, bob], max_participants=2)
    assert Api(mallory).post(path(session, "join/")).status_code == 400

    response = leave(jane, session)

    assert response.status_code == 200
    assert response.json() == Api(jane).get(path(session)).json()
    assert [row["user"]["id"] for row in response.json()["participants"]] == [bob.pk]
    assert (response.json()["participant_count"], response.json()["available_spots"]) == (1, 1)
    assert response.json()["can_join"] is True
    assert Api(mallory).post(path(session, "join/")).status_code == 201


def test_the_session_stays_scheduled_when_the_last_one_leaves(jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    response = leave(jane, session)

    assert (response.json()["status"], response.json()["participant_count"]) == ("scheduled", 0)
    assert not BookingRequest.objects.exists()
    assert facts() == ["SeatLeft"]


def test_the_record_keeps_who_left(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    request = BookingRequest.objects.get()

    leave(jane, session)

    record = last_fact()
    assert (record.session_id, record.member_id, record.actor) == (session.pk, jane.pk, jane)
    assert record.payload == {
        "session_id": session.pk,
        "title": session.title,
        "creator_id": john.pk,
        "request_id": request.pk,
        "member_id": jane.pk,
    }


def test_withdrawing_does_not_publish_a_seat_left(bob: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})

    response = leave(bob, session)

    assert (response.status_code, response.json()["participant_count"]) == (200, 1)
    assert response.json()["booking_requests"] == []
    assert facts() == ["BookingRequestWithdrawn"]
    assert (last_fact().member_id, last_fact().actor) == (bob.pk, bob)


def test_only_members_with_a_request_can_leave(
    john: Any, alice: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("scheduled", requests={bob: "rejected"})

    for member in (john, alice, bob, mallory):
        with nothing_changes():
            error_of(leave(member, session), 400)


def test_leaving_twice_is_refused(jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    leave(jane, session)

    with nothing_changes():
        error_of(leave(jane, session), 400)


@pytest.mark.parametrize("state", ["ongoing", "completed", "cancelled"])
def test_leaving_and_removing_are_refused_after_the_start(john: Any, jane: Any, make_session: Any, state: str) -> None:
    session = make_session(state, participants=[jane])

    with nothing_changes():
        error_of(leave(jane, session), 400)
        error_of(remove(john, session, jane), 400)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=1)])
def test_leaving_and_removing_are_refused_after_the_start_even_if_the_worker_is_late(
    *, john: Any, jane: Any, bob: Any, make_session: Any, clock: Any, late: timedelta
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})
    clock.move_to(session.date + late, tick=False)

    with nothing_changes():
        error_of(leave(jane, session), 400)
        error_of(leave(bob, session), 400)
        error_of(remove(john, session, jane), 400)


def test_leaving_is_possible_until_the_start(jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    clock.move_to(session.date - timedelta(seconds=1), tick=False)

    assert leave(jane, session).status_code == 200


# --- Removing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["creator", "moderator"])
def test_creator_and_moderators_can_remove_a_participant(
    *, john: Any, alice: Any, jane: Any, make_session: Any, who: str
) -> None:
    session = make_session("scheduled", participants=[jane])
    member = john if who == "creator" else alice

    response = remove(member, session, jane)

    assert (response.status_code, response.content) == (204, b"")
    shown = Api(john).get(path(session)).json()
    assert (shown["status"], shown["participant_count"], shown["participants"]) == ("scheduled", 0, [])
    assert shown["booking_requests"] == []
    assert facts() == ["ParticipantRemoved"]
    assert (last_fact().member_id, last_fact().actor) == (jane.pk, member)


def test_others_cannot_remove_participants(jane: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane, bob])

    for member in (jane, bob, mallory):
        with nothing_changes():
            error_of(remove(member, session, jane), 403)


def test_removing_a_member_who_is_no_participant_is_a_404(
    *, john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("scheduled", requests={jane: "pending", bob: "rejected"})

    for member in (john, jane, bob, mallory):
        with nothing_changes():
            error_of(remove(john, session, member), 404)


@pytest.mark.parametrize("identifier", ["0", "4711", "9223372036854775808"])
def test_an_unknown_member_id_is_a_404(john: Any, make_session: Any, identifier: str) -> None:
    session = make_session("scheduled")

    with nothing_changes():
        error_of(Api(john).delete(path(session, f"participants/{identifier}/")), 404)
        error_of(Api(john).post(path(session, f"participants/{identifier}/role/"), {"role": "tutor"}), 404)


# --- Roles ------------------------------------------------------------------------------------------------------


def test_the_creator_makes_a_participant_a_tutor(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    request = BookingRequest.objects.get()

    response = set_role(john, session, jane, "tutor")

    assert response.status_code == 200
    assert list(response.json()) == ["id", "user", "role", "status", "joined_at"]
    assert response.json() == {
        "id": request.pk,
        "user": user_row(jane, email=True),
        "role": "tutor",
        "status": "approved",
        "joined_at": z(request.joined_at or NOW),
    }
    assert Api(john).get(path(session)).json()["participants"] == [response.json()]
    assert facts() == ["ParticipantRoleChanged"]
    assert last_fact().changes == {"role": ["student", "tutor"]}
    assert (last_fact().member_id, last_fact().actor) == (jane.pk, john)


def test_the_creator_makes_a_tutor_a_student_again(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    set_role(john, session, jane, "tutor")

    assert set_role(john, session, jane, "student").json()["role"] == "student"


@pytest.mark.parametrize("state", ["scheduled", "ongoing", "completed"])
def test_roles_can_change_while_materials_can_be_added(john: Any, jane: Any, make_session: Any, state: str) -> None:
    session = make_session(state, participants=[jane])

    assert set_role(john, session, jane, "tutor").json()["role"] == "tutor"


def test_the_same_role_is_no_change(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    with nothing_changes():
        assert set_role(john, session, jane, "student").status_code == 200


@pytest.mark.parametrize("role", ["teacher", "Tutor", "", None, True, 1, []])
def test_an_unknown_role_is_refused_by_name(john: Any, jane: Any, make_session: Any, role: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    with nothing_changes():
        assert list(fields_of(set_role(john, session, jane, role))) == ["role"]


def test_only_the_creator_can_change_roles(*, alice: Any, jane: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane, bob])

    for member in (alice, jane, bob, mallory):
        with nothing_changes():
            error_of(set_role(member, session, jane, "tutor"), 403)


def test_only_participants_have_roles(*, john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("scheduled", requests={jane: "pending", bob: "rejected"})

    for member in (john, jane, bob, mallory):
        with nothing_changes():
            error_of(set_role(john, session, member, "tutor"), 404)


def test_leaving_resets_the_role(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    set_role(john, session, jane, "tutor")

    leave(jane, session)
    Api(jane).post(path(session, "join/"))
    Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk})

    [participant] = Api(john).get(path(session)).json()["participants"]
    assert participant["role"] == "student"
