"""`load_demo_data`: a community for one machine, and never for a place that strangers reach."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from tests.conftest import PASSWORD, Api

from core.accounts.models import User
from core.facts.models import FailedDelivery
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from modules.materials.models import Material
from modules.notifications.models import Notification
from modules.sessions.models import BookingRequest, Session
from modules.sessions.states import Status

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def here(settings: Any, tmp_path: Path) -> None:
    settings.DEBUG = True
    settings.HOST = "127.0.0.1"
    options = {"location": str(tmp_path), "base_url": None}
    materials = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "materials": materials}


def load() -> None:
    call_command("load_demo_data", verbosity=0)


def test_every_list_has_something_to_show() -> None:
    load()
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


def test_it_is_told_in_the_order_of_time_and_without_a_failure() -> None:
    load()
    times = list(Notification.objects.order_by("pk").values_list("created_at", flat=True))
    assert times == sorted(times)
    assert not FailedDelivery.objects.exists()


def test_counts_agree_with_rows() -> None:
    load()
    participants = BookingRequest.objects.filter(status="approved").values_list("session", flat=True)
    counted = {session.pk: session.participant_count for session in Session.objects.filter(participant_count__gt=0)}
    assert counted == Counter(participants)


def test_the_demo_members_log_in() -> None:
    load()
    for name in ("john_doe", "jane_smith", "bob_wilson", "alice_jones", "moderator"):
        answer = Api().post("/api/auth/token/", {"username": name, "password": PASSWORD})
        assert answer.status_code == 200, name


def test_the_moderator_may_enter_the_admin_and_is_no_superuser() -> None:
    load()
    moderator = User.objects.get(username="moderator")
    assert (moderator.is_staff, moderator.is_superuser) == (True, False)
    assert moderator.has_perm("learning_sessions.moderate_session")


def test_it_is_not_loaded_where_debug_is_off(settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG is off"):
        load()
    assert not User.objects.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "learning.example"])
def test_it_is_not_loaded_where_others_reach_the_host(host: str, settings: Any) -> None:
    settings.HOST = host
    with pytest.raises(CommandError, match="well-known password"):
        load()
    assert not User.objects.exists()


def test_it_is_not_loaded_beside_real_members(john: User) -> None:
    with pytest.raises(CommandError, match="empty database"):
        load()
    assert list(User.objects.all()) == [john]


def test_its_mails_are_in_the_ledger_and_nobody_gets_them(mailoutbox: list[EmailMessage]) -> None:
    load()

    assert set(Mail.objects.values_list("status", flat=True)) == {"sent"}
    assert Mail.objects.count() > 30
    send_due_mail()
    assert mailoutbox == []
