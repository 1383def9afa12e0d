"""Constraints of the database."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.deletion import ProtectedError
from tests.modules.sessions.conftest import NOW

from modules.sessions.models import BookingRequest, Reminder, Session


@pytest.fixture
def scheduled(jane: Any, bob: Any, mallory: Any, make_session: Any) -> Session:
    session: Session = make_session(
        "scheduled", participants=[jane], requests={bob: "pending", mallory: "rejected"}, max_participants=2
    )
    return session


@pytest.mark.parametrize(
    "wrong",
    [
        {"participant_count": 3},
        {"participant_count": F("max_participants") + 1},
        {"participant_count": -1},
        {"max_participants": 1},
        {"max_participants": 51},
        {"duration": 14},
        {"duration": 481},
        {"ends_at": F("date")},
        {"status": "open"},
        {"status": ""},
        {"level": "expert"},
        {"title": ""},
        {"subject": ""},
        {"description": ""},
        {"approved_at": None},
        {"status": "approved", "approved_at": None},
        {"status": "ongoing", "approved_at": None},
        {"status": "completed", "approved_at": None},
        {"creator": None},
        {"date": None},
        {"moves_at": None},
        {"status": "cancelled"},
        {"status": "ongoing", "reminder_due_at": NOW},
        {"status": "pending_approval", "reminder_due_at": None, "nudge_due_at": NOW},
        {"status": "cancelled", "moves_at": None, "reminder_due_at": NOW},
        {"calendar_uid": None},
        {"calendar_sequence": -1},
    ],
    ids=str,
)
def test_invalid_sessions_are_refused(scheduled: Session, wrong: dict[str, Any]) -> None:
    before = Session.objects.values().get()

    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.filter(pk=scheduled.pk).update(**wrong)
    assert Session.objects.values().get() == before


def test_seats_cannot_go_below_the_participants(make_member: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[make_member() for _ in range(3)])

    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(max_participants=2)


@pytest.mark.parametrize(
    ("of", "wrong"),
    [
        ("approved", {"joined_at": None}),
        ("approved", {"status": "pending"}),
        ("approved", {"status": "rejected"}),
        ("approved", {"role": "owner"}),
        ("pending", {"status": "approved"}),
        ("pending", {"joined_at": NOW}),
        ("pending", {"role": "tutor"}),
        ("rejected", {"joined_at": NOW}),
        ("rejected", {"role": "tutor"}),
        ("pending", {"status": "waiting"}),
        ("pending", {"status": ""}),
        ("pending", {"user": None}),
        ("pending", {"session": None}),
    ],
    ids=str,
)
def test_invalid_booking_requests_are_refused(scheduled: Session, of: str, wrong: dict[str, Any]) -> None:
    before = list(BookingRequest.objects.order_by("pk").values())

    with pytest.raises(IntegrityError), transaction.atomic():
        BookingRequest.objects.filter(status=of).update(**wrong)
    assert list(BookingRequest.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("status", ["pending", "rejected", "approved"])
def test_a_member_has_one_request_in_a_session(
    scheduled: Session, jane: Any, bob: Any, mallory: Any, status: str
) -> None:
    for member in (jane, bob, mallory):
        with pytest.raises(IntegrityError), transaction.atomic():
            BookingRequest.objects.create(
                session=scheduled, user=member, status=status, joined_at=NOW if status == "approved" else None
            )
    assert BookingRequest.objects.count() == 3


def test_a_member_can_have_requests_in_several_sessions(scheduled: Session, jane: Any, make_session: Any) -> None:
    make_session("approved", requests={jane: "pending"})

    assert BookingRequest.objects.filter(user=jane).count() == 2


def test_a_reminder_of_a_start_is_unique(scheduled: Session, jane: Any) -> None:
    values = {"session": scheduled, "user": jane, "minutes_before": 60, "starts_at": scheduled.date}
    Reminder.objects.create(**values)

    with pytest.raises(IntegrityError), transaction.atomic():
        Reminder.objects.create(**values)
    Reminder.objects.create(**values | {"starts_at": scheduled.date + timedelta(days=1)})
    Reminder.objects.create(**values | {"minutes_before": 1440})


def test_members_with_sessions_or_requests_cannot_be_deleted(scheduled: Session, john: Any, jane: Any) -> None:
    for member in (john, jane):
        with pytest.raises(ProtectedError):
            member.delete()
