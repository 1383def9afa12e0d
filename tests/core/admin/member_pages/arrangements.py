"""Helpers for tests of the page of a member."""

from dataclasses import dataclass

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.conftest import PASSWORD
from tests.portal import log_in

from core.accounts.events import (
    ProfileChanged,
)
from core.accounts.models import User
from core.facts.base import Fact
from core.facts.publish import publish

LIST = "/admin/core/user/"


HOSTILE = "<script>alert(1)</script>"


def build_url(step: str, member: User) -> str:
    return reverse(f"admin:core_user_{step}", args=[member.pk])


def get_html(by: User, path: str, **query: str) -> str:
    response = log_in(by).get(path, query)
    assert response.status_code == 200
    return response.content.decode()


def list_user_names(by: User, **query: str) -> set[str]:
    """The user names in the list."""
    response = log_in(by).get(LIST, query)
    assert response.status_code == 200
    return {member.username for member in response.context["cl"].result_list}


def change_profile(member: User, by: User, name: str) -> None:
    publish(ProfileChanged(member_id=member.pk), by=by, reason=f"Called {name}", changes={"first_name": ("", name)})


@dataclass(frozen=True, kw_only=True)
class LanternLit(Fact):
    summary_template = "{actor} lit {title}"

    session_id: int
    title: str
    creator_id: int


def publish_lantern_lit(title: str, *, of: User, by: User) -> None:
    publish(LanternLit(session_id=7, title=title, creator_id=of.pk), by=by, reason=f"About {title}")


@dataclass(frozen=True, kw_only=True)
class LanternTaken(Fact):
    summary_template = "{actor} took a lantern"

    session_id: int
    uploader_id: int


FORMS = {
    "edit": ("/admin/core/user/{}/edit/", {"username": "other", "timezone": "UTC", "is_superuser": "on"}),
    "password": ("/admin/core/user/{}/password/", {"password1": PASSWORD, "password2": PASSWORD}),
    "add": ("/admin/core/user/add/", {"username": "other", "password1": PASSWORD, "password2": PASSWORD}),
    "delete": ("/admin/core/user/{}/delete/", {"post": "yes"}),
}


def count_queries(client: Client, path: str) -> int:
    # Warms up caches.
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)
