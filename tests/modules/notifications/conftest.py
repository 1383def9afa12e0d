"""Facts to publish and answers to questions, so that these tests need no other module."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from tests.conftest import Api
from tests.modules.notifications.post import NOW, START, Post

from core.accounts.models import User
from core.facts.base import Fact
from core.facts.delivery import retry_failed_deliveries
from core.facts.models import FactRecord
from core.facts.publish import publish
from core.facts.registry import RECEIVERS
from core.time.icalendar import CalendarEvent
from modules.notifications.events import SessionNow, SessionNowAsked, StillHolds
from modules.sessions.events import SessionApproved

# Of a notification: type, title, message, session.
Told = tuple[str, str, str, int | None]


class News:
    """Publishes facts and reads the notifications."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock

    def publish(self, fact: Fact, *, by: User | None = None, reason: str = "") -> FactRecord:
        with transaction.atomic():
            return publish(fact, by=by, reason=reason)

    def publish_while_broken(
        self, receiver: str, fact: Fact, *, by: User | None = None, reason: str = ""
    ) -> FactRecord:
        """Let the receiver of this name raise within the block."""

        def fail(*_: object) -> None:
            raise RuntimeError("The receiver is broken.")

        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(RECEIVERS, f"modules.notifications.receivers.{receiver}", fail)
            return self.publish(fact, by=by, reason=reason)

    def serve_again(self, *, after: timedelta = timedelta(minutes=2)) -> None:
        """Let time pass and the periodic job retry due deliveries."""
        self.clock.shift(after)
        retry_failed_deliveries()

    def approve_sessions(self, creator: User, *, times: int = 1) -> None:
        """Notify a member of this many approved sessions, with ids from 1."""
        for number in range(1, times + 1):
            self.publish(SessionApproved(session_id=number, title=f"Session {number}", creator_id=creator.pk))

    def told(self) -> dict[str, list[Told]]:
        """The notifications of every member who has any, the newest first."""
        told = {}
        for member in User.objects.order_by("pk"):
            rows = Api(member).get("/api/notifications/").json()
            if rows:
                told[member.username] = [(row["type"], row["title"], row["message"], row["session"]) for row in rows]
        return told


@pytest.fixture
def news(db: None, time_machine: Any) -> News:
    time_machine.move_to(NOW, tick=False)
    return News(time_machine)


@pytest.fixture
def post(news: News, time_machine: Any, mailoutbox: list[EmailMessage]) -> Post:
    return Post(time_machine, mailoutbox)


@pytest.fixture
def everything_holds(answer: Any) -> None:
    answer(StillHolds, lambda question: True)


@pytest.fixture
def session(answer: Any, everything_holds: None) -> dict[str, Any]:
    """The state of session 7 for everybody; a test may change it."""
    state: dict[str, Any] = {
        "title": "Knots",
        "status": "scheduled",
        "starts_at": START,
        "is_attended": True,
        "in_calendars": True,
        "is_visible": True,
    }

    def tell(question: SessionNowAsked) -> SessionNow | None:
        if question.session_id != 7:
            return None
        event = CalendarEvent(
            uid="uid-of-7",
            sequence=3,
            starts_at=state["starts_at"],
            ends_at=state["starts_at"] + timedelta(minutes=90),
            summary=state["title"],
            description="Five knots.",
            url="http://localhost:3000/sessions/7",
            organizer="John Doe",
            changed_at=NOW,
            is_cancelled=not state["is_attended"],
        )
        return SessionNow(
            title=state["title"],
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            status=state["status"],
            event=event if state["in_calendars"] else None,
            is_attended=state["is_attended"],
            is_visible=state["is_visible"],
        )

    answer(SessionNowAsked, tell)
    return state
