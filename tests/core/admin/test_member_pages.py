"""The list of members and the page about each: who sees what, and what nobody sees."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.conftest import PASSWORD

from core.accounts.deactivation import deactivate_member, reactivate_member
from core.accounts.events import (
    AddressChanged,
    Consequence,
    ConsequencesAsked,
    LoggedOutEverywhere,
    MemberRegistered,
    PasswordChanged,
    ProfileChanged,
    RightsChanged,
)
from core.accounts.models import Login, User
from core.admin.members.record import list_member_history
from core.facts.base import Fact
from core.facts.models import FactRecord
from core.facts.publish import publish
from core.portal.events import OwnSessionsAsked
from core.portal.history import A_PAGE
from core.portal.panels import Panel, PanelsOfMember
from core.time import clock as the_clock

LIST = "/admin/core/user/"
HOSTILE = "<script>alert(1)</script>"


def client_of(member: User) -> Client:
    client = Client()
    client.force_login(member)
    return client


def address(step: str, member: User) -> str:
    return reverse(f"admin:core_user_{step}", args=[member.pk])


def read(by: User, path: str, **query: str) -> str:
    response = client_of(by).get(path, query)
    assert response.status_code == 200
    return response.content.decode()


def listed(by: User, **query: str) -> set[str]:
    """The user names in the list."""
    response = client_of(by).get(LIST, query)
    assert response.status_code == 200
    return {member.username for member in response.context["cl"].result_list}


@pytest.fixture
def reader(make_member: Callable[..., User]) -> User:
    """May read of members, and nothing else."""
    member = make_member("reader", is_staff=True)
    member.user_permissions.add(Permission.objects.get(codename="view_user"))
    return member


@pytest.fixture
def auditor(make_member: Callable[..., User]) -> User:
    """May read of members, and the whole record of facts."""
    member = make_member("auditor", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "view_factrecord"]))
    return member


@pytest.fixture
def boss(make_member: Callable[..., User]) -> User:
    return make_member("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def alone(answer: Any) -> None:
    """No module has anything to say of members."""
    answer(PanelsOfMember, lambda question: None)
    answer(ConsequencesAsked, lambda question: None)


# --- The list ---------------------------------------------------------------------------------------------------


def test_the_list_shows_who_members_are(john: User, morgan: User, make_member: Callable[..., User]) -> None:
    make_member("gone", is_active=False)

    text = read(morgan, LIST)

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
def test_it_is_filtered_and_searched(
    john: User, jane: User, morgan: User, make_member: Callable[..., User], query: dict[str, str], found: set[str]
) -> None:
    make_member("gone", is_active=False)

    assert listed(morgan, **query) == found


def test_superusers_see_addresses_in_the_list_and_search_for_parts_of_them(john: User, jane: User, boss: User) -> None:
    assert "john@example.com" in read(boss, LIST)
    assert listed(boss, q="jane@exam") == {"jane_smith"}


def test_no_password_can_be_searched_for(john: User, morgan: User) -> None:
    response = client_of(morgan).get(LIST, {"password__startswith": "pbkdf2"})

    assert response.status_code in {302, 400}


# --- The page ---------------------------------------------------------------------------------------------------


def test_the_page_says_who_somebody_is(john: User, reader: User, clock: Any, alone: None) -> None:
    john.timezone = "Europe/Berlin"
    john.save()
    Login.objects.create(user=john, last_used_at=the_clock.now() - timedelta(hours=3))
    Login.objects.create(user=john, last_used_at=the_clock.now() - timedelta(days=3), ended_at=the_clock.now())

    text = read(reader, address("change", john))

    for shown in ("John Doe", "john_doe", "john@example.com", "Europe/Berlin", "3 hours ago", "1 open login"):
        assert shown in text
    assert "those of every member" in text


def test_one_who_never_came_was_never_seen(john: User, reader: User, alone: None) -> None:
    assert "never logged in" in read(reader, address("change", john))


def test_it_names_their_rights(morgan: User, boss: User, reader: User, alone: None) -> None:
    morgan.user_permissions.add(Permission.objects.get(codename="view_mail"))

    moderator = read(reader, address("change", morgan))

    assert "staff, who may enter here" in moderator
    assert "group Moderators" in moderator
    assert "1 right of their own" in moderator
    assert "superuser, who may do everything" in read(reader, address("change", boss))


def test_it_says_who_deactivated_them_when_and_why(
    john: User, morgan: User, auditor: User, clock: Any, alone: None
) -> None:
    deactivate_member(member_id=john.pk, by=morgan, reason="Spam & threats")
    clock.shift(7200)

    text = read(auditor, address("change", john))
    assert "2 hours ago" in text
    assert "by Morgan Reed" in text
    assert "Spam &amp; threats" in text
    reactivate_member(member_id=john.pk, by=morgan, reason="It was somebody else.")

    text = read(auditor, address("change", john)).partition('id="panel-history"')[0]
    assert "It was somebody else." in text
    assert "Spam" not in text


def test_of_one_who_was_set_inactive_by_hand_it_does_not_know_by_whom(
    john: User, morgan: User, auditor: User, alone: None
) -> None:
    deactivate_member(member_id=john.pk, by=morgan, reason="Spam")
    reactivate_member(member_id=john.pk, by=morgan)
    User.objects.filter(pk=john.pk).update(is_active=False)

    text = read(auditor, address("change", john)).partition('id="panel-history"')[0]

    assert "the record does not know by whom" in text
    assert "Morgan" not in text


def test_it_says_what_is_still_to_come_of_a_deactivation(john: User, morgan: User, reader: User, answer: Any) -> None:
    answer(ConsequencesAsked, lambda _: [Consequence(key="sessions", count=3, words="3 sessions are cancelled")])

    assert "Still to come" not in read(reader, address("change", john))
    deactivate_member(member_id=john.pk, by=morgan, reason="Spam")

    text = read(reader, address("change", john))
    assert "Still to come" in text
    assert "3 sessions are cancelled" in text


def test_modules_are_asked_for_their_panels_and_told_who_looks(john: User, auditor: User, answer: Any) -> None:
    asked: list[PanelsOfMember] = []

    def lanterns(question: PanelsOfMember) -> list[Panel]:
        asked.append(question)
        context = {"history": {"entries": ()}}
        return [
            Panel(key="lanterns", title="Lanterns", template="portal/history.html", rank=20, count=7, context=context)
        ]

    answer(PanelsOfMember, lanterns)

    response = client_of(auditor).get(address("change", john))

    assert [(question.member, question.viewer) for question in asked] == [(john, auditor)]
    assert [panel.key for panel in response.context["panels"]] == ["overview", "lanterns", "history"]
    assert 'id="panel-lanterns"' in response.content.decode()


def test_hostile_names_are_shown_as_they_are(make_member: Callable[..., User], reader: User, alone: None) -> None:
    mallory = make_member("mallory", first_name=HOSTILE, last_name="O'Hara", email='"><b>"@example.com')
    mallory.groups.add(Group.objects.create(name=f"{HOSTILE} guild"))

    text = read(reader, address("change", mallory))

    assert HOSTILE not in text
    assert "><b>" not in text
    assert escape(f"{HOSTILE} guild") in text


# --- What happened ----------------------------------------------------------------------------------------------


def change_profile(member: User, by: User, name: str) -> None:
    publish(ProfileChanged(member_id=member.pk), by=by, reason=f"Called {name}", changes={"first_name": ("", name)})


def test_the_history_has_what_was_done_to_them_and_by_them(
    john: User, jane: User, bob: User, auditor: User, alone: None
) -> None:
    change_profile(john, jane, "Jack")
    change_profile(jane, john, "Joan")
    change_profile(bob, jane, "Rob")
    change_profile(john, john, "Johnny")

    text = read(auditor, address("change", john))

    assert [text.count(f"Called {name}") for name in ("Jack", "Joan", "Rob", "Johnny")] == [1, 1, 0, 1]
    assert text.index("Called Johnny") < text.index("Called Joan") < text.index("Called Jack")
    assert address("change", jane) in text
    assert address("change", bob) not in text
    assert "First name" in text


def test_of_a_long_history_the_page_shows_the_latest_and_leads_to_what_was_before(
    john: User, jane: User, auditor: User, alone: None
) -> None:
    for number in range(A_PAGE + 5):
        members = (john, jane) if number % 2 else (jane, john)
        change_profile(*members, f"John the {number}.")
    client = client_of(auditor)

    first = client.get(address("change", john))
    assert first.content.decode().count("Called John") == A_PAGE
    shown = [panel.context["history"] for panel in first.context["panels"] if panel.key == "history"]
    older = client.get(address("record", john), {"before": shown[0].before})

    assert f'href="{address("record", john)}?before={shown[0].before}"' in first.content.decode()
    entries = [*shown[0].entries, *older.context["history"].entries]
    assert [entry.reason for entry in entries] == [f"Called John the {number}." for number in reversed(range(105))]
    assert older.context["history"].before is None


@pytest.mark.parametrize("before", ["", "soon", "-1", "9" * 30])
def test_a_page_of_the_record_that_nobody_has_named_is_the_first(
    john: User, auditor: User, alone: None, before: str
) -> None:
    change_profile(john, john, "Johnny")

    assert "Called Johnny" in read(auditor, address("record", john), before=before)


# --- Who sees it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["change", "record"])
def test_who_may_not_view_members_is_refused(make_member: Callable[..., User], john: User, step: str) -> None:
    clerk = make_member("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_mail"))

    response = client_of(clerk).get(address(step, john))

    assert response.status_code == 403
    assert "john" not in response.content.decode()


@pytest.mark.parametrize("step", ["change", "record"])
def test_who_is_no_staff_is_sent_to_the_login(john: User, jane: User, step: str) -> None:
    for client in (Client(), client_of(jane)):
        response = client.get(address(step, john))

        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


@dataclass(frozen=True, kw_only=True)
class LanternLit(Fact):
    summary_template = "{actor} lit {title}"

    session_id: int
    title: str
    creator_id: int


def lit(title: str, *, of: User, by: User) -> None:
    publish(LanternLit(session_id=7, title=title, creator_id=of.pk), by=by, reason=f"About {title}")


def test_who_may_view_members_alone_reads_nothing_of_the_record(john: User, morgan: User, reader: User) -> None:
    deactivate_member(member_id=john.pk, by=morgan, reason="Spam & threats")

    text = read(reader, address("change", john))

    assert "deactivated" in text
    for secret in ("Spam", "Morgan", "panel-history", "the record does not know"):
        assert secret not in text
    assert client_of(reader).get(address("record", john)).status_code == 403


def test_moderators_read_what_concerns_moderation_and_nothing_private(
    john: User, jane: User, morgan: User, boss: User, auditor: User, alone: None
) -> None:
    publish(MemberRegistered(member_id=john.pk, username="john_doe"), by=john)
    deactivate_member(member_id=john.pk, by=boss, reason="Spam")
    reactivate_member(member_id=john.pk, by=boss, reason="An error")
    lit("Knots", of=john, by=john)
    lit("Bends", of=jane, by=john)
    for private in (AddressChanged, RightsChanged, PasswordChanged, LoggedOutEverywhere, ProfileChanged):
        changes = {"email": ("secret@example.com", "hidden@example.com")}
        publish(private(member_id=john.pk), by=boss, reason="A private reason", changes=changes)

    for path in (address("change", john), address("record", john)):
        whole, text = read(auditor, path), read(morgan, path)

        for shown in ("got an account", "Spam", "An error", "About Knots", "About Bends"):
            assert shown in text
            assert shown in whole
        for private in ("secret@", "hidden@", "A private reason", "the rights of", "password of", "the address of"):
            assert private not in text
            assert private in whole


def test_moderators_read_nothing_of_what_happened_to_themselves_or_in_their_own_sessions(
    john: User, morgan: User, boss: User, make_member: Callable[..., User], alone: None
) -> None:
    other = make_member("other", is_staff=True)
    other.groups.add(Group.objects.get(name="Moderators"))
    lit("Knots", of=morgan, by=other)
    lit("Bends", of=john, by=other)

    assert "panel-history" not in read(morgan, address("change", morgan))
    assert client_of(morgan).get(address("record", morgan)).status_code == 403
    text = read(morgan, address("record", other))
    assert "About Bends" in text
    assert "Knots" not in text
    assert "About Knots" in read(boss, address("record", other))
    lit("Nets", of=boss, by=other)
    assert "About Nets" in read(boss, address("record", other))
    assert 'id="panel-history"' in read(boss, address("change", boss))


@dataclass(frozen=True, kw_only=True)
class LanternTaken(Fact):
    summary_template = "{actor} took a lantern"

    session_id: int
    uploader_id: int


def test_moderators_read_of_nobody_what_was_done_to_themselves(
    john: User, morgan: User, boss: User, answer: Any, alone: None
) -> None:
    deactivate_member(member_id=morgan.pk, by=boss, reason="Of Morgan")
    reactivate_member(member_id=morgan.pk, by=boss, reason="Of Morgan, too")
    deactivate_member(member_id=john.pk, by=boss, reason="Of John")
    publish(LanternTaken(session_id=8, uploader_id=morgan.pk), by=boss, reason="Of Morgan's lantern")
    publish(LanternTaken(session_id=8, uploader_id=john.pk), by=boss, reason="Of John's lantern")
    publish(LanternTaken(session_id=9, uploader_id=john.pk), by=boss, reason="In a session of Morgan's")
    answer(OwnSessionsAsked, lambda question: [9] if question.member_id == morgan.pk else [])
    morgan = User.objects.get(pk=morgan.pk)

    history = list_member_history(boss, morgan)

    assert history is not None
    assert [entry.reason for entry in history.entries] == ["Of John's lantern", "Of John"]
    whole = list_member_history(boss, boss)
    assert whole is not None
    assert len(whole.entries) == 6


def test_a_login_that_has_run_out_is_not_open(john: User, reader: User, clock: Any, alone: None) -> None:
    Login.objects.create(user=john, created_at=the_clock.now() - timedelta(days=13))
    Login.objects.create(user=john, created_at=the_clock.now() - timedelta(days=15))

    assert "1 open login" in read(reader, address("change", john))


def test_the_record_is_read_and_nothing_else(john: User, auditor: User, alone: None) -> None:
    assert client_of(auditor).post(address("record", john)).status_code == 405


def test_there_is_no_page_about_nobody(reader: User) -> None:
    for path in ("0/change/", "1000000/change/", f"{10**30}/change/", "john/change/", "²/change/", "1000000/record/"):
        assert client_of(reader).get(f"{LIST}{path}").status_code == 404


def test_nothing_is_changed_by_posting_to_the_page(john: User, boss: User) -> None:
    response = client_of(boss).post(address("change", john), {"username": "other", "_save": "1"})

    assert response.status_code == 405
    assert User.objects.get(pk=john.pk).username == "john_doe"


FORMS = {
    "edit": ("/admin/core/user/{}/edit/", {"username": "other", "timezone": "UTC", "is_superuser": "on"}),
    "password": ("/admin/core/user/{}/password/", {"password1": PASSWORD, "password2": PASSWORD}),
    "add": ("/admin/core/user/add/", {"username": "other", "password1": PASSWORD, "password2": PASSWORD}),
    "delete": ("/admin/core/user/{}/delete/", {"post": "yes"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_is_for_moderators_whatever_else_they_may(john: User, morgan: User, form: str) -> None:
    codenames = ["add_user", "change_user", "delete_user"]
    morgan.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    path, values = FORMS[form]
    before = list(User.objects.order_by("pk").values())

    for member in (john, morgan):
        assert client_of(morgan).get(path.format(member.pk)).status_code == 403
        assert client_of(morgan).post(path.format(member.pk), values).status_code == 403

    after = [{**row, "last_login": None} for row in User.objects.order_by("pk").values()]
    assert after == [{**row, "last_login": None} for row in before]
    assert not FactRecord.objects.exists()


@pytest.mark.parametrize("form", ["edit", "password", "add"])
def test_superusers_have_them(john: User, boss: User, form: str) -> None:
    assert client_of(boss).get(FORMS[form][0].format(john.pk)).status_code == 200


def test_after_a_change_a_superuser_is_back_on_the_page(john: User, boss: User) -> None:
    values = {"username": "john_doe", "email": john.email, "first_name": "Jack", "timezone": "UTC", "_save": "1"}

    response = client_of(boss).post(address("edit", john), values)

    assert (response.status_code, response["Location"]) == (302, address("change", john))


def test_nobody_is_shown_a_secret(john: User, morgan: User, boss: User) -> None:
    john.set_password(PASSWORD)
    john.save()
    Login.objects.create(user=john)

    for by in (morgan, boss):
        for path in (LIST, address("change", john), address("record", john), f"{LIST}?q=john"):
            text = read(by, path)
            assert john.password not in text
            assert "token_version" not in text
            assert "pbkdf2" not in text


# --- How much it costs ------------------------------------------------------------------------------------------


def queries_of(client: Client, path: str) -> int:
    # What is looked up once a process is looked up by now.
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_a_page_costs_as_many_queries_however_much_there_is(
    john: User, jane: User, auditor: User, make_member: Callable[..., User], alone: None
) -> None:
    client = client_of(auditor)
    change_profile(john, jane, "Jack")
    Login.objects.create(user=john)
    john.groups.add(Group.objects.create(name="Gardeners"))
    few = queries_of(client, address("change", john))

    for number in range(30):
        other = make_member()
        change_profile(john, other, f"Jack the {number}.")
        change_profile(other, john, f"Joan the {number}.")
        Login.objects.create(user=john)
        john.groups.add(Group.objects.create(name=f"Gardeners {number}"))

    assert queries_of(client, address("change", john)) == few <= 20


def test_the_history_of_somebody_busy_is_read_in_parts(john: User, jane: User, auditor: User) -> None:
    for number in range(3):
        change_profile(john, jane, f"Jack the {number}.")
        change_profile(jane, john, f"Joan the {number}.")
    with CaptureQueriesContext(connection) as queries:
        happened = list_member_history(john, auditor)

    assert happened is not None
    assert len(happened.entries) == 6
    # By whom, about whom, both together, and their names; and what the reader may see.
    assert len([query for query in queries if "core_factrecord" in query["sql"]]) == 3
    assert all("LIMIT" in query["sql"] for query in queries if "core_factrecord" in query["sql"])
