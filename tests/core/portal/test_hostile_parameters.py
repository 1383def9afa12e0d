"""Hostile values in URLs and forms cause no error on any page of the portal."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from tests.core.admin.test_admin_urls import (
    ARGUMENTS,
    PUBLIC,
    ROUTES,
    AdminUrl,
    admin_urls,
    build_admin_url,
)
from tests.core.portal.conftest import get_export_url, get_list_url
from tests.core.portal.test_query_counts import LABELS, get_model_admin

from core.accounts.models import User
from core.facts.models import FactRecord

__all__ = ["admin_urls"]

# Percent-encoded.
HOSTILE = {
    "negative": b"-" + b"9" * 30,
    "signed": b" +" + b"9" * 30,
    "wide digits": "\N{FULLWIDTH DIGIT NINE}".encode() * 30,
    "broken UTF-8": b"a\xed\xa0\x80\xff",
    "long": b"x" * 60_000,
    "many words": b"a " * 3000,
    "many columns": b"1." * 3000,
    "before all time": b"0001-01-01T00:00:00+14:00",
    "no number": b"1e999,NaN",
    "pattern": b"^(a+)+$",
    "lines": b"a\r\nSet-Cookie: b",
}
EVERYWHERE = ("p", "o", "q", "e", "all", "_popup", "_to_field", "_facets")
# Values that could be parsed as a number, a date or a text.
NUMBERS = ("negative", "wide digits", "broken UTF-8", "before all time")
FORM = "application/x-www-form-urlencoded"
IN_PAGES = ("next", "page", "extended", "before", "s", "member", "session", "_changelist_filters", "back")
IN_FORMS = (
    *("action", "select_across", "_selected_action", "index", "decision", "reason", "back", "told", "read", "next"),
    *("content_version", "confirming", "version_1", "taken_1", "username", "password", "usable_password", "email"),
    *(
        "name",
        "title",
        "text",
        "rank",
        "groups",
        "permissions",
        "user_permissions",
        "is_staff",
        "timezone",
        "_to_field",
    ),
)
GOOD = {"app_label": "core", "model_name": "login", "field_name": "user", "term": "a", "page": "1"}


def encoded(name: str, value: bytes) -> str:
    return f"{name}={quote_from_bytes(value, safe='')}"


def test_common_parameters_of_lists_cause_no_error(admin: Client, unlogged: None) -> None:
    for name in EVERYWHERE:
        for value in HOSTILE.values():
            answer = admin.get(f"{get_list_url('core.user')}?{encoded(name, value)}")
            assert answer.status_code in {200, 302, 400}, (name, value[:40])


@pytest.mark.parametrize("kind", NUMBERS)
def test_filters_and_lookups_cause_no_error(admin: Client, kind: str, unlogged: None) -> None:
    for label in LABELS:
        address = get_list_url(label)
        specs = admin.get(address).context["cl"].filter_specs
        names = {name for spec in specs for name in spec.expected_parameters()}
        for name in (*names, *get_model_admin(label).link_lookups):
            answer = admin.get(f"{address}?{encoded(name, HOSTILE[kind])}")
            assert answer.status_code in {200, 302, 400}, (label, name)


def test_parameters_of_the_autocompletion_cause_no_error(admin: Client, unlogged: None) -> None:
    for name in GOOD:
        for value in HOSTILE.values():
            query = urlencode({key: good for key, good in GOOD.items() if key != name})
            answer = admin.get(f"/admin/autocomplete/?{query}&{encoded(name, value)}")
            assert answer.status_code in {200, 400, 403, 404}, (name, value[:40])


# Numbers are tested in tests/core/admin/test_admin_urls.py.
@pytest.mark.parametrize("kind", ["negative", "broken UTF-8"])
def test_parameters_of_pages_and_forms_cause_no_error(
    admin: Client, admin_urls: list[AdminUrl], kind: str, unlogged: None
) -> None:
    for place in admin_urls:
        if place.name not in PUBLIC:
            query = "&".join(encoded(name, HOSTILE[kind]) for name in IN_PAGES)
            assert admin.get(f"{place.path}?{query}").status_code < 500, place
            body = "&".join(encoded(name, HOSTILE[kind]) for name in IN_FORMS)
            assert admin.post(place.path, body, FORM).status_code < 500, place


@pytest.mark.parametrize("kind", ["negative", "broken UTF-8"])
def test_paths_cause_no_error(admin: Client, kind: str, unlogged: None) -> None:
    part = quote_from_bytes(HOSTILE[kind], safe="")
    for path in {ARGUMENTS.sub(part, route).strip("^$") for route, _ in ROUTES if ARGUMENTS.search(route)}:
        for answer in (admin.get(f"/admin/{path}"), admin.post(f"/admin/{path}", {"confirming": "yes"})):
            assert answer.status_code < 500, path[:80]


def test_nul_characters_in_pages_cause_no_error(admin: Client, admin_urls: list[AdminUrl]) -> None:
    nul = "a\x00b"
    form = dict.fromkeys(IN_FORMS, nul)
    for place in admin_urls:
        for answer in (
            admin.get(place.path, dict.fromkeys((*EVERYWHERE, *IN_PAGES, *GOOD), nul)),
            admin.get(place.path, {**GOOD, "term": nul}),
            admin.post(place.path, form),
            admin.post(place.path, {**form, "action": "export_csv", nul: "a"}),
            admin.post(place.path, {"reason": nul, "confirming": "yes", "previewing": "yes"}),
            admin.post(place.path, {"_selected_action": nul, "decision": "approve"}),
        ):
            assert answer.status_code < 500, place


@pytest.mark.parametrize("number", ["x", "0", "-1", "2", "1e3", "9" * 5000])
@pytest.mark.parametrize("path", ["/admin/search/?s=queue", "/admin/search/?s=queue&extended=1"])
def test_an_invalid_page_of_the_search_is_a_404(admin: Client, path: str, number: str) -> None:
    assert admin.get(f"{path}&page={number}").status_code == 404
    assert admin.get(f"{path}&page=1").status_code == 200


def test_the_autocompletion_finds_nothing_for_a_nul_character(admin: Client, root: User) -> None:
    found = admin.get(
        "/admin/autocomplete/",
        {**GOOD, "app_label": "core", "model_name": "faileddelivery", "field_name": "fact", "term": "\x00"},
    )

    assert (found.status_code, found.json()) == (200, {"results": [], "pagination": {"more": False}})


@pytest.mark.parametrize("label", LABELS)
def test_nul_characters_in_lists_cause_no_error(admin: Client, label: str) -> None:
    for name in ("p", "o", "q", "e", "tab", "start", *get_model_admin(label).link_lookups, "nonsense"):
        assert admin.get(f"{get_list_url(label)}?{name}=%00").status_code in {200, 302}, name


def test_an_export_of_invalid_keys_is_not_recorded(admin: Client) -> None:
    answer = admin.post(get_export_url("core.user", "csv"), {"_selected_action": "\x00"}, follow=True)

    assert [str(each) for each in answer.context["messages"]] == [
        "What was ticked is not in this list. Nothing was done."
    ]
    assert not FactRecord.objects.exists()


@pytest.mark.parametrize("nul", ["%00", "1%00", "_00"])
def test_nul_characters_in_paths_cause_no_error(admin: Client, nul: str) -> None:
    for route, _ in ROUTES:
        if ARGUMENTS.search(route):
            path = f"/admin/{ARGUMENTS.sub(nul, route).strip('^$')}"
            assert admin.get(path).status_code in {302, 400, 403, 404, 405}, route


def test_nul_characters_in_cookies_cause_no_error(db: None) -> None:
    client = Client()
    client.cookies.load('sessionid="\\000aaaaaaaaaaaaaaaa"')

    assert client.get("/admin/").status_code in {302, 400}


@pytest.mark.parametrize("number", ["9" * 20, "-" + "9" * 20, " +" + "9" * 20, "9" * 5000])
def test_too_long_keys_are_invalid_choices(
    admin: Client, root: User, make_member: Callable[..., User], number: str
) -> None:
    group, member = Group.objects.get(name="Moderators"), make_member("carol")
    forms = {
        build_admin_url("auth/group/add/", "auth_group_add").path: ("permissions",),
        f"/admin/auth/group/{group.pk}/change/": ("permissions",),
        f"/admin/core/user/{member.pk}/edit/": ("groups", "user_permissions"),
    }
    for path, names in forms.items():
        for name in names:
            answer: Any = admin.post(path, {"name": "Helpers", "username": "carol", name: [number]})
            assert answer.status_code == 200, path
            assert name in answer.context["adminform"].form.errors, path
    assert group.permissions.exists()
