"""Changing a password, and resetting it with a mailed link."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import LogIn
from tests.core.conftest import NOW, ReadMail, link_in
from tests.threads import run_in_threads

from core.accounts.models import User
from core.facts.models import FactRecord
from core.mail.models import Mail

CHANGE = "/api/auth/password/change/"
RESET = "/api/auth/password/reset/"
CONFIRM = "/api/auth/password/reset/confirm/"
NEW = "teach-together"
USED_UP = "This link is not valid or has been used. Ask for a new one."

WEAK = ["short", "password123", "8675309867", "john_doe", "", "x" * 1001, None, "with\x00nul in it"]


def can_log_in(password: str) -> bool:
    answer = Api().post("/api/auth/token/", {"username": "john_doe", "password": password})
    assert answer.status_code in {200, 401}
    return bool(answer.status_code == 200)


# --- Changing -----------------------------------------------------------------------------------------------------


def test_changing_the_password_needs_the_old_one(member: User, log_in: LogIn) -> None:
    answer = log_in("john_doe").api.post(CHANGE, {"old_password": PASSWORD, "new_password": NEW})

    assert answer.status_code == 200
    assert answer.json() == {"message": "Your password has been changed. Log in again."}
    assert can_log_in(NEW)
    assert not can_log_in(PASSWORD)


def test_a_changed_password_ends_all_logins(member: User, jane: User, log_in: LogIn, clock: Any) -> None:
    phone, laptop, janes = log_in("john_doe"), log_in("john_doe"), Api(jane)

    phone.api.post(CHANGE, {"old_password": PASSWORD, "new_password": NEW})

    for device in (phone, laptop):
        assert not device.is_authenticated()
        assert not device.can_refresh()
    assert [login.ended_at for login in member.logins.all()] == [NOW, NOW]
    assert janes.get("/api/auth/me/").status_code == 200


def test_a_wrong_old_password_changes_nothing(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")

    answer = device.api.post(CHANGE, {"old_password": "wrong", "new_password": NEW})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "old_password: That is not your password.",
        "fields": {"old_password": ["That is not your password."]},
    }
    assert device.is_authenticated()
    assert can_log_in(PASSWORD)
    assert not FactRecord.objects.exists()
    assert not Mail.objects.exists()


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_password_changes_nothing(member: User, log_in: LogIn, weak: str | None) -> None:
    device = log_in("john_doe")

    answer = device.api.post(CHANGE, {"old_password": PASSWORD, "new_password": weak})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["new_password"]
    assert device.is_authenticated()
    assert can_log_in(PASSWORD)


def test_a_changed_password_is_mailed_and_recorded(member: User, log_in: LogIn, read_mail: ReadMail) -> None:
    log_in("john_doe").api.post(CHANGE, {"old_password": PASSWORD, "new_password": NEW})

    (mail,) = read_mail()
    assert mail.to == ["john@example.com"]
    assert mail.subject == "Your password was changed"
    fact = FactRecord.objects.get()
    assert (fact.name, fact.member_id, fact.actor_id) == ("accounts.PasswordChanged", member.pk, member.pk)
    for text in (str(mail.body), str(fact.payload), str(fact.changes)):
        assert PASSWORD not in text
        assert NEW not in text


def test_changing_a_password_needs_an_access_token(member: User, stranger: Api) -> None:
    answer = stranger.post(CHANGE, {"old_password": PASSWORD, "new_password": NEW})

    assert answer.status_code == 401
    assert can_log_in(PASSWORD)


def test_a_password_set_in_any_other_way_ends_all_logins(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")

    member.set_password(NEW)
    member.save()

    assert not device.is_authenticated()
    assert not device.can_refresh()


# --- Resetting ----------------------------------------------------------------------------------------------------


@pytest.fixture
def link(member: User, stranger: Api, read_mail: ReadMail) -> dict[str, str]:
    """`uid` and `token` of a reset link for John."""
    stranger.post(RESET, {"email": "john@example.com"})
    (mail,) = read_mail()
    return link_in(mail)


@pytest.mark.parametrize("typed", ["john@example.com", "JOHN@Example.com", " john@example.com "])
def test_a_link_is_mailed_to_the_owner_of_the_address(
    member: User, stranger: Api, read_mail: ReadMail, typed: str
) -> None:
    answer = stranger.post(RESET, {"email": typed})

    assert answer.status_code == 200
    assert answer.json() == {"message": "If this address has an account, a link is on its way to it."}
    (mail,) = read_mail()
    assert mail.to == ["john@example.com"]
    assert mail.subject == "Choose a new password"
    assert "http://localhost:3000/reset-password?uid=" in str(mail.body)
    assert set(link_in(mail)) == {"uid", "token"}


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("jess@example.com", "je\N{LATIN SMALL LETTER SHARP S}@example.com"),
        ("mike@example.com", "mi\N{KELVIN SIGN}e@example.com"),
        ("mike@sharp.example.com", "mike@\N{LATIN SMALL LETTER LONG S}harp.example.com"),
    ],
)
def test_a_link_is_sent_to_the_stored_address_not_to_the_typed_one(
    make_member: Callable[..., User], stranger: Api, read_mail: ReadMail, stored: str, typed: str
) -> None:
    """Addresses with the same key may be different mailboxes."""
    make_member("mike", email=stored, password=make_password(PASSWORD))

    stranger.post(RESET, {"email": typed})

    assert {address for mail in read_mail() for address in mail.to} <= {stored}


def test_the_link_sets_a_new_password(member: User, link: dict[str, str], stranger: Api) -> None:
    answer = stranger.post(CONFIRM, {**link, "new_password": NEW})

    assert answer.status_code == 200
    assert answer.json() == {"message": "Your password has been changed. Log in."}
    assert can_log_in(NEW)
    assert not can_log_in(PASSWORD)


def test_the_link_works_once(member: User, link: dict[str, str], stranger: Api) -> None:
    stranger.post(CONFIRM, {**link, "new_password": NEW})

    again = stranger.post(CONFIRM, {**link, "new_password": "yet-another-password"})

    assert again.status_code == 400
    assert again.json() == {"error": f"token: {USED_UP}", "fields": {"token": [USED_UP]}}
    assert can_log_in(NEW)


@pytest.mark.django_db(transaction=True)
def test_of_concurrent_uses_of_the_link_one_succeeds(member: User, link: dict[str, str]) -> None:
    passwords = itertools.count()

    def follow() -> int:
        return int(Api().post(CONFIRM, {**link, "new_password": f"teach-together-{next(passwords)}"}).status_code)

    assert sorted(run_in_threads(5, follow)) == [200, 400, 400, 400, 400]
    assert FactRecord.objects.count() == 1


def test_a_reset_password_ends_all_logins_and_is_mailed_and_recorded(
    member: User, log_in: LogIn, link: dict[str, str], stranger: Api, read_mail: ReadMail
) -> None:
    device = Api(member)

    stranger.post(CONFIRM, {**link, "new_password": NEW})

    assert device.get("/api/auth/me/").status_code == 401
    assert not member.logins.filter(ended_at=None).exists()
    assert [(mail.to, mail.subject) for mail in read_mail()] == [(["john@example.com"], "Your password was changed")]
    fact = FactRecord.objects.get()
    assert (fact.name, fact.member_id, fact.actor_id) == ("accounts.PasswordChanged", member.pk, member.pk)


def test_the_link_expires_after_a_day(member: User, clock: Any, link: dict[str, str], stranger: Api) -> None:
    clock.shift(timedelta(days=1, seconds=1))

    answer = stranger.post(CONFIRM, {**link, "new_password": NEW})

    assert answer.status_code == 400
    assert can_log_in(PASSWORD)


def test_the_mail_says_how_long_the_link_is_valid(
    member: User, stranger: Api, read_mail: ReadMail, settings: Any
) -> None:
    settings.PASSWORD_RESET_TIMEOUT = 2 * 3600
    stranger.post(RESET, {"email": member.email})

    assert "The link works once, for 2 hours. If you" in str(read_mail()[0].body)


def test_the_link_is_valid_for_a_day(member: User, clock: Any, link: dict[str, str], stranger: Api) -> None:
    clock.shift(timedelta(days=1))

    assert stranger.post(CONFIRM, {**link, "new_password": NEW}).status_code == 200


def test_a_changed_password_invalidates_the_link(
    member: User, link: dict[str, str], log_in: LogIn, stranger: Api
) -> None:
    member.set_password("changed-meanwhile")
    member.save()

    assert stranger.post(CONFIRM, {**link, "new_password": NEW}).status_code == 400


def test_a_rejected_password_does_not_invalidate_the_link(member: User, link: dict[str, str], stranger: Api) -> None:
    for weak in WEAK:
        answer = stranger.post(CONFIRM, {**link, "new_password": weak})
        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == ["new_password"]

    assert stranger.post(CONFIRM, {**link, "new_password": NEW}).status_code == 200


def encode_uid(value: object) -> str:
    return urlsafe_base64_encode(force_bytes(value))


@pytest.mark.parametrize(
    "change",
    [
        {"uid": encode_uid(0)},
        {"uid": encode_uid(-1)},
        {"uid": encode_uid("nobody")},
        {"uid": encode_uid(10**40)},
        {"uid": encode_uid("\x00")},
        {"uid": "é"},
        {"uid": "A"},
        {"uid": "////"},
        {"token": "nonsense"},
        {"token": "a-b"},
        {"token": "-"},
        {"token": "é-é"},
        {"token": "zzzzzzzzzzzzzzzzzzzz-b"},
        {"token": "x" * 5000},
    ],
)
def test_a_forged_link_is_rejected(member: User, link: dict[str, str], stranger: Api, change: dict[str, str]) -> None:
    answer = stranger.post(CONFIRM, {**link, **change, "new_password": NEW})

    assert answer.status_code == 400
    assert answer.json() == {"error": f"token: {USED_UP}", "fields": {"token": [USED_UP]}}
    assert can_log_in(PASSWORD)


def test_a_link_works_only_for_its_member(member: User, jane: User, link: dict[str, str], stranger: Api) -> None:
    answer = stranger.post(CONFIRM, {**link, "uid": encode_uid(jane.pk), "new_password": NEW})

    assert answer.status_code == 400


def test_a_deactivated_member_gets_no_link(member: User, stranger: Api, read_mail: ReadMail) -> None:
    User.objects.update(is_active=False)

    answer = stranger.post(RESET, {"email": "john@example.com"})

    assert answer.status_code == 200
    assert read_mail() == []
    assert Mail.objects.get().status == Mail.Status.DROPPED


def test_the_link_of_a_deactivated_member_is_rejected(member: User, link: dict[str, str], stranger: Api) -> None:
    User.objects.update(is_active=False)

    assert stranger.post(CONFIRM, {**link, "new_password": NEW}).status_code == 400


def test_a_member_without_a_password_gets_no_link(
    make_member: Callable[..., User], stranger: Api, read_mail: ReadMail
) -> None:
    make_member("machine", email="machine@example.com", password=make_password(None))

    stranger.post(RESET, {"email": "machine@example.com"})

    assert read_mail() == []


def test_an_address_without_an_account_gets_no_mail(db: None, stranger: Api, read_mail: ReadMail) -> None:
    stranger.post(RESET, {"email": "nobody@example.com"})

    assert read_mail() == []


@pytest.mark.parametrize("garbage", ["", "a" * 255, None, 7, "a\nb@example.com", "john@example.com\x00"])
def test_an_invalid_address_is_rejected(member: User, stranger: Api, garbage: Any) -> None:
    answer = stranger.post(RESET, {"email": garbage})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["email"]
    assert not Mail.objects.exists()


def test_the_token_is_in_no_row_and_no_task(member: User, stranger: Api, read_mail: ReadMail) -> None:
    stranger.post(RESET, {"email": "john@example.com"})
    (mail,) = read_mail()

    row = Mail.objects.values().get()
    assert link_in(mail)["token"] not in str(row)
    assert not any("token" in name or "body" in name for name in row)
