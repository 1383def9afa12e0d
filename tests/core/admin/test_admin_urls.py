"""All URLs of the admin need permissions, including those that are added later."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver
from model_bakery import baker
from tests.conftest import HANDLER
from tests.portal import log_in

from core.accounts.models import User
from core.jobs.periodic import PERIODIC_JOBS

# URLs for everybody, and for all staff, which show nothing of other members.
PUBLIC = {"login", "logout"}
OWN = {"index", "jsi18n", "password_change", "password_change_done", "search"}


@dataclass(frozen=True, kw_only=True)
class AdminUrl:
    """One URL of the admin, with arguments for an existing row."""

    path: str
    name: str


ARGUMENTS = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")


def build_admin_url(route: str, name: str | None) -> AdminUrl:
    path = ARGUMENTS.sub(lambda each: str(_build_argument(each[1] or each[2], _find_model(route))), route)
    return AdminUrl(path=f"/admin/{path.strip('^$')}", name=name or route)


def _build_argument(argument: str, model: type[Model]) -> Any:
    """Raises `KeyError` for an unknown argument, which needs a value here."""
    if argument in {"object_id", "id"}:
        return get_or_create_row(model).pk
    if (others := argument.removesuffix("_id")) in MODELS:
        return get_or_create_row(MODELS[others]).pk
    return {"kind": "csv", "app_label": "core", "url": "nowhere"}[argument]


def list_routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from list_routes(pattern.url_patterns, route)
        else:
            yield route, pattern.name


ROUTES = list(list_routes(admin.site.urls[0]))


MODELS: dict[str, type[Model]] = {
    **{str(model._meta.model_name): model for model in admin.site._registry},
    "member": User,
    "content_type": ContentType,
}


def _find_model(route: str) -> type[Model]:
    app, model = (*route.split("/"), "")[:2]
    try:
        return apps.get_model(app, model)
    except LookupError:
        return User


# Required values of rows.
NEEDED: dict[str, dict[str, Any]] = {
    "sweep": {"name": min(PERIODIC_JOBS)},
    "session": {"title": "Knots", "status": "pending_approval", "duration": 60, "max_participants": 5},
    "material": {"title": "Knots", "type": "note", "content": "Rope", "file": None},
    "notification": {"kind": "reminder", "type": "reminder"},
}


def get_or_create_row(model: type[Model]) -> Model:
    """Get or create a row."""
    if first := model._default_manager.order_by("pk").first():
        return first
    values = NEEDED.get(model.__name__.lower(), {})
    related = [field for field in model._meta.fields if field.many_to_one and not field.null]
    parents = {field.name: get_or_create_row(field.related_model) for field in related if field.name not in values}
    row: Model = baker.make(model, **{**parents, **values})
    return row


@pytest.fixture
def admin_urls(john: User) -> list[AdminUrl]:
    """All URLs, with a row of each model."""
    for model in admin.site._registry:
        get_or_create_row(model)
    return [build_admin_url(*route) for route in ROUTES]


def log_in_with_shared_handler(user: User | None) -> Client:
    client = log_in(user)
    client.handler = HANDLER
    return client


def send_requests(client: Client, url: AdminUrl) -> Iterator[Any]:
    """By GET and POST, with values that confirm any form."""
    form = {"post": "yes", "_save": "1", "confirm": "1", "approving": "1", "rejecting": "1", "reason": "Why not"}
    yield client.get(url.path)
    yield client.get(url.path, {"q": "john", "s": "john", "term": "john", "app_label": "core", "model_name": "login"})
    yield client.post(url.path, form)
    yield client.post(
        url.path, {**form, "action": "delete_selected", "_selected_action": [str(get_or_create_row(User).pk)]}
    )


def read_all_rows() -> dict[str, list[dict[str, Any]]]:
    """All rows, without the time of the last login."""
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name != "last_login"}
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in admin.site._registry
    }


def reveals_nothing(answer: Any) -> bool:
    """The response names no member and no session."""
    text = answer.content.decode()
    return not any(
        word in text
        for field, model in (("username", "core.User"), ("title", "learning_sessions.Session"))
        for word in apps.get_model(model)._default_manager.exclude(**{field: "nobody"}).values_list(field, flat=True)
    )


# Numeric parameters of pages.
NUMBERS = (
    *(
        "p",
        "before",
        "q",
        "session",
        "session__in",
        "id__exact",
        "session_id__exact",
        "session__id__exact",
        "creator__id__exact",
    ),
    *("user__id__exact", "o"),
)


def test_all_models_and_pages_are_covered() -> None:
    names = {name for _, name in ROUTES}
    for model in admin.site._registry:
        assert f"{model._meta.app_label}_{model._meta.model_name}_change" in names
    assert names >= PUBLIC | OWN


def test_every_admin_url_needs_permissions(
    admin_urls: list[AdminUrl], make_member: Callable[..., User], unlogged: None
) -> None:
    outsiders = [log_in_with_shared_handler(None), log_in_with_shared_handler(make_member("anybody"))]
    staff = log_in_with_shared_handler(make_member("nobody", is_staff=True))
    before = read_all_rows()

    for url in admin_urls:
        if url.name in PUBLIC:
            continue
        for outsider in outsiders:
            for answer in (outsider.get(url.path), outsider.post(url.path, {"post": "yes"})):
                assert answer.status_code == 302, url
                assert answer["Location"].startswith("/admin/login/?next=/admin/"), url
        for answer in send_requests(staff, url):
            if url.name in OWN:
                assert reveals_nothing(answer), url
            elif answer.status_code == 302:
                # A legacy URL that redirects to one of these.
                assert answer["Location"] == f"{url.path}change/", url
            else:
                assert answer.status_code in {403, 404, 405}, (url, answer.status_code)
                assert reveals_nothing(answer), url

    assert read_all_rows() == before


# Too long for a BIGINT, and too long for int().
ENDLESS = ["9" * 30, "9" * 5000]


@pytest.mark.parametrize("number", ENDLESS, ids=["30 digits", "5000 digits"])
def test_long_numbers_in_urls_cause_no_error(john: User, root: User, number: str) -> None:
    client = log_in_with_shared_handler(root)
    paths = {f"/admin/{ARGUMENTS.sub(number, route).strip('^$')}" for route, _ in ROUTES}
    assert sum(number in path for path in paths) > 2 * len(admin.site._registry)

    for path in sorted(path for path in paths if number in path):
        for answer in (client.get(path), client.post(path, {"reason": "Why not", "confirming": "yes"})):
            assert answer.status_code in {302, 400, 403, 404, 405}, path[:80]


@pytest.mark.parametrize("number", ENDLESS, ids=["30 digits", "5000 digits"])
def test_long_numbers_in_queries_and_forms_cause_no_error(admin_urls: list[AdminUrl], root: User, number: str) -> None:
    client = log_in_with_shared_handler(root)
    form = {**dict.fromkeys(NUMBERS, number), "_selected_action": [number], f"version_{number}": number}

    for url in admin_urls:
        if url.name in PUBLIC:
            continue
        if url.name.endswith(("_changelist", "_record", "_why")):
            for name in NUMBERS:
                assert client.get(url.path, {name: number}).status_code < 500, (url, name)
        answer = client.post(url.path, urlencode(form, doseq=True), "application/x-www-form-urlencoded")
        assert answer.status_code < 500, url
