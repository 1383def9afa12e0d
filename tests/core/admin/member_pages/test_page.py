"""The list of members, and the page and history of one."""

from collections.abc import Callable
from datetime import timedelta
from html import escape
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from tests.core.admin.member_pages.arrangements import (
    HOSTILE,
    LIST,
    build_url,
    change_profile,
    get_html,
    list_user_names,
)
from tests.portal import log_in

from core.accounts.deactivation import deactivate_member, reactivate_member
from core.accounts.events import (
    Consequence,
    ConsequencesAsked,
)
from core.accounts.models import Login, User
from core.portal.history import PAGE_SIZE
from core.portal.panels import Panel, PanelsOfMember
from core.time import clock as the_clock


def test_the_list_shows_members(john: User, morgan: User, make_member: Callable[..., User]) -> None:
    make_member("gone", is_active=False)

    text = get_html(morgan, LIST)

    for shown in ("john_doe", "John Doe", "gone"):
        assert shown in text
    assert "john@example.com" not in text
    assert HOSTILE not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"is_active__exact": "0"}, {"gone"}),
        ({"is_staff__exact": "1"}, {"morgan"}),
        ({"q": "jane_s"}, {"jane_smith"}),
        ({"q": "Smith"}, {"jane_smith"}),
        ({"q": "John Doe"}, {"john_doe"}),
        ({"q": "JANE@EXAMPLE.COM"}, {"jane_smith"}),
        ({"q": "jane@example"}, set()),
        ({"q": "nobody"}, set()),
    ],
)
def test_the_list_is_filtered_and_searched(
    john: User, jane: User, morgan: User, make_member: Callable[..., User], query: dict[str, str], found: set[str]
) -> None:
    make_member("gone", is_active=False)

    assert list_user_names(morgan, **query) == found


def test_only_superusers_see_addresses_and_search_for_parts_of_them(john: User, jane: User, root: User) -> None:
    assert "john@example.com" in get_html(root, LIST)
    assert list_user_names(root, q="jane@exam") == {"jane_smith"}


def test_password_hashes_cannot_be_searched(john: User, morgan: User) -> None:
    response = log_in(morgan).get(LIST, {"password__startswith": "pbkdf2"})

    assert response.status_code in {302, 400}


def test_the_page_shows_the_account(john: User, reader: User, clock: Any, no_module_answers: None) -> None:
    john.timezone = "Europe/Berlin"
    john.save()
    Login.objects.create(user=john, last_used_at=the_clock.now() - timedelta(hours=3))
    Login.objects.create(user=john, last_used_at=the_clock.now() - timedelta(days=3), ended_at=the_clock.now())

    text = get_html(reader, build_url("change", john))

    for shown in ("John Doe", "john_doe", "john@example.com", "Europe/Berlin", "3 hours ago", "1 open login"):
        assert shown in text
    assert "those of every member" in text


def test_a_member_who_never_logged_in_was_never_seen(john: User, reader: User, no_module_answers: None) -> None:
    assert "never logged in" in get_html(reader, build_url("change", john))


def test_the_page_shows_the_rights(morgan: User, root: User, reader: User, no_module_answers: None) -> None:
    morgan.user_permissions.add(Permission.objects.get(codename="view_mail"))

    moderator = get_html(reader, build_url("change", morgan))

    assert "staff, who may enter here" in moderator
    assert "group Moderators" in moderator
    assert "1 right of their own" in moderator
    assert "superuser, who may do everything" in get_html(reader, build_url("change", root))


def test_the_page_shows_who_deactivated_the_member_when_and_why(
    john: User, morgan: User, auditor: User, clock: Any, no_module_answers: None
) -> None:
    deactivate_member(member_id=john.pk, by=morgan, reason="Spam & threats")
    clock.shift(7200)

    text = get_html(auditor, build_url("change", john))
    assert "2 hours ago" in text
    assert "by Morgan Reed" in text
    assert "Spam &amp; threats" in text
    reactivate_member(member_id=john.pk, by=morgan, reason="It was somebody else.")

    text = get_html(auditor, build_url("change", john)).partition('id="panel-history"')[0]
    assert "It was somebody else." in text
    assert "Spam" not in text


def test_the_page_shows_no_actor_for_a_member_set_inactive_by_hand(
    john: User, morgan: User, auditor: User, no_module_answers: None
) -> None:
    deactivate_member(member_id=john.pk, by=morgan, reason="Spam")
    reactivate_member(member_id=john.pk, by=morgan)
    User.objects.filter(pk=john.pk).update(is_active=False)

    text = get_html(auditor, build_url("change", john)).partition('id="panel-history"')[0]

    assert "the record does not know by whom" in text
    assert "Morgan" not in text


def test_the_page_shows_pending_consequences_of_a_deactivation(
    john: User, morgan: User, reader: User, answer: Any
) -> None:
    answer(ConsequencesAsked, lambda _: [Consequence(key="sessions", count=3, text="3 sessions are cancelled")])

    assert "Still to come" not in get_html(reader, build_url("change", john))
    deactivate_member(member_id=john.pk, by=morgan, reason="Spam")

    text = get_html(reader, build_url("change", john))
    assert "Still to come" in text
    assert "3 sessions are cancelled" in text


def test_modules_add_panels_for_the_viewer(john: User, auditor: User, answer: Any) -> None:
    asked: list[PanelsOfMember] = []

    def lanterns(question: PanelsOfMember) -> list[Panel]:
        asked.append(question)
        context = {"history": {"entries": ()}}
        return [
            Panel(key="lanterns", title="Lanterns", template="portal/history.html", rank=20, count=7, context=context)
        ]

    answer(PanelsOfMember, lanterns)

    response = log_in(auditor).get(build_url("change", john))

    assert [(question.member, question.viewer) for question in asked] == [(john, auditor)]
    assert [panel.key for panel in response.context["panels"]] == ["overview", "lanterns", "history"]
    assert 'id="panel-lanterns"' in response.content.decode()


def test_names_are_escaped(make_member: Callable[..., User], reader: User, no_module_answers: None) -> None:
    mallory = make_member("mallory", first_name=HOSTILE, last_name="O'Hara", email='"><b>"@example.com')
    mallory.groups.add(Group.objects.create(name=f"{HOSTILE} guild"))

    text = get_html(reader, build_url("change", mallory))

    assert HOSTILE not in text
    assert "><b>" not in text
    assert escape(f"{HOSTILE} guild") in text


def test_the_history_has_facts_about_and_by_the_member(
    john: User, jane: User, bob: User, auditor: User, no_module_answers: None
) -> None:
    change_profile(john, jane, "Jack")
    change_profile(jane, john, "Joan")
    change_profile(bob, jane, "Rob")
    change_profile(john, john, "Johnny")

    text = get_html(auditor, build_url("change", john))

    assert [text.count(f"Called {name}") for name in ("Jack", "Joan", "Rob", "Johnny")] == [1, 1, 0, 1]
    assert text.index("Called Johnny") < text.index("Called Joan") < text.index("Called Jack")
    assert build_url("change", jane) in text
    assert build_url("change", bob) not in text
    assert "First name" in text


def test_a_long_history_is_paginated(john: User, jane: User, auditor: User, no_module_answers: None) -> None:
    for number in range(PAGE_SIZE + 5):
        members = (john, jane) if number % 2 else (jane, john)
        change_profile(*members, f"John the {number}.")
    client = log_in(auditor)

    first = client.get(build_url("change", john))
    assert first.content.decode().count("Called John") == PAGE_SIZE
    shown = [panel.context["history"] for panel in first.context["panels"] if panel.key == "history"]
    older = client.get(build_url("record", john), {"before": shown[0].before})

    assert f'href="{build_url("record", john)}?before={shown[0].before}"' in first.content.decode()
    entries = [*shown[0].entries, *older.context["history"].entries]
    assert [entry.reason for entry in entries] == [f"Called John the {number}." for number in reversed(range(105))]
    assert older.context["history"].before is None


@pytest.mark.parametrize("before", ["", "soon", "-1", "9" * 30])
def test_an_invalid_cursor_shows_the_first_page(
    john: User, auditor: User, no_module_answers: None, before: str
) -> None:
    change_profile(john, john, "Johnny")

    assert "Called Johnny" in get_html(auditor, build_url("record", john), before=before)
