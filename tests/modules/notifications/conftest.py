"""News to tell, and answers of the test's own, so that these tests need no other module."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from tests.conftest import Api

from core.accounts.models import User
from core.facts.base import Fact
from core.facts.delivery import deliver_again
from core.facts.models import FactRecord
from core.facts.publish import publish
from core.facts.registry import RECEIVERS
from modules.sessions.events import SessionApproved

NOW = datetime(2024, 1, 13, 11, 0, 0, 123456, tzinfo=UTC)

# What a member is told: type, title, message, session.
Told = tuple[str, str, str, int | None]


class News:
    """Publishes facts and reads what came of them."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock

    def publish(self, fact: Fact, *, by: User | None = None, reason: str = "") -> FactRecord:
        with transaction.atomic():
            return publish(fact, by=by, reason=reason)

    def publish_while_broken(
        self, receiver: str, fact: Fact, *, by: User | None = None, reason: str = ""
    ) -> FactRecord:
        """The receiver of this name raises; afterwards it works again."""

        def fail(*_: object) -> None:
            raise RuntimeError("The receiver is broken.")

        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(RECEIVERS, f"modules.notifications.receivers.{receiver}", fail)
            return self.publish(fact, by=by, reason=reason)

    def serve_again(self, *, after: timedelta = timedelta(minutes=2)) -> None:
        """Lets time pass and the sweep serve what is due."""
        self.clock.shift(after)
        deliver_again()

    def approve_sessions(self, creator: User, *, times: int = 1) -> None:
        """Tells a member of as many approved sessions; the sessions' ids count from 1."""
        for number in range(1, times + 1):
            self.publish(SessionApproved(session_id=number, title=f"Session {number}", creator_id=creator.pk))

    def told(self) -> dict[str, list[Told]]:
        """What every member finds in their list, the newest first; who was told nothing does not appear."""
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
