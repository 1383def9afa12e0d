"""Who is notified of what happens to a session, in which words, and that nobody is notified twice."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.modules.notifications.conftest import NOW
from tests.modules.notifications.facts import (
    SESSION,
    START,
    TITLE,
    about,
    booking,
    cancelled,
    material,
    reminder,
    rescheduled,
)

from core.facts.base import Delivery
from core.facts.registry import RECEIVERS
from modules.notifications.events import People, PeopleOfSession
from modules.notifications.models import Notification
from modules.sessions import events


@pytest.fixture
def moderator(make_member: Any) -> Any:
    return make_member("moderator")


def test_the_creator_is_notified_of_an_approval(john: Any, moderator: Any, news: Any) -> None:
    news.publish(events.SessionApproved(**about(john)), by=moderator)

    assert news.told() == {
        "john_doe": [
            (
                "session_update",
                "Session approved: Advanced Python Programming",
                "Your session Advanced Python Programming has been approved.",
                SESSION,
            )
        ]
    }


def test_a_superuser_is_not_notified_of_approving_their_own_session(make_member: Any, news: Any) -> None:
    superuser = make_member(is_superuser=True)
    news.publish(events.SessionApproved(**about(superuser)), by=superuser)

    assert news.told() == {}


def test_the_creator_is_notified_of_a_rejection_with_its_reason(john: Any, moderator: Any, news: Any) -> None:
    news.publish(events.SessionRejected(**about(john)), by=moderator, reason="Say what you will teach.")

    assert news.told() == {
        "john_doe": [
            (
                "session_update",
                "Session rejected: Advanced Python Programming",
                "Your session Advanced Python Programming has been rejected. Reason: Say what you will teach.",
                SESSION,
            )
        ]
    }


def test_everyone_is_notified_of_a_new_start_in_their_time_zone(
    john: Any, jane: Any, bob: Any, make_member: Any, news: Any
) -> None:
    for member, zone in [(john, "Europe/Berlin"), (jane, "America/New_York"), (bob, "Asia/Kolkata")]:
        member.timezone = zone
        member.save(update_fields=["timezone"])
    alice = make_member("alice_jones")
    news.publish(rescheduled(john, participants=[jane, alice], requesters=[bob]), by=john)

    def moved_to(when: str) -> list[Any]:
        return [
            (
                "session_update",
                "Session rescheduled: Advanced Python Programming",
                f"Advanced Python Programming has been moved to {when}.",
                SESSION,
            )
        ]

    assert news.told() == {
        "jane_smith": moved_to("Monday, 15 January 2024 at 14:00 (America/New_York)"),
        "alice_jones": moved_to("Monday, 15 January 2024 at 19:00 (UTC)"),
        "bob_wilson": moved_to("Tuesday, 16 January 2024 at 00:30 (Asia/Kolkata)"),
    }


def test_the_creator_is_notified_of_a_new_start_set_by_a_moderator(
    john: Any, jane: Any, moderator: Any, news: Any
) -> None:
    news.publish(rescheduled(john, participants=[jane]), by=moderator)

    assert list(news.told()) == ["john_doe", "jane_smith"]


@pytest.mark.parametrize("zone", ["Atlantis/Capital", "", "../etc/passwd", "America"])
def test_an_invalid_time_zone_does_not_prevent_a_notification(
    zone: str, john: Any, jane: Any, bob: Any, news: Any
) -> None:
    jane.timezone = zone
    jane.save(update_fields=["timezone"])
    news.publish(rescheduled(john, participants=[jane, bob]), by=john)

    told = news.told()
    assert told["jane_smith"] == told["bob_wilson"]
    assert "19:00 (UTC)" in told["jane_smith"][0][2]


def test_everyone_is_notified_once_of_a_cancellation(john: Any, jane: Any, bob: Any, news: Any) -> None:
    news.publish(cancelled(john, participants=[jane], requesters=[bob]), by=john)

    told = [
        (
            "session_update",
            "Session cancelled: Advanced Python Programming",
            "Advanced Python Programming has been cancelled.",
            SESSION,
        )
    ]
    assert news.told() == {"jane_smith": told, "bob_wilson": told}


def test_the_creator_is_notified_of_a_moderators_cancellation_with_its_reason(
    john: Any, moderator: Any, news: Any
) -> None:
    news.publish(cancelled(john), by=moderator, reason="  It advertises a shop.\n")

    [(_, _, message, _)] = news.told()["john_doe"]
    assert message == "Advanced Python Programming has been cancelled. Reason: It advertises a shop."


def test_a_member_in_two_audiences_is_notified_once(john: Any, jane: Any, moderator: Any, news: Any) -> None:
    news.publish(cancelled(john, participants=[jane, jane, john], requesters=[jane]), by=moderator)

    assert {name: len(news) for name, news in news.told().items()} == {"john_doe": 1, "jane_smith": 1}


@pytest.mark.parametrize(
    ("why", "because"),
    [
        ("undecided", "it was not approved before its start"),
        ("nobody_in", "nobody was in when it was due to start"),
    ],
)
def test_creator_and_requesters_are_notified_of_an_expiry_with_its_cause(
    why: Any, because: str, john: Any, bob: Any, news: Any
) -> None:
    news.publish(events.SessionExpired(**about(john), why=why, requester_ids=(bob.pk,)))

    told = [
        (
            "session_update",
            "Session expired: Advanced Python Programming",
            f"Advanced Python Programming has expired because {because}.",
            SESSION,
        )
    ]
    assert news.told() == {"john_doe": told, "bob_wilson": told}


def test_requesters_who_are_rejected_at_the_start_are_notified(john: Any, bob: Any, jane: Any, news: Any) -> None:
    news.publish(events.SessionStarted(**about(john), requester_ids=(bob.pk,)))

    assert news.told() == {
        "bob_wilson": [
            (
                "session_update",
                "Booking request rejected for Advanced Python Programming",
                "Your request to join Advanced Python Programming has been rejected because the session has started.",
                SESSION,
            )
        ]
    }


def test_requesters_are_notified_of_a_deletion_as_a_cancellation(john: Any, bob: Any, news: Any) -> None:
    news.publish(events.SessionDeleted(**about(john), requester_ids=(bob.pk,)), by=john)

    assert news.told() == {
        "bob_wilson": [
            (
                "session_update",
                "Session cancelled: Advanced Python Programming",
                "Advanced Python Programming has been cancelled.",
                None,
            )
        ]
    }


def test_the_creator_is_notified_of_a_moderators_deletion(john: Any, moderator: Any, news: Any) -> None:
    news.publish(events.SessionDeleted(**about(john), requester_ids=()), by=moderator, reason="Spam.")

    assert news.told() == {
        "john_doe": [
            (
                "session_update",
                "Session deleted: Advanced Python Programming",
                "Your session Advanced Python Programming has been deleted. Reason: Spam.",
                None,
            )
        ]
    }


def test_notifications_of_a_deleted_session_lose_their_link(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequested, creator=john, member=bob), by=bob)
    other = events.SessionApproved(session_id=SESSION + 1, title="Another", creator_id=john.pk)
    news.publish(other)
    news.publish(events.SessionDeleted(**about(john), requester_ids=()), by=john)

    assert [(title, session) for _, title, _, session in news.told()["john_doe"]] == [
        ("Session approved: Another", SESSION + 1),
        ("New booking request for Advanced Python Programming", None),
    ]


def test_nobody_is_notified_of_facts_without_a_rule(john: Any, news: Any) -> None:
    news.publish(events.SessionOffered(**about(john), date=START), by=john)
    news.publish(events.SessionEdited(**about(john), second_look=True), by=john)
    news.publish(events.SessionScheduled(**about(john)))
    news.publish(events.SessionCompleted(**about(john)))
    news.publish(events.SessionHidden(**about(john)))
    news.publish(events.SessionShown(**about(john)))
    news.publish(events.SecondLookTaken(**about(john)))

    assert news.told() == {}


def test_a_second_delivery_notifies_nobody_twice(john: Any, jane: Any, bob: Any, news: Any) -> None:
    fact = cancelled(john, participants=[jane], requesters=[bob])
    record = news.publish(fact, by=john)
    before = news.told()
    Notification.objects.filter(user=bob).delete()

    delivery = Delivery(fact_id=record.pk, occurred_at=NOW, actor_id=john.pk, reason="", is_retry=False)
    RECEIVERS["modules.notifications.receivers.tell_of_cancellation"](fact, delivery)

    assert news.told() == before


def test_a_deleted_account_is_skipped(john: Any, jane: Any, make_member: Any, news: Any) -> None:
    gone = make_member("gone")
    gone_id = gone.pk
    gone.delete()
    gone.pk = gone_id
    news.publish(cancelled(john, participants=[jane, gone]), by=john)
    news.publish(booking(events.SeatLeft, creator=john, member=gone))

    connection.check_constraints()
    told = news.told()
    assert list(told) == ["john_doe", "jane_smith"]
    assert told["john_doe"][0][2] == "Somebody has left your session."


def test_a_notification_points_to_the_fact_that_caused_it(john: Any, bob: Any, news: Any) -> None:
    record = news.publish(booking(events.BookingRequestApproved, creator=john, member=bob), by=john)

    assert Notification.objects.get().fact == record


def test_the_longest_title_fits(john: Any, bob: Any, news: Any) -> None:
    title = "Ü" * 200
    news.publish(
        events.BookingRequestApproved(
            session_id=SESSION, title=title, creator_id=john.pk, request_id=1, member_id=bob.pk
        ),
        by=john,
    )

    assert news.told()["bob_wilson"][0][1] == f"Booking request approved for {title}"


@pytest.mark.parametrize("kind", ["rescheduled", "cancelled", "material", "reminder"])
def test_the_number_of_queries_does_not_grow_with_the_number_of_people(
    kind: str, john: Any, make_member: Any, news: Any, answer: Any
) -> None:
    members = [make_member() for _ in range(40)]

    def fact_for(people: list[Any]) -> Any:
        if kind == "material":
            ids = tuple(person.pk for person in people)
            answer(PeopleOfSession, lambda _: People(title=TITLE, creator_id=john.pk, participant_ids=ids))
            return material(john)
        if kind == "reminder":
            return reminder(john, *people)
        kinds = {"rescheduled": rescheduled, "cancelled": cancelled}
        return kinds[kind](john, participants=people[1:], requesters=people[:1])

    counts = []
    for size in (2, 40):
        fact = fact_for(members[:size])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            news.publish(fact, by=None if kind == "reminder" else john)
        counts.append(len(queries))

    assert Notification.objects.count() == 42
    assert counts[0] == counts[1]
