"""The digest for moderators: sessions that wait, and how a digest is read."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.modules.sessions.conftest import NOW

from core.facts.models import FactRecord
from modules.sessions.models import Session
from modules.sessions.services.digest import publish_digest

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


Told = Callable[[timedelta], list[str]]


@pytest.fixture
def waits(make_session: Any) -> Any:
    """`waits("Knots", begins=DAY)`: a session that has waited for days and begins a day from now."""

    def make(title: str, *, begins: timedelta = timedelta(days=30), **values: Any) -> Session:
        session: Session = make_session("pending_approval", title=title, date=NOW + begins, **values)
        return session

    return make


@pytest.fixture
def told(clock: Any, alice: Any) -> Told:
    """`told(HOUR)`: the sessions that a digest names if the worker runs an hour from NOW; empty without a digest."""

    def look(after: timedelta) -> list[str]:
        clock.move_to(NOW + after, tick=False)
        before = digests().count()
        count = publish_digest()
        new = digests()[before:]
        assert len(new) == (1 if count else 0)
        return [session["title"] for digest in new for session in digest.payload["sessions"]]

    return look


def digests() -> Any:
    return FactRecord.objects.filter(name="sessions.SessionsWaiting").order_by("pk")
