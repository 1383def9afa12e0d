"""Changing the e-mail address, with the password and a confirmation link."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from tests.conftest import PASSWORD, Api
from tests.core.conftest import ReadMail, link_in

from core.accounts.deactivation import deactivate_member, reactivate_member
from core.accounts.models import User
from core.accounts.services import ADDRESS_SALT
from core.facts.models import FactRecord
from core.mail.models import Mail

CHANGE = "/api/auth/email/change/"
CONFIRM = "/api/auth/email/change/confirm/"
ME = "/api/auth/me/"
USED_UP = "This link is not valid or has been used. Ask for a new one."


@pytest.fixture
def api(member: User) -> Api:
    """John, logged in."""
    return Api(member)


@pytest.fixture
def token(api: Api, read_mail: ReadMail) -> str:
    """The token that was mailed to John's new address."""
    return request_change(api, read_mail, "new@example.com")


def request_change(api: Api, read_mail: ReadMail, address: str) -> str:
    answer = api.post(CHANGE, {"password": PASSWORD, "new_email": address})
    assert answer.status_code == 200
    (mail,) = read_mail()
    assert mail.to == [address]
    return link_in(mail)["token"]


def assert_link_is_invalid(answer: Any) -> None:
    assert answer.status_code == 400
    assert answer.json() == {"error": f"token: {USED_UP}", "fields": {"token": [USED_UP]}}


def test_the_new_address_gets_a_link_and_the_old_one_stays(api: Api, member: User, read_mail: ReadMail) -> None:
    answer = api.post(CHANGE, {"password": PASSWORD, "new_email": "new@EXAMPLE.com"})

    assert answer.status_code == 200
    assert answer.json() == {"message": "A confirmation is on its way to the new address."}
    (mail,) = read_mail()
    assert mail.to == ["new@example.com"]
    assert mail.subject == "Confirm your new address"
    assert "http://localhost:3000/confirm-email?token=" in str(mail.body)
    assert api.get(ME).json()["email"] == "john@example.com"


def test_confirming_the_link_changes_the_address(api: Api, member: User, token: str, stranger: Api) -> None:
    answer = stranger.post(CONFIRM, {"token": token})

    assert answer.status_code == 200
    assert answer.json() == {"message": "Your address has been changed."}
    assert api.get(ME).json()["email"] == "new@example.com"
    for name, status in (("new@example.com", 200), ("john@example.com", 401)):
        assert stranger.post("/api/auth/token/", {"username": name, "password": PASSWORD}).status_code == status


def test_a_changed_address_is_recorded(member: User, token: str, stranger: Api) -> None:
    stranger.post(CONFIRM, {"token": token})

    fact = FactRecord.objects.get()
    assert (fact.name, fact.member_id, fact.actor_id) == ("accounts.AddressChanged", member.pk, member.pk)
    assert fact.changes == {"email": ["john@example.com", "new@example.com"]}


def test_the_old_address_gets_a_mail(token: str, stranger: Api, read_mail: ReadMail) -> None:
    """So that the owner learns of it if somebody else has taken over the account."""
    stranger.post(CONFIRM, {"token": token})

    (mail,) = read_mail()
    assert mail.to == ["john@example.com"]
    assert mail.subject == "Your address was changed"


def test_the_link_works_once(token: str, stranger: Api) -> None:
    stranger.post(CONFIRM, {"token": token})

    assert_link_is_invalid(stranger.post(CONFIRM, {"token": token}))


def test_a_used_link_stays_invalid_after_the_old_address_is_restored(
    api: Api, token: str, stranger: Api, read_mail: ReadMail
) -> None:
    stranger.post(CONFIRM, {"token": token})
    read_mail()
    stranger.post(CONFIRM, {"token": request_change(api, read_mail, "john@example.com")})
    assert api.get(ME).json()["email"] == "john@example.com"

    assert_link_is_invalid(stranger.post(CONFIRM, {"token": token}))
    assert api.get(ME).json()["email"] == "john@example.com"


def test_the_link_expires_after_a_day(clock: Any, token: str, stranger: Api, api: Api) -> None:
    clock.shift(timedelta(days=1, seconds=1))

    assert_link_is_invalid(stranger.post(CONFIRM, {"token": token}))


def test_a_wrong_password_sends_no_mail(api: Api, member: User) -> None:
    answer = api.post(CHANGE, {"password": "wrong", "new_email": "new@example.com"})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "password: That is not your password.",
        "fields": {"password": ["That is not your password."]},
    }
    assert not Mail.objects.exists()


@pytest.mark.parametrize("garbage", ["", "john", "john@", "a b@example.com", "a@b.c\nBcc: d@e.f", "a" * 255, None])
def test_an_invalid_address_is_rejected(api: Api, garbage: str | None) -> None:
    answer = api.post(CHANGE, {"password": PASSWORD, "new_email": garbage})

    assert answer.status_code == 400
    assert len(answer.json()["fields"]) == 1
    assert not Mail.objects.exists()


def test_an_error_about_the_address_names_its_field(api: Api) -> None:
    answer = api.post(CHANGE, {"password": PASSWORD, "new_email": "no address"})

    assert list(answer.json()["fields"]) == ["new_email"]


def test_a_taken_address_gets_the_same_response_as_a_free_one(
    api: Api, jane: User, member: User, read_mail: ReadMail
) -> None:
    free = api.post(CHANGE, {"password": PASSWORD, "new_email": "free@example.com"})
    read_mail()
    taken = api.post(CHANGE, {"password": PASSWORD, "new_email": "JANE@example.com"})

    assert (taken.status_code, taken.json()) == (free.status_code, free.json())
    (mail,) = read_mail()
    assert mail.to == ["jane@example.com"]
    assert mail.subject == "You already have an account"
    assert "token" not in str(mail.body)
    assert "john" not in str(mail.body)


def test_an_address_taken_before_the_confirmation_is_rejected(
    token: str, make_member: Callable[..., User], member: User, stranger: Api
) -> None:
    make_member("quick", email="NEW@example.com")

    assert_link_is_invalid(stranger.post(CONFIRM, {"token": token}))
    member.refresh_from_db()
    assert member.email == "john@example.com"
    assert not FactRecord.objects.exists()


def test_the_case_of_ones_own_address_can_be_changed(api: Api, read_mail: ReadMail, stranger: Api) -> None:
    stranger.post(CONFIRM, {"token": request_change(api, read_mail, "John@example.com")})

    assert api.get(ME).json()["email"] == "John@example.com"


def test_a_new_password_invalidates_the_link(api: Api, token: str, member: User, stranger: Api) -> None:
    api.post("/api/auth/password/change/", {"old_password": PASSWORD, "new_password": "teach-together"})

    assert_link_is_invalid(stranger.post(CONFIRM, {"token": token}))


def test_a_link_requested_before_a_password_change_is_not_sent(api: Api, read_mail: ReadMail) -> None:
    """Mail may be delayed for hours: a thief must not get a link after the owner has ended their login."""
    api.post(CHANGE, {"password": PASSWORD, "new_email": "thief@example.com"})
    api.post("/api/auth/password/change/", {"old_password": PASSWORD, "new_password": "teach-together"})

    assert [mail.to for mail in read_mail()] == [["john@example.com"]]


def test_the_link_of_a_deactivated_member_is_rejected(token: str, member: User, stranger: Api) -> None:
    User.objects.update(is_active=False)

    assert_link_is_invalid(stranger.post(CONFIRM, {"token": token}))


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, True, 1, "x", [], {}, ["new@example.com"], [[], "new@example.com"]),
        *([None, "john@example.com", 1, 0, "new@example.com"], [2**64, "john@example.com", 1, 0, "new@example.com"]),
        *([[1], "john@example.com", 1, 0, "new@example.com"], ["x", "john@example.com", 1, 0, "new@example.com"]),
    ],
)
def test_a_signed_link_with_other_claims_is_rejected(member: User, stranger: Api, wrong: object) -> None:
    assert_link_is_invalid(stranger.post(CONFIRM, {"token": signing.dumps(wrong, salt=ADDRESS_SALT)}))


@pytest.mark.parametrize("wrong", [None, 1, True, [], {}, ["new@example.com"]])
def test_a_signed_link_with_an_invalid_address_is_rejected(member: User, stranger: Api, wrong: object) -> None:
    state = [member.pk, member.email, member.token_version, 0, wrong]

    assert_link_is_invalid(stranger.post(CONFIRM, {"token": signing.dumps(state, salt=ADDRESS_SALT)}))
    member.refresh_from_db()
    assert member.email == "john@example.com"


@pytest.mark.parametrize("forged", ["nonsense", "a:b:c", "é", ":", "x" * 5000])
def test_a_forged_link_is_rejected(member: User, stranger: Api, forged: str) -> None:
    assert_link_is_invalid(stranger.post(CONFIRM, {"token": forged}))


def test_a_value_signed_with_another_salt_is_rejected(member: User, stranger: Api) -> None:
    values = [member.pk, member.email, member.token_version, "new@example.com"]

    for value in (signing.dumps(values), signing.dumps(values, salt="elsewhere")):
        assert_link_is_invalid(stranger.post(CONFIRM, {"token": value}))


def test_requesting_a_change_needs_an_access_token(member: User, stranger: Api) -> None:
    assert stranger.post(CHANGE, {"password": PASSWORD, "new_email": "new@example.com"}).status_code == 401


def test_a_changed_address_ends_no_login(api: Api, token: str, stranger: Api) -> None:
    stranger.post(CONFIRM, {"token": token})

    assert api.get(ME).status_code == 200


@pytest.mark.parametrize("how", ["a new password", "a deactivation"])
def test_a_queued_mail_is_dropped_after_its_login_ended(
    how: str, api: Api, member: User, root: User, admin: Client, read_mail: ReadMail
) -> None:
    api.post(CHANGE, {"password": PASSWORD, "new_email": "evil@example.com"})
    if how == "a new password":
        page = reverse("admin:auth_user_password_change", args=[member.pk])
        admin.post(page, {"password1": "teach-together", "password2": "teach-together", "usable_password": "true"})
    else:
        deactivate_member(member_id=member.pk, by=root, reason="Stolen")
        reactivate_member(member_id=member.pk, by=root, reason="Found again")

    assert "evil@example.com" not in [address for mail in read_mail() for address in mail.to]
    assert Mail.objects.get(kind="address_change").status == "dropped"
