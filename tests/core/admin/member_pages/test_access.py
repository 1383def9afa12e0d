"""Permissions and query counts of the page of a member."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.conftest import PASSWORD
from tests.core.admin.member_pages.arrangements import (
    FORMS,
    LIST,
    LanternTaken,
    build_url,
    change_profile,
    count_queries,
    get_html,
    publish_lantern_lit,
)
from tests.portal import log_in

from core.accounts.deactivation import deactivate_member, reactivate_member
from core.accounts.events import (
    AddressChanged,
    LoggedOutEverywhere,
    MemberRegistered,
    PasswordChanged,
    ProfileChanged,
    RightsChanged,
)
from core.accounts.models import Login, User
from core.admin.members.record import list_member_history
from core.facts.models import FactRecord
from core.facts.publish import publish
from core.portal.events import OwnSessionsAsked
from core.time import clock as the_clock


@pytest.mark.parametrize("step", ["change", "record"])
def test_viewing_needs_permission(make_member: Callable[..., User], john: User, step: str) -> None:
    clerk = make_member("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_mail"))

    response = log_in(clerk).get(build_url(step, john))

    assert response.status_code == 403
    assert "john" not in response.content.decode()


@pytest.mark.parametrize("step", ["change", "record"])
def test_members_without_staff_rights_are_redirected_to_the_login(john: User, jane: User, step: str) -> None:
    for client in (Client(), log_in(jane)):
        response = client.get(build_url(step, john))

        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


def test_viewing_members_does_not_include_their_facts(john: User, morgan: User, reader: User) -> None:
    deactivate_member(member_id=john.pk, by=morgan, reason="Spam & threats")

    text = get_html(reader, build_url("change", john))

    assert "deactivated" in text
    for secret in ("Spam", "Morgan", "panel-history", "the record does not know"):
        assert secret not in text
    assert log_in(reader).get(build_url("record", john)).status_code == 403


def test_moderators_see_facts_of_moderation_and_no_private_ones(
    john: User, jane: User, morgan: User, root: User, auditor: User, no_module_answers: None
) -> None:
    publish(MemberRegistered(member_id=john.pk, username="john_doe"), by=john)
    deactivate_member(member_id=john.pk, by=root, reason="Spam")
    reactivate_member(member_id=john.pk, by=root, reason="An error")
    publish_lantern_lit("Knots", of=john, by=john)
    publish_lantern_lit("Bends", of=jane, by=john)
    for private in (AddressChanged, RightsChanged, PasswordChanged, LoggedOutEverywhere, ProfileChanged):
        changes = {"email": ("secret@example.com", "hidden@example.com")}
        publish(private(member_id=john.pk), by=root, reason="A private reason", changes=changes)

    for path in (build_url("change", john), build_url("record", john)):
        whole, text = get_html(auditor, path), get_html(morgan, path)

        for shown in ("got an account", "Spam", "An error", "About Knots", "About Bends"):
            assert shown in text
            assert shown in whole
        for private in ("secret@", "hidden@", "A private reason", "the rights of", "password of", "the address of"):
            assert private not in text
            assert private in whole


def test_moderators_see_no_facts_about_themselves_or_their_own_sessions(
    john: User, morgan: User, root: User, make_member: Callable[..., User], no_module_answers: None
) -> None:
    other = make_member("other", is_staff=True)
    other.groups.add(Group.objects.get(name="Moderators"))
    publish_lantern_lit("Knots", of=morgan, by=other)
    publish_lantern_lit("Bends", of=john, by=other)

    assert "panel-history" not in get_html(morgan, build_url("change", morgan))
    assert log_in(morgan).get(build_url("record", morgan)).status_code == 403
    text = get_html(morgan, build_url("record", other))
    assert "About Bends" in text
    assert "Knots" not in text
    assert "About Knots" in get_html(root, build_url("record", other))
    publish_lantern_lit("Nets", of=root, by=other)
    assert "About Nets" in get_html(root, build_url("record", other))
    assert 'id="panel-history"' in get_html(root, build_url("change", root))


def test_moderators_see_no_facts_about_themselves_in_the_history_of_others(
    john: User, morgan: User, root: User, answer: Any, no_module_answers: None
) -> None:
    deactivate_member(member_id=morgan.pk, by=root, reason="Of Morgan")
    reactivate_member(member_id=morgan.pk, by=root, reason="Of Morgan, too")
    deactivate_member(member_id=john.pk, by=root, reason="Of John")
    publish(LanternTaken(session_id=8, uploader_id=morgan.pk), by=root, reason="Of Morgan's lantern")
    publish(LanternTaken(session_id=8, uploader_id=john.pk), by=root, reason="Of John's lantern")
    publish(LanternTaken(session_id=9, uploader_id=john.pk), by=root, reason="In a session of Morgan's")
    answer(OwnSessionsAsked, lambda question: [9] if question.member_id == morgan.pk else [])
    morgan = User.objects.get(pk=morgan.pk)

    history = list_member_history(root, morgan)

    assert history is not None
    assert [entry.reason for entry in history.entries] == ["Of John's lantern", "Of John"]
    whole = list_member_history(root, root)
    assert whole is not None
    assert len(whole.entries) == 6


def test_an_expired_login_is_not_counted_as_open(john: User, reader: User, clock: Any, no_module_answers: None) -> None:
    Login.objects.create(user=john, created_at=the_clock.now() - timedelta(days=13))
    Login.objects.create(user=john, created_at=the_clock.now() - timedelta(days=15))

    assert "1 open login" in get_html(reader, build_url("change", john))


def test_the_history_page_accepts_only_get(john: User, auditor: User, no_module_answers: None) -> None:
    assert log_in(auditor).post(build_url("record", john)).status_code == 405


def test_an_unknown_member_is_a_404(reader: User) -> None:
    for path in ("0/change/", "1000000/change/", f"{10**30}/change/", "john/change/", "²/change/", "1000000/record/"):
        assert log_in(reader).get(f"{LIST}{path}").status_code == 404


def test_posting_to_the_page_changes_nothing(john: User, root: User) -> None:
    response = log_in(root).post(build_url("change", john), {"username": "other", "_save": "1"})

    assert response.status_code == 405
    assert User.objects.get(pk=john.pk).username == "john_doe"


@pytest.mark.parametrize("form", FORMS)
def test_forms_need_a_superuser_whatever_the_permissions(john: User, morgan: User, form: str) -> None:
    codenames = ["add_user", "change_user", "delete_user"]
    morgan.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    path, values = FORMS[form]
    before = list(User.objects.order_by("pk").values())

    for member in (john, morgan):
        assert log_in(morgan).get(path.format(member.pk)).status_code == 403
        assert log_in(morgan).post(path.format(member.pk), values).status_code == 403

    after = [{**row, "last_login": None} for row in User.objects.order_by("pk").values()]
    assert after == [{**row, "last_login": None} for row in before]
    assert not FactRecord.objects.exists()


@pytest.mark.parametrize("form", ["edit", "password", "add"])
def test_superusers_can_use_the_forms(john: User, root: User, form: str) -> None:
    assert log_in(root).get(FORMS[form][0].format(john.pk)).status_code == 200


def test_the_form_redirects_to_the_page_of_the_member(john: User, root: User) -> None:
    values = {"username": "john_doe", "email": john.email, "first_name": "Jack", "timezone": "UTC", "_save": "1"}

    response = log_in(root).post(build_url("edit", john), values)

    assert (response.status_code, response["Location"]) == (302, build_url("change", john))


def test_no_page_shows_a_secret(john: User, morgan: User, root: User) -> None:
    john.set_password(PASSWORD)
    john.save()
    Login.objects.create(user=john)

    for by in (morgan, root):
        for path in (LIST, build_url("change", john), build_url("record", john), f"{LIST}?q=john"):
            text = get_html(by, path)
            assert john.password not in text
            assert "token_version" not in text
            assert "pbkdf2" not in text


def test_the_page_needs_a_constant_number_of_queries(
    john: User, jane: User, auditor: User, make_member: Callable[..., User], no_module_answers: None
) -> None:
    client = log_in(auditor)
    change_profile(john, jane, "Jack")
    Login.objects.create(user=john)
    john.groups.add(Group.objects.create(name="Gardeners"))
    few = count_queries(client, build_url("change", john))

    for number in range(30):
        other = make_member()
        change_profile(john, other, f"Jack the {number}.")
        change_profile(other, john, f"Joan the {number}.")
        Login.objects.create(user=john)
        john.groups.add(Group.objects.create(name=f"Gardeners {number}"))

    assert count_queries(client, build_url("change", john)) == few <= 20


def test_the_history_needs_a_constant_number_of_queries(john: User, jane: User, auditor: User) -> None:
    for number in range(3):
        change_profile(john, jane, f"Jack the {number}.")
        change_profile(jane, john, f"Joan the {number}.")
    with CaptureQueriesContext(connection) as queries:
        happened = list_member_history(john, auditor)

    assert happened is not None
    assert len(happened.entries) == 6
    # The ids by actor and by member, and the page.
    assert len([query for query in queries if "core_factrecord" in query["sql"]]) == 3
    assert all("LIMIT" in query["sql"] for query in queries if "core_factrecord" in query["sql"])
