"""Who is told what, and who is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.modules.notifications.conftest import NOW

from core.facts.base import Delivery
from core.facts.models import FailedDelivery
from core.facts.registry import RECEIVERS
from core.time import clock
from modules.materials.events import MaterialAdded
from modules.notifications.events import People, PeopleOfSession
from modules.notifications.models import Notification
from modules.sessions import events

SESSION = 7
TITLE = "Advanced Python Programming"
START = datetime(2024, 1, 15, 19, 0, tzinfo=UTC)


@pytest.fixture
def moderator(make_member: Any) -> Any:
    return make_member("moderator")


def about(creator: Any) -> dict[str, Any]:
    return {"session_id": SESSION, "title": TITLE, "creator_id": creator.pk}


def booking(kind: Any, *, creator: Any, member: Any) -> Any:
    when = {"requested_at": clock.now()} if kind is events.BookingRequested else {}
    return kind(**about(creator), request_id=11, member_id=member.pk, **when)


# --- Booking ----------------------------------------------------------------------------------------------------


def test_a_booking_request_is_told_to_the_creator_as_documented(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequested, creator=john, member=bob), by=bob)

    assert Api(john).get("/api/notifications/").json() == [
        {
            "id": Notification.objects.get().pk,
            "user": john.pk,
            "title": "New booking request for Advanced Python Programming",
            "message": "Bob Wilson wants to join your session.",
            "type": "booking_request",
            "session": SESSION,
            "read": False,
            "created_at": "2024-01-13T11:00:00Z",
        }
    ]
    assert Api(bob).get("/api/notifications/").json() == []


def test_a_member_without_a_name_is_called_by_their_user_name(john: Any, make_member: Any, news: Any) -> None:
    nameless = make_member("nameless", first_name=" ", last_name="")
    news.publish(booking(events.BookingRequested, creator=john, member=nameless), by=nameless)

    [(_, _, message, _)] = news.told()["john_doe"]
    assert message == "nameless wants to join your session."


def test_asking_again_after_a_rejection_is_told_again(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequested, creator=john, member=bob), by=bob)
    news.publish(booking(events.BookingRequested, creator=john, member=bob), by=bob)

    assert [kind for kind, *_ in news.told()["john_doe"]] == ["booking_request", "booking_request"]


def test_an_approved_request_is_told_to_its_member(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequestApproved, creator=john, member=bob), by=john)

    assert news.told() == {
        "bob_wilson": [
            (
                "session_update",
                "Booking request approved for Advanced Python Programming",
                "Your request to join Advanced Python Programming has been approved.",
                SESSION,
            )
        ]
    }


def test_a_rejected_request_is_told_to_its_member(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequestRejected, creator=john, member=bob), by=john)

    assert news.told() == {
        "bob_wilson": [
            (
                "session_update",
                "Booking request rejected for Advanced Python Programming",
                "Your request to join Advanced Python Programming has been rejected.",
                SESSION,
            )
        ]
    }


@pytest.mark.parametrize("kind", [events.BookingRequestApproved, events.BookingRequestRejected])
def test_a_request_that_a_moderator_decided_is_told_to_its_member_alone(
    kind: Any, john: Any, bob: Any, moderator: Any, news: Any
) -> None:
    news.publish(booking(kind, creator=john, member=bob), by=moderator)

    assert list(news.told()) == ["bob_wilson"]


def test_a_seat_left_is_told_to_the_creator(john: Any, jane: Any, news: Any) -> None:
    news.publish(booking(events.SeatLeft, creator=john, member=jane), by=jane)

    assert news.told() == {
        "john_doe": [
            (
                "session_update",
                "Seat free again for Advanced Python Programming",
                "Jane Smith has left your session.",
                SESSION,
            )
        ]
    }


def test_a_removal_is_told_to_the_one_removed(john: Any, jane: Any, moderator: Any, news: Any) -> None:
    news.publish(booking(events.ParticipantRemoved, creator=john, member=jane), by=moderator)

    assert news.told() == {
        "jane_smith": [
            (
                "session_update",
                "Participation ended for Advanced Python Programming",
                "You have been removed from Advanced Python Programming.",
                SESSION,
            )
        ]
    }


def test_a_withdrawn_request_and_a_changed_role_are_told_to_nobody(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequestWithdrawn, creator=john, member=bob), by=bob)
    news.publish(events.ParticipantRoleChanged(**about(john), member_id=bob.pk, role="tutor"), by=john)

    assert news.told() == {}


# --- A session's life -------------------------------------------------------------------------------------------


def test_an_approved_session_is_told_to_its_creator(john: Any, moderator: Any, news: Any) -> None:
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


def test_a_superuser_who_approves_their_own_session_is_told_nothing(make_member: Any, news: Any) -> None:
    superuser = make_member(is_superuser=True)
    news.publish(events.SessionApproved(**about(superuser)), by=superuser)

    assert news.told() == {}


def test_a_rejected_session_is_told_to_its_creator_with_the_reason(john: Any, moderator: Any, news: Any) -> None:
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


def rescheduled(creator: Any, *, participants: Any = (), requesters: Any = ()) -> Any:
    return events.SessionRescheduled(
        **about(creator),
        date=START,
        previous_date=START - timedelta(days=1),
        participant_ids=tuple(member.pk for member in participants),
        requester_ids=tuple(member.pk for member in requesters),
    )


def test_a_new_date_is_told_to_everyone_in_it_in_their_own_time(
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


def test_a_date_moved_by_a_moderator_is_told_to_the_creator_too(
    john: Any, jane: Any, moderator: Any, news: Any
) -> None:
    news.publish(rescheduled(john, participants=[jane]), by=moderator)

    assert list(news.told()) == ["john_doe", "jane_smith"]


@pytest.mark.parametrize("zone", ["Atlantis/Capital", "", "../etc/passwd", "America"])
def test_a_zone_that_does_not_exist_costs_nobody_the_news(zone: str, john: Any, jane: Any, bob: Any, news: Any) -> None:
    jane.timezone = zone
    jane.save(update_fields=["timezone"])
    news.publish(rescheduled(john, participants=[jane, bob]), by=john)

    told = news.told()
    assert told["jane_smith"] == told["bob_wilson"]
    assert "19:00 (UTC)" in told["jane_smith"][0][2]


def cancelled(creator: Any, *, participants: Any = (), requesters: Any = ()) -> Any:
    return events.SessionCancelled(
        **about(creator),
        participant_ids=tuple(member.pk for member in participants),
        requester_ids=tuple(member.pk for member in requesters),
    )


def test_a_cancellation_is_told_once_to_everyone_in_it(john: Any, jane: Any, bob: Any, news: Any) -> None:
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


def test_a_cancellation_by_a_moderator_is_told_to_the_creator_with_the_reason(
    john: Any, moderator: Any, news: Any
) -> None:
    news.publish(cancelled(john), by=moderator, reason="  It advertises a shop.\n")

    [(_, _, message, _)] = news.told()["john_doe"]
    assert message == "Advanced Python Programming has been cancelled. Reason: It advertises a shop."


def test_somebody_named_twice_is_told_once(john: Any, jane: Any, moderator: Any, news: Any) -> None:
    news.publish(cancelled(john, participants=[jane, jane, john], requesters=[jane]), by=moderator)

    assert {name: len(news) for name, news in news.told().items()} == {"john_doe": 1, "jane_smith": 1}


@pytest.mark.parametrize(
    ("why", "because"),
    [
        ("undecided", "it was not approved before its start"),
        ("nobody_in", "nobody was in when it was due to start"),
    ],
)
def test_an_expiry_is_told_to_the_creator_and_the_requesters_with_the_cause(
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


def test_the_start_is_told_to_those_whose_requests_it_rejected(john: Any, bob: Any, jane: Any, news: Any) -> None:
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


def test_a_deleted_session_is_cancelled_for_those_who_had_asked(john: Any, bob: Any, news: Any) -> None:
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


def test_a_session_deleted_by_a_moderator_is_told_to_its_creator(john: Any, moderator: Any, news: Any) -> None:
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


def test_what_was_told_of_a_deleted_session_stays_without_its_link(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequested, creator=john, member=bob), by=bob)
    other = events.SessionApproved(session_id=SESSION + 1, title="Another", creator_id=john.pk)
    news.publish(other)
    news.publish(events.SessionDeleted(**about(john), requester_ids=()), by=john)

    assert [(title, session) for _, title, _, session in news.told()["john_doe"]] == [
        ("Session approved: Another", SESSION + 1),
        ("New booking request for Advanced Python Programming", None),
    ]


def test_what_concerns_no_person_is_told_to_nobody(john: Any, news: Any) -> None:
    news.publish(events.SessionOffered(**about(john), date=START), by=john)
    news.publish(events.SessionEdited(**about(john), second_look=True), by=john)
    news.publish(events.SessionScheduled(**about(john)))
    news.publish(events.SessionCompleted(**about(john)))
    news.publish(events.SessionHidden(**about(john)))
    news.publish(events.SessionShown(**about(john)))
    news.publish(events.SecondLookTaken(**about(john)))

    assert news.told() == {}


# --- Materials and reminders ------------------------------------------------------------------------------------


def material(uploader: Any) -> MaterialAdded:
    return MaterialAdded(material_id=5, session_id=SESSION, title="Python Basics PDF", uploader_id=uploader.pk)


def test_new_material_is_told_to_everyone_in_the_session_but_its_uploader(
    john: Any, jane: Any, bob: Any, news: Any, answer: Any
) -> None:
    answer(
        PeopleOfSession,
        lambda question: (
            People(title=TITLE, creator_id=john.pk, participant_ids=(jane.pk, bob.pk))
            if question.session_id == SESSION
            else None
        ),
    )
    news.publish(material(jane), by=jane)

    told = [
        (
            "session_update",
            "New material for Advanced Python Programming",
            'Jane Smith has added "Python Basics PDF".',
            SESSION,
        )
    ]
    assert news.told() == {"john_doe": told, "bob_wilson": told}


def test_new_material_is_told_to_nobody_where_nobody_knows_the_people(
    john: Any, jane: Any, news: Any, answer: Any
) -> None:
    answer(PeopleOfSession, lambda question: None)
    news.publish(material(john), by=john)

    assert news.told() == {}
    assert not FailedDelivery.objects.filter(receiver__startswith="modules.notifications.").exists()


def reminder(creator: Any, *people: Any, before: int = 1440, left: int = 1440, start: datetime = START) -> Any:
    return events.ReminderDue(
        **about(creator),
        date=start,
        minutes_before=before,
        minutes_left=left,
        person_ids=tuple(person.pk for person in people),
    )


def test_a_reminder_is_told_to_each_person_it_names(john: Any, jane: Any, bob: Any, news: Any) -> None:
    news.publish(reminder(john, john, jane))

    told = [
        (
            "reminder",
            "Reminder for Advanced Python Programming",
            "Advanced Python Programming starts in 24 hours.",
            SESSION,
        )
    ]
    assert news.told() == {"john_doe": told, "jane_smith": told}


# --- Nobody left behind, nobody told twice ----------------------------------------------------------------------


def test_the_second_delivery_of_a_fact_tells_nobody_twice(john: Any, jane: Any, bob: Any, news: Any) -> None:
    fact = cancelled(john, participants=[jane], requesters=[bob])
    record = news.publish(fact, by=john)
    before = news.told()
    Notification.objects.filter(user=bob).delete()

    delivery = Delivery(fact_id=record.pk, occurred_at=NOW, actor_id=john.pk, reason="", is_retry=False)
    RECEIVERS["modules.notifications.receivers.tell_of_cancellation"](fact, delivery)

    assert news.told() == before


def test_an_account_that_is_gone_breaks_nothing(john: Any, jane: Any, make_member: Any, news: Any) -> None:
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
