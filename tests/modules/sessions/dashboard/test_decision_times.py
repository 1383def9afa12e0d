"""How long decisions take, on the dashboard."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession
from tests.modules.sessions.dashboard.conftest import INSTANT, card_of, listed
from tests.modules.sessions.portal import decide

from core.accounts.models import User
from modules.sessions.models import Session


@pytest.fixture
def make_decided(make_session: MakeSession, alice: User) -> Callable[..., Session]:
    """Makes a session that was decided after so many minutes."""

    def make(minutes: int, *, status: str = "approved", decided_at: datetime = NOW - timedelta(days=2)) -> Session:
        return make_session(
            status,
            created_at=decided_at - timedelta(minutes=minutes),
            decided_at=decided_at,
            decided_by=alice,
        )

    return make


def decision_times(client: Client) -> tuple[str, str, str]:
    return (
        card_of(client, "decided").value,
        card_of(client, "median").value,
        card_of(client, "ninetieth").value,
    )


def test_there_are_no_percentiles_without_decisions(moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")
    # Its creator was faster.
    make_session("cancelled")

    assert decision_times(moderator) == ("0", "None yet", "None yet")


def test_the_median_of_one_decision_is_its_time(moderator: Client, make_decided: Callable[..., Session]) -> None:
    make_decided(200)

    assert decision_times(moderator) == ("1", "3 hours, 20 minutes", "3 hours, 20 minutes")


def test_median_and_percentile_of_many_decisions(moderator: Client, make_decided: Callable[..., Session]) -> None:
    """The slowest decision affects neither."""
    for minutes in (50, 10, 90, 30, 70, 20, 60, 40, 5000, 80):
        make_decided(minutes)

    assert decision_times(moderator) == ("10", "50 minutes", "1 hour, 30 minutes")


def test_the_median_of_two_decisions_is_the_shorter_time(
    moderator: Client, make_decided: Callable[..., Session]
) -> None:
    make_decided(60)
    make_decided(120)

    assert decision_times(moderator) == ("2", "1 hour", "2 hours")


def test_rejections_are_decisions_too_and_each_is_counted_for_90_days(
    moderator: Client, make_decided: Callable[..., Session]
) -> None:
    decided = {
        make_decided(60, status="cancelled").pk,
        make_decided(60, status="completed", decided_at=NOW - timedelta(days=90)).pk,
    }
    make_decided(600, status="completed", decided_at=NOW - timedelta(days=90) - INSTANT)

    assert decision_times(moderator) == ("2", "1 hour", "1 hour")
    assert listed(moderator, card_of(moderator, "decided").url) == decided


def test_a_decision_in_the_portal_is_counted(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", created_at=NOW - timedelta(hours=2))

    decide(moderator, "approve", session)

    assert decision_times(moderator) == ("1", "2 hours", "2 hours")
