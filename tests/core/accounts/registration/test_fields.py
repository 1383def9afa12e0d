"""The fields and the response of registration."""

from typing import Any

import pytest
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import LogIn
from tests.core.accounts.registration.arrangements import FULL_WIDTH_JANE, REGISTER, assert_rejected, build_form
from tests.core.conftest import NOW, ReadMail

from core.accounts.models import User
from core.facts.models import FactRecord


def test_the_response_has_no_password_id_or_tokens(stranger: Api) -> None:
    answer = stranger.post(REGISTER, build_form())

    assert answer.status_code == 201
    assert answer.json() == {
        "username": "jane_smith",
        "email": "jane@example.com",
        "first_name": "Jane",
        "last_name": "Smith",
        "timezone": "UTC",
    }
    assert list(answer.json()) == ["username", "email", "first_name", "last_name", "timezone"]


def test_a_new_member_can_log_in_at_once(stranger: Api, log_in: LogIn, clock: Any) -> None:
    stranger.post(REGISTER, build_form())

    jane = User.objects.get()
    assert log_in("jane_smith").api.get("/api/auth/me/").json() == {
        "id": jane.pk,
        "username": "jane_smith",
        "first_name": "Jane",
        "last_name": "Smith",
        "email": "jane@example.com",
        "date_joined": "2024-01-13T11:00:00Z",
        "timezone": "UTC",
    }


def test_a_new_member_has_no_rights(stranger: Api) -> None:
    stranger.post(REGISTER, build_form(is_staff=True, is_superuser=True, groups=[1], id=7))

    jane = User.objects.get()
    assert not jane.is_staff
    assert not jane.is_superuser
    assert not jane.groups.exists()


def test_the_password_is_stored_hashed(stranger: Api) -> None:
    stranger.post(REGISTER, build_form())

    jane = User.objects.get()
    assert jane.check_password(PASSWORD)
    assert PASSWORD not in jane.password


def test_registering_is_recorded(stranger: Api, clock: Any) -> None:
    answer = stranger.post(REGISTER, build_form())

    jane = User.objects.get()
    fact = FactRecord.objects.get()
    assert (fact.name, fact.member_id, fact.actor, fact.occurred_at) == (
        "accounts.MemberRegistered",
        jane.pk,
        jane,
        NOW,
    )
    assert fact.payload == {"member_id": jane.pk, "username": "jane_smith"}
    assert fact.request_id == answer["X-Request-ID"]


def test_a_new_member_gets_a_welcome_mail(stranger: Api, read_mail: ReadMail) -> None:
    stranger.post(REGISTER, build_form())

    (mail,) = read_mail()
    assert mail.to == ["jane@example.com"]
    assert mail.subject == "Welcome to Peer Learning"
    assert "Hello jane_smith," in str(mail.body)
    assert PASSWORD not in str(mail.body)


def test_first_and_last_name_are_optional(stranger: Api) -> None:
    answer = stranger.post(REGISTER, {"username": "jane", "email": "jane@example.com", "password": PASSWORD})

    assert answer.status_code == 201
    assert answer.json() == {
        "username": "jane",
        "email": "jane@example.com",
        "first_name": "",
        "last_name": "",
        "timezone": "UTC",
    }


@pytest.mark.parametrize("email", ["jane@example.com", "john@example.com"])
def test_the_time_zone_can_be_set(john: User, stranger: Api, log_in: LogIn, email: str) -> None:
    """With a taken address too, since the response must not reveal it."""
    answer = stranger.post(REGISTER, build_form(email=email, timezone="America/New_York"))

    assert answer.status_code == 201
    assert answer.json() == {
        "username": "jane_smith",
        "email": email,
        "first_name": "Jane",
        "last_name": "Smith",
        "timezone": "America/New_York",
    }
    if email == "jane@example.com":
        assert log_in("jane_smith").api.get("/api/auth/me/").json()["timezone"] == "America/New_York"
    assert User.objects.get(pk=john.pk).timezone == "UTC"


def test_the_default_time_zone_is_utc(stranger: Api) -> None:
    answer = stranger.post(REGISTER, build_form(timezone=None))

    assert (answer.status_code, answer.json()["timezone"], User.objects.get().timezone) == (201, "UTC", "UTC")


@pytest.mark.parametrize("zone", ["", " ", "Europe/Nowhere", "UTC+1", "localtime", "../../etc/passwd", "europe/berlin"])
def test_an_unknown_time_zone_is_rejected(stranger: Api, zone: str) -> None:
    sentence = "Not a time zone of the IANA database, such as Europe/Berlin."

    assert assert_rejected(stranger.post(REGISTER, build_form(timezone=zone))) == {"timezone": [sentence]}
    assert not User.objects.exists()


@pytest.mark.parametrize("zone", [7, True, [], {}, "x" * 65, "UTC\x00"])
def test_a_time_zone_of_another_type_is_rejected(stranger: Api, zone: Any) -> None:
    assert list(assert_rejected(stranger.post(REGISTER, build_form(timezone=zone)))) == ["timezone"]
    assert not User.objects.exists()


def test_a_password_is_not_stripped(stranger: Api, log_in: LogIn) -> None:
    stranger.post(REGISTER, build_form(password="  learn together  "))

    assert log_in("jane_smith", "  learn together  ").is_authenticated()
    answer = stranger.post("/api/auth/token/", {"username": "jane_smith", "password": "learn together"})
    assert answer.status_code == 401


def test_a_password_is_hashed_in_one_unicode_form(stranger: Api, log_in: LogIn) -> None:
    stranger.post(REGISTER, build_form(password="pe\u0301dagogie \ufb01n"))

    assert log_in("jane_smith", "p\u00e9dagogie fin").is_authenticated()
    assert log_in("jane_smith", "pe\u0301dagogie \ufb01n").is_authenticated()


@pytest.mark.parametrize("password", ["password\uff11\uff12\uff13", "867530\uff19"])
def test_a_weak_password_is_rejected_in_every_unicode_form(stranger: Api, password: str) -> None:
    assert list(assert_rejected(stranger.post(REGISTER, build_form(password=password)))) == ["password"]


@pytest.mark.parametrize("taken", ["john_doe", "John_Doe", "JOHN_DOE"])
def test_a_taken_user_name_is_rejected_whatever_its_case(john: User, stranger: Api, taken: str) -> None:
    answer = stranger.post(REGISTER, build_form(username=taken))

    assert assert_rejected(answer) == {"username": ["This user name is taken."]}
    assert User.objects.get() == john


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("straße", "STRASSE"),  # the case of one letter is two
        ("\u00c5SA", "a\u030asa"),  # composed and decomposed
        (FULL_WIDTH_JANE, "jane"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),  # a final letter of its own
    ],
)
def test_non_ascii_user_names_are_compared_case_insensitively(stranger: Api, first: str, second: str) -> None:
    assert stranger.post(REGISTER, build_form(username=first, email="")).status_code == 400
    assert stranger.post(REGISTER, build_form(username=first)).status_code == 201

    answer = stranger.post(REGISTER, build_form(username=second, email="other@example.com"))

    assert answer.status_code == 400
    assert answer.json()["fields"] == {"username": ["This user name is taken."]}


@pytest.mark.parametrize("name", ["Zoë", "李小龍", "Ольга", "josé.ñ+1", "a-b_c"])
def test_user_names_may_be_in_any_script(stranger: Api, log_in: LogIn, name: str) -> None:
    answer = stranger.post(REGISTER, build_form(username=name))

    assert answer.status_code == 201
    assert answer.json()["username"] == name
    assert log_in(name).api.get("/api/auth/me/").json()["username"] == name


def test_the_response_has_the_stored_values(stranger: Api) -> None:
    answer = stranger.post(REGISTER, build_form(username=FULL_WIDTH_JANE, email="Jane@EXAMPLE.com"))

    jane = User.objects.get()
    assert answer.json()["username"] == jane.username == "jane"
    assert answer.json()["email"] == jane.email == "Jane@example.com"
