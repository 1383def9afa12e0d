"""The rows of the list."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import SESSIONS, STATES, path, user_row, z

from modules.sessions.events import MaterialsOfSessions

ROW_KEYS = [
    "id",
    "title",
    "description",
    "subject",
    "level",
    "date",
    "duration",
    "max_participants",
    "creator",
    "status",
    "created_at",
    "updated_at",
    "participant_count",
    "is_full",
    "available_spots",
    "can_join",
    "participants",
    "materials",
    "booking_requests",
]


# What a row says of all members alike.
OF_THE_SESSION = ROW_KEYS[:-3]


def test_the_list_is_the_documented_page(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], max_participants=2)

    response = Api(john).get(SESSIONS)

    assert response["Content-Type"] == "application/json"
    assert list(response.json()) == ["count", "next", "previous", "results"]
    [row] = response.json()["results"]
    assert list(row) == ROW_KEYS
    assert response.json() == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "id": session.pk,
                "title": "Advanced Python Programming",
                "description": "Learn advanced Python concepts",
                "subject": "Programming",
                "level": "advanced",
                "date": "2024-01-15T10:00:00Z",
                "duration": 90,
                "max_participants": 2,
                "creator": user_row(john, email=True),
                "status": "scheduled",
                "created_at": z(session.created_at),
                "updated_at": z(session.updated_at),
                "participant_count": 1,
                "is_full": False,
                "available_spots": 1,
                "can_join": False,
                "participants": [],
                "materials": [],
                "booking_requests": [],
            }
        ],
    }


def test_a_row_agrees_with_the_detail(jane: Any, make_session: Any) -> None:
    for state in STATES:
        make_session(state)

    for row in Api(jane).get(SESSIONS).json()["results"]:
        detail = Api(jane).get(path(row["id"])).json()
        assert {name: row[name] for name in OF_THE_SESSION} == {name: detail[name] for name in OF_THE_SESSION}


def test_a_row_shows_participants_only_themselves(jane: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[bob, jane], requests={mallory: "pending"})
    session.booking_requests.filter(user=jane).update(role="tutor")
    own = session.booking_requests.get(user=jane)

    [row] = Api(jane).get(SESSIONS).json()["results"]

    assert row["participants"] == [
        {
            "id": own.pk,
            "user": user_row(jane, email=True),
            "role": "tutor",
            "status": "approved",
            "joined_at": z(own.joined_at),
        }
    ]
    assert row["booking_requests"] == Api(jane).get(path(session)).json()["booking_requests"]
    assert [each["user"]["username"] for each in row["booking_requests"]] == ["jane_smith"]


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_row_shows_requesters_only_their_own_request(
    *, jane: Any, bob: Any, mallory: Any, make_session: Any, status: str
) -> None:
    session = make_session("scheduled", participants=[bob], requests={mallory: "pending", jane: status})
    own = session.booking_requests.get(user=jane)

    [row] = Api(jane).get(SESSIONS).json()["results"]

    assert (row["participants"], row["materials"]) == ([], [])
    assert row["booking_requests"] == [
        {
            "id": own.pk,
            "user": user_row(jane, email=True),
            "message": "jane_smith would like to learn this",
            "status": status,
            "requested_at": z(own.requested_at),
        }
    ]


def test_a_row_shows_no_participants_to_others(
    *, john: Any, alice: Any, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    make_session("scheduled", participants=[bob], requests={jane: "pending"})

    for member in (john, alice, mallory):
        [row] = Api(member).get(SESSIONS).json()["results"]
        assert (row["participants"], row["materials"], row["booking_requests"]) == ([], [], []), member


def test_a_row_shows_moderators_only_their_own_seat(alice: Any, bob: Any, jane: Any, make_session: Any) -> None:
    make_session("scheduled", participants=[bob, alice], requests={jane: "pending"})

    [row] = Api(alice).get(SESSIONS).json()["results"]

    assert [each["user"]["username"] for each in row["participants"]] == ["alice_jones"]
    assert [each["user"]["username"] for each in row["booking_requests"]] == ["alice_jones"]


def test_a_row_never_has_materials(jane: Any, make_session: Any, answer: Any) -> None:
    make_session("scheduled", participants=[jane])
    answer(MaterialsOfSessions, lambda question: {pk: [{"id": 1}] for pk in question.audiences})

    [row] = Api(jane).get(SESSIONS).json()["results"]

    assert row["materials"] == []


def test_no_sessions_are_an_empty_first_page(john: Any) -> None:
    assert Api(john).get(SESSIONS).json() == {"count": 0, "next": None, "previous": None, "results": []}
