"""The calendar files that come with news."""

from datetime import timedelta
from typing import Any

import pytest
from tests.modules.notifications.conftest import News
from tests.modules.notifications.post import (
    HOUR,
    START,
    Post,
    about,
    body,
    calendar_of,
    cancelled,
    event_of,
    let_in,
    moved,
    reminder,
    removed,
)

from core.accounts.models import User
from modules.sessions.events import (
    BookingRequestRejected,
    SessionDeleted,
)

pytestmark = pytest.mark.django_db


# --- Calendars --------------------------------------------------------------------------------------------------


def test_an_approved_participant_gets_an_invitation(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(let_in(john, jane), by=john)

    (mail,) = post.after_the_delay()

    assert calendar_of(mail)["METHOD"] == "REQUEST"
    event = event_of(mail)
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("uid-of-7", 3, "CONFIRMED")
    assert event["ATTENDEE"] == "mailto:jane@example.com"
    assert event["ORGANIZER"] == "mailto:noreply@localhost"


def test_a_new_start_comes_with_an_updated_invitation(
    john: User, jane: User, bob: User, news: News, post: Post, session: Any
) -> None:
    session["starts_at"] = START + timedelta(days=1)
    news.publish(moved(john, START + HOUR, jane, bob), by=john)

    mails = post.after_the_delay()

    assert {(mail.to[0], event_of(mail)["ATTENDEE"]) for mail in mails} == {
        ("jane@example.com", "mailto:jane@example.com"),
        ("bob@example.com", "mailto:bob@example.com"),
    }
    assert {event_of(mail)["DTSTART"].dt for mail in mails} == {START + timedelta(days=1)}


@pytest.mark.parametrize("fact", [cancelled, removed])
def test_a_former_participant_gets_a_cancellation(
    john: User, jane: User, news: News, post: Post, session: Any, fact: Any
) -> None:
    session.update(status="cancelled", is_attended=False)
    news.publish(fact(john, jane), by=john)

    (mail,) = post.after_the_delay()

    assert calendar_of(mail)["METHOD"] == "CANCEL"
    assert event_of(mail)["STATUS"] == "CANCELLED"


def test_members_who_never_had_the_event_get_no_file(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    session.update(in_calendars=False, is_attended=False)
    news.publish(BookingRequestRejected(**about(john), request_id=1, member_id=jane.pk), by=john)

    (mail,) = post.after_the_delay()
    assert calendar_of(mail) is None


def test_a_reminder_has_no_calendar_file(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(reminder(john, jane))

    assert [calendar_of(mail) for mail in post.at_once()] == [None]


def test_a_deleted_session_is_cancelled_in_calendars_and_not_linked(
    john: User, make_member: Any, news: News, post: Post, session: Any
) -> None:
    session.update(status="deleted", is_attended=False)
    news.publish(SessionDeleted(**about(john), requester_ids=()), by=make_member())

    (mail,) = post.at_once()

    assert mail.subject == "Session deleted: Knots"
    assert calendar_of(mail)["METHOD"] == "CANCEL"
    assert "/sessions/7" not in body(mail)
