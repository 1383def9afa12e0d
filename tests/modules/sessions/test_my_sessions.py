"""The pages of `my_sessions/`: how much of both lists they have, and how links lead through them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, fields_of, path

from core.http import json as json_module
from modules.sessions.events import MaterialsOfSessions, SizesOfMaterials
from modules.sessions.models import Session
from modules.sessions.queries import my_sessions

MINE = f"{SESSIONS}my_sessions/"
Ids = tuple[list[int], list[int]]


def part(member: Any, address: str = MINE) -> tuple[Ids, str | None]:
    """The ids of both lists, and the URL of the next page."""
    response = Api(member).get(address)
    assert response.status_code == 200, response.content
    body = response.json()
    assert list(body) == ["created", "joined"]
    link = response.headers.get("Link")
    following = re.fullmatch('<(.+)>; rel="next"', link) if link else None
    assert bool(link) is bool(following)
    return ([row["id"] for row in body["created"]], [row["id"] for row in body["joined"]]), following and following[1]


def walk(member: Any, query: str = "") -> list[Ids]:
    parts, address = [], f"{MINE}?{query}"
    while address:
        ids, following = part(member, address)
        assert any(ids) or not following, "a part that leads nowhere"
        parts.append(ids)
        address = following or ""
    return parts


@pytest.fixture
def make_mine(john: Any, jane: Any, make_session: Any) -> Any:
    """Sessions that John offers and is in, the latest start first; some start at the same moment."""

    def make(created: int, joined: int) -> Ids:
        def start(number: int) -> Any:
            return NOW.replace(microsecond=0) + timedelta(days=5 - number // 2)

        mine = [make_session("approved", date=start(number)).pk for number in range(created)]
        others = [
            make_session("scheduled", creator=jane, participants=[john], date=start(number)).pk
            for number in range(joined)
        ]
        newest = Session.objects.order_by("-date", "-pk").values_list("pk", flat=True)
        return list(newest.filter(pk__in=mine)), list(newest.filter(pk__in=others))

    return make


def test_a_few_are_all_there_is(john: Any, make_mine: Any) -> None:
    created, joined = make_mine(3, 2)

    assert part(john) == ((created, joined), None)


@pytest.mark.parametrize(("created", "joined"), [(5, 5), (7, 2), (0, 5), (5, 0), (4, 4), (1, 6), (0, 0)])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_links_lead_through_both_lists_once(
    john: Any, make_mine: Any, created: int, joined: int, limit: int
) -> None:
    mine = make_mine(created, joined)

    parts = walk(john, f"limit={limit}")

    assert ([pk for ids, _ in parts for pk in ids], [pk for _, ids in parts for pk in ids]) == mine
    assert all(len(ids) <= limit for each in parts for ids in each)
    # No list waits for the other.
    assert len(parts) == max(-(-max(created, joined) // limit), 1)


def test_the_link_names_the_last_of_each_list_and_keeps_the_rest(john: Any, make_mine: Any) -> None:
    (created, joined) = make_mine(3, 1)

    _, following = part(john, f"{MINE}?limit=2&colour=green")

    assert following == (
        f"http://testserver{MINE}?limit=2&colour=green&created_before={created[1]}&joined_before={joined[0]}"
    )
    # What was shown to its end stays there.
    assert part(john, following) == (([created[2]], []), None)


def test_a_list_without_any_is_not_named(john: Any, make_mine: Any) -> None:
    created, _ = make_mine(2, 0)

    assert part(john, f"{MINE}?limit=1")[1] == f"http://testserver{MINE}?limit=1&created_before={created[0]}"


def test_each_list_goes_on_by_itself(john: Any, make_mine: Any) -> None:
    created, joined = make_mine(3, 3)

    assert part(john, f"{MINE}?created_before={created[0]}") == ((created[1:], joined), None)
    assert part(john, f"{MINE}?joined_before={joined[1]}") == ((created, joined[2:]), None)
    assert part(john, f"{MINE}?created_before={created[2]}&joined_before={joined[2]}") == (([], []), None)


def test_a_hundred_of_each_come_unless_told_otherwise(john: Any, jane: Any, make_session: Any) -> None:
    for creator, in_it in [(john, []), (jane, [john])]:
        for _ in range(102):
            make_session("completed", creator=creator, participants=in_it)

    parts = walk(john)

    assert [(len(created), len(joined)) for created, joined in parts] == [(100, 100), (2, 2)]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "created_before=0", "joined_before=x"])
def test_what_is_out_of_bounds_is_refused_by_name(john: Any, query: str) -> None:
    assert list(fields_of(Api(john).get(f"{MINE}?{query}"))) == [query.partition("=")[0]]


def test_an_empty_value_is_none(john: Any, make_mine: Any) -> None:
    mine = make_mine(2, 1)

    assert part(john, f"{MINE}?limit=&created_before=&joined_before=%20") == (mine, None)


@pytest.mark.parametrize("name", ["created_before", "joined_before"])
def test_a_session_that_is_gone_or_not_to_be_seen_is_no_place_to_go_on_from(
    *, john: Any, jane: Any, make_session: Any, make_mine: Any, name: str
) -> None:
    """A client would take an empty list for the end."""
    make_mine(2, 2)
    unseen = make_session("pending_approval", creator=jane)

    for pk in (unseen.pk, 4711, 2**63 - 1):
        assert fields_of(Api(john).get(f"{MINE}?{name}={pk}")) == {
            name: ["There is no such session any more: begin anew, without this."]
        }


def test_leaving_a_session_on_the_way_loses_none(john: Any, make_mine: Any) -> None:
    _, joined = make_mine(0, 4)
    ids, following = part(john, f"{MINE}?limit=2")

    assert Api(john).post(path(joined[1], "leave/")).status_code == 200

    assert ids == ([], joined[:2])
    assert part(john, str(following)) == (([], joined[2:]), None)


# --- As much as one answer has room for -------------------------------------------------------------------------


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the maximum size of a response in bytes."""

    def make(size: int) -> int:
        monkeypatch.setattr(my_sessions, "MAX_RESPONSE_BYTES", size)
        return size

    return make


def test_both_lists_end_earlier_where_there_is_no_more_room(john: Any, make_mine: Any, room: Any) -> None:
    mine = make_mine(6, 3)
    Session.objects.update(description="x" * 1000)
    most = room(len(Api(john).get(MINE).content) // 2)

    parts = walk(john)

    assert ([pk for ids, _ in parts for pk in ids], [pk for _, ids in parts for pk in ids]) == mine
    # As many of each, as long as there are.
    assert [(len(created), len(joined)) for created, joined in parts] == [(2, 2), (3, 1), (1, 0)]
    assert len(Api(john).get(MINE).content) <= most


def test_an_answer_is_filled_to_the_last_session(john: Any, make_mine: Any, room: Any) -> None:
    created, joined = make_mine(2, 2)
    size = len(Api(john).get(MINE).content)

    # A comma is counted for each, also for the last of a list.
    room(size + 2)
    assert part(john) == ((created, joined), None)
    room(size - 1)
    assert part(john)[0] == (created, joined[:1])


def test_one_session_comes_however_large_it_is(john: Any, make_mine: Any, room: Any) -> None:
    mine = make_mine(2, 2)
    room(100)

    parts = walk(john)

    assert ([pk for ids, _ in parts for pk in ids], [pk for _, ids in parts for pk in ids]) == mine
    assert [len(created) + len(joined) for created, joined in parts] == [1] * 4


def test_no_more_is_read_than_can_be_sent(john: Any, make_mine: Any, room: Any, answer: Any) -> None:
    created, joined = make_mine(5, 5)
    asked: list[MaterialsOfSessions] = []
    answer(SizesOfMaterials, lambda question: dict.fromkeys(question.session_ids, 10_000))
    answer(MaterialsOfSessions, lambda question: asked.append(question) or {})
    room(36_000)

    part(john)

    [question] = asked
    assert set(question.audiences) == {created[0], joined[0], created[1]}
    assert question.note_characters == 200


def test_the_room_is_that_of_every_answer() -> None:
    assert my_sessions.MAX_RESPONSE_BYTES == json_module.MAX_RESPONSE_BYTES == 4 * 1024 * 1024
