"""`load_demo_data` creates a small community."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from tests.conftest import PASSWORD, Api

from core.accounts.models import User
from core.facts.models import FailedDelivery
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from modules.materials.models import Material
from modules.notifications.models import Notification
from modules.sessions.models import BookingRequest, Session
from modules.sessions.queries.evidence import find_clashes
from modules.sessions.queries.statistics import Outcome, compute_statistics, count_backlog
from modules.sessions.states import Status

pytestmark = [pytest.mark.system, pytest.mark.django_db]


@pytest.fixture(scope="module")
def once(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The demo is loaded for all tests that look at it, and gone after them: a story takes its time."""
    options = {"location": str(tmp_path_factory.mktemp("materials"))}
    materials = {"BACKEND": "core.storages.local.LocalStorage", "OPTIONS": options}
    storages = {**settings.STORAGES, "materials_local": materials}
    here = override_settings(DEBUG=True, HOST="127.0.0.1", STORAGES=storages)
    with django_db_blocker.unblock(), transaction.atomic(), here:
        call_command("load_demo_data", verbosity=0)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def loaded(once: None, db: None) -> None:
    """The demo as it was loaded: what a test changes is taken back after it."""


def test_every_list_has_something_to_show(loaded: None) -> None:
    assert set(Session.objects.values_list("status", flat=True)) == set(Status.values)
    assert set(BookingRequest.objects.values_list("status", flat=True)) == {"pending", "approved", "rejected"}
    assert set(Material.objects.values_list("type", flat=True)) == {"file", "link", "note"}
    assert Session.objects.filter(second_look_since__isnull=False).exists()
    john = User.objects.get(username="john_doe")
    api = Api(john)
    assert api.get("/api/sessions/").json()["count"] > 0
    mine = api.get("/api/sessions/my_sessions/").json()
    assert mine["created"]
    assert mine["joined"]
    notifications = api.get("/api/notifications/").json()
    assert {notification["read"] for notification in notifications} == {True, False}


def test_its_facts_are_in_the_order_of_time_without_failed_deliveries(loaded: None) -> None:
    times = list(Notification.objects.order_by("pk").values_list("created_at", flat=True))
    assert times == sorted(times)
    assert not FailedDelivery.objects.exists()


def test_stored_counts_match_the_rows(loaded: None) -> None:
    participants = BookingRequest.objects.filter(status="approved").values_list("session", flat=True)
    counted = {session.pk: session.participant_count for session in Session.objects.filter(participant_count__gt=0)}
    assert counted == Counter(participants)


def test_the_demo_members_log_in(loaded: None) -> None:
    for name in ("john_doe", "jane_smith", "bob_wilson", "alice_jones", "moderator"):
        answer = Api().post("/api/auth/token/", {"username": name, "password": PASSWORD})
        assert answer.status_code == 200, name


def test_the_moderator_is_staff_and_no_superuser(loaded: None) -> None:
    moderator = User.objects.get(username="moderator")
    assert (moderator.is_staff, moderator.is_superuser) == (True, False)
    assert moderator.has_perm("learning_sessions.moderate_session")


def test_its_mails_are_in_the_delivery_log_and_are_not_sent(loaded: None, mailoutbox: list[EmailMessage]) -> None:
    assert set(Mail.objects.values_list("status", flat=True)) == {"sent"}
    assert Mail.objects.count() > 30
    send_due_mail()
    assert mailoutbox == []


def test_the_dashboard_has_data(loaded: None) -> None:
    weeks = compute_statistics().weeks
    together = {outcome: sum(week.sessions[outcome] for week in weeks) for outcome in Outcome}
    backlog = count_backlog()

    assert all(together.values())
    assert sum(bool(week.seats) for week in weeks) > 9
    assert (backlog.waiting, backlog.starting_soon, backlog.edited) == (4, 1, 1)


def test_a_waiting_session_clashes_with_another_of_its_creator(loaded: None) -> None:
    waiting = list(Session.objects.filter(status=Status.PENDING_APPROVAL))

    found = find_clashes(waiting)

    assert [session.title for session in waiting if found[session.pk]] == ["Regular Expressions"]
