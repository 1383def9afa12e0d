"""Migrations backwards, and forwards again with rows in the tables."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from tests.conftest import PASSWORD, Api

from core.accounts.models import User
from core.facts.models import FactRecord
from core.mail.models import Mail
from core.time import clock
from modules.materials.models import Material
from modules.notifications.kinds import Kind
from modules.notifications.models import Notification, Preference
from modules.sessions.models import BookingRequest, CalendarFeed, Session

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
def test_migrating_back_into_a_change_and_forward_again_changes_no_row(
    *, there_and_back: Migrate, sessions: None, notifications: None, app: str, name: str
) -> None:
    before = rows()

    there_and_back(app, name)

    assert rows() == before


def test_columns_for_due_transitions_and_calendars_are_filled_in(there_and_back: Migrate, sessions: None) -> None:
    in_calendars = ("calendar_uid", "calendar_sequence")
    before = rows(*in_calendars)["Session"]

    there_and_back("learning_sessions", "0002")

    assert rows(*in_calendars)["Session"] == before
    uids = set(Session.objects.values_list("calendar_uid", flat=True))
    assert len(uids) == len(before)
    assert all(isinstance(uid, uuid.UUID) for uid in uids)


def test_titles_and_subjects_are_normalized(there_and_back: Migrate, sessions: None) -> None:
    """As they are read from now on: who sends one back changes nothing, and who searches for one finds it."""
    first, second, *others = Session.objects.order_by("pk")
    decomposed = "cafe\u0301 "
    # A letter that has no composed form grows, here beyond what there is room for.
    grows = "\u0958" * 100
    Session.objects.filter(pk=first.pk).update(title=decomposed, subject=decomposed, subject_key=decomposed)
    Session.objects.filter(pk=second.pk).update(title="\u200b", subject=grows, subject_key=grows)
    material = baker.make(Material, session_id=first.pk, title=decomposed, type="note", content=decomposed)
    before = list(Session.objects.filter(pk__in=[each.pk for each in others]).order_by("pk").values())

    there_and_back("learning_sessions", "0008")
    there_and_back("materials", "0003")

    session = Session.objects.get(pk=first.pk)
    assert (session.title, session.subject, session.subject_key) == ("caf\u00e9", "caf\u00e9", "caf\u00e9")
    assert (session.updated_at, session.content_version) == (first.updated_at, first.content_version)
    assert list(Session.objects.filter(pk=second.pk).values_list("title", "subject")) == [("\u200b", grows)]
    assert list(Session.objects.filter(pk__in=[each.pk for each in others]).order_by("pk").values()) == before
    material.refresh_from_db()
    assert (material.title, material.content) == ("caf\u00e9", decomposed)


def test_pending_requests_are_counted(
    there_and_back: Migrate, sessions: None, john: User, make_member: Callable[..., User]
) -> None:
    first, second, third = (
        Session.objects.filter(status="approved").union(Session.objects.filter(status="scheduled")).order_by("id")[:3]
    )
    members = [make_member(f"asks_{number}") for number in range(3)]
    for member in members:
        BookingRequest.objects.create(session=first, user=member)
    BookingRequest.objects.create(session=second, user=members[0])
    BookingRequest.objects.create(session=second, user=members[1], status="rejected", decided_at=clock.now())
    BookingRequest.objects.create(session=third, user=members[1], status="rejected", decided_at=clock.now())
    before = list(BookingRequest.objects.order_by("pk").values())

    there_and_back("learning_sessions", "0009")

    counted = dict(Session.objects.filter(waiting_count__gt=0).values_list("pk", "waiting_count"))
    assert counted == {first.pk: 3, second.pk: 1}
    assert list(BookingRequest.objects.order_by("pk").values()) == before


def test_the_visible_title_of_a_hidden_session_is_taken_from_its_facts(there_and_back: Migrate, sessions: None) -> None:
    recorded, unrecorded, shown = Session.objects.order_by("pk")[:3]
    Session.objects.filter(pk__in=[recorded.pk, unrecorded.pk]).update(hidden_at=clock.now())
    for title in ("Before it was shown again", "As it was last visible"):
        payload = {"session_id": recorded.pk, "title": title}
        FactRecord.objects.create(
            name="sessions.SessionHidden", session_id=recorded.pk, occurred_at=clock.now(), payload=payload
        )

    there_and_back("learning_sessions", "0010")

    titles = dict(Session.objects.values_list("pk", "visible_title"))
    assert titles[recorded.pk] == "As it was last visible"
    assert titles[unrecorded.pk] == unrecorded.title
    assert titles[shown.pk] == ""


def test_notifications_get_the_kind_of_their_fact(there_and_back: Migrate, notifications: None) -> None:
    there_and_back("notifications", "0001")

    assert dict(Notification.objects.values_list("fact__name", "kind")) == KINDS


GIVEN = {
    ("core", "0004"): {"view_user", "deactivate_user"},
    ("learning_sessions", "0001"): {"moderate_session", "view_session", "view_bookingrequest"},
    ("materials", "0001"): {"view_material"},
}


@pytest.mark.parametrize(("app", "name"), GIVEN)
def test_moderators_of_an_existing_database_get_new_permissions(
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
def test_moderators_get_new_permissions_although_their_group_was_renamed(
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


def test_a_missing_group_of_moderators_is_created(there_and_back: Migrate) -> None:
    Group.objects.all().delete()

    there_and_back("core", "0004")

    given = Permission.objects.filter(group__name="Moderators").values_list("codename", flat=True)
    assert set(given) == GIVEN["core", "0004"]


# --- Addresses --------------------------------------------------------------------------------------------------

KELVIN = "\N{KELVIN SIGN}ate@example.com"
# Members as they were stored before addresses had a normal form, in the order in which they joined: user name, address
# and key, and what becomes of the two.
MEMBERS = [
    ("plain", "Plain@example.com", "plain@example.com", "Plain@example.com", "plain@example.com"),
    ("none", "", None, "", None),
    # The older one had the name in letters, the newer one already has the key that the older one gets.
    ("old", "o@bücher.example", "o@bücher.example", "o@xn--bcher-kva.example", "o@xn--bcher-kva.example"),
    ("new", "O@xn--bcher-kva.example", "o@xn--bcher-kva.example", "O@xn--bcher-kva.example", None),
    # The other way about, and a third.
    ("encoded", "e@xn--bcher-kva.example", "e@xn--bcher-kva.example", "e@xn--bcher-kva.example", ...),
    ("letters", "e@bücher.example", "e@bücher.example", "e@bücher.example", None),
    ("dotted", "e@bücher。example", "e@bücher。example", "e@bücher。example", None),
    # What was the key of another domain becomes its own.
    ("sharp", "r@fuß.example", "r@fuss.example", "r@xn--fu-hia.example", "r@xn--fu-hia.example"),
    # What mail cannot be sent to.
    ("kate", KELVIN, "kate@example.com", KELVIN, None),
    ("snow", "s@☃.example", "s@☃.example", "s@☃.example", None),
    # What mail can be sent to all the same, though nobody gets such an address any more.
    ("number", "N@[127.0.0.1]", "n@[127.0.0.1]", "N@[127.0.0.1]", "n@[127.0.0.1]"),
]


@pytest.fixture
def with_old_addresses(transactional_db: None) -> list[User]:
    now = clock.now()
    members = [
        # The keys of the rows are in another order: who joined first counts.
        User(pk=1000 - number, username=name, username_key=name, email=address, email_key=key, password="!")
        for number, (name, address, key, *_) in enumerate(MEMBERS)
    ]
    for number, member in enumerate(members):
        member.date_joined = now + number * DAY
    User.objects.bulk_create(members)
    return members


def test_addresses_are_normalized_and_the_oldest_of_equal_accounts_keeps_it(
    there_and_back: Migrate, with_old_addresses: list[User]
) -> None:
    there_and_back("core", "0005")

    found = dict(User.objects.values_list("username", "email"))
    assert found == {name: address for name, _, _, address, _ in MEMBERS}
    keys = dict(User.objects.values_list("username", "email_key"))
    for name, address, before, _, after in MEMBERS:
        if after is None and address:
            assert keys[name].startswith("@")
        else:
            assert keys[name] == (before if after is ... else after)


def test_normalizing_addresses_is_idempotent(there_and_back: Migrate, with_old_addresses: list[User]) -> None:
    there_and_back("core", "0005")
    before = list(User.objects.order_by("pk").values())

    there_and_back("core", "0005")

    assert list(User.objects.order_by("pk").values()) == before


def test_waiting_mails_get_the_normalized_address(there_and_back: Migrate, transactional_db: None) -> None:
    for address in ("r@fuß.example", "s@☃.example", "plain@Example.com"):
        baker.make(Mail, kind="password_reset", address=address)

    there_and_back("core", "0005")

    assert list(Mail.objects.order_by("pk").values_list("address", flat=True)) == [
        "r@xn--fu-hia.example",
        "s@☃.example",
        "plain@Example.com",
    ]


def test_a_check_names_accounts_that_lost_their_address(
    there_and_back: Migrate, with_old_addresses: list[User]
) -> None:
    assert run_checks(databases=["default"], tags=["database"]) == []

    there_and_back("core", "0005")

    found = {str(message.id): message.msg for message in run_checks(databases=["default"], tags=["database"])}
    assert found == {
        "core.W001": "The mailbox of an older account is the address of "
        '"dotted" (id 994) (the older is "encoded" (id 996)), '
        '"letters" (id 995) (the older is "encoded" (id 996)), '
        '"new" (id 997) (the older is "old" (id 998)).',
        "core.W002": 'No mail can be sent to the address of "snow" (id 991), "kate" (id 992).',
    }
    # Nobody's database is asked unasked.
    assert not [message for message in run_checks() if str(message.id).startswith("core.W")]


def test_an_account_that_lost_its_address_logs_in_by_its_user_name(
    there_and_back: Migrate, with_old_addresses: list[User]
) -> None:
    there_and_back("core", "0005")
    new = User.objects.get(username="new")
    new.set_password(PASSWORD)
    # The whole row, as the admin writes it.
    new.save()

    def status(username: str) -> int:
        return int(Api().post("/api/auth/token/", {"username": username, "password": PASSWORD}).status_code)

    assert (status("new"), status("o@bücher.example"), status("O@xn--bcher-kva.example")) == (200, 401, 401)
    new.refresh_from_db()
    assert new.email == "O@xn--bcher-kva.example"
    with pytest.raises(ValidationError):
        new.full_clean()

    new.email = "new@example.com"
    new.save()

    assert status("new@example.com") == 200
    assert '"new"' not in str(run_checks(databases=["default"], tags=["database"]))


def test_an_account_gets_its_address_back_once_the_older_one_has_another(
    there_and_back: Migrate, with_old_addresses: list[User]
) -> None:
    there_and_back("core", "0005")
    old, new = User.objects.get(username="old"), User.objects.get(username="new")
    old.email = "old@example.com"
    old.save()

    with CaptureQueriesContext(connection) as queries:
        found = {str(message.id): message.msg for message in run_checks(databases=["default"], tags=["database"])}
    assert found["core.W003"] == 'Nobody else has the address of "new" (id 997) any more.'
    assert '"new"' not in found["core.W001"] + found["core.W002"]
    # What is there, who is set aside, and who has their mailboxes.
    assert len([query for query in queries if "email_key" in query["sql"]]) == 2

    new.full_clean()
    new.save()

    assert User.objects.get_by_natural_key("o@bücher.example") == new
    assert "core.W003" not in str(run_checks(databases=["default"], tags=["database"]))
