"""Validation at registration, and registration with a taken name or address."""

import itertools
from typing import Any

import pytest
from tests.conftest import PASSWORD, Api
from tests.core.accounts.registration.arrangements import REGISTER, assert_rejected, build_form
from tests.core.conftest import ReadMail
from tests.threads import run_in_threads

from core.accounts.models import User
from core.facts.models import FactRecord


@pytest.mark.parametrize("name", ["jane@home", "jane@example.com", "jane\N{FULLWIDTH COMMERCIAL AT}home", "@"])
def test_a_user_name_with_an_at_sign_is_rejected(stranger: Api, name: str) -> None:
    assert list(assert_rejected(stranger.post(REGISTER, build_form(username=name)))) == ["username"]
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "jane smith", "jane!", "jane/..", "jane\nsmith", "😀", "a" * 151, None, 7])
def test_a_user_name_with_other_characters_is_rejected(stranger: Api, name: Any) -> None:
    assert list(assert_rejected(stranger.post(REGISTER, build_form(username=name)))) == ["username"]
    assert not User.objects.exists()


def test_values_of_maximum_length_are_accepted(stranger: Api) -> None:
    answer = stranger.post(REGISTER, build_form(username="a" * 150, first_name="b" * 150, last_name="c" * 150))

    assert answer.status_code == 201


@pytest.mark.parametrize("field", ["first_name", "last_name"])
@pytest.mark.parametrize("value", ["x" * 151, "Jane\nSmith", "Jane\x7f", 7, None])
def test_names_of_several_lines_or_over_150_characters_are_rejected(stranger: Api, field: str, value: Any) -> None:
    assert list(assert_rejected(stranger.post(REGISTER, build_form(**{field: value})))) == [field]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "jane",
        "jane@",
        "@example.com",
        "jane@@example.com",
        "jane smith@example.com",
        "a@b.c\nBcc: d@e.f",
        f"{'a' * 250}@example.com",
        None,
        7,
    ],
)
def test_an_invalid_address_is_rejected(stranger: Api, address: Any) -> None:
    assert list(assert_rejected(stranger.post(REGISTER, build_form(email=address)))) == ["email"]
    assert not User.objects.exists()


def test_an_address_of_maximum_length_is_accepted(stranger: Api) -> None:
    domain = ".".join(["a" * 63, "b" * 63, "c" * 57, "com"])
    address = f"{'j' * 64}@{domain}"
    assert len(address) == 254

    response = stranger.post(REGISTER, build_form(email=address))

    assert response.status_code == 201
    assert User.objects.get().email == address


def test_an_address_that_case_folding_makes_too_long_is_rejected(stranger: Api) -> None:
    letters = "\N{LATIN SMALL LIGATURE FFI}" * 20
    address = f"jane@{'.'.join([letters] * 11)}.com"
    assert len(address) < 254

    assert assert_rejected(stranger.post(REGISTER, build_form(email=address))) == {"email": ["At most 254 characters."]}


@pytest.mark.parametrize("password", ["short", "password123", "8675309867", "jane_smith", "", "x" * 1001, None])
def test_a_weak_password_is_rejected(stranger: Api, password: Any) -> None:
    assert list(assert_rejected(stranger.post(REGISTER, build_form(password=password)))) == ["password"]
    assert not User.objects.exists()


def test_all_missing_fields_are_reported(stranger: Api) -> None:
    assert assert_rejected(stranger.post(REGISTER, {})) == {
        "username": ["This field is required."],
        "email": ["This field is required."],
        "password": ["This field is required."],
    }


@pytest.mark.parametrize("field", ["username", "email", "password", "first_name", "last_name"])
def test_a_nul_is_rejected_in_every_field(stranger: Api, field: str) -> None:
    answer = stranger.post(REGISTER, build_form(**{field: f"{build_form()[field]}\x00"}))

    assert assert_rejected(answer) == {field: ["May not contain NUL characters or broken Unicode."]}


@pytest.mark.parametrize("field", ["username", "email", "password", "first_name"])
def test_a_lone_surrogate_is_rejected_in_every_field(stranger: Api, field: str) -> None:
    # Django's client writes it as the escape "\ud800", as a hostile client would.
    answer = stranger.post(REGISTER, build_form(**{field: "\ud800"}))

    assert answer.status_code == 400
    assert "error" in answer.json()
    assert not User.objects.exists()


def test_a_taken_address_gets_the_same_response_as_a_new_one(john: User, stranger: Api) -> None:
    new = stranger.post(REGISTER, build_form(username="new", email="new@example.com"))
    taken = stranger.post(REGISTER, build_form(username="other", email="JOHN@example.com"))

    assert taken.status_code == new.status_code == 201
    assert taken.json() == {**new.json(), "username": "other", "email": "JOHN@example.com"}
    assert {**taken.headers, "X-Request-ID": "", "Content-Length": ""} == {
        **new.headers,
        "X-Request-ID": "",
        "Content-Length": "",
    }


def test_a_taken_address_creates_nothing_and_mails_its_owner(john: User, stranger: Api, read_mail: ReadMail) -> None:
    stranger.post(REGISTER, build_form(email="JOHN@example.com"))

    assert User.objects.get() == john
    assert not FactRecord.objects.exists()
    (mail,) = read_mail()
    assert mail.to == ["john@example.com"]
    assert mail.subject == "You already have an account"
    assert '"john_doe"' in str(mail.body)
    assert "jane_smith" not in str(mail.body)


def test_registering_a_taken_address_validates_the_other_fields(john: User, stranger: Api) -> None:
    weak = build_form(email="john@example.com", password="short")
    named_like_somebody = build_form(email="john@example.com", username="John_Doe")

    assert list(assert_rejected(stranger.post(REGISTER, weak))) == ["password"]
    assert list(assert_rejected(stranger.post(REGISTER, named_like_somebody))) == ["username"]


def test_registering_a_taken_address_hashes_the_password_too(
    john: User, stranger: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the response time would reveal which addresses have an account."""
    from core.accounts import services

    hashed: list[str] = []

    def hash_password(password: str) -> str:
        hashed.append(password)
        return "hash"

    monkeypatch.setattr(services, "make_password", hash_password)

    stranger.post(REGISTER, build_form(email="john@example.com"))
    stranger.post(REGISTER, build_form(email="new@example.com"))

    assert hashed == [PASSWORD, PASSWORD]


@pytest.mark.parametrize("taken", ["username", "email"])
def test_values_taken_between_check_and_insert_get_the_same_response(
    stranger: Api, make_member: Any, read_mail: ReadMail, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    from core.accounts import services

    make_password = services.make_password

    def let_somebody_come_first(password: str) -> str:
        make_member(**{"username": "first", "email": "first@example.com", taken: build_form()[taken]})
        return make_password(password)

    monkeypatch.setattr(services, "make_password", let_somebody_come_first)

    answer = stranger.post(REGISTER, build_form())

    assert answer.status_code == (400 if taken == "username" else 201)
    assert User.objects.count() == 1
    assert [mail.to for mail in read_mail()] == ([] if taken == "username" else [["jane@example.com"]])


@pytest.mark.django_db(transaction=True)
def test_of_concurrent_registrations_of_one_name_one_succeeds() -> None:
    numbers = itertools.count()

    def register() -> int:
        return int(Api().post(REGISTER, build_form(email=f"jane{next(numbers)}@example.com")).status_code)

    assert sorted(run_in_threads(5, register)) == [201, 400, 400, 400, 400]
    assert User.objects.count() == FactRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_concurrent_registrations_of_one_address_one_succeeds_with_equal_responses(read_mail: ReadMail) -> None:
    numbers = itertools.count()

    def register() -> int:
        return int(Api().post(REGISTER, build_form(username=f"jane{next(numbers)}")).status_code)

    assert run_in_threads(5, register) == [201] * 5
    assert User.objects.count() == FactRecord.objects.count() == 1
    assert sorted(mail.subject for mail in read_mail()) == [
        "Welcome to Peer Learning",
        *["You already have an account"] * 4,
    ]


@pytest.mark.django_db(transaction=True)
def test_a_form_that_is_sent_several_times_at_once_creates_one_account() -> None:
    def register() -> int:
        return int(Api().post(REGISTER, build_form()).status_code)

    assert sorted(run_in_threads(5, register)) == [201, 400, 400, 400, 400]
    assert User.objects.count() == FactRecord.objects.count() == 1
