"""Retries of failed deliveries: notifications are late, but written once, and only if the fact still holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conftest import Api
from tests.modules.notifications.conftest import NOW

from core.facts.models import FailedDelivery
from core.mail.models import Mail
from modules.materials.events import MaterialAdded
from modules.notifications.events import People, PeopleOfSession, StillHolds
from modules.notifications.models import Notification
from modules.sessions import events

SESSION = 7
TITLE = "Advanced Python Programming"


def cancelled(creator: Any, *participants: Any) -> events.SessionCancelled:
    return events.SessionCancelled(
        session_id=SESSION,
        title=TITLE,
        creator_id=creator.pk,
        participant_ids=tuple(member.pk for member in participants),
        requester_ids=(),
    )


def reminder(creator: Any, *, start: datetime) -> events.ReminderDue:
    return events.ReminderDue(
        session_id=SESSION,
        title=TITLE,
        creator_id=creator.pk,
        date=start,
        minutes_before=60,
        minutes_left=60,
        person_ids=(creator.pk,),
    )


def everything_holds(question: StillHolds) -> bool:
    return True


def test_a_failing_receiver_does_not_fail_the_publisher(john: Any, jane: Any, news: Any) -> None:
    record = news.publish_while_broken("tell_of_cancellation", cancelled(john, jane), by=john)

    assert news.told() == {}
    failure = FailedDelivery.objects.get(fact=record, receiver__startswith="modules.notifications.")
    assert failure.receiver == "modules.notifications.receivers.tell_of_cancellation"


def test_a_missed_notification_is_written_once_on_a_retry(john: Any, jane: Any, news: Any, answer: Any) -> None:
    answer(StillHolds, everything_holds)
    news.publish_while_broken("tell_of_cancellation", cancelled(john, jane), by=john, reason="I am ill.")
    news.serve_again()
    news.serve_again()

    assert news.told() == {
        "jane_smith": [
            (
                "session_update",
                "Session cancelled: Advanced Python Programming",
                "Advanced Python Programming has been cancelled. Reason: I am ill.",
                SESSION,
            )
        ]
    }
    assert not FailedDelivery.objects.filter(delivered_at=None).exists()


def test_a_late_notification_has_the_time_of_the_retry(john: Any, jane: Any, news: Any, answer: Any) -> None:
    answer(StillHolds, everything_holds)
    news.publish_while_broken("tell_of_cancellation", cancelled(john, jane), by=john)
    news.serve_again(after=timedelta(minutes=5))

    [row] = Api(jane).get("/api/notifications/").json()
    assert row["created_at"] == "2024-01-13T11:05:00Z"


def test_members_notified_before_the_failure_are_not_notified_again(
    john: Any, jane: Any, bob: Any, news: Any, answer: Any
) -> None:
    answer(StillHolds, everything_holds)
    record = news.publish_while_broken("tell_of_cancellation", cancelled(john, jane, bob), by=john)
    Notification.objects.create(
        fact=record,
        user=jane,
        type="session_update",
        kind="session_cancelled",
        title="Told",
        message="Before.",
        created_at=NOW,
    )
    news.serve_again()

    assert list(Notification.objects.filter(user=jane).values_list("message", flat=True)) == ["Before."]
    assert Notification.objects.filter(user=bob).count() == 1
    assert not Mail.objects.filter(user=jane).exists()


def test_a_fact_that_no_longer_holds_is_not_notified(john: Any, jane: Any, bob: Any, news: Any, answer: Any) -> None:
    fact = cancelled(john, jane, bob)
    answer(StillHolds, lambda question: question.fact == fact and question.person_id != jane.pk)
    news.publish_while_broken("tell_of_cancellation", fact, by=john)
    news.serve_again()

    assert list(news.told()) == ["bob_wilson"]
    assert not FailedDelivery.objects.filter(delivered_at=None).exists()


def test_still_holds_is_not_asked_for_the_actor(john: Any, jane: Any, news: Any, answer: Any) -> None:
    asked = []

    def note(question: StillHolds) -> bool:
        asked.append(question.person_id)
        return True

    answer(StillHolds, note)
    news.publish_while_broken("tell_of_cancellation", cancelled(john, jane), by=john)
    news.serve_again()

    assert asked == [jane.pk]


def test_still_holds_is_not_asked_on_the_first_delivery(john: Any, jane: Any, news: Any, answer: Any) -> None:
    answer(StillHolds, lambda question: False)
    news.publish(cancelled(john, jane), by=john)

    assert list(news.told()) == ["jane_smith"]


def test_a_fact_holds_by_default(john: Any, jane: Any, news: Any, answer: Any) -> None:
    answer(StillHolds, lambda question: None)
    news.publish_while_broken("tell_of_cancellation", cancelled(john, jane), by=john)
    news.serve_again()

    assert list(news.told()) == ["jane_smith"]


def test_a_late_notification_of_a_deleted_session_has_no_link(john: Any, jane: Any, news: Any, answer: Any) -> None:
    answer(StillHolds, everything_holds)
    news.publish_while_broken("tell_of_cancellation", cancelled(john, jane), by=john)
    news.publish(events.SessionDeleted(session_id=SESSION, title=TITLE, creator_id=john.pk, requester_ids=()), by=john)
    news.serve_again()

    [(*_, session)] = news.told()["jane_smith"]
    assert session is None


def test_a_late_deletion_still_removes_the_links(john: Any, jane: Any, news: Any) -> None:
    news.publish(cancelled(john, jane), by=john)
    news.publish_while_broken(
        "let_go_of_session",
        events.SessionDeleted(session_id=SESSION, title=TITLE, creator_id=john.pk, requester_ids=()),
        by=john,
    )
    news.serve_again()

    [(*_, session)] = news.told()["jane_smith"]
    assert session is None


def test_late_news_of_a_material_goes_to_the_current_participants(
    john: Any, jane: Any, bob: Any, news: Any, answer: Any
) -> None:
    answer(StillHolds, everything_holds)
    fact = MaterialAdded(material_id=5, session_id=SESSION, title="Slides", uploader_id=john.pk)
    answer(PeopleOfSession, lambda _: People(title=TITLE, creator_id=john.pk, participant_ids=(jane.pk,)))
    news.publish_while_broken("tell_of_material", fact, by=john)
    answer(PeopleOfSession, lambda _: People(title="Renamed", creator_id=john.pk, participant_ids=(bob.pk,)))
    news.serve_again()

    assert news.told() == {
        "bob_wilson": [("session_update", "New material for Renamed", 'John Doe has added "Slides".', SESSION)]
    }


def test_a_late_reminder_has_the_time_that_is_left(john: Any, news: Any, answer: Any) -> None:
    answer(StillHolds, everything_holds)
    news.publish_while_broken("remind", reminder(john, start=datetime(2024, 1, 13, 12, 0, tzinfo=UTC)))
    news.serve_again(after=timedelta(minutes=25))

    [(_, _, message, _)] = news.told()["john_doe"]
    assert message == "Advanced Python Programming starts in 34 minutes."


def test_no_reminder_is_sent_after_the_start(john: Any, news: Any, answer: Any) -> None:
    answer(StillHolds, everything_holds)
    news.publish_while_broken("remind", reminder(john, start=NOW + timedelta(minutes=60)))
    news.serve_again(after=timedelta(minutes=60))

    assert news.told() == {}
    assert not FailedDelivery.objects.filter(delivered_at=None).exists()
