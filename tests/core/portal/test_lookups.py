"""What the address of a list may ask for: what it shows, or what links of our own ask for, and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from tests.core.portal.conftest import export_of, list_of
from tests.core.portal.rows import member
from tests.core.portal.test_query_counts import LABELS, model_admin_of

from core.accounts.models import User

# What leads to what it is no business of anybody's to find out letter by letter.
SECRETS = [
    ("core.user", "password__startswith"),
    ("core.user", "token_version__gte"),
    ("core.user", "email_key__startswith"),
    ("core.login", "user__password__startswith"),
    ("core.mail", "user__password__startswith"),
    ("core.factrecord", "payload__contains"),
    ("core.faileddelivery", "fact__payload__contains"),
]


@pytest.mark.parametrize(("label", "lookup"), SECRETS)
def test_what_a_list_does_not_show_cannot_be_asked_for(admin: Client, label: str, lookup: str, unlogged: None) -> None:
    assert admin.get(list_of(label, **{lookup: "1"})).status_code == 400
    assert admin.post(export_of(label, "csv", **{lookup: "1"})).status_code == 400


@pytest.mark.parametrize("label", LABELS)
def test_no_field_can_be_asked_for_but_those_that_are_shown(admin: Client, label: str, unlogged: None) -> None:
    model_admin = model_admin_of(label)
    shown = {*_shown(admin.get(list_of(label)).context["cl"]), "id"}
    names = [field.name for field in model_admin.model._meta.concrete_fields if not field.is_relation]

    for name in names:
        status = admin.get(list_of(label, **{f"{name}__isnull": "1"})).status_code
        assert (status == 400) == (name not in shown), (name, status)


def _shown(change_list: Any) -> Iterator[str]:
    model_admin = change_list.model_admin
    yield from change_list.list_display
    yield from model_admin.fields or ()
    yield from model_admin.linked_by
    yield from (each[0] if isinstance(each, tuple) else each for each in model_admin.list_filter)
    for column, names in model_admin.exported_columns.items():
        if column in change_list.list_display:
            yield from names


@pytest.mark.parametrize("label", LABELS)
def test_every_choice_of_every_filter_can_be_asked_for(admin: Client, label: str) -> None:
    for spec in admin.get(list_of(label)).context["cl"].filter_specs:
        page = admin.get(list_of(label))
        choices = [choice["query_string"] for choice in spec.choices(page.context["cl"])]
        assert choices
        for query in choices:
            assert admin.get(list_of(label) + query).status_code == 200, query


def test_who_may_not_see_addresses_in_the_list_cannot_ask_for_them_either(
    make_member: Callable[..., User], unlogged: None
) -> None:
    member(is_active=True)
    moderator = make_member("morgan", is_staff=True)
    moderator.user_permissions.add(Permission.objects.get(codename="view_user"))
    client = Client()
    client.force_login(moderator)

    assert client.get(list_of("core.user", email__startswith="c")).status_code == 400
    assert client.get(list_of("core.user", is_active__exact="1")).status_code == 200
