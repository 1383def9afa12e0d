"""Who is refused a feed, and how."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from tests.conftest import Api
from tests.modules.sessions.calendar_feed.conftest import FEED, LINK, made, read
from tests.modules.sessions.conftest import error_of


def test_all_invalid_tokens_get_the_same_404(john: Any, jane: Any) -> None:
    url, of_jane = made(john), made(jane)
    revoked = made(john)
    Api(john).delete(LINK)
    jane.is_active = False
    jane.save()

    queries = [
        "",
        "?token=",
        "?token=x",
        "?token=.",
        "?token=%00",
        "?token=%ff",
        "?token=%ed%a0%80",
        f"?token={'x' * 4000}",
    ]
    answers = [read(address) for address in (url, revoked, of_jane, *(f"{FEED}{query}" for query in queries))]

    bodies = set()
    for response in answers:
        error_of(response, 404)
        assert "WWW-Authenticate" not in response
        bodies.add(response.content)
    assert len(bodies) == 1


def test_a_reactivated_member_has_the_same_link(john: Any) -> None:
    url = made(john)
    for is_active, status in ((False, 404), (True, 200)):
        john.is_active = is_active
        john.save()
        assert read(url).status_code == status


def test_the_feed_needs_only_the_token(john: Any, jane: Any, make_session: Any) -> None:
    make_session("approved", title="John's")
    made(john)

    error_of(Api(john).get(FEED), 404)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_other_methods_are_refused(john: Any, method: str) -> None:
    url = urlsplit(made(john))

    response = getattr(Client(), method)(f"{url.path}?{url.query}")

    error_of(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD"}


def test_the_path_has_no_slash_at_its_end(john: Any) -> None:
    assert error_of(Client().get(f"{FEED}/"), 404) == "There is nothing at this path."
    assert error_of(Client().get("/api/sessions/calendar"), 404) == f"Paths end in a slash here: {LINK}"
