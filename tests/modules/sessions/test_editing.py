"""Editing a session by PUT, and the facts that it records."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    FINAL,
    NOW,
    STATES,
    error_of,
    facts,
    fields_of,
    last_fact,
    nothing_changes,
    path,
    z,
)

from core.facts.models import FactRecord
from modules.sessions.models import Session

# Each writable field with another value than `make_session` gives it.
CHANGES = {
    "title": "Python for all",
    "description": "From the beginning",
    "subject": "Languages",
    "level": "beginner",
    "date": "2024-02-01T12:00:00Z",
    "duration": 120,
    "max_participants": 20,
}
BEFORE = {
    "title": "Advanced Python Programming",
    "description": "Learn advanced Python concepts",
    "subject": "Programming",
    "level": "advanced",
    "date": "2024-01-15T10:00:00Z",
    "duration": 90,
    "max_participants": 15,
}
FIXED_WHILE_ONGOING = ["date", "duration", "level"]


def changes_of(name: str) -> Any:
    return FactRecord.objects.get(name=f"sessions.{name}").changes


# --- What changes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES)
def test_any_field_changes_alone(john: Any, make_session: Any, name: str) -> None:
    session = make_session("approved")
    shown = Api(john).get(path(session)).json()

    response = Api(john).put(path(session), {name: CHANGES[name]})

    assert response.status_code == 200
    spots = {"available_spots": 20} if name == "max_participants" else {}
    assert response.json() == shown | {name: CHANGES[name], "updated_at": z(NOW)} | spots
    assert response.json() == Api(john).get(path(session)).json()


def test_the_documented_update_changes_all_fields_and_the_record_keeps_both(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    response = Api(john).put(path(session), {**CHANGES, "status": "approved"})

    assert {name: response.json()[name] for name in CHANGES} == CHANGES
    assert changes_of("SessionEdited") == {name: [BEFORE[name], CHANGES[name]] for name in CHANGES}
    assert facts() == ["SessionEdited", "SessionRescheduled"]


def test_an_edit_is_recorded_with_who_and_from_which_request(alice: Any, john: Any, make_session: Any) -> None:
    session = make_session("approved")

    response = Api(alice).put(path(session), {"duration": 60})

    record = last_fact()
    assert (record.name, record.session_id, record.actor) == ("sessions.SessionEdited", session.pk, alice)
    assert record.request_id == response["X-Request-ID"]
    assert record.changes == {"duration": [90, 60]}
    assert record.payload == {
        "session_id": session.pk,
        "title": session.title,
        "creator_id": john.pk,
        "second_look": False,
    }


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", CHANGES)
def test_a_value_equal_to_the_stored_one_is_no_change(john: Any, make_session: Any, state: str, name: str) -> None:
    session = make_session(state)
    value = z(session.date) if name == "date" else getattr(session, name)

    with nothing_changes():
        response = Api(john).put(path(session), {name: value})

    assert response.status_code == 200
    assert response.json()["updated_at"] == z(session.updated_at)


def test_a_text_that_differs_only_in_surrounding_whitespace_is_no_change(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        padded = {name: f"  {BEFORE[name]}\n" for name in ("title", "description", "subject")}
        assert Api(john).put(path(session), padded).status_code == 200


def test_an_empty_object_is_no_change(john: Any, make_session: Any) -> None:
    for state in STATES:
        session = make_session(state)
        with nothing_changes():
            assert Api(john).put(path(session), {}).status_code == 200


def test_equal_values_are_not_recorded(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    Api(john).put(path(session), {**BEFORE, "duration": 60})

    assert changes_of("SessionEdited") == {"duration": [90, 60]}
    assert facts() == ["SessionEdited"]


def test_read_only_fields_are_ignored(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    response = Api(john).put(
        path(session),
        {
            "duration": 60,
            "id": 1,
            "creator": {"id": jane.pk},
            "created_at": None,
            "updated_at": 5,
            "participants": [],
            "materials": "none",
            "booking_requests": {},
            "is_full": True,
            "available_spots": -1,
            "participant_count": 99,
            "can_join": "\x00",
        },
    )

    assert response.status_code == 200
    assert changes_of("SessionEdited") == {"duration": [90, 60]}
    session.refresh_from_db()
    assert (session.creator_id, session.participant_count) == (john.pk, 1)


# --- What does not ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("name", CHANGES)
def test_final_sessions_cannot_be_edited(john: Any, make_session: Any, state: str, name: str) -> None:
    session = make_session(state)

    with nothing_changes():
        assert state in error_of(Api(john).put(path(session), {name: CHANGES[name]}), 400)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("who", ["creator", "moderator"])
def test_date_duration_and_level_of_an_ongoing_session_cannot_change(
    john: Any, alice: Any, make_session: Any, name: str, who: str
) -> None:
    session = make_session("ongoing")
    api = Api(john if who == "creator" else alice)

    if name in FIXED_WHILE_ONGOING:
        with nothing_changes():
            assert name in error_of(api.put(path(session), {name: CHANGES[name], "title": "New"}), 400)
    else:
        assert api.put(path(session), {name: CHANGES[name]}).json()[name] == CHANGES[name]


def test_seats_cannot_go_below_the_participants(john: Any, make_member: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[make_member() for _ in range(3)])

    with nothing_changes():
        response = Api(john).put(path(session), {"max_participants": 2})
        assert list(fields_of(response)) == ["max_participants"]

    response = Api(john).put(path(session), {"max_participants": 3})
    assert (response.json()["is_full"], response.json()["available_spots"]) == (True, 0)


def test_pending_requests_take_no_seat(john: Any, make_member: Any, make_session: Any) -> None:
    session = make_session("approved", requests={make_member(): "pending" for _ in range(5)})

    assert Api(john).put(path(session), {"max_participants": 2}).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", None),
        ("title", " "),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("description", ""),
        ("subject", "\x00"),
        ("level", "expert"),
        ("level", None),
        ("duration", None),
        ("duration", 14),
        ("duration", True),
        ("duration", 481),
        ("max_participants", 1),
        ("max_participants", 51),
        ("max_participants", "many"),
    ],
)
def test_the_limits_are_those_of_a_new_session(john: Any, make_session: Any, name: str, value: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        assert list(fields_of(Api(john).put(path(session), {name: value}))) == [name]


@pytest.mark.parametrize(
    "refused",
    [
        {"date": "2020-01-01T00:00:00Z"},
        {"max_participants": 2},
        {"status": "expired"},
        {"status": "ongoing"},
        {"status": "pending_approval"},
    ],
    ids=str,
)
def test_a_put_is_atomic(john: Any, make_member: Any, make_session: Any, refused: Any) -> None:
    session = make_session("scheduled", participants=[make_member() for _ in range(3)])

    with nothing_changes():
        error_of(Api(john).put(path(session), {"title": "New", "duration": 60, **refused}), 400)


def test_fields_and_status_change_together(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    response = Api(john).put(path(session), {"title": "New", "status": "scheduled"})

    assert (response.json()["title"], response.json()["status"]) == ("New", "scheduled")
    assert facts() == ["SessionEdited", "SessionScheduled"]


@pytest.mark.parametrize("who", ["participant", "requester", "outsider"])
def test_others_cannot_edit_a_session(*, jane: Any, bob: Any, mallory: Any, make_session: Any, who: str) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})
    member = {"participant": jane, "requester": bob, "outsider": mallory}[who]

    for name, value in CHANGES.items():
        with nothing_changes():
            error_of(Api(member).put(path(session), {name: value}), 403)
    with nothing_changes():
        # Not even what is no change.
        error_of(Api(member).put(path(session), {}), 403)


# --- A second look ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES)
def test_edits_of_reviewed_fields_after_the_approval_require_a_second_look(
    john: Any, make_session: Any, name: str
) -> None:
    session = make_session("approved")

    response = Api(john).put(path(session), {name: CHANGES[name]})

    session.refresh_from_db()
    judged = name in {"title", "description", "subject"}
    assert session.second_look_since == (NOW if judged else None)
    edited = FactRecord.objects.get(name="sessions.SessionEdited")
    assert edited.payload["second_look"] is judged
    assert response.json()["status"] == "approved"


@pytest.mark.parametrize("state", ["approved", "scheduled", "ongoing"])
def test_a_session_stays_approved_while_it_waits_for_a_second_look(
    john: Any, mallory: Any, make_session: Any, state: str
) -> None:
    session = make_session(state)

    assert Api(john).put(path(session), {"title": "New"}).json()["status"] == state
    assert Api(mallory).get(path(session)).json()["title"] == "New"


def test_edits_before_the_approval_require_no_second_look(john: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    Api(john).put(path(session), {"title": "New"})

    assert Session.objects.get().second_look_since is None


def test_a_moderators_edit_requires_no_second_look(alice: Any, make_session: Any) -> None:
    session = make_session("approved")

    Api(alice).put(path(session), {"title": "New"})

    assert Session.objects.get().second_look_since is None


def test_a_moderators_edit_of_their_own_session_requires_a_second_look(alice: Any, make_session: Any) -> None:
    session = make_session("approved", creator=alice)

    Api(alice).put(path(session), {"title": "New"})

    assert Session.objects.get().second_look_since == NOW


def test_a_superusers_edit_of_their_own_session_requires_no_second_look(root: Any, make_session: Any) -> None:
    session = make_session("approved", creator=root)

    Api(root).put(path(session), {"title": "New"})

    assert Session.objects.get().second_look_since is None


def test_the_second_look_is_due_since_the_first_edit(john: Any, make_session: Any, clock: Any) -> None:
    session = make_session("approved")
    Api(john).put(path(session), {"title": "New"})

    clock.shift(300)
    Api(john).put(path(session), {"title": "Newer"})

    assert Session.objects.get().second_look_since == NOW


# --- A new date -------------------------------------------------------------------------------------------------


def test_a_rescheduling_is_published_with_participants_and_requesters(
    *, john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending", mallory: "rejected"})

    Api(john).put(path(session), {"date": "2024-02-01T12:00:00Z"})

    assert facts() == ["SessionEdited", "SessionRescheduled"]
    record = last_fact()
    assert record.actor == john
    assert record.payload == {
        "session_id": session.pk,
        "title": session.title,
        "creator_id": john.pk,
        "date": "2024-02-01T12:00:00Z",
        "previous_date": "2024-01-15T10:00:00Z",
        "participant_ids": [jane.pk],
        "requester_ids": [bob.pk],
    }


def test_a_new_start_moves_the_end(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    Api(john).put(path(session), {"date": "2024-02-01T12:00:00Z", "duration": 15})

    session.refresh_from_db()
    assert z(session.ends_at) == "2024-02-01T12:15:00Z"


def test_another_duration_is_no_rescheduling(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    Api(john).put(path(session), {"duration": 15})

    assert facts() == ["SessionEdited"]


def test_a_rescheduling_of_a_hidden_session_omits_requesters(john: Any, jane: Any, bob: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"}, hidden_at=NOW)

    Api(john).put(path(session), {"date": "2024-02-01T10:00:00Z"})

    payload = last_fact().payload
    assert (payload["participant_ids"], payload["requester_ids"]) == ([jane.pk], [])
