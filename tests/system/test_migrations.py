"""Migrating backwards, and forwards again over the rows that are there."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from model_bakery import baker

from core import clock
from core.accounts.models import User
from core.facts.models import FactRecord
from modules.notifications.kinds import Kind
from modules.notifications.models import Notification, Preference
from modules.sessions.models import CalendarFeed, Session

DAY = timedelta(days=1)

KINDS = {
    "sessions.BookingRequested": Kind.BOOKING_REQUEST,
    "sessions.RequestsUndecided": Kind.BOOKING_REQUEST,
    "sessions.BookingRequestApproved": Kind.BOOKING_DECISION,
    "sessions.BookingRequestRejected": Kind.BOOKING_DECISION,
    "sessions.ParticipantRemoved": Kind.BOOKING_DECISION,
    "sessions.SessionStarted": Kind.BOOKING_DECISION,
    "sessions.SeatLeft": Kind.SEAT_LEFT,
    "sessions.SessionApproved": Kind.SESSION_DECISION,
    "sessions.SessionRejected": Kind.SESSION_DECISION,
    "sessions.SessionRescheduled": Kind.SESSION_RESCHEDULED,
    "sessions.SessionCancelled": Kind.SESSION_CANCELLED,
    "sessions.SessionExpired": Kind.SESSION_CANCELLED,
    "sessions.SessionDeleted": Kind.SESSION_CANCELLED,
    "materials.MaterialAdded": Kind.MATERIAL_ADDED,
    "materials.MaterialRemoved": Kind.MATERIAL_REMOVED,
    "sessions.ReminderDue": Kind.REMINDER,
    "sessions.SessionsWaiting": Kind.MODERATION_DIGEST,
}

Migrate = Callable[[str, str], None]


@pytest.fixture
def there_and_back(transactional_db: None) -> Iterator[Migrate]:
    """`there_and_back("notifications", "0002")`: an app goes back to that migration, and comes forward again."""

    def migrate(app: str, name: str) -> None:
        call_command("migrate", app, name, verbosity=0)
        call_command("migrate", verbosity=0)

    yield migrate
    # Whatever went wrong, the next test finds the database as it should be.
    call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
    call_command("migrate", verbosity=0)


@pytest.fixture
def sessions(transactional_db: None, john: User) -> None:
    now = clock.now()
    states = ["pending_approval", "approved", "scheduled", "ongoing", "completed", "cancelled", "expired"]
    for status in states:
        for begins in (now + 30 * DAY, now - 30 * DAY):
            is_open = status in {"approved", "scheduled"}
            baker.make(
                Session,
                status=status,
                creator=john,
                date=begins,
                duration=60,
                max_participants=5,
                level="beginner",
                approved_at=now - 40 * DAY,
                nudge_due_at=begins - DAY if is_open and begins > now else None,
                calendar_sequence=3,
            )
    baker.make(CalendarFeed, user=john, key="k" * 43, created_at=now)


@pytest.fixture
def notifications(transactional_db: None, john: User) -> None:
    for name, kind in KINDS.items():
        record = baker.make(FactRecord, name=name)
        baker.make(Notification, user=john, fact=record, kind=kind)
    baker.make(Preference, user=john, kind=Kind.REMINDER, changed_at=clock.now())


def rows(*without: str) -> dict[str, list[dict[str, Any]]]:
    return {
        model.__name__: [
            {column: value for column, value in row.items() if column not in without}
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in (Session, CalendarFeed, Notification, Preference)
    }


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("learning_sessions", "0004"),
        ("learning_sessions", "0003"),
        ("notifications", "0005"),
        ("notifications", "0004"),
        ("notifications", "0003"),
        ("notifications", "0002"),
    ],
)
def test_going_back_to_the_middle_of_a_change_and_on_again_changes_no_row(
    *, there_and_back: Migrate, sessions: None, notifications: None, app: str, name: str
) -> None:
    before = rows()

    there_and_back(app, name)

    assert rows() == before


def test_what_the_clock_and_calendars_need_is_filled_in(there_and_back: Migrate, sessions: None) -> None:
    in_calendars = ("calendar_uid", "calendar_sequence")
    before = rows(*in_calendars)["Session"]

    there_and_back("learning_sessions", "0002")

    assert rows(*in_calendars)["Session"] == before
    uids = set(Session.objects.values_list("calendar_uid", flat=True))
    assert len(uids) == len(before)
    assert all(isinstance(uid, uuid.UUID) for uid in uids)


def test_notifications_get_the_kind_of_what_they_were_told_for(there_and_back: Migrate, notifications: None) -> None:
    there_and_back("notifications", "0001")

    assert dict(Notification.objects.values_list("fact__name", "kind")) == KINDS


GIVEN = {
    ("core", "0004"): {"view_user", "deactivate_user"},
    ("learning_sessions", "0001"): {"moderate_session", "view_session", "view_bookingrequest"},
    ("materials", "0001"): {"view_material"},
}


@pytest.mark.parametrize(("app", "name"), GIVEN)
def test_moderators_of_a_database_that_was_there_before_get_their_rights(
    there_and_back: Migrate, john: User, app: str, name: str
) -> None:
    moderators = Group.objects.get(name="Moderators")
    moderators.permissions.clear()
    john.groups.add(moderators)

    there_and_back(app, name)

    theirs = Permission.objects.filter(group__user=john, content_type__app_label=app)
    assert set(theirs.values_list("codename", flat=True)) == GIVEN[app, name]
    assert not Permission.objects.filter(group__user=john).exclude(content_type__app_label=app).exists()


@pytest.mark.parametrize(("app", "name"), [("core", "0004"), ("materials", "0001")])
def test_where_the_group_was_renamed_whoever_moderates_gets_the_rights(
    there_and_back: Migrate, john: User, app: str, name: str
) -> None:
    Group.objects.filter(name="Moderators").update(name="Guardians")
    guardians = Group.objects.get(name="Guardians")
    guardians.permissions.set(Permission.objects.filter(codename="moderate_session"))
    # What migrations put there has come back with its keys, which PostgreSQL would give once more.
    helpers = Group.objects.create(pk=guardians.pk + 1, name="Helpers")
    helpers.permissions.set(Permission.objects.filter(codename__in=["moderate_session", "view_session"]))
    readers = Group.objects.create(pk=guardians.pk + 2, name="Readers")
    readers.permissions.add(Permission.objects.get(codename="view_bookingrequest"))

    there_and_back(app, name)

    for group in (guardians, helpers):
        given = group.permissions.filter(content_type__app_label=app)
        assert set(given.values_list("codename", flat=True)) == GIVEN[app, name]
    assert readers.permissions.count() == 1
    assert set(Group.objects.values_list("name", flat=True)) == {"Guardians", "Helpers", "Readers"}


def test_without_the_group_a_migration_makes_it(there_and_back: Migrate) -> None:
    Group.objects.all().delete()

    there_and_back("core", "0004")

    given = Permission.objects.filter(group__name="Moderators").values_list("codename", flat=True)
    assert set(given) == GIVEN["core", "0004"]
