"""Cancelling, rejecting and approving a session."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    NOW,
    fields_of,
    last_fact,
    nothing_changes,
    path,
)


def test_cancelling_returns_the_detail_and_records_the_reason(
    john: Any, jane: Any, bob: Any, make_session: Any
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})

    response = Api(john).post(path(session, "cancel/"), {"reason": "  The room is taken.\n"})

    assert response.status_code == 200
    assert response.json() == Api(john).get(path(session)).json()
    record = last_fact()
    assert (record.name, record.reason, record.actor_id) == ("sessions.SessionCancelled", "The room is taken.", john.pk)
    assert record.payload["participant_ids"] == [jane.pk]
    assert record.payload["requester_ids"] == [bob.pk]


@pytest.mark.parametrize("body", [None, {}, {"reason": None}, {"reason": ""}])
def test_a_creator_cancels_without_a_reason(john: Any, make_session: Any, body: Any) -> None:
    for state in ["pending_approval", "approved", "scheduled", "ongoing"]:
        session = make_session(state)
        assert Api(john).post(path(session, "cancel/"), body).json()["status"] == "cancelled"
        assert last_fact().reason == ""


@pytest.mark.parametrize("reason", [..., None, "", " \n "])
@pytest.mark.parametrize("send", ["cancel/", "PUT"])
def test_a_moderator_rejects_a_pending_session_with_a_reason_only(
    alice: Any, make_session: Any, send: str, reason: Any
) -> None:
    session = make_session("pending_approval")
    body = {} if reason is ... else {"reason": reason}

    with nothing_changes():
        if send == "PUT":
            response = Api(alice).put(path(session), {"status": "cancelled", **body})
        else:
            response = Api(alice).post(path(session, send), body)
        assert list(fields_of(response)) == ["reason"]


@pytest.mark.parametrize("kind", ["", "application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_the_body_of_a_cancellation_is_optional_for_any_content_type(john: Any, make_session: Any, kind: str) -> None:
    # axios names JSON even where it sends nothing, curl a form.
    session = make_session("approved")
    api = Api(john)

    response = api.client.generic("POST", path(session, "cancel/"), headers=api.headers | {"Content-Type": kind})

    assert (response.status_code, response.json()["status"]) == (200, "cancelled")


def test_a_moderator_cancels_an_approved_session_without_a_reason(alice: Any, make_session: Any) -> None:
    for state in ["approved", "scheduled", "ongoing"]:
        session = make_session(state)
        assert Api(alice).post(path(session, "cancel/")).json()["status"] == "cancelled"


@pytest.mark.parametrize("reason", ["x" * 1001, "\x00", 5, [], True])
def test_an_invalid_reason_is_refused_by_name(john: Any, make_session: Any, reason: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        assert list(fields_of(Api(john).post(path(session, "cancel/"), {"reason": reason}))) == ["reason"]
        response = Api(john).put(path(session), {"status": "cancelled", "reason": reason})
        assert list(fields_of(response)) == ["reason"]


def test_a_cancellation_by_put_is_published_with_its_reason(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    Api(john).put(path(session), {"status": "cancelled", "reason": "I am ill."})

    assert last_fact().reason == "I am ill."


def test_a_null_reason_in_a_put_is_none(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    assert Api(john).put(path(session), {"status": "cancelled", "reason": None}).json()["status"] == "cancelled"


def test_an_approval_sets_the_decision_fields(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    Api(alice).put(path(session), {"status": "approved"})

    session.refresh_from_db()
    assert (session.approved_at, session.decided_at, session.decided_by) == (NOW, NOW, alice)


def test_a_rejection_sets_the_decision_fields(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    Api(alice).post(path(session, "cancel/"), {"reason": "No course."})

    session.refresh_from_db()
    assert (session.approved_at, session.decided_at, session.decided_by) == (None, NOW, alice)


def test_the_creator_schedules_a_session_without_participants(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    response = Api(john).put(path(session), {"status": "scheduled"})

    assert (response.json()["status"], response.json()["participant_count"]) == ("scheduled", 0)
