"""The backlog of moderators on the dashboard."""

from datetime import timedelta

from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession
from tests.modules.sessions.dashboard.conftest import INSTANT, card_of, listed
from tests.modules.sessions.portal import page


def test_waiting_sessions_are_counted_until_they_start(moderator: Client, make_session: MakeSession) -> None:
    waiting = {
        make_session("pending_approval", date=NOW + timedelta(days=3)).pk,
        make_session("pending_approval", date=NOW + INSTANT).pk,
    }
    make_session("pending_approval", date=NOW)
    make_session("approved")
    make_session("cancelled")

    card = card_of(moderator, "waiting")

    assert card.value == "2"
    assert listed(moderator, card.url) == waiting


def test_undecided_sessions_that_start_within_24_hours_are_counted(
    moderator: Client, make_session: MakeSession
) -> None:
    soon = {make_session("pending_approval", date=NOW + timedelta(hours=24)).pk}
    make_session("pending_approval", date=NOW + timedelta(hours=24) + INSTANT)
    make_session("approved", date=NOW + timedelta(hours=3))

    card = card_of(moderator, "starting-soon")

    assert (card.value, card.tone) == ("1", "warning")
    assert listed(moderator, card.url) == soon


def test_there_is_no_warning_if_nothing_starts_soon(moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")

    card = card_of(moderator, "starting-soon")

    assert (card.value, card.tone) == ("0", "calm")


def test_sessions_edited_since_their_approval_are_counted(moderator: Client, make_session: MakeSession) -> None:
    edited = {make_session("scheduled", second_look_since=NOW - timedelta(hours=1)).pk}
    make_session("scheduled")

    card = card_of(moderator, "edited")

    assert card.value == "1"
    assert listed(moderator, card.url) == edited


def test_the_longest_wait_is_that_of_the_session_offered_first(moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval", title="Younger", created_at=NOW - timedelta(hours=1))
    oldest = make_session("pending_approval", title="Oldest", created_at=NOW - timedelta(hours=3, minutes=20))
    make_session("pending_approval", title="Too late", created_at=NOW - timedelta(days=9), date=NOW)
    make_session("approved", title="Decided", created_at=NOW - timedelta(days=9))

    card = card_of(moderator, "longest-wait")

    assert (card.value, card.note, card.url) == ("3 hours, 20 minutes", "Oldest", page(oldest))
    assert moderator.get(card.url).status_code == 200


def test_there_is_no_longest_wait_if_nothing_waits(moderator: Client, make_session: MakeSession) -> None:
    make_session("approved")

    card = card_of(moderator, "longest-wait")

    assert (card.value, card.note, card.url) == ("None", "Nothing waits", "")
