"""Booking requests: the first of them in a detail, all of them in pages for those who manage the session."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, error_of, fields_of, join, path, user_row, z

from core.accounts.models import User
from modules.sessions.models import BookingRequest, Session
from modules.sessions.queries import bookings


def requests_of(session: Session) -> str:
    return path(session, "booking_requests/")


@pytest.fixture
def members(db: None) -> Any:
    def make(number: int) -> list[User]:
        return User.objects.bulk_create(
            [User(username=f"m{each}", username_key=f"m{each}", date_joined=NOW) for each in range(number)]
        )

    return make


@pytest.fixture
def asked(make_session: Any, members: Any) -> Any:
    """A session with consecutive requests of these statuses, and their members."""

    def make(*statuses: str, **values: Any) -> tuple[Session, list[User]]:
        session = make_session("approved", max_participants=50, **values)
        people = members(len(statuses))
        BookingRequest.objects.bulk_create(
            BookingRequest(
                session=session,
                user=member,
                status=status,
                requested_at=NOW + timedelta(minutes=number),
                joined_at=NOW if status == "approved" else None,
            )
            for number, (member, status) in enumerate(zip(people, statuses, strict=True))
        )
        waiting, is_in = statuses.count("pending"), statuses.count("approved")
        Session.objects.filter(pk=session.pk).update(waiting_count=waiting, participant_count=is_in)
        return session, people

    return make


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["user"]["username"] for row in rows]


# --- In a detail ------------------------------------------------------------------------------------------------


def test_a_detail_shows_pending_requests_first_then_the_newest(john: Any, alice: Any, asked: Any) -> None:
    session, _ = asked("pending", "rejected", "approved", "pending", "rejected", "approved")

    for member in (john, alice):
        shown = Api(member).get(path(session)).json()
        assert names(shown["booking_requests"]) == ["m3", "m0", "m5", "m4", "m2", "m1"]
        # Who is in comes in the order in which they came.
        assert names(shown["participants"]) == ["m2", "m5"]


def test_requests_of_the_same_instant_are_ordered_by_id(john: Any, bob: Any, jane: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "pending", jane: "pending"})
    session.booking_requests.update(requested_at=NOW)

    assert names(Api(john).get(path(session)).json()["booking_requests"]) == ["jane_smith", "bob_wilson"]


def test_a_detail_shows_200_requests_and_all_participants(john: Any, asked: Any) -> None:
    session, _ = asked(*["approved"] * 3, *["pending"] * 2, *["rejected"] * 250)

    shown = Api(john).get(path(session)).json()

    rows = names(shown["booking_requests"])
    assert rows == ["m4", "m3", *(f"m{number}" for number in range(254, 56, -1))]
    assert len(rows) == 200
    assert names(shown["participants"]) == ["m0", "m1", "m2"]
    # As a part of my sessions, too.
    [mine] = Api(john).get(f"{SESSIONS}my_sessions/").json()["created"]
    assert mine == shown


def test_the_limit_applies_to_each_of_several_sessions(
    john: Any, asked: Any, make_session: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(bookings, "MAX_REQUESTS_SHOWN", 3)
    first, people = asked("rejected", "pending", "approved", "pending", "rejected")
    second = make_session("approved", date=NOW + timedelta(days=1))
    for number, member in enumerate(people[:4]):
        join(second, member, "rejected", after=number)

    created = Api(john).get(f"{SESSIONS}my_sessions/").json()["created"]

    assert [(row["id"], names(row["booking_requests"])) for row in created] == [
        (first.pk, ["m3", "m1", "m4"]),
        (second.pk, ["m3", "m2", "m1"]),
    ]


def test_a_requesters_own_request_is_always_shown(asked: Any) -> None:
    session, people = asked("rejected", *["pending"] * 250)

    shown = Api(people[0]).get(path(session)).json()["booking_requests"]

    assert names(shown) == ["m0"]


# --- In pages ---------------------------------------------------------------------------------------------------


def test_the_paginated_list_has_the_same_order(john: Any, alice: Any, bob: Any, make_session: Any) -> None:
    session = make_session("scheduled", requests={bob: "pending"})
    own = session.booking_requests.get(user=bob)

    for member in (john, alice):
        response = Api(member).get(requests_of(session))
        assert response.status_code == 200
        body = response.json()
        assert list(body) == ["count", "next", "previous", "results"]
        assert (body["count"], body["next"], body["previous"]) == (2, None, None)
        assert body["results"][0] == {
            "id": own.pk,
            "user": user_row(bob, email=True),
            "message": "bob_wilson would like to learn this",
            "status": "pending",
            "requested_at": z(own.requested_at),
        }
        assert body["results"] == Api(member).get(path(session)).json()["booking_requests"]


def test_the_pages_lead_through_all_requests_once(john: Any, asked: Any) -> None:
    session, _ = asked(*["rejected", "pending", "approved"] * 7)
    found: list[str] = []
    address: str | None = f"{requests_of(session)}?page_size=4"

    while address:
        page = Api(john).get(address).json()
        assert page["count"] == 21
        found += names(page["results"])
        address = page["next"]

    assert found == [f"m{number}" for number in [*range(19, 0, -3), *(n for n in range(20, -1, -1) if n % 3 != 1)]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=pending", ["m3", "m0"]),
        ("status=rejected&status=approved", ["m4", "m2", "m1"]),
        ("status=approved&status=pending&status=", ["m3", "m0", "m2"]),
        ("status=&page=&page_size=", ["m3", "m0", "m4", "m2", "m1"]),
        ("page_size=2&page=2", ["m4", "m2"]),
        ("status=rejected&page_size=1&page=2", ["m1"]),
    ],
)
def test_requests_are_filtered_by_status(john: Any, asked: Any, query: str, found: list[str]) -> None:
    session, _ = asked("pending", "rejected", "approved", "pending", "rejected")

    assert names(Api(john).get(f"{requests_of(session)}?{query}").json()["results"]) == found


def test_parameters_out_of_range_are_refused_by_name(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    for query in ("status=waiting", "page=0", "page=x", "page_size=101", "page_size=0"):
        assert list(fields_of(Api(john).get(f"{requests_of(session)}?{query}"))) == [query.partition("=")[0]]
    error_of(Api(john).get(f"{requests_of(session)}?page=2"), 404)
    assert Api(john).get(requests_of(session)).json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_members_who_do_not_manage_the_session_get_a_403(
    *, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})

    for member in (jane, bob, mallory):
        error_of(Api(member).get(requests_of(session)), 403)
    error_of(Api(None).get(requests_of(session)), 401)


def test_an_invisible_session_is_a_404(*, john: Any, jane: Any, mallory: Any, make_session: Any) -> None:
    for session in (make_session("pending_approval"), make_session("approved", hidden_at=NOW)):
        error_of(Api(mallory).get(requests_of(session)), 404)
        assert Api(john).get(requests_of(session)).status_code == 200
    error_of(Api(john).get(path(4711, "booking_requests/")), 404)


def test_other_methods_are_refused(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    for method in ("post", "put", "delete"):
        error_of(getattr(Api(john), method)(requests_of(session)), 405)


def test_the_first_requests_are_read_from_an_index(asked: Any) -> None:
    session, _ = asked(*["pending"] * 100, *["rejected"] * 400)

    requests = bookings.select_requests(session, []).order_by(*bookings.PENDING_FIRST)
    plan = requests.values(*bookings.VALUES)[:20].explain()

    assert "SCAN learning_sessions_bookingrequest" not in plan
    assert "TEMP B-TREE" not in plan
