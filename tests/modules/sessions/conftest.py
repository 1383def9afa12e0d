"""Members and sessions of every status, and functions that check what a request changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models.signals import post_save
from django.test import Client
from model_bakery import baker
from tests.portal import log_in

from core.accounts.models import User
from core.facts.models import FactRecord
from modules.sessions.models import BookingRequest, Reminder, Session
from modules.sessions.reminding import compute_next_reminder_at

NOW = datetime(2024, 1, 10, 10, 0, 0, 250000, tzinfo=UTC)
SESSIONS = "/api/sessions/"

STATES = ["pending_approval", "approved", "scheduled", "ongoing", "completed", "cancelled", "expired"]
OPEN = ["approved", "scheduled"]
FINAL = ["completed", "cancelled", "expired"]
STATES_WITH_PARTICIPANTS = {"scheduled", "ongoing", "completed"}

# When a session of each state begins, seen from NOW.
STARTS = {
    "pending_approval": timedelta(days=5),
    "approved": timedelta(days=5),
    "scheduled": timedelta(days=5),
    "ongoing": timedelta(minutes=-30),
    "completed": timedelta(days=-2),
    "cancelled": timedelta(days=5),
    "expired": timedelta(days=-2),
}


def path(session: Session | int, action: str = "") -> str:
    """`path(session, "join/")`"""
    return f"{SESSIONS}{session if isinstance(session, int) else session.pk}/{action}"


def z(instant: datetime) -> str:
    """An instant as the API writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def body_of(**changes: Any) -> dict[str, Any]:
    """A valid body for offering a session, with changes; a value of `...` omits the field."""
    body = {
        "title": "Advanced Python Programming",
        "description": "Learn advanced Python concepts",
        "subject": "Programming",
        "level": "advanced",
        "date": "2024-01-15T14:00:00-05:00",
        "duration": 90,
        "max_participants": 15,
        "timezone_offset": -300,
    } | changes
    return {name: value for name, value in body.items() if value is not ...}


def user_row(user: User, *, email: bool) -> dict[str, Any]:
    """A member as the API shows them, with or without their address."""
    return {
        "id": user.pk,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email if email else "",
        "date_joined": z(user.date_joined),
    }


def error_of(response: Any, status: int) -> str:
    """Check the status and shape of an error response, and return its message."""
    assert response.status_code == status, (response.status_code, response.content)
    body = response.json()
    assert set(body) <= {"error", "fields"}
    assert isinstance(body["error"], str)
    assert body["error"]
    return str(body["error"])


def fields_of(response: Any) -> dict[str, list[str]]:
    """The messages for each field of a validation failure."""
    assert error_of(response, 400)
    fields = response.json()["fields"]
    assert all(messages and all(messages) for messages in fields.values())
    return dict(fields)


def facts(session: Session | None = None) -> list[str]:
    """The names of the published facts in order, of one session or of all."""
    records = FactRecord.objects.order_by("pk")
    if session is not None:
        records = records.filter(session_id=session.pk)
    return [record.name.removeprefix("sessions.") for record in records]


def last_fact() -> FactRecord:
    return FactRecord.objects.latest("pk")


def rows() -> dict[str, list[dict[str, Any]]]:
    """All rows of sessions and the record of facts. Plain SQL, since hundreds of tests read it twice."""
    found = {}
    with connection.cursor() as cursor:
        for model in (Session, BookingRequest, Reminder, FactRecord):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)} ORDER BY id")
            names = [column[0] for column in cursor.description]
            found[model.__name__] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found


@contextmanager
def nothing_changes() -> Iterator[None]:
    before = rows()
    yield
    assert rows() == before


@contextmanager
def failing_to_save(session: Session) -> Iterator[None]:
    """Make writing the row of this session fail within the block."""

    def fail(instance: Session, **_: Any) -> None:
        if instance.pk == session.pk:
            raise RuntimeError("This row cannot be saved.")

    post_save.connect(fail, sender=Session)
    try:
        yield
    finally:
        post_save.disconnect(fail, sender=Session)


MakeSession = Callable[..., Session]


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    """A clock frozen at NOW; `clock.shift(...)` and `clock.move_to(...)` move it."""
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def alice(make_member: Callable[..., User]) -> User:
    """A moderator, by the group that the migration made; not staff."""
    member = make_member("alice_jones", first_name="Alice", last_name="Jones", email="alice@example.com")
    member.groups.add(Group.objects.get(name="Moderators"))
    return member


@pytest.fixture
def moderator(alice: User) -> Client:
    """Alice at the admin: a moderator who may enter it."""
    alice.is_staff = True
    alice.save()
    return log_in(alice)


@pytest.fixture
def victor(make_member: Callable[..., User]) -> User:
    """Another moderator, who may enter the admin."""
    member = make_member("victor", first_name="Victor", last_name="Vogel", is_staff=True)
    member.groups.add(Group.objects.get(name="Moderators"))
    return member


@pytest.fixture
def staff(make_member: Callable[..., User]) -> Client:
    """Somebody who may enter the admin, and moderates nothing."""
    return log_in(make_member("staff", is_staff=True))


@pytest.fixture
def mallory(make_member: Callable[..., User]) -> User:
    """An outsider, without any role in the sessions."""
    return make_member("mallory", email="mallory@example.com")


def compute_values(status: str, date: datetime, *, is_ever_approved: bool) -> dict[str, Any]:
    """The fields of a session with this status."""
    return {
        "title": "Advanced Python Programming",
        "description": "Learn advanced Python concepts",
        "subject": "Programming",
        "level": "advanced",
        "duration": 90,
        "max_participants": 15,
        "created_at": NOW - timedelta(days=9),
        "updated_at": NOW - timedelta(days=8),
        "approved_at": NOW - timedelta(days=8) if is_ever_approved else None,
        "reminder_due_at": compute_next_reminder_at(date, now=NOW) if status in OPEN else None,
    }


@pytest.fixture
def make_session(make_member: Callable[..., User], john: User) -> MakeSession:
    """Makes a session in a state, consistent in itself: `make_session("scheduled", participants=[jane])`.

    A session in a state that requires participants gets one by default. `requests` maps members to `pending` or
    `rejected`.
    """

    def make(
        status: str = "approved",
        *,
        creator: User | None = None,
        participants: Sequence[User] | None = None,
        requests: Mapping[User, str] | None = None,
        ever_approved: bool | None = None,
        **values: Any,
    ) -> Session:
        requests = requests or {}
        if participants is None:
            participants = [make_member()] if status in STATES_WITH_PARTICIPANTS else []
        if ever_approved is None:
            ever_approved = status in {"approved", *STATES_WITH_PARTICIPANTS} or bool(participants or requests)
        date = values.pop("date", (NOW + STARTS[status]).replace(microsecond=0))
        if isinstance(date, str):
            date = datetime.fromisoformat(date)
        session = baker.make(
            Session,
            status=status,
            creator=creator or john,
            date=date,
            participant_count=len(participants),
            waiting_count=list(requests.values()).count("pending"),
            **compute_values(status, date, is_ever_approved=ever_approved) | values,
        )
        decisions = [*((member, "approved") for member in participants), *requests.items()]
        for number, (member, decision) in enumerate(decisions):
            join(session, member, decision, after=number)
        return session

    return make


def join(session: Session, member: User, status: str, *, after: int = 0) -> BookingRequest:
    """Adds a booking request to a session whose counters already include it."""
    asked_at = NOW - timedelta(days=7) + timedelta(minutes=after)
    return baker.make(
        BookingRequest,
        session=session,
        user=member,
        status=status,
        message=f"{member.username} would like to learn this",
        requested_at=asked_at,
        decided_at=None if status == "pending" else asked_at + timedelta(hours=1),
        joined_at=asked_at + timedelta(hours=1) if status == "approved" else None,
        role="student",
    )
