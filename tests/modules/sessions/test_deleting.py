"""Deleting a session without participants, by its creator or a moderator."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import SESSIONS, error_of, facts, last_fact, nothing_changes, path, z

from modules.sessions.models import BookingRequest, Reminder, Session


@pytest.mark.parametrize("who", ["creator", "moderator", "superuser"])
@pytest.mark.parametrize("state", ["pending_approval", "approved", "cancelled", "expired"])
def test_creator_and_moderators_can_delete_a_session_without_participants(
    *, john: Any, alice: Any, root: Any, make_session: Any, state: str, who: str
) -> None:
    session = make_session(state)
    api = Api({"creator": john, "moderator": alice, "superuser": root}[who])

    response = api.delete(path(session))

    assert (response.status_code, response.content) == (204, b"")
    error_of(api.get(path(session)), 404)
    assert Api(john).get(f"{SESSIONS}my_sessions/").json() == {"created": [], "joined": []}


def test_the_record_outlives_the_session(john: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "pending", mallory: "rejected"})
    identifier = session.pk

    Api(john).delete(path(session))

    assert not Session.objects.exists()
    assert not BookingRequest.objects.exists()
    assert not Reminder.objects.exists()
    record = last_fact()
    assert (record.name, record.session_id, record.actor) == ("sessions.SessionDeleted", identifier, john)
    assert record.payload == {
        "session_id": identifier,
        "title": session.title,
        "creator_id": john.pk,
        "requester_ids": [bob.pk],
        "description": session.description,
        "date": z(session.date),
        "ends_at": z(session.ends_at),
        "calendar_uid": str(session.calendar_uid),
        "calendar_sequence": 1,
        "ever_approved": True,
    }


@pytest.mark.parametrize("state", ["scheduled", "ongoing", "completed", "cancelled"])
def test_a_session_with_participants_cannot_be_deleted(
    john: Any, jane: Any, alice: Any, make_session: Any, state: str
) -> None:
    session = make_session(state, participants=[jane])

    for member in (john, alice):
        with nothing_changes():
            assert "cancel" in error_of(Api(member).delete(path(session)), 400)


def test_a_session_can_be_deleted_after_the_last_participant_left(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    Api(jane).post(path(session, "leave/"))

    assert Api(john).delete(path(session)).status_code == 204


def test_others_cannot_delete_a_session(jane: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("approved", requests={jane: "pending"})

    for member in (jane, mallory):
        with nothing_changes():
            error_of(Api(member).delete(path(session)), 403)


def test_deleting_an_invisible_session_is_a_404(mallory: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    with nothing_changes():
        error_of(Api(mallory).delete(path(session)), 404)


def test_deleting_twice_is_a_404(john: Any, make_session: Any) -> None:
    session = make_session("approved")
    Api(john).delete(path(session))

    error_of(Api(john).delete(path(session)), 404)
    assert facts() == ["SessionDeleted"]
