"""What calendars show has changed exactly when they are told so."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from tests.conftest import Api
from tests.modules.sessions.conftest import error_of, path

from core.facts.models import FactRecord
from core.time.icalendar import build_cancellation, build_invitation
from modules.notifications.events import SessionNowAsked
from modules.sessions.models import BookingRequest, Session
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.moderation import hide_session, show_session

Act = Callable[[Any], Any]


class Place:
    """A session with Jane in it and Bob at the door, and those who act on it."""

    def __init__(self, session: Session, *, john: Any, jane: Any, bob: Any, alice: Any, clock: Any) -> None:
        self.session, self.clock = session, clock
        self.john, self.jane, self.bob, self.alice = Api(john), Api(jane), Api(bob), Api(alice)
        self.jane_id, self.bob_id = jane.pk, bob.pk

    def edit(self, **values: Any) -> Any:
        return self.john.put(path(self.session), values)

    def act(self, api: Api, action: str, **values: Any) -> Any:
        return api.post(path(self.session, action), values or None)

    def start(self) -> None:
        self.clock.move_to(self.session.date, tick=False)
        advance_due_sessions()

    def end(self) -> None:
        self.start()
        self.clock.move_to(self.session.ends_at, tick=False)
        advance_due_sessions()

    @property
    def sequence(self) -> int:
        return Session.objects.get(pk=self.session.pk).calendar_sequence


@pytest.fixture
def place(john: Any, jane: Any, bob: Any, alice: Any, make_session: Any, clock: Any) -> Place:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"}, calendar_sequence=5)
    return Place(session, john=john, jane=jane, bob=bob, alice=alice, clock=clock)


SHOWN: dict[str, Act] = {
    "title": lambda place: place.edit(title="Knots"),
    "description": lambda place: place.edit(description="Five knots."),
    "date": lambda place: place.edit(date="2024-02-01T12:00:00Z"),
    "duration": lambda place: place.edit(duration=120),
    "all of them at once": lambda place: place.edit(
        title="Knots", description="Five.", date="2024-02-01T12:00:00Z", duration=120, level="beginner"
    ),
    "somebody is let in": lambda place: place.act(place.john, "approve_request/", user_id=place.bob_id),
    "somebody leaves": lambda place: place.act(place.jane, "leave/"),
    "somebody is removed": lambda place: place.john.delete(path(place.session, f"participants/{place.jane_id}/")),
    "its creator cancels": lambda place: place.act(place.john, "cancel/"),
    "a moderator cancels": lambda place: place.act(place.alice, "cancel/", reason="Spam."),
}

NOT_SHOWN: dict[str, Act] = {
    "subject": lambda place: place.edit(subject="Crafts"),
    "level": lambda place: place.edit(level="beginner"),
    "places": lambda place: place.edit(max_participants=20),
    "a value that it has already": lambda place: place.edit(
        title="Advanced Python Programming", duration=90, description="Learn advanced Python concepts"
    ),
    "somebody is turned down": lambda place: place.act(place.john, "reject_request/", user_id=place.bob_id),
    "somebody takes their request back": lambda place: place.act(place.bob, "leave/"),
    "somebody becomes a tutor": lambda place: place.act(
        place.john, f"participants/{place.jane_id}/role/", role="tutor"
    ),
    "it begins": lambda place: place.start(),
    "it ends": lambda place: place.end(),
}


@pytest.mark.parametrize("change", SHOWN)
def test_changes_that_calendars_show_increment_the_sequence_once(place: Place, change: str) -> None:
    SHOWN[change](place)

    assert place.sequence == 6


@pytest.mark.parametrize("change", NOT_SHOWN)
def test_other_changes_do_not_increment_the_sequence(place: Place, change: str) -> None:
    before = FactRecord.objects.count()
    NOT_SHOWN[change](place)

    assert place.sequence == 5
    # Something has happened all the same, unless there was nothing to do.
    assert (FactRecord.objects.count() > before) is (change != "a value that it has already")


def test_booking_requests_do_not_increment_the_sequence(place: Place, mallory: Any) -> None:
    place.act(Api(mallory), "join/")
    place.act(place.john, "reject_request/", user_id=mallory.pk)
    place.act(Api(mallory), "join/")

    assert place.sequence == 5
    assert BookingRequest.objects.get(user=mallory).status == "pending"


def test_an_approval_does_not_increment_the_sequence(john: Any, alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    Api(alice).put(path(session), {"status": "approved"})
    Api(john).put(path(session), {"status": "scheduled"})

    found = Session.objects.get(pk=session.pk)
    assert (found.status, found.calendar_sequence) == ("scheduled", 0)


def test_hiding_does_not_increment_the_sequence(place: Place, alice: Any) -> None:
    hide_session(session_id=place.session.pk, by=alice, reason="Spam.")
    show_session(session_id=place.session.pk, by=alice, reason="It is none.")

    assert place.sequence == 5


@pytest.mark.parametrize("state", ["pending_approval", "approved"])
def test_an_expiry_increments_the_sequence(make_session: Any, clock: Any, state: str) -> None:
    session = make_session(state)
    clock.move_to(session.date, tick=False)
    advance_due_sessions()

    found = Session.objects.get(pk=session.pk)
    assert (found.status, found.calendar_sequence) == ("expired", 1)


def test_refused_changes_do_not_increment_the_sequence(place: Place) -> None:
    error_of(place.edit(title="Knots", date="2020-01-01T12:00:00Z"), 400)
    error_of(place.act(place.bob, "approve_request/", user_id=place.bob_id), 403)
    error_of(place.act(place.john, "approve_request/", user_id=4711), 404)

    assert place.sequence == 5


# --- A whole life, mailed ---------------------------------------------------------------------------------------


class Mailbox:
    """The calendar files that one person got, each written as a mail about the session would have it then."""

    def __init__(self, person: Any, session: Session) -> None:
        self.person, self.session_id = person, session.pk
        self.got: list[tuple[str, int]] = []
        self.uids: set[str] = set()

    def receive(self, now: datetime) -> None:
        found = SessionNowAsked(session_id=self.session_id, person_id=self.person.pk).ask()
        if found is None or found.event is None:
            return
        write = build_invitation if found.is_attended else build_cancellation
        content = write(
            found.event, attendee_name=self.person.display_name, attendee_address=self.person.email, now=now
        )
        calendar = Calendar.from_ical(content)
        (event,) = calendar.walk("VEVENT")
        self.got.append((str(calendar["method"]), event.decoded("sequence")))
        self.uids.add(str(event["uid"]))

    def assert_is_understood(self) -> None:
        """A program takes the highest sequence for true, and a cancellation only where it is higher."""
        assert len(self.uids) <= 1
        for (before, sequence), (after, next_sequence) in zip(self.got, self.got[1:], strict=False):
            assert next_sequence >= sequence, self.got
            if before != after:
                assert next_sequence > sequence, self.got


FROM_APPROVAL_TO_CANCELLATION: list[Act] = [
    lambda place: place.alice.put(path(place.session), {"status": "approved"}),
    lambda place: place.act(place.jane, "join/"),
    lambda place: place.act(place.john, "approve_request/", user_id=place.jane_id),
    lambda place: place.edit(date="2024-02-01T12:00:00Z"),
    lambda place: place.act(place.jane, "leave/"),
    lambda place: place.act(place.jane, "join/"),
    lambda place: place.act(place.john, "approve_request/", user_id=place.jane_id),
    lambda place: place.act(place.john, "cancel/"),
]


def test_the_calendar_files_of_a_session_have_consistent_sequences(
    john: Any, jane: Any, bob: Any, alice: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("pending_approval")
    place = Place(session, john=john, jane=jane, bob=bob, alice=alice, clock=clock)
    boxes = {person.username: Mailbox(person, session) for person in (john, jane, bob)}

    for step in FROM_APPROVAL_TO_CANCELLATION:
        response = step(place)
        assert response.status_code in {200, 201}, response.content
        clock.shift(timedelta(minutes=1))
        for box in boxes.values():
            box.receive(session.created_at)

    assert boxes["jane_smith"].got == [
        ("REQUEST", 1),
        ("REQUEST", 2),
        ("CANCEL", 3),
        ("CANCEL", 3),
        ("REQUEST", 4),
        ("CANCEL", 5),
    ]
    assert boxes["john_doe"].got == [
        ("REQUEST", 0),
        ("REQUEST", 0),
        ("REQUEST", 1),
        ("REQUEST", 2),
        ("REQUEST", 3),
        ("REQUEST", 3),
        ("REQUEST", 4),
        ("CANCEL", 5),
    ]
    assert boxes["bob_wilson"].got == []
    for box in boxes.values():
        box.assert_is_understood()


@pytest.mark.parametrize("seed", range(8))
def test_calendar_files_are_consistent_whenever_mails_are_written(
    john: Any, jane: Any, bob: Any, alice: Any, make_session: Any, clock: Any, seed: int
) -> None:
    chance = random.Random(seed)
    session = make_session("approved")
    place = Place(session, john=john, jane=jane, bob=bob, alice=alice, clock=clock)
    boxes = [Mailbox(person, session) for person in (john, jane, bob)]

    def let_in(api: Api, person: Any) -> None:
        place.act(api, "join/")
        place.act(place.john, "approve_request/", user_id=person.pk)

    steps: list[Act] = [
        lambda place: let_in(place.jane, jane),
        lambda place: let_in(place.bob, bob),
        lambda place: place.act(chance.choice([place.jane, place.bob]), "leave/"),
        lambda place: place.john.delete(path(session, f"participants/{chance.choice([jane, bob]).pk}/")),
        lambda place: place.edit(title=f"Knots {chance.random()}"),
        lambda place: place.edit(date=f"2024-02-{chance.randint(1, 28):02}T12:00:00Z"),
        lambda place: place.edit(duration=chance.randint(15, 480), level=chance.choice(["beginner", "advanced"])),
    ]
    last: list[Act] = [
        lambda place: place.act(place.john, "cancel/"),
        lambda place: place.john.delete(path(session)),
        lambda place: place.clock.move_to(datetime.fromisoformat("2024-03-01T12:00:00Z"), tick=False),
    ]
    for step in [*(chance.choice(steps) for _ in range(30)), chance.choice(last)]:
        step(place)
        advance_due_sessions()
        for box in boxes:
            if chance.random() < 0.6:
                box.receive(session.created_at)
    for box in boxes:
        box.receive(session.created_at)

    assert len(boxes[0].got) > 10
    assert {method for box in boxes[1:] for method, _ in box.got} == {"REQUEST", "CANCEL"}
    for box in boxes:
        box.assert_is_understood()
