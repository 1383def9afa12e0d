"""Making, showing and revoking a calendar link."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.test import Client
from tests.conftest import Api
from tests.modules.sessions.calendar_feed.conftest import FEED, LINK, made, read
from tests.modules.sessions.conftest import NOW, error_of, facts, last_fact, z
from tests.threads import run_in_threads

from core.facts.models import FactRecord
from modules.sessions.models import CalendarFeed

NOTHING = {"url": None, "created_at": None, "last_used_at": None}


def test_at_first_there_is_no_link(john: Any) -> None:
    response = Api(john).get(LINK)

    assert (response.status_code, response.json()) == (200, NOTHING)


def test_a_link_is_made_and_shown_again(john: Any, jane: Any) -> None:
    response = Api(john).post(LINK)

    assert response.status_code == 201
    token = parse_qs(urlsplit(response.json()["url"]).query)["token"][0]
    assert response.json() == {
        "url": f"http://testserver{FEED}?token={token}",
        "created_at": z(NOW),
        "last_used_at": None,
    }
    assert Api(john).get(LINK).json() == response.json()
    assert Api(jane).get(LINK).json() == NOTHING
    record = last_fact()
    assert (record.name, record.member_id, record.actor) == ("sessions.CalendarFeedMade", john.pk, john)
    assert record.payload == {"member_id": john.pk, "replaced": False}


def test_a_new_link_revokes_the_former_one(john: Any, clock: Any) -> None:
    before = made(john)
    assert read(before).status_code == 200
    clock.shift(timedelta(days=1))

    after = Api(john).post(LINK).json()

    assert after == {"url": after["url"], "created_at": z(NOW + timedelta(days=1)), "last_used_at": None}
    assert after["url"] != before
    error_of(read(before), 404)
    assert read(after["url"]).status_code == 200
    assert CalendarFeed.objects.count() == 1
    assert facts() == ["CalendarFeedMade", "CalendarFeedMade"]
    assert last_fact().payload == {"member_id": john.pk, "replaced": True}


def test_revoking_disables_the_link_and_is_idempotent(john: Any, jane: Any) -> None:
    url, of_jane = made(john), made(jane)

    for _ in range(2):
        response = Api(john).delete(LINK)
        assert (response.status_code, response.content) == (204, b"")

    error_of(read(url), 404)
    assert Api(john).get(LINK).json() == NOTHING
    assert read(of_jane).status_code == 200
    assert facts() == ["CalendarFeedMade", "CalendarFeedMade", "CalendarFeedRevoked"]
    record = last_fact()
    assert (record.member_id, record.actor, record.payload) == (john.pk, john, {"member_id": john.pk})


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_only_members_have_links(db: None, method: str) -> None:
    error_of(getattr(Api(), method)(LINK), 401)
    assert not CalendarFeed.objects.exists()


def test_tokens_are_not_stored(john: Any) -> None:
    url = made(john)
    token = parse_qs(urlsplit(url).query)["token"][0]

    rows = [*CalendarFeed.objects.values(), *FactRecord.objects.values()]
    assert token not in str(rows)
    key = CalendarFeed.objects.get().key
    assert key not in str(list(FactRecord.objects.values()))
    # Who has read the key cannot make an address of it, not even with a key of their own to sign with.
    for forged in (key, f"{key}.", f"{key}.{'A' * 43}", signing.Signer(key="x" * 50, sep=".").sign(key)):
        error_of(Client().get(FEED, {"token": forged}), 404)
    # Nor does a signature of ours that was made for something else help.
    for other in (signing.Signer(sep=".").sign(key), signing.dumps(key), signing.TimestampSigner(sep=".").sign(key)):
        error_of(Client().get(FEED, {"token": other}), 404)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("had_one", [False, True])
def test_concurrently_made_links_leave_one_valid_link(john: Any, *, had_one: bool) -> None:
    if had_one:
        made(john)
    api = Api(john)

    urls = run_in_threads(6, lambda: Client().post(LINK, headers=api.headers).json()["url"])

    assert len(set(urls)) == 6
    assert CalendarFeed.objects.count() == 1
    assert sorted(read(url).status_code for url in urls) == [200, 404, 404, 404, 404, 404]
    assert Api(john).get(LINK).json()["url"] in urls
    payloads = FactRecord.objects.filter(name="sessions.CalendarFeedMade").values_list("payload", flat=True)
    assert sum(not payload["replaced"] for payload in payloads) == 1
