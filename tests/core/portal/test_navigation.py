"""The sidebar: permissions, the current entry, and badges."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Permission
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from tests.portal import log_in

from core.accounts.models import User
from core.portal.navigation import Badge, Entry, NavigationAsked, Section, format_count

Sidebar = dict[str, list[str]]


def get_sections(client: Client, path: str = "/admin/") -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return list(answer.context["sidebar_navigation"])


def get_sidebar(client: Client) -> Sidebar:
    """The titles by section."""
    return {section["title"]: [item["title"] for item in section["items"]] for section in get_sections(client)}


def get_sidebar_links(client: Client) -> list[str]:
    """The links in the HTML of the sidebar."""
    html = client.get("/admin/").content.decode()
    match = re.search(r'<div id="nav-sidebar-apps".*?</nav>', html, re.DOTALL)
    assert match is not None
    # The user menu is below the entries.
    return [unescape(link) for link in re.findall(r'<a href="([^"]*)"', match[0]) if link != "/"]


@pytest.fixture
def make_staff(make_member: Callable[..., User]) -> Callable[..., Client]:
    """Staff with these permissions only (`app.action_model`)."""

    def make(*permissions: str) -> Client:
        user = make_member(is_staff=True)
        for permission in permissions:
            label, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
        return log_in(user)

    return make


def test_moderators_see_their_entries(moderator: Client) -> None:
    assert get_sidebar(moderator) == {
        "": ["Dashboard"],
        "Moderation": ["Queue", "Booking requests", "Materials", "Members"],
    }


def test_superusers_see_records_and_settings_too(admin: Client) -> None:
    assert list(get_sidebar(admin)) == ["", "Moderation", "Records", "Settings"]


def test_superusers_have_an_entry_for_every_list(admin: Client) -> None:
    lists = {
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in django_admin.site._registry
    }

    assert set(get_sidebar_links(admin)) == {"/admin/", *lists}


def test_all_links_of_the_sidebar_work(admin: Client, moderator: Client) -> None:
    for client in (admin, moderator):
        for link in get_sidebar_links(client):
            assert client.get(link).status_code == 200, link


def test_without_permissions_there_is_only_the_dashboard(make_staff: Callable[..., Client]) -> None:
    staff = make_staff()

    assert get_sidebar(staff) == {"": ["Dashboard"]}
    assert get_sidebar_links(staff) == ["/admin/"]


def test_a_single_permission_adds_its_entry(make_staff: Callable[..., Client]) -> None:
    staff = make_staff("core.view_mail")

    assert get_sidebar(staff) == {"": ["Dashboard"], "Records": ["Mails"]}
    assert get_sidebar_links(staff) == ["/admin/", "/admin/core/mail/"]


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/admin/", "Dashboard"),
        ("/admin/learning_sessions/session/", "Queue"),
        ("/admin/learning_sessions/session/?tab=edited", "Queue"),
        ("/admin/learning_sessions/bookingrequest/", "Booking requests"),
        ("/admin/core/user/", "Members"),
        ("/admin/core/user/add/", "Members"),
        ("/admin/core/mail/?status__exact=failed", "Mails"),
        ("/admin/learning_sessions/reasontemplate/add/", "Reason templates"),
        ("/admin/notifications/notification/why/", "Notifications"),
    ],
)
def test_only_the_entry_of_the_current_page_is_marked(path: str, title: str, admin: Client) -> None:
    items = [item for section in get_sections(admin, path) for item in section["items"]]
    (current,) = (item for item in items if item["active"])

    assert current["title"] == title
    html = admin.get(path).content.decode()
    assert re.findall(r'<a href="([^"]*)" aria-current="page"', html) == [current["link"]]


def test_a_page_without_an_entry_marks_none(admin: Client) -> None:
    items = [item for section in get_sections(admin, "/admin/password_change/") for item in section["items"]]

    assert [item["title"] for item in items if item["active"]] == []


def test_the_page_of_a_row_marks_the_entry_of_its_list(admin: Client, john: User) -> None:
    items = [
        item for section in get_sections(admin, f"/admin/core/user/{john.pk}/change/") for item in section["items"]
    ]

    assert [item["title"] for item in items if item["active"]] == ["Members"]


def test_of_two_matching_entries_the_longer_url_is_marked(
    admin: Client, answer: Callable[[type[Any], Callable[[Any], Any]], None]
) -> None:
    def entry(title: str, url: str) -> Entry:
        return Entry(section=Section.RECORDS, title=title, url=url, icon="mail", permission="", rank=1)

    answer(NavigationAsked, lambda _: [entry("All", "/admin/core/"), entry("Mails", "/admin/core/mail/?tab=1")])

    items = [item for section in get_sections(admin, "/admin/core/mail/") for item in section["items"]]

    assert {item["title"]: item["active"] for item in items} == {"All": False, "Mails": True}


def test_entries_are_sorted_by_rank(admin: Client, answer: Callable[[type[Any], Callable[[Any], Any]], None]) -> None:
    def entry(title: str, rank: int, section: Section = Section.MODERATION) -> Entry:
        return Entry(section=section, title=title, url=f"/{title}/", icon="mail", permission="", rank=rank)

    answer(NavigationAsked, lambda _: [entry("B", 20), entry("C", 10), entry("A", 20), entry("D", 1, Section.SETTINGS)])

    assert get_sidebar(admin) == {"Moderation": ["C", "A", "B"], "Settings": ["D"]}


# --- Badges -------------------------------------------------------------------------------------------------------


def with_badge(badge: Badge | None) -> list[Entry]:
    return [
        Entry(
            section=Section.START,
            title="Lanterns",
            url="/lanterns/",
            icon="mail",
            permission="",
            rank=0,
            badge=lambda: badge,
        )
    ]


def test_a_badge_has_a_number_and_a_text_for_screen_readers(
    admin: Client, answer: Callable[[type[Any], Callable[[Any], Any]], None]
) -> None:
    answer(NavigationAsked, lambda _: with_badge(Badge(text="7", spoken="7 <lanterns> burn")))

    html = admin.get("/admin/").content.decode()

    assert '<span aria-hidden="true">7</span>' in html
    assert '<span class="portal-spoken">7 &lt;lanterns&gt; burn</span>' in html


def test_an_entry_without_badge_shows_none(
    admin: Client, answer: Callable[[type[Any], Callable[[Any], Any]], None]
) -> None:
    answer(NavigationAsked, lambda _: with_badge(None))

    assert "portal-spoken" not in admin.get("/admin/").content.decode()


@pytest.mark.parametrize(
    ("number", "badge"),
    [
        (0, None),
        (1, Badge(text="1", spoken="1 session waits")),
        (2, Badge(text="2", spoken="2 sessions wait")),
        (99, Badge(text="99", spoken="99 sessions wait")),
        (100, Badge(text="99+", spoken="more than 99 sessions wait")),
    ],
)
def test_a_badge_at_the_limit_says_so(number: int, badge: Badge | None) -> None:
    assert format_count(number, limit=100, one="session waits", many="sessions wait") == badge


def test_all_pages_have_an_existing_icon(moderator: Client) -> None:
    for page in (moderator.get("/admin/"), Client().get("/admin/login/")):
        link = re.search(r'<link rel="icon" href="([^"]*)" type="image/svg\+xml"', page.content.decode())
        assert link
        assert finders.find(link[1].removeprefix("/static/"))
