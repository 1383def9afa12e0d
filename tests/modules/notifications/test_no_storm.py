"""Mails are debounced, merged and deduplicated, whatever happens to a session."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.modules.notifications.conftest import NOW, News
from tests.modules.notifications.post import (
    DELAY,
    HOUR,
    MINUTE,
    START,
    Post,
    about,
    body,
    cancelled,
    let_in,
    moved,
    reminder,
    requested,
)

from core.accounts.models import User
from core.mail.models import Mail
from modules.notifications.events import StillHolds
from modules.notifications.letters import list_news
from modules.notifications.models import Notification
from modules.sessions.events import (
    BookingRequestRejected,
    ReminderDue,
    SessionApproved,
    SessionRescheduled,
)

pytestmark = pytest.mark.django_db


# --- No storm ---------------------------------------------------------------------------------------------------


def test_mail_is_delayed_for_more_news_of_its_session(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(moved(john, START + MINUTE, jane), by=john)
    post.clock.shift(DELAY - timedelta(seconds=1))
    assert post.at_once() == []

    post.clock.shift(timedelta(seconds=1))
    assert len(post.at_once()) == 1


def test_several_changes_within_a_short_time_become_one_mail(
    john: User, jane: User, bob: User, news: News, post: Post, answer: Any, session: Any
) -> None:
    dates = [START + MINUTE * number for number in range(5)]
    for date in dates:
        news.publish(moved(john, date, jane, bob), by=john)
        post.clock.shift(timedelta(seconds=20))
        assert post.at_once() == []
    answer(StillHolds, lambda question: question.fact.date == dates[-1])

    mails = post.after_the_delay()

    assert sorted(mail.to[0] for mail in mails) == ["bob@example.com", "jane@example.com"]
    for mail in mails:
        assert mail.subject == "Session rescheduled: Knots"
        assert body(mail).count("has been moved to") == 1
        assert "Knots has been moved to Monday, 15 January 2024 at 19:04 (UTC)." in body(mail)
    assert post.after_the_delay() == []


def test_the_first_news_determines_when_the_mail_is_sent(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    """More news does not extend the delay."""
    for number in range(12):
        news.publish(moved(john, START + MINUTE * number, jane), by=john)
        post.clock.shift(timedelta(seconds=10))

    assert len(post.at_once()) == 1


def test_news_of_different_kinds_is_merged_into_one_mail(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(let_in(john, jane), by=john)
    news.publish(moved(john, START + HOUR, jane), by=john)

    (mail,) = post.after_the_delay()

    assert mail.subject == "What is new: Knots"
    text = body(mail)
    assert text.index("has been approved") < text.index("has been moved to")
    assert "Decisions on your requests to join, New times of your sessions." in text


def test_different_sessions_make_different_mails(john: User, news: News, post: Post, session: Any) -> None:
    news.approve_sessions(john, times=2)

    assert len(post.after_the_delay()) == 2


def test_later_news_makes_another_mail(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(let_in(john, jane), by=john)
    assert len(post.after_the_delay()) == 1
    news.publish(moved(john, START + HOUR, jane), by=john)
    (mail,) = post.after_the_delay()

    assert "has been approved" not in body(mail)


def test_a_cancellation_is_sent_at_once_with_the_waiting_news(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(let_in(john, jane), by=john)
    session.update(status="cancelled", is_attended=False)
    news.publish(cancelled(john, jane), by=john, reason="I am ill.")

    (mail,) = post.at_once()

    assert mail.subject == "Session cancelled: Knots"
    assert "Knots has been cancelled. Reason: I am ill." in body(mail)
    assert "has been approved" not in body(mail)
    assert post.after_the_delay() == []


def test_a_reminder_is_sent_at_once(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(reminder(john, jane))

    assert [mail.to for mail in post.at_once()] == [["jane@example.com"]]


def test_news_that_no_longer_holds_is_omitted(
    john: User, jane: User, news: News, post: Post, session: Any, answer: Any
) -> None:
    news.publish(requested(john, jane), by=jane)
    answer(StillHolds, lambda question: False)

    assert post.after_the_delay() == []
    assert Mail.objects.get().status == "dropped"
    assert Notification.objects.count() == 1


def test_ten_requests_make_one_mail_to_the_creator(
    john: User, make_member: Any, news: News, post: Post, session: Any
) -> None:
    for number in range(10):
        member = make_member(first_name=f"Member{number}", last_name="M")
        news.publish(requested(john, member), by=member)

    (mail,) = post.after_the_delay()

    assert mail.subject == "New booking request for Knots"
    assert [f"Member{number} M wants to join your session." in body(mail) for number in range(10)] == [True] * 10


def test_a_delayed_reminder_has_the_time_that_is_left(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    post.clock.move_to(START - timedelta(hours=24), tick=False)
    news.publish(reminder(john, jane))
    post.clock.shift(timedelta(hours=3))

    mail = next(mail for mail in post.at_once() if mail.to == [jane.email])
    assert "Knots starts in 21 hours." in body(mail)
    assert "24 hours" not in body(mail)


# --- What is not said twice, nor for ever -----------------------------------------------------------------------


def test_a_start_that_is_moved_back_is_no_news(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    later = START + timedelta(hours=1)
    news.publish(moved(john, later, jane), by=john)
    back = SessionRescheduled(
        **about(john), date=START, previous_date=later, participant_ids=(jane.pk,), requester_ids=()
    )
    news.publish(back, by=john)

    assert post.after_the_delay() == []
    assert Mail.objects.get().status == "dropped"
    assert len(news.told()["jane_smith"]) == 2


def test_only_the_last_of_several_waiting_reminders_is_sent(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(reminder(john, jane))
    news.publish(ReminderDue(**about(john), date=START, minutes_before=60, minutes_left=60, person_ids=(jane.pk,)))

    (mail,) = post.at_once()

    assert body(mail).count("Knots starts in") == 1
    assert "Knots starts in 1 hour." in body(mail)


def test_equal_sentences_are_deduplicated(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    rejected = BookingRequestRejected(**about(john), request_id=1, member_id=jane.pk)
    for _ in range(2):
        news.publish(rejected, by=john)

    (mail,) = post.after_the_delay()

    assert body(mail).count("has been rejected") == 1


def test_the_length_of_a_mail_is_limited(john: User, make_member: Any, news: News, post: Post, session: Any) -> None:
    for number in range(30):
        member = make_member(first_name=f"Member{number}", last_name="M")
        news.publish(requested(john, member), by=member)

    (mail,) = post.after_the_delay()

    assert body(mail).count("wants to join your session.") == 20
    assert "And 10 more." in body(mail)


def test_writing_a_mail_takes_a_constant_number_of_queries(
    john: User, make_member: Any, news: News, post: Post, session: Any
) -> None:
    def queries(number: int) -> int:
        for _ in range(number):
            member = make_member()
            news.publish(requested(john, member), by=member)
        with CaptureQueriesContext(connection) as captured:
            assert len(post.after_the_delay()) == 1
        return len(captured)

    assert queries(2) == queries(30)


def test_the_news_of_a_mail_is_found_by_an_index(john: User, news: News, session: Any) -> None:
    record = news.publish(SessionApproved(**about(john)))
    people = User.objects.bulk_create(User(username=f"m{number}", username_key=f"m{number}") for number in range(2000))
    Mail.objects.bulk_create(Mail(kind="news", address="m@example.com", user=person) for person in people)
    mails = Mail.objects.filter(user__in=people)
    Notification.objects.bulk_create(
        Notification(
            fact=record,
            user=mail.user,
            mail=mail,
            kind="reminder",
            type="general",
            title="",
            message="",
            created_at=NOW,
        )
        for mail in mails.select_related("user")
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    plan = list_news(mails.latest("pk")).explain()

    assert "Seq Scan on notifications_notification" not in plan
    assert "SCAN notifications_notification" not in plan


def test_a_new_start_within_an_hour_is_mailed_at_once(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(moved(john, NOW + timedelta(minutes=50), jane), by=john)

    assert [mail.to for mail in post.at_once()] == [["jane@example.com"]]
