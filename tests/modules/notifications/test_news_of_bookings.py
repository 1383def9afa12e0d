"""Who is notified of bookings, materials and reminders, and in which words."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.notifications.facts import SESSION, TITLE, about, booking, material, reminder

from core.facts.models import FailedDelivery
from modules.notifications.events import People, PeopleOfSession
from modules.notifications.models import Notification
from modules.sessions import events


@pytest.fixture
def moderator(make_member: Any) -> Any:
    return make_member("moderator")


def test_the_creator_is_notified_of_a_booking_request(john: Any, bob: Any, news: Any) -> None:
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


def test_the_creator_is_notified_of_a_repeated_request(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequested, creator=john, member=bob), by=bob)
    news.publish(booking(events.BookingRequested, creator=john, member=bob), by=bob)

    assert [kind for kind, *_ in news.told()["john_doe"]] == ["booking_request", "booking_request"]


def test_a_requester_is_notified_of_an_approval(john: Any, bob: Any, news: Any) -> None:
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


def test_a_requester_is_notified_of_a_rejection(john: Any, bob: Any, news: Any) -> None:
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
def test_only_the_requester_is_notified_of_a_moderators_decision(
    kind: Any, john: Any, bob: Any, moderator: Any, news: Any
) -> None:
    news.publish(booking(kind, creator=john, member=bob), by=moderator)

    assert list(news.told()) == ["bob_wilson"]


def test_the_creator_is_notified_of_a_seat_left(john: Any, jane: Any, news: Any) -> None:
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


def test_a_removed_participant_is_notified(john: Any, jane: Any, moderator: Any, news: Any) -> None:
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


def test_nobody_is_notified_of_withdrawn_requests_and_changed_roles(john: Any, bob: Any, news: Any) -> None:
    news.publish(booking(events.BookingRequestWithdrawn, creator=john, member=bob), by=bob)
    news.publish(events.ParticipantRoleChanged(**about(john), member_id=bob.pk, role="tutor"), by=john)

    assert news.told() == {}


def test_all_but_the_uploader_are_notified_of_a_new_material(
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


def test_nobody_is_notified_of_a_material_if_the_people_are_unknown(
    john: Any, jane: Any, news: Any, answer: Any
) -> None:
    answer(PeopleOfSession, lambda question: None)
    news.publish(material(john), by=john)

    assert news.told() == {}
    assert not FailedDelivery.objects.filter(receiver__startswith="modules.notifications.").exists()


def test_each_person_of_a_reminder_is_notified(john: Any, jane: Any, bob: Any, news: Any) -> None:
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
