"""Frequent reads take as many queries for one session as for fifty."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, path

from core.accounts.models import User
from modules.sessions.models import BookingRequest, Session

# The login and its member, and what permissions they have: of their own and by their groups.
WHO_IS_ASKING = 3
# More where somebody keeps materials and the viewer may read them: how large they are, and what they are.
MATERIALS = 2 * int(apps.is_installed("modules.materials"))

LIST = WHO_IS_ASKING + 3  # how many, the page, the viewer's own requests
DETAIL = WHO_IS_ASKING + 2  # the session with its creator, who is in with the viewer's own request
REQUESTS = 1  # where the viewer runs it, all the others
MY_SESSIONS = WHO_IS_ASKING + 5  # offered, joined, how much there is of both, who is in, the requests of the offered
REQUEST_PAGE = WHO_IS_ASKING + 3  # the session, how many, the page


@pytest.fixture
def make_many(john: Any, jane: Any, bob: Any, make_session: Any) -> Callable[[int], Session]:
    """Makes so many sessions that John offers and as many that he is in, each with 20 participants and 3 requests."""

    def make(number: int) -> Session:
        members = [baker.make(User, username=f"extra_{each}", email=f"extra_{each}@example.com") for each in range(22)]
        requests = []
        for creator, others in [(john, [jane, *members[:19]]), (bob, [jane, john, *members[:18]])]:
            for each in range(number):
                session = make_session(
                    "scheduled",
                    creator=creator,
                    participants=[],
                    date=NOW + timedelta(days=each + 1),
                    max_participants=50,
                )
                Session.objects.filter(pk=session.pk).update(participant_count=20)
                requests += [
                    BookingRequest(session=session, user=member, status="approved", joined_at=NOW) for member in others
                ]
                requests += [BookingRequest(session=session, user=member) for member in members[19:]]
        BookingRequest.objects.bulk_create(requests)
        return session

    return make


def queries(api: Api, address: str) -> tuple[int, Any]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = api.get(address)
    assert response.status_code == 200
    return len(captured), response.json()


@pytest.mark.parametrize("number", [1, 50])
def test_the_list_takes_a_constant_number_of_queries(mallory: Any, make_many: Any, number: int) -> None:
    make_many(number)

    count, page = queries(Api(mallory), f"{SESSIONS}?page_size=100")

    assert (count, len(page["results"])) == (LIST, 2 * number)
    assert page["results"][0]["participant_count"] == 20


@pytest.mark.parametrize("number", [1, 50])
def test_the_list_with_all_filters_takes_a_constant_number_of_queries(
    mallory: Any, john: Any, make_many: Any, number: int
) -> None:
    make_many(number)
    query = f"status=scheduled&subject=PROG&level=advanced&date_from=2024-01-01&date_to=2030-01-01&creator={john.pk}"

    count, page = queries(Api(mallory), f"{SESSIONS}?{query}&page_size=100&ordering=created_at")

    assert (count, len(page["results"])) == (LIST, number)


@pytest.mark.parametrize("number", [1, 50])
def test_a_detail_takes_a_constant_number_of_queries(
    *, mallory: Any, bob: Any, john: Any, alice: Any, make_many: Any, number: int
) -> None:
    session = make_many(number)

    # Of these, Bob offers it, Alice moderates it, and John is in.
    for member, more in [
        (mallory, 0),
        (john, MATERIALS),
        (bob, REQUESTS + MATERIALS),
        (alice, REQUESTS + MATERIALS),
    ]:
        count, shown = queries(Api(member), path(session))
        assert (count, len(shown["participants"])) == (DETAIL + more, 20)
    assert len(shown["booking_requests"]) == 23


@pytest.mark.parametrize("number", [1, 50])
def test_my_sessions_takes_a_constant_number_of_queries(john: Any, make_many: Any, number: int) -> None:
    make_many(number)

    count, shown = queries(Api(john), f"{SESSIONS}my_sessions/")

    assert count == MY_SESSIONS + MATERIALS
    assert (len(shown["created"]), len(shown["joined"])) == (number, number)
    assert {len(row["participants"]) for row in [*shown["created"], *shown["joined"]]} == {20}


@pytest.mark.parametrize("number", [1, 50])
def test_the_requests_of_a_session_take_a_constant_number_of_queries(bob: Any, make_many: Any, number: int) -> None:
    session = make_many(number)

    count, page = queries(Api(bob), path(session, "booking_requests/?page_size=100"))

    assert (count, page["count"], len(page["results"])) == (REQUEST_PAGE, 23, 23)


def test_a_superuser_s_permissions_take_no_query(root: Any, make_session: Any) -> None:
    make_session("approved")

    assert queries(Api(root), SESSIONS)[0] == LIST - 2
