"""The order and the pages of the list."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, error_of, z
from tests.modules.sessions.session_list.conftest import refused, titles


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["late", "twin two", "twin one", "early"]),
        ("ordering=-date", ["late", "twin two", "twin one", "early"]),
        ("ordering=date", ["early", "twin one", "twin two", "late"]),
        ("ordering=created_at", ["late", "twin one", "twin two", "early"]),
        ("ordering=-created_at", ["early", "twin two", "twin one", "late"]),
    ],
)
def test_the_default_ordering_is_latest_start_first(
    john: Any, make_session: Any, query: str, expected: list[str]
) -> None:
    for title, day, created in [("late", 9, 9), ("twin one", 5, 5), ("early", 1, 1), ("twin two", 5, 5)]:
        make_session("approved", title=title, date=NOW + timedelta(days=day), created_at=NOW - timedelta(days=created))

    assert titles(john, query) == expected


def test_a_page_has_20_sessions_by_default(john: Any, make_session: Any) -> None:
    for number in range(21):
        make_session("approved", title=str(number), date=NOW + timedelta(days=number))

    first = Api(john).get(SESSIONS).json()
    second = Api(john).get(first["next"]).json()

    assert (first["count"], len(first["results"]), first["previous"]) == (21, 20, None)
    assert first["next"] == "http://testserver/api/sessions/?page=2"
    assert (second["count"], [row["title"] for row in second["results"]], second["next"]) == (21, ["0"], None)
    assert second["previous"] == "http://testserver/api/sessions/?page=1"


def test_a_page_has_at_most_100_sessions(john: Any, make_session: Any) -> None:
    make_session("approved")

    assert len(titles(john, "page_size=100")) == 1
    assert refused(john, "page_size=101") == ["page_size"]


def test_links_keep_every_other_parameter(john: Any, make_session: Any) -> None:
    for _ in range(3):
        make_session("approved", subject="C++ & more")
    query = "subject=c%2B%2B+%26&date_from=2024-01-01T00:00:00+05:00&page_size=1&colour=green&page=2&colour=blue"

    page = Api(john).get(f"{SESSIONS}?{query}").json()

    for link, number in [(page["next"], "3"), (page["previous"], "1")]:
        parts = urlsplit(link)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://testserver/api/sessions/"
        assert parse_qs(parts.query) == parse_qs(query) | {"page": [number]}
        assert Api(john).get(link).json()["count"] == 3


def test_the_links_lead_through_all_sessions_once(john: Any, make_session: Any) -> None:
    made = {make_session("approved").pk for _ in range(7)}
    found: list[int] = []
    address: str | None = f"{SESSIONS}?page_size=2"

    while address:
        page = Api(john).get(address).json()
        found += [row["id"] for row in page["results"]]
        address = page["next"]

    assert len(found) == 7
    assert set(found) == made


@pytest.mark.parametrize("page", ["2", "3", "1000000", "2147483648", "9223372036854775808", "9" * 40])
def test_a_page_past_the_end_is_a_404(john: Any, make_session: Any, page: str) -> None:
    make_session("approved")

    error_of(Api(john).get(f"{SESSIONS}?page={page}"), 404)


def test_a_full_last_page_has_no_next(john: Any, make_session: Any) -> None:
    for _ in range(4):
        make_session("approved")

    page = Api(john).get(f"{SESSIONS}?page_size=2&page=2").json()

    assert (len(page["results"]), page["next"]) == (2, None)
    error_of(Api(john).get(f"{SESSIONS}?page_size=2&page=3"), 404)


def test_the_list_shows_the_stored_status_of_a_due_session(
    john: Any, mallory: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("approved")
    clock.move_to(z(session.date), tick=False)

    [row] = Api(mallory).get(SESSIONS).json()["results"]

    # Reading moves nothing; but nobody is promised a place in what has begun.
    assert (row["status"], row["can_join"]) == ("approved", False)
