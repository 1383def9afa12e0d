"""The admin of core for superusers."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from tests.conftest import PASSWORD, Api
from tests.portal import log_in

from core.accounts.events import ProfileChanged
from core.accounts.models import Login, User
from core.facts.base import Delivery
from core.facts.delivery import deliver
from core.facts.models import FactRecord, FailedDelivery
from core.facts.publish import publish
from core.facts.registry import RECEIVERS
from core.mail.models import Mail
from core.mail.services import enqueue_mail

RECORDS = ("factrecord", "faileddelivery", "mail", "login")


@pytest.fixture
def rows(john: User, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A row of each model."""

    def fail(fact: Any, delivery: Delivery) -> None:
        raise ValueError("no ear for this")

    monkeypatch.setitem(RECEIVERS, "tests.ear", fail)
    fact = ProfileChanged(member_id=john.pk)
    record = publish(fact, by=john, changes={"first_name": ("John", "Johnny")})
    deliver(
        "tests.ear",
        fact,
        Delivery(fact_id=record.pk, occurred_at=record.occurred_at, actor_id=john.pk, reason="", is_retry=False),
    )
    enqueue_mail(kind="welcome", address=john.email, user=john)
    Login.objects.create(user=john, user_agent="Firefox on a bicycle")
    return {"factrecord": record.pk}


def page(model: str, view: str, *args: Any) -> str:
    return reverse(f"admin:core_{model}_{view}", args=args)


@pytest.mark.parametrize("model", ["user", *RECORDS])
def test_superusers_see_all_lists_and_rows(admin: Client, rows: Any, model: str) -> None:
    from django.apps import apps

    row = apps.get_model("core", model)._default_manager.order_by("pk").last()
    assert row is not None

    assert admin.get(page(model, "changelist")).status_code == 200
    assert admin.get(page(model, "changelist"), {"q": "john"}).status_code == 200
    assert admin.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", RECORDS)
def test_records_are_read_only(admin: Client, rows: Any, model: str) -> None:
    from django.apps import apps

    records = apps.get_model("core", model)._default_manager
    before = list(records.values())
    key = before[-1]["id"]

    assert admin.get(page(model, "add")).status_code == 403
    assert admin.post(page(model, "add"), {}).status_code == 403
    assert admin.post(page(model, "change", key), {"reason": "forged", "kind": "forged"}).status_code == 403
    assert admin.post(page(model, "delete", key), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [key], "post": "yes"}
    admin.post(page(model, "changelist"), action)
    assert list(records.values()) == before


@pytest.mark.parametrize("model", RECORDS)
def test_the_lists_need_permissions(rows: Any, john: User, model: str) -> None:
    User.objects.filter(pk=john.pk).update(is_staff=True)
    john.groups.set(Group.objects.all())
    client = log_in(john)

    assert client.get(page(model, "changelist")).status_code == 403


def test_members_without_staff_rights_cannot_enter(john: User) -> None:
    client = log_in(john)

    assert client.get(page("user", "changelist")).status_code == 302


def change(admin: Client, user: User, **values: Any) -> Any:
    form = {
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "timezone": user.timezone,
        **values,
    }
    return admin.post(page("user", "edit", user.pk), form)


@pytest.mark.parametrize("is_active", [True, False])
def test_the_form_does_not_change_is_active(admin: Client, john: User, is_active: bool) -> None:
    User.objects.filter(pk=john.pk).update(is_active=is_active)

    assert 'name="is_active"' not in admin.get(page("user", "edit", john.pk)).content.decode()
    assert change(admin, john, **({} if is_active else {"is_active": "on"})).status_code == 302

    assert User.objects.get(pk=john.pk).is_active == is_active
    assert facts() == []


def test_changing_the_profile_ends_no_login(admin: Client, john: User) -> None:
    api = Api(john)

    assert change(admin, john, first_name="Johnny").status_code == 302

    assert api.get("/api/auth/me/").json()["first_name"] == "Johnny"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("username", "JANE_SMITH", "This user name is taken."),
        ("email", "JANE@example.com", "This address has an account."),
        ("username", "john@home", "A user name contains no @."),
        ("timezone", "Europe/Nowhere", "Not a time zone of the IANA database"),
    ],
)
def test_the_form_reports_violated_constraints(
    admin: Client, john: User, jane: User, field: str, value: str, message: str
) -> None:
    answer = change(admin, john, **{field: value})

    assert answer.status_code == 200
    assert message in answer.content.decode()


def test_setting_a_password_ends_all_logins_and_mails_the_member(admin: Client, john: User, root: User) -> None:
    api = Api(john)

    answer = admin.post(
        reverse("admin:auth_user_password_change", args=[john.pk]),
        {"password1": "teach-together", "password2": "teach-together", "usable_password": "true"},
    )

    assert answer.status_code == 302
    assert User.objects.get(pk=john.pk).check_password("teach-together")
    assert api.get("/api/auth/me/").status_code == 401
    assert not john.logins.filter(ended_at=None).exists()
    assert facts() == [("accounts.PasswordChanged", john.pk, root.pk, {})]
    assert list(Mail.objects.values_list("kind", "address")) == [("password_changed", john.email)]


def test_a_rejected_password_changes_nothing(admin: Client, john: User) -> None:
    api = Api(john)

    answer = admin.post(
        reverse("admin:auth_user_password_change", args=[john.pk]),
        {"password1": "teach-together", "password2": "another-one", "usable_password": "true"},
    )

    assert answer.status_code == 200
    assert api.get("/api/auth/me/").status_code == 200
    assert facts() == []


def test_a_changed_address_is_recorded_and_mailed_to_the_old_one(admin: Client, john: User, root: User) -> None:
    assert change(admin, john, email="new@example.com").status_code == 302

    addresses = {"email": ["john@example.com", "new@example.com"]}
    assert facts() == [("accounts.AddressChanged", john.pk, root.pk, addresses)]
    assert list(Mail.objects.values_list("kind", "address")) == [("address_changed", "john@example.com")]


def test_changed_names_and_rights_are_recorded(admin: Client, john: User, root: User) -> None:
    moderators = Group.objects.create(name="Gardeners")

    answer = change(admin, john, last_name="Roe", timezone="Europe/Berlin", is_staff="on", groups=[moderators.pk])

    assert answer.status_code == 302
    assert facts() == [
        (
            "accounts.ProfileChanged",
            john.pk,
            root.pk,
            {"last_name": ["Doe", "Roe"], "timezone": ["UTC", "Europe/Berlin"]},
        ),
        ("accounts.RightsChanged", john.pk, root.pk, {"is_staff": [False, True]}),
        ("accounts.RightsChanged", john.pk, root.pk, {"groups": [[], ["Gardeners"]]}),
    ]


def test_an_unchanged_form_publishes_nothing(admin: Client, john: User) -> None:
    assert change(admin, john).status_code == 302

    assert facts() == []


def test_an_admin_session_ends_with_the_logins(admin: Client, root: User) -> None:
    assert admin.get("/admin/").status_code == 200

    Api(root).post("/api/auth/logout/everywhere/")

    assert admin.get("/admin/").status_code == 302


def facts() -> list[tuple[str, int, int, dict[str, Any]]]:
    """The facts, with member, actor and changes."""
    return list(FactRecord.objects.order_by("pk").values_list("name", "member_id", "actor_id", "changes"))


def test_a_member_can_be_added(admin: Client, client: Client, root: User) -> None:
    answer = admin.post(
        page("user", "add"),
        {
            "username": "new",
            "email": "new@example.com",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )

    assert answer.status_code == 302
    assert facts() == [("accounts.MemberRegistered", User.objects.get(username="new").pk, root.pk, {})]
    credentials = {"username": "NEW@example.com", "password": PASSWORD}
    assert client.post("/api/auth/token/", credentials, "application/json").status_code == 200


def test_members_cannot_be_deleted(admin: Client, john: User) -> None:
    assert admin.post(page("user", "delete", john.pk), {"post": "yes"}).status_code == 403
    admin.post(page("user", "changelist"), {"action": "delete_selected", "_selected_action": [john.pk], "post": "yes"})

    assert User.objects.filter(pk=john.pk).exists()


def test_a_failed_delivery_can_be_retried(
    admin: Client, rows: Any, john: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []
    failure = FailedDelivery.objects.get()
    action = {"action": "deliver_now", "_selected_action": [failure.pk]}

    answer = admin.post(page("faileddelivery", "changelist"), action, follow=True)
    assert "1 could still not be delivered." in answer.content.decode()
    monkeypatch.setitem(RECEIVERS, "tests.ear", lambda fact, delivery: served.append(fact))
    answer = admin.post(page("faileddelivery", "changelist"), action, follow=True)

    assert "1 delivered." in answer.content.decode()
    assert served == [ProfileChanged(member_id=john.pk)]


def test_the_url_names_of_all_models_resolve(admin: Client, root: User) -> None:
    answer = admin.get("/admin/")

    assert answer.status_code == 200
    for model in ("user", *RECORDS):
        assert page(model, "changelist") in answer.content.decode()
