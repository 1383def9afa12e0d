"""Offering a session by `POST /api/sessions/`."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    NOW,
    SESSIONS,
    body_of,
    error_of,
    facts,
    fields_of,
    last_fact,
    nothing_changes,
    path,
    user_row,
    z,
)

from modules.sessions.models import Session

TWELVE_KEYS = [
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
]


def offer(member: Any, **changes: Any) -> Any:
    return Api(member).post(SESSIONS, body_of(**changes))


def test_offering_returns_the_documented_keys_in_order(john: Any) -> None:
    response = offer(john)

    assert response.status_code == 201
    assert list(response.json()) == TWELVE_KEYS
    assert response.json() == {
        "id": Session.objects.get().pk,
        "title": "Advanced Python Programming",
        "description": "Learn advanced Python concepts",
        "subject": "Programming",
        "level": "advanced",
        "date": "2024-01-15T19:00:00Z",
        "duration": 90,
        "max_participants": 15,
        "creator": user_row(john, email=True),
        "status": "pending_approval",
        "created_at": z(NOW),
        "updated_at": z(NOW),
    }


def test_a_new_session_waits_for_a_moderator_and_nobody_else_sees_it(john: Any, alice: Any, mallory: Any) -> None:
    offered = offer(john).json()["id"]

    assert Api(alice).get(path(offered)).json()["status"] == "pending_approval"
    assert Api(mallory).get(path(offered)).status_code == 404
    assert Api(mallory).get(SESSIONS).json()["count"] == 0


def test_offering_publishes_one_fact(john: Any) -> None:
    response = offer(john)

    assert facts() == ["SessionOffered"]
    record = last_fact()
    assert (record.session_id, record.actor_id, record.reason) == (response.json()["id"], john.pk, "")
    assert record.request_id == response["X-Request-ID"]
    assert record.payload == {
        "session_id": response.json()["id"],
        "title": "Advanced Python Programming",
        "creator_id": john.pk,
        "date": "2024-01-15T19:00:00Z",
    }


def test_offering_needs_authentication(db: None) -> None:
    with nothing_changes():
        error_of(offer(None), 401)


# --- Bounds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "x"),
        ("title", "x" * 200),
        ("title", "🙂" * 200),
        ("title", "ab \u202ba \u2067b\u2069\u202c c\u200f"),
        ("description", "x"),
        ("description", "x" * 5000),
        ("description", "Bring:\n\t- a laptop\r\n- tea"),
        ("subject", "x"),
        ("subject", "ΐ" * 100),
        ("level", "beginner"),
        ("level", "intermediate"),
        ("level", "advanced"),
        ("duration", 15),
        ("duration", 480),
        ("max_participants", 2),
        ("max_participants", 50),
    ],
    ids=lambda value: str(value)[:12],
)
def test_values_at_their_limits_are_accepted(john: Any, name: str, value: Any) -> None:
    response = offer(john, **{name: value})

    assert response.status_code == 201
    assert response.json()[name] == value


WRONG = [None, True, False, [], {}, ["x"], ...]
# What would be read the other way round after them, or closes what stands around them.
TURNED = [
    *("\u202eright to left", "\u202a\u202eone of two closed\u202c", "\u2067isolated", "\u2066crossed\u202c\u2069"),
    *("a\u202cb", "a\u2069b"),
]
WRONG_TEXTS = ["", "   ", "\n\t", "\x00", "before\x00after", 5, 1.5, *WRONG]
WRONG_NUMBERS = [-1, 0, 10**3, 10**12, 2**63, 2**200, 60.5, "", "x", "60 minutes", *WRONG]
REFUSED = [
    *(
        ("title", value)
        for value in [
            "x" * 201,
            "two\nlines",
            "bell\x07",
            "next\x85line",
            "\x1f",
            "\x1cBcc: x@example.com",
            "\u200b\u2060",
            "two\u2028lines",
            *TURNED,
            *WRONG_TEXTS,
        ]
    ),
    *(("description", value) for value in ["x" * 5001, *WRONG_TEXTS]),
    *(("subject", value) for value in ["x" * 101, "two\nlines", *TURNED, *WRONG_TEXTS]),
    *(("level", value) for value in ["expert", "Beginner", "begin ner", *WRONG_TEXTS]),
    *(("duration", value) for value in [14, 481, *WRONG_NUMBERS]),
    *(("max_participants", value) for value in [1, 51, *WRONG_NUMBERS]),
    *(("date", value) for value in ["soon", "2024-01-15", 1705345200, *WRONG_TEXTS]),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda value: repr(value)[:24])
def test_an_invalid_value_is_refused_by_name(john: Any, name: str, value: Any) -> None:
    with nothing_changes():
        assert list(fields_of(offer(john, **{name: value}))) == [name]


def test_all_invalid_fields_are_named_at_once(john: Any) -> None:
    assert set(fields_of(Api(john).post(SESSIONS, {}))) == {
        "title",
        "description",
        "subject",
        "level",
        "date",
        "duration",
        "max_participants",
    }


@pytest.mark.parametrize("name", ["title", "description", "subject"])
def test_texts_are_trimmed_before_they_are_measured(john: Any, name: str) -> None:
    most = {"title": 200, "description": 5000, "subject": 100}[name]

    response = offer(john, **{name: f" \t\n\u00a0{'x' * most}\u2003\r\n"})

    assert response.status_code == 201
    assert response.json()[name] == "x" * most


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b'{"title": NaN}',
        b'{"duration": Infinity}',
        b'{"title": "\\ud800"}',
        b'{"title": "\xff"}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body)[:24],
)
def test_bodies_other_than_json_objects_are_refused(john: Any, body: bytes) -> None:
    api = Api(john)
    with nothing_changes():
        error_of(api.client.post(SESSIONS, body, content_type="application/json", headers=api.headers), 400)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"]
)
def test_other_content_types_are_refused(john: Any, kind: str) -> None:
    api = Api(john)
    with nothing_changes():
        error_of(api.client.post(SESSIONS, b"title=x", content_type=kind, headers=api.headers), 415)


# --- Dates and what else is sent --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "date", ["2020-01-15T14:00:00Z", "2024-01-10T10:00:00Z", "2024-01-10T12:00:00+02:00", "2024-01-10T09:59"]
)
def test_a_date_in_the_past_gets_the_documented_error(john: Any, date: str) -> None:
    with nothing_changes():
        response = offer(john, date=date, timezone_offset=0)

    assert response.status_code == 400
    assert response.json() == {"error": "Session date must be in the future"}


def test_the_next_second_is_in_the_future(john: Any) -> None:
    assert offer(john, date="2024-01-10T10:00:01Z").status_code == 201


def test_read_only_and_unknown_fields_are_ignored(john: Any, jane: Any) -> None:
    response = offer(
        john,
        id=4711,
        creator={"id": jane.pk},
        creator_id=jane.pk,
        status="approved",
        approved_at="2024-01-01T00:00:00Z",
        created_at="2020-01-01T00:00:00Z",
        updated_at="yesterday",
        participant_count=15,
        is_full=True,
        available_spots=0,
        can_join="yes",
        participants=[{"user": {"id": jane.pk}}],
        booking_requests=None,
        materials="\x00",
        colour="green",
    )

    assert response.status_code == 201
    session = Session.objects.get()
    assert session.pk != 4711
    assert (session.creator_id, session.status, session.approved_at) == (john.pk, "pending_approval", None)
    assert (session.created_at, session.participant_count) == (NOW, 0)
    assert session.booking_requests.count() == 0


def test_a_moderator_s_own_session_waits_like_any_other(alice: Any, root: Any) -> None:
    for member in (alice, root):
        assert offer(member).json()["status"] == "pending_approval"
