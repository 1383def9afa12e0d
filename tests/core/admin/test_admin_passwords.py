"""Changing passwords in the admin: one's own, and a member's by a superuser."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from tests.conftest import PASSWORD, Api
from tests.portal import log_in
from unfold.forms import AdminPasswordChangeForm

from core.accounts.deactivation import deactivate_member
from core.accounts.models import User
from core.admin.members import passwords
from core.facts.models import FactRecord
from core.mail.models import Mail

OWN = "/admin/password_change/"
NEW = "teach-together"
FIELDS = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}


@pytest.fixture
def staff(make_member: Callable[..., User]) -> User:
    member = make_member("staff", is_staff=True)
    member.set_password(PASSWORD)
    member.save()
    return member


@pytest.fixture
def admin(staff: User) -> Client:
    return log_in(staff)


def facts() -> list[str]:
    return list(FactRecord.objects.order_by("pk").values_list("name", flat=True))


def test_changing_ones_password_needs_the_old_one(admin: Client) -> None:
    page = admin.get(OWN)

    assert page.status_code == 200
    assert 'name="old_password"' in page.text
    assert reverse("admin:password_change") == OWN


def test_changing_ones_password_is_mailed_and_recorded_and_ends_other_logins(admin: Client, staff: User) -> None:
    api = Api(staff)
    elsewhere = log_in(staff)

    answer = admin.post(OWN, FIELDS)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/password_change/done/")
    staff.refresh_from_db()
    assert staff.check_password(NEW)
    assert admin.get("/admin/password_change/done/").status_code == 200
    assert api.get("/api/auth/me/").status_code == 401
    assert elsewhere.get("/admin/").status_code == 302
    assert not staff.logins.filter(ended_at=None).exists()
    assert facts() == ["accounts.PasswordChanged"]
    assert list(Mail.objects.values_list("kind", "address")) == [("password_changed", staff.email)]


@pytest.mark.parametrize(
    "wrong", [{"old_password": "wrong"}, {"new_password2": "another-one"}, {"new_password1": "1", "new_password2": "1"}]
)
def test_a_rejected_change_changes_nothing(wrong: dict[str, str], admin: Client, staff: User) -> None:
    assert admin.post(OWN, {**FIELDS, **wrong}).status_code == 200

    assert User.objects.get(pk=staff.pk).check_password(PASSWORD)
    assert facts() == []


def run_before_saving(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    saved = passwords.OwnPasswordView.form_valid

    def save(self: Any, form: Any) -> Any:
        happens()
        return saved(self, form)

    monkeypatch.setattr(passwords.OwnPasswordView, "form_valid", save)


def test_a_concurrent_deactivation_is_not_overwritten(
    admin: Client, staff: User, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_before_saving(monkeypatch, lambda: deactivate_member(member_id=staff.pk, by=root, reason="Spam"))

    admin.post(OWN, FIELDS)

    assert not User.objects.get(pk=staff.pk).is_active
    assert admin.get("/admin/").status_code == 302


def test_a_concurrent_password_change_rejects_the_old_password(
    admin: Client, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change() -> None:
        other = User.objects.get(pk=staff.pk)
        other.set_password("quite-another")
        other.save()

    run_before_saving(monkeypatch, change)

    page = admin.post(OWN, FIELDS)

    assert "That is not your password." in page.text
    assert User.objects.get(pk=staff.pk).check_password("quite-another")
    assert facts() == []


@pytest.mark.django_db(transaction=True)
def test_setting_a_members_password_does_not_overwrite_a_deactivation(
    root: User, make_member: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    member, other = make_member("member"), make_member("other_boss", is_superuser=True, is_staff=True)
    done = threading.Event()

    def deactivate() -> None:
        try:
            deactivate_member(member_id=member.pk, by=other, reason="Spam")
        finally:
            done.set()
            connections.close_all()

    thread = threading.Thread(target=deactivate)
    saved = AdminPasswordChangeForm.save

    def save(self: Any, commit: bool = True) -> Any:
        thread.start()
        # The row is locked: the other waits for the end of the transaction.
        assert not done.wait(0.3)
        return saved(self, commit)

    monkeypatch.setattr(AdminPasswordChangeForm, "save", save)
    client = log_in(root)

    answer = client.post(
        reverse("admin:auth_user_password_change", args=[member.pk]),
        {"password1": NEW, "password2": NEW, "usable_password": "true"},
    )
    thread.join()

    assert answer.status_code == 302
    member.refresh_from_db()
    assert not member.is_active
    assert member.check_password(NEW)
    # Once by the password, once by the deactivation.
    assert member.token_version == 2
