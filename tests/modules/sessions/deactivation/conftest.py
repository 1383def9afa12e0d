"""Deactivating a member, and the state of their sessions and requests."""

from collections.abc import Callable
from typing import Any

import pytest

from core.accounts import deactivation
from core.accounts.models import User
from core.facts.models import FactRecord
from modules.sessions.models import BookingRequest, Session

TOLD = "The account of its creator was deactivated."


Deactivate = Callable[..., None]


@pytest.fixture
def deactivate(alice: User, django_capture_on_commit_callbacks: Any) -> Deactivate:
    """Deactivates a member, by default by Alice, and runs the callbacks after the commit."""

    def act(member: User, *, by: User = alice, reason: str = "Spam", told: str = "") -> None:
        with django_capture_on_commit_callbacks(execute=True):
            deactivation.deactivate_member(member_id=member.pk, by=by, reason=reason, told=told)

    return act


def status_of(session: Session) -> str:
    return Session.objects.get(pk=session.pk).status


def requests_of(member: User) -> dict[str, str]:
    """The status of each of the member's requests, by the title of the session."""
    return dict(BookingRequest.objects.filter(user=member).values_list("session__title", "status"))


def records(name: str) -> list[FactRecord]:
    return list(FactRecord.objects.filter(name=f"sessions.{name}").order_by("pk"))
