"""Starting and ending a session."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    error_of,
    facts,
    nothing_changes,
    path,
)


def test_the_creator_can_start_from_15_minutes_before(john: Any, jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[jane], date="2024-01-10T12:00:00Z")

    clock.move_to("2024-01-10T11:44:59Z", tick=False)
    with nothing_changes():
        assert "15 minutes" in error_of(Api(john).post(path(session, "start/")), 400)

    clock.move_to("2024-01-10T11:45:00Z", tick=False)
    response = Api(john).post(path(session, "start/"))
    assert (response.status_code, response.json()["status"]) == (200, "ongoing")
    assert response.json() == Api(john).get(path(session)).json()


@pytest.mark.parametrize("send", ["start/", "PUT"])
def test_a_session_without_participants_cannot_be_started(john: Any, make_session: Any, send: str) -> None:
    session = make_session("scheduled", participants=[], date="2024-01-10T10:10:00Z")

    with nothing_changes():
        if send == "PUT":
            response = Api(john).put(path(session), {"status": "ongoing"})
        else:
            response = Api(john).post(path(session, send))
        assert "Nobody" in error_of(response, 400)


def test_starting_early_changes_neither_date_nor_end(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], date="2024-01-10T10:10:00Z")

    response = Api(john).post(path(session, "start/"))

    assert response.json()["date"] == "2024-01-10T10:10:00Z"
    session.refresh_from_db()
    assert session.ends_at.isoformat() == "2024-01-10T11:40:00+00:00"


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1), timedelta(minutes=89)])
def test_starting_a_due_session_succeeds_if_the_worker_is_late(
    john: Any, jane: Any, make_session: Any, clock: Any, late: timedelta
) -> None:
    session = make_session("scheduled", participants=[jane], date="2024-01-10T12:00:00Z")
    clock.move_to(session.date + late, tick=False)

    response = Api(john).post(path(session, "start/"))

    assert (response.status_code, response.json()["status"]) == (200, "ongoing")
    assert facts() == ["SessionStarted"]


def test_ending_a_due_session_succeeds_if_the_worker_is_late(
    john: Any, jane: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("ongoing", participants=[jane], date="2024-01-10T09:30:00Z")
    clock.move_to(session.ends_at, tick=False)

    response = Api(john).post(path(session, "end/"))

    assert (response.status_code, response.json()["status"]) == (200, "completed")
    assert facts() == ["SessionCompleted"]


def test_only_the_creator_can_start_a_due_session(
    jane: Any, alice: Any, mallory: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date="2024-01-10T12:00:00Z")
    clock.move_to(session.date, tick=False)

    for member in (jane, mallory):
        with nothing_changes():
            error_of(Api(member).post(path(session, "start/")), 403)
    with nothing_changes():
        assert Api(alice).post(path(session, "start/")).status_code in {400, 403}


def test_only_the_creator_can_end_early(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("ongoing", participants=[jane])

    response = Api(john).post(path(session, "end/"))

    assert response.json() == Api(john).get(path(session)).json()
    assert [row["user"]["id"] for row in response.json()["participants"]] == [jane.pk]
