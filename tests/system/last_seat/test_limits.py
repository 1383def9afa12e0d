"""Concurrent calls exceed no limit."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.conftest import Api
from tests.system.last_seat.conftest import SESSIONS, run_all, statuses

from modules.materials.models import Material
from modules.sessions.models import BookingRequest, Session

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_concurrent_requests_do_not_exceed_the_limit_of_pending_requests(
    make_race: Any, make_clients: Any, settings: Any
) -> None:
    settings.SESSIONS_MAX_WAITING_REQUESTS = 3
    race, members = make_race(), make_clients(10)

    answers = run_all([partial(race.join, member) for member in members])

    assert sorted(statuses(answers)) == [201] * 3 + [400] * 7
    assert race.check().waiting_count == BookingRequest.objects.filter(status="pending").count() == 3


def test_the_number_of_pending_requests_is_right_after_concurrent_changes(make_race: Any, make_clients: Any) -> None:
    race, members = make_race(), make_clients(12)
    for member in members[:8]:
        race.join(member)

    run_all(
        [
            *(partial(race.approve, race.creator, member) for member in members[:3]),
            *(partial(race.reject, race.moderator, member) for member in members[2:5]),
            *(partial(race.leave, member) for member in members[4:7]),
            *(partial(race.join, member) for member in members[8:]),
        ]
    )

    assert race.check().waiting_count == BookingRequest.objects.filter(status="pending").count()


def test_concurrent_offers_do_not_exceed_the_limit_of_open_sessions(john: Any, make_race: Any, settings: Any) -> None:
    settings.SESSIONS_MAX_OPEN_PER_MEMBER = 4
    race = make_race()
    body = Api(john).get(race.path).json()
    clients = [Api(john) for _ in range(10)]

    answers = run_all([partial(client.post, SESSIONS, body) for client in clients])

    assert sorted(statuses(answers)) == [201] * 3 + [400] * 7
    assert Session.objects.count() == 4


@pytest.fixture
def add(make_race: Any, john: Any) -> Callable[[str], Callable[[], Any]]:
    """Calls that add a note to the one session, each by a client of its own."""
    path = f"{make_race().path}materials/"

    def make(content: str) -> Callable[[], Any]:
        return partial(Api(john).post, path, {"title": "N", "type": "note", "content": content})

    return make


def test_concurrent_materials_do_not_exceed_the_limit_of_a_session(add: Any, settings: Any) -> None:
    settings.MATERIALS_MAX_PER_SESSION = 4

    answers = run_all([add("x") for _ in range(10)])

    assert sorted(statuses(answers)) == [201] * 4 + [400] * 6
    assert Material.objects.count() == 4


def test_concurrent_notes_do_not_exceed_the_quota(add: Any, settings: Any) -> None:
    settings.MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION = 350

    answers = run_all([add("x" * 100) for _ in range(10)])

    assert sorted(statuses(answers)) == [201] * 3 + [400] * 7
    assert Material.objects.count() == 3


def test_notes_that_are_extended_concurrently_do_not_exceed_the_quota(add: Any, john: Any, settings: Any) -> None:
    settings.MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION = 500
    assert {add("x" * 10)().status_code for _ in range(10)} == {201}
    session_id = Session.objects.get().pk
    paths = [f"{SESSIONS}{session_id}/materials/{pk}/" for pk in Material.objects.values_list("pk", flat=True)]
    clients = [Api(john) for _ in paths]

    calls = [partial(client.put, path, {"content": "y" * 110}) for client, path in zip(clients, paths, strict=True)]
    answers = run_all(calls)

    assert sorted(statuses(answers)) == [200] * 4 + [400] * 6
    assert sum(len(content) for content in Material.objects.values_list("content", flat=True)) == 500
