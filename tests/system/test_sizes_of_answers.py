"""No response of the API is larger than 4 MiB, even with all limits exhausted by characters of four bytes.

Rows are inserted without the services, as long as their columns and the limits allow.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from tests.conftest import Api

from core.accounts.models import User
from core.api import api
from core.facts.models import FactRecord
from core.time import clock
from modules.materials.models import Material
from modules.notifications.models import Notification
from modules.sessions.models import BookingRequest, Session

MAX_RESPONSE_BYTES = 4 * 1024 * 1024
SESSIONS = "/api/sessions/"
FOUR_BYTES = "\N{KNOT}"

pytestmark = pytest.mark.django_db


def long(characters: int) -> str:
    return FOUR_BYTES * characters


@pytest.fixture
def people() -> list[User]:
    """Members whose names are as long as names may be."""
    members = [
        User(
            username=(name := long(144) + f"{number:06}"),
            username_key=name,
            first_name=long(150),
            last_name=long(150),
            email=(address := f"{number:06}@{'x' * 243}.de"),
            email_key=address,
        )
        for number in range(300)
    ]
    return User.objects.bulk_create(members)


@pytest.fixture
def creator(people: list[User]) -> User:
    return people[0]


@pytest.fixture
def make_sessions(creator: User) -> Callable[..., list[Session]]:
    """Sessions with the longest texts, which the creator offers unless it is somebody else."""

    def make(number: int, *, by: User | None = None, status: str = "scheduled") -> list[Session]:
        start = clock.now() + timedelta(days=3)
        return Session.objects.bulk_create(
            Session(
                title=long(200),
                description=long(5000),
                subject=long(100),
                subject_key="",
                level="intermediate",
                date=start,
                ends_at=start + timedelta(minutes=480),
                moves_at=start,
                duration=480,
                max_participants=50,
                participant_count=50,
                waiting_count=200,
                creator=by or creator,
                status=status,
                approved_at=clock.now(),
            )
            for _ in range(number)
        )

    return make


def fill(sessions: list[Session], people: list[User], *, note: int = 50_000) -> None:
    """50 who are in and 200 who wait, and 100 materials: notes of 500,000 characters together, else links."""
    requests, materials = [], []
    for session in sessions:
        for number, member in enumerate(people[1:251]):
            is_in = number < 50
            requests.append(
                BookingRequest(
                    session=session,
                    user=member,
                    message=long(1000),
                    status="approved" if is_in else "pending",
                    joined_at=clock.now() if is_in else None,
                )
            )
        for number in range(100):
            is_note = number < 500_000 // note
            materials.append(
                Material(
                    session_id=session.pk,
                    title=long(200),
                    type="note" if is_note else "link",
                    content=long(note) if is_note else "",
                    url="" if is_note else "https://example.com/" + long(1980),
                    uploaded_by=people[number],
                )
            )
    BookingRequest.objects.bulk_create(requests, batch_size=500)
    Material.objects.bulk_create(materials, batch_size=200)


def size(response: Any) -> int:
    assert response.status_code == 200, response.content[:500]
    assert len(response.content) <= MAX_RESPONSE_BYTES
    return len(response.content)


def parts(member: User, address: str) -> list[dict[str, Any]]:
    """The parts of both lists, each of which is small enough; as the links lead through them."""
    found = []
    while address:
        response = Api(member).get(address)
        size(response)
        found.append(json.loads(response.content))
        address = response.headers.get("Link", "").removeprefix("<").removesuffix('>; rel="next"')
    return found


# --- One session ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("note", [50_000, 5000])
def test_a_detail(creator: User, people: list[User], make_sessions: Any, note: int) -> None:
    [session] = make_sessions(1)
    fill([session], people, note=note)

    for member in (creator, people[1]):
        response = Api(member).get(f"{SESSIONS}{session.pk}/")
        assert size(response) > MAX_RESPONSE_BYTES // 2
        shown = response.json()
        assert (len(shown["participants"]), len(shown["materials"])) == (50, 100)
        assert sum(len(row["content"]) for row in shown["materials"]) == 500_000
        expected = people[1:2] if member == people[1] else people[51:251][::-1]
        asked = [row["user"]["id"] for row in shown["booking_requests"]]
        # All that there is room for, and the first of them.
        assert asked == [each.pk for each in expected][: len(asked)]
        assert len(asked) == 1 if member == people[1] else len(asked) > 50
    changed = Api(creator).put(f"{SESSIONS}{session.pk}/", {"max_participants": 50})
    assert size(changed) > MAX_RESPONSE_BYTES // 2


def test_the_materials_of_a_session(creator: User, people: list[User], make_sessions: Any) -> None:
    [session] = make_sessions(1)
    fill([session], people)

    response = Api(creator).get(f"{SESSIONS}{session.pk}/materials/")

    assert size(response) > MAX_RESPONSE_BYTES // 2
    assert len(response.json()) == 100


@pytest.mark.parametrize("letter", [FOUR_BYTES, '"'])
def test_materials_stored_under_other_limits(creator: User, make_sessions: Any, letter: str) -> None:
    [session] = make_sessions(1)
    Material.objects.bulk_create(
        Material(session_id=session.pk, title=long(200), type="note", content=letter * 50_000, uploaded_by=creator)
        for _ in range(120)
    )
    address = f"{SESSIONS}{session.pk}/materials/"

    detail, listed = Api(creator).get(f"{SESSIONS}{session.pk}/"), Api(creator).get(address)

    assert size(listed) > MAX_RESPONSE_BYTES // 2
    assert size(detail) > MAX_RESPONSE_BYTES // 2
    rows = listed.json()
    assert [row["content"] for row in detail.json()["materials"]] == [row["content"] for row in rows]
    whole = sum(len(row["content"]) == 50_000 for row in rows)
    assert [len(row["content"]) for row in rows] == [50_000] * whole + [200] * (120 - whole)
    assert 10 < whole < 120
    assert len(Api(creator).get(f"{address}{rows[-1]['id']}/").json()["content"]) == 50_000


def test_more_materials_than_a_response_holds(creator: User, make_sessions: Any) -> None:
    [session] = make_sessions(1)
    url = "https://example.com/" + long(1980)
    added = Material.objects.bulk_create(
        Material(session_id=session.pk, title=long(200), type="link", url=url, uploaded_by=creator) for _ in range(600)
    )

    detail = Api(creator).get(f"{SESSIONS}{session.pk}/")
    listed = Api(creator).get(f"{SESSIONS}{session.pk}/materials/")
    mine = Api(creator).get(f"{SESSIONS}my_sessions/")

    for response in (detail, listed, mine):
        assert size(response) > MAX_RESPONSE_BYTES // 2
    ids = [row["id"] for row in listed.json()]
    assert ids == [each.pk for each in added][: len(ids)]
    assert [row["id"] for row in detail.json()["materials"]] == ids


def test_a_page_of_booking_requests(creator: User, people: list[User], make_sessions: Any) -> None:
    [session] = make_sessions(1)
    fill([session], people)

    response = Api(creator).get(f"{SESSIONS}{session.pk}/booking_requests/?page_size=100")

    assert size(response) > MAX_RESPONSE_BYTES // 10
    assert len(response.json()["results"]) == 100


# --- Many -------------------------------------------------------------------------------------------------------


def test_a_page_of_sessions(people: list[User], make_sessions: Any) -> None:
    sessions = make_sessions(100)
    BookingRequest.objects.bulk_create(
        BookingRequest(session=session, user=people[1], message=long(1000), status="approved", joined_at=clock.now())
        for session in sessions
    )

    response = Api(people[1]).get(f"{SESSIONS}?page_size=100")

    assert size(response) > MAX_RESPONSE_BYTES // 2
    rows = response.json()["results"]
    assert [len(row["participants"]) for row in rows] == [len(row["booking_requests"]) for row in rows] == [1] * 100


def test_my_sessions(creator: User, people: list[User], make_sessions: Any) -> None:
    offered, joined = make_sessions(4), make_sessions(3, by=people[299])
    # Whoever moderates sees all requests of those that they are in, too.
    creator.groups.add(Group.objects.get(name="Moderators"))
    fill([*offered, *joined], people)
    BookingRequest.objects.bulk_create(
        BookingRequest(session=session, user=creator, status="approved", joined_at=clock.now()) for session in joined
    )

    found = parts(creator, f"{SESSIONS}my_sessions/")

    assert [row["id"] for part in found for row in part["created"]] == sorted((s.pk for s in offered), reverse=True)
    assert [row["id"] for part in found for row in part["joined"]] == sorted((s.pk for s in joined), reverse=True)
    assert 1 < len(found) <= 7
    for row in [*found[0]["created"], *found[0]["joined"]]:
        assert (len(row["materials"]), len(row["booking_requests"])) == (100, 200)
        assert {len(material["content"]) for material in row["materials"]} == {0, 200}


def test_my_sessions_with_long_texts(creator: User, people: list[User], make_sessions: Any) -> None:
    make_sessions(150)

    found = parts(creator, f"{SESSIONS}my_sessions/")

    assert [len(part["created"]) for part in found] == [100, 50]


def test_notifications(creator: User) -> None:
    facts = FactRecord.objects.bulk_create(
        FactRecord(name="sessions.SessionCancelled", occurred_at=clock.now(), payload={}) for _ in range(520)
    )
    Notification.objects.bulk_create(
        Notification(
            user=creator,
            fact=fact,
            type="session_update",
            kind="session_cancelled",
            title=long(300),
            # A title, a reason and the words around them; a digest is longer.
            message=long(6000 if number % 2 else 1500),
            created_at=clock.now(),
        )
        for number, fact in enumerate(facts)
    )
    ids: list[int] = []
    address = "/api/notifications/?limit=500"

    while address:
        response = Api(creator).get(address)
        size(response)
        ids += [row["id"] for row in response.json()]
        address = response.headers.get("Link", "").removeprefix("<").removesuffix('>; rel="next"')

    assert ids == list(Notification.objects.order_by("-pk").values_list("pk", flat=True))


def test_a_calendar_feed(creator: User, people: list[User], make_sessions: Any) -> None:
    make_sessions(250)
    url = Api(creator).post(f"{SESSIONS}calendar/").json()["url"]

    response = Client().get(url)

    assert size(response) > MAX_RESPONSE_BYTES // 2
    uids = response.content.decode().count("\r\nUID:")
    assert 100 < uids < 250


# --- All of them ------------------------------------------------------------------------------------------------


def test_every_operation_that_returns_lists_is_covered() -> None:
    document = json.loads(json.dumps(api.get_openapi_schema()))
    found = set()
    for methods in document["paths"].values():
        for spec in methods.values():
            answer = spec["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
            schema = document["components"]["schemas"].get(answer.get("$ref", "").rsplit("/", 1)[-1], answer)
            fields = [schema, *schema.get("properties", {}).values()]
            if any(field.get("type") == "array" for field in fields):
                found.add(spec["operationId"])

    assert found == {
        "list_sessions",
        "my_sessions",
        "list_booking_requests",
        "list_materials",
        "list_notifications",
        # A detail, whoever answers it.
        *("get_session", "update_session", "cancel_session", "start_session", "end_session", "leave_session"),
    }
