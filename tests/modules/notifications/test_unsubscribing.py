"""Unsubscribe links in mails: without a login, and never by GET (RFC 8058)."""

from typing import Any

import pytest
from django.core import signing
from django.test import Client
from tests.conftest import Api
from tests.modules.notifications.test_preferences import BOTH, DEFAULTS, IN_APP, PATH

from core.accounts.models import User
from core.facts.models import FactRecord
from modules.notifications.kinds import Kind
from modules.notifications.services.preferences import UNSUBSCRIBE_SALT, build_unsubscribe_url

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
NO_MAIL = {kind: {**channels, "mail": False} for kind, channels in DEFAULTS.items()}


@pytest.fixture
def link(john: User) -> str:
    return build_unsubscribe_url(user_id=john.pk, kinds=(Kind.REMINDER, Kind.SESSION_RESCHEDULED))


@pytest.fixture
def browser() -> Client:
    """A client without a login that checks CSRF tokens like a browser."""
    return Client(enforce_csrf_checks=True)


def test_the_link_leads_to_this_service(link: str) -> None:
    assert link.startswith("http://localhost:8000/unsubscribe/?token=")


@pytest.mark.parametrize("method", ["get", "head"])
def test_get_changes_nothing(john: User, link: str, browser: Client, method: str) -> None:
    for _ in range(2):
        response = getattr(browser, method)(link)

    assert response.status_code == 200
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert Api(john).get(PATH).json() == DEFAULTS
    assert not FactRecord.objects.filter(name="notifications.PreferencesChanged").exists()


def test_get_shows_the_kinds_of_the_link(link: str, browser: Client) -> None:
    page = browser.get(link).content.decode()

    assert "Reminders before your sessions start" in page
    assert "New times of your sessions" in page
    assert "Decisions on your requests to join" not in page
    assert '<form method="post">' in page


def test_one_click_stops_only_the_kinds_of_the_link(john: User, link: str, browser: Client) -> None:
    response = browser.post(link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")

    assert response.status_code == 200
    assert "Reminders before your sessions start" in response.content.decode()
    assert Api(john).get(PATH).json() == {**DEFAULTS, "reminder": IN_APP, "session_rescheduled": IN_APP}


def test_one_click_may_come_as_a_multipart_form(john: User, link: str, browser: Client) -> None:
    assert browser.post(link, ONE_CLICK).status_code == 200

    assert Api(john).get(PATH).json()["reminder"] == IN_APP


def test_unsubscribing_is_idempotent(john: User, link: str, browser: Client) -> None:
    for _ in range(2):
        assert browser.post(link, ONE_CLICK).status_code == 200

    assert FactRecord.objects.filter(name="notifications.PreferencesChanged").count() == 1


def test_all_mail_can_be_stopped_at_once(john: User, link: str, browser: Client) -> None:
    response = browser.post(link, {"everything": "yes"})

    assert response.status_code == 200
    assert Api(john).get(PATH).json() == NO_MAIL


def test_notifications_in_the_app_are_not_affected(john: User, link: str, browser: Client) -> None:
    Api(john).put(PATH, {"reminder": {"in_app": False}})

    browser.post(link, ONE_CLICK)

    assert Api(john).get(PATH).json()["reminder"] == {"in_app": False, "mail": False}


def test_mail_can_be_enabled_again_in_the_app(john: User, link: str, browser: Client) -> None:
    browser.post(link, ONE_CLICK)
    Api(john).put(PATH, {"reminder": {"mail": True}})

    assert Api(john).get(PATH).json()["reminder"] == BOTH
    assert "Reminders before your sessions start" in browser.get(link).content.decode()


def test_it_is_recorded_without_an_actor(john: User, link: str, browser: Client) -> None:
    browser.post(link, ONE_CLICK)

    record = FactRecord.objects.get(name="notifications.PreferencesChanged")
    assert (record.member_id, record.actor, record.reason) == (john.pk, None, "By a link in a mail.")


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "é\x00", "W10:1tFoo:bar"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_invalid_token_is_a_404(browser: Client, token: str, method: str) -> None:
    response = getattr(browser, method)("/unsubscribe/", query_params={"token": token})

    assert response.status_code == 404
    assert "This link is not valid." in response.content.decode()


def test_a_token_with_another_salt_is_a_404(john: User, browser: Client) -> None:
    from django.core import signing

    token = signing.dumps([john.pk, ["reminder"]], salt="core.accounts.address")

    assert browser.post("/unsubscribe/", query_params={"token": token}).status_code == 404
    assert Api(john).get(PATH).json() == DEFAULTS


def test_the_link_of_a_deleted_member_is_a_404(make_member: Any, browser: Client) -> None:
    member = make_member()
    link = build_unsubscribe_url(user_id=member.pk, kinds=(Kind.REMINDER,))
    member.delete()

    assert browser.post(link, ONE_CLICK).status_code == 404


def test_other_methods_are_refused(link: str, browser: Client) -> None:
    assert browser.put(link).status_code == 405
    assert browser.delete(link).status_code == 405


def test_the_page_loads_nothing_from_other_hosts(link: str, browser: Client) -> None:
    page = browser.get(link).content.decode()

    assert "<script" not in page
    assert "src=" not in page


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, True, 1, "x", "xy", {}, [], [1], [1, 2, 3], {"a": 1, "b": 2}),
        *([[1], ["reminder"]], [{}, ["reminder"]], ["x", ["reminder"]], [True, ["reminder"]], [2**64, ["reminder"]]),
        *(["john", 7], ["john", None], ["john", [7]], ["john", [["reminder"]]], ["john", "reminder"]),
    ],
    ids=repr,
)
def test_a_signed_token_with_other_content_is_refused(john: User, browser: Client, wrong: object) -> None:
    if isinstance(wrong, list):
        wrong = [john.pk if each == "john" else each for each in wrong]
    token = signing.dumps(wrong, salt=UNSUBSCRIBE_SALT)

    for ask in (browser.get, browser.post):
        response = ask(f"/unsubscribe/?token={token}")
        assert response.status_code == 404
        assert "This link is not valid." in response.content.decode()
    assert Api(john).get(PATH).json() == DEFAULTS
