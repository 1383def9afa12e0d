"""Opening an account."""

import itertools
from typing import Any

import pytest
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import LogIn
from tests.core.conftest import NOW, ReadMail
from tests.core.threads import at_once

from core.accounts.models import User
from core.facts.models import FactRecord
from core.mail.models import Mail

REGISTER = "/api/auth/register/"
FULL_WIDTH_JANE = "\uff4a\uff41\uff4e\uff45"


def form(**changes: Any) -> dict[str, Any]:
    return {
        "username": "jane_smith",
        "email": "jane@example.com",
        "password": PASSWORD,
        "first_name": "Jane",
        "last_name": "Smith",
        **changes,
    }


def refused(answer: Any) -> dict[str, list[str]]:
    """The fields of a refusal, which has made nothing."""
    assert answer.status_code == 400, answer.content
    body = answer.json()
    assert set(body) == {"error", "fields"}
    name, (message, *_) = next(iter(body["fields"].items()))
    assert body["error"] == f"{name}: {message}"
    assert not FactRecord.objects.exists()
    assert not Mail.objects.exists()
    fields: dict[str, list[str]] = body["fields"]
    return fields


def test_registering_answers_all_but_the_password_no_id_and_no_tokens(stranger: Api) -> None:
    answer = stranger.post(REGISTER, form())

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
    stranger.post(REGISTER, form())

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
    stranger.post(REGISTER, form(is_staff=True, is_superuser=True, groups=[1], id=7))

    jane = User.objects.get()
    assert not jane.is_staff
    assert not jane.is_superuser
    assert not jane.groups.exists()


def test_the_password_is_stored_hashed(stranger: Api) -> None:
    stranger.post(REGISTER, form())

    jane = User.objects.get()
    assert jane.check_password(PASSWORD)
    assert PASSWORD not in jane.password


def test_registering_is_recorded(stranger: Api, clock: Any) -> None:
    answer = stranger.post(REGISTER, form())

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


def test_a_new_member_is_welcomed_by_mail(stranger: Api, read_mail: ReadMail) -> None:
    stranger.post(REGISTER, form())

    (mail,) = read_mail()
    assert mail.to == ["jane@example.com"]
    assert mail.subject == "Welcome to Peer Learning"
    assert "Hello jane_smith," in str(mail.body)
    assert PASSWORD not in str(mail.body)


def test_first_and_last_name_may_be_left_out(stranger: Api) -> None:
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
def test_the_time_zone_may_come_with_the_account(john: User, stranger: Api, log_in: LogIn, email: str) -> None:
    """Answered alike where the address is taken: a stranger cannot tell."""
    answer = stranger.post(REGISTER, form(email=email, timezone="America/New_York"))

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


def test_no_time_zone_is_utc(stranger: Api) -> None:
    answer = stranger.post(REGISTER, form(timezone=None))

    assert (answer.status_code, answer.json()["timezone"], User.objects.get().timezone) == (201, "UTC", "UTC")


@pytest.mark.parametrize("zone", ["", " ", "Europe/Nowhere", "UTC+1", "localtime", "../../etc/passwd", "europe/berlin"])
def test_a_time_zone_that_is_unknown_is_refused(stranger: Api, zone: str) -> None:
    sentence = "Not a time zone of the IANA database, such as Europe/Berlin."

    assert refused(stranger.post(REGISTER, form(timezone=zone))) == {"timezone": [sentence]}
    assert not User.objects.exists()


@pytest.mark.parametrize("zone", [7, True, [], {}, "x" * 65, "UTC\x00"])
def test_a_time_zone_that_is_no_name_is_refused(stranger: Api, zone: Any) -> None:
    assert list(refused(stranger.post(REGISTER, form(timezone=zone)))) == ["timezone"]
    assert not User.objects.exists()


def test_a_password_is_taken_as_it_is(stranger: Api, log_in: LogIn) -> None:
    stranger.post(REGISTER, form(password="  learn together  "))

    assert log_in("jane_smith", "  learn together  ").is_known()
    answer = stranger.post("/api/auth/token/", {"username": "jane_smith", "password": "learn together"})
    assert answer.status_code == 401


def test_a_password_is_hashed_in_one_form_of_unicode(stranger: Api, log_in: LogIn) -> None:
    stranger.post(REGISTER, form(password="pe\u0301dagogie \ufb01n"))

    assert log_in("jane_smith", "p\u00e9dagogie fin").is_known()
    assert log_in("jane_smith", "pe\u0301dagogie \ufb01n").is_known()


@pytest.mark.parametrize("password", ["password\uff11\uff12\uff13", "867530\uff19"])
def test_a_weak_password_is_weak_in_every_form_of_unicode(stranger: Api, password: str) -> None:
    assert list(refused(stranger.post(REGISTER, form(password=password)))) == ["password"]


@pytest.mark.parametrize("taken", ["john_doe", "John_Doe", "JOHN_DOE"])
def test_a_taken_user_name_is_refused_whatever_its_case(john: User, stranger: Api, taken: str) -> None:
    answer = stranger.post(REGISTER, form(username=taken))

    assert refused(answer) == {"username": ["This user name is taken."]}
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
def test_user_names_beyond_ascii_are_compared_by_their_letters(stranger: Api, first: str, second: str) -> None:
    assert stranger.post(REGISTER, form(username=first, email="")).status_code == 400
    assert stranger.post(REGISTER, form(username=first)).status_code == 201

    answer = stranger.post(REGISTER, form(username=second, email="other@example.com"))

    assert answer.status_code == 400
    assert answer.json()["fields"] == {"username": ["This user name is taken."]}


@pytest.mark.parametrize("name", ["Zoë", "李小龍", "Ольга", "josé.ñ+1", "a-b_c"])
def test_user_names_may_be_in_any_script(stranger: Api, log_in: LogIn, name: str) -> None:
    answer = stranger.post(REGISTER, form(username=name))

    assert answer.status_code == 201
    assert answer.json()["username"] == name
    assert log_in(name).api.get("/api/auth/me/").json()["username"] == name


def test_what_is_answered_is_what_is_stored(stranger: Api) -> None:
    answer = stranger.post(REGISTER, form(username=FULL_WIDTH_JANE, email="Jane@EXAMPLE.com"))

    jane = User.objects.get()
    assert answer.json()["username"] == jane.username == "jane"
    assert answer.json()["email"] == jane.email == "Jane@example.com"


@pytest.mark.parametrize("name", ["jane@home", "jane@example.com", "jane\N{FULLWIDTH COMMERCIAL AT}home", "@"])
def test_a_user_name_has_no_at(stranger: Api, name: str) -> None:
    assert list(refused(stranger.post(REGISTER, form(username=name)))) == ["username"]
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "jane smith", "jane!", "jane/..", "jane\nsmith", "😀", "a" * 151, None, 7])
def test_user_names_are_letters_digits_and_four_signs(stranger: Api, name: Any) -> None:
    assert list(refused(stranger.post(REGISTER, form(username=name)))) == ["username"]
    assert not User.objects.exists()


def test_bounds_belong_to_what_is_allowed(stranger: Api) -> None:
    answer = stranger.post(REGISTER, form(username="a" * 150, first_name="b" * 150, last_name="c" * 150))

    assert answer.status_code == 201


@pytest.mark.parametrize("field", ["first_name", "last_name"])
@pytest.mark.parametrize("value", ["x" * 151, "Jane\nSmith", "Jane\x7f", 7, None])
def test_names_are_one_line_of_at_most_150_characters(stranger: Api, field: str, value: Any) -> None:
    assert list(refused(stranger.post(REGISTER, form(**{field: value})))) == [field]


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
def test_an_address_must_be_one(stranger: Api, address: Any) -> None:
    assert list(refused(stranger.post(REGISTER, form(email=address)))) == ["email"]
    assert not User.objects.exists()


def test_the_longest_address_that_mail_reaches_is_taken(stranger: Api) -> None:
    domain = ".".join(["a" * 63, "b" * 63, "c" * 57, "com"])
    address = f"{'j' * 64}@{domain}"
    assert len(address) == 254

    response = stranger.post(REGISTER, form(email=address))

    assert response.status_code == 201
    assert User.objects.get().email == address


def test_an_address_whose_letters_grow_when_their_case_is_put_aside_is_refused(stranger: Api) -> None:
    letters = "\N{LATIN SMALL LIGATURE FFI}" * 20
    address = f"jane@{'.'.join([letters] * 11)}.com"
    assert len(address) < 254

    assert refused(stranger.post(REGISTER, form(email=address))) == {"email": ["At most 254 characters."]}


@pytest.mark.parametrize("password", ["short", "password123", "8675309867", "jane_smith", "", "x" * 1001, None])
def test_a_weak_password_is_refused(stranger: Api, password: Any) -> None:
    assert list(refused(stranger.post(REGISTER, form(password=password)))) == ["password"]
    assert not User.objects.exists()


def test_everything_that_is_missing_is_named(stranger: Api) -> None:
    assert refused(stranger.post(REGISTER, {})) == {
        "username": ["This field is required."],
        "email": ["This field is required."],
        "password": ["This field is required."],
    }


@pytest.mark.parametrize("field", ["username", "email", "password", "first_name", "last_name"])
def test_a_nul_is_refused_in_every_field(stranger: Api, field: str) -> None:
    answer = stranger.post(REGISTER, form(**{field: f"{form()[field]}\x00"}))

    assert refused(answer) == {field: ["May not contain NUL characters or broken Unicode."]}


@pytest.mark.parametrize("field", ["username", "email", "password", "first_name"])
def test_a_lone_surrogate_is_refused_in_every_field(stranger: Api, field: str) -> None:
    # Django's client writes it as the escape "\ud800", as a hostile client would.
    answer = stranger.post(REGISTER, form(**{field: "\ud800"}))

    assert answer.status_code == 400
    assert "error" in answer.json()
    assert not User.objects.exists()


def test_a_taken_address_is_answered_exactly_like_a_new_one(john: User, stranger: Api) -> None:
    new = stranger.post(REGISTER, form(username="new", email="new@example.com"))
    taken = stranger.post(REGISTER, form(username="other", email="JOHN@example.com"))

    assert taken.status_code == new.status_code == 201
    assert taken.json() == {**new.json(), "username": "other", "email": "JOHN@example.com"}
    assert {**taken.headers, "X-Request-ID": "", "Content-Length": ""} == {
        **new.headers,
        "X-Request-ID": "",
        "Content-Length": "",
    }


def test_a_taken_address_makes_nothing_and_writes_to_its_owner(john: User, stranger: Api, read_mail: ReadMail) -> None:
    stranger.post(REGISTER, form(email="JOHN@example.com"))

    assert User.objects.get() == john
    assert not FactRecord.objects.exists()
    (mail,) = read_mail()
    assert mail.to == ["john@example.com"]
    assert mail.subject == "You already have an account"
    assert '"john_doe"' in str(mail.body)
    assert "jane_smith" not in str(mail.body)


def test_a_taken_address_is_held_to_the_same_rules(john: User, stranger: Api) -> None:
    weak = form(email="john@example.com", password="short")
    named_like_somebody = form(email="john@example.com", username="John_Doe")

    assert list(refused(stranger.post(REGISTER, weak))) == ["password"]
    assert list(refused(stranger.post(REGISTER, named_like_somebody))) == ["username"]


def test_a_taken_address_does_the_same_work(john: User, stranger: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing is what takes the time that a stranger could measure."""
    from core.accounts import services

    hashed: list[str] = []

    def hash_password(password: str) -> str:
        hashed.append(password)
        return "hash"

    monkeypatch.setattr(services, "make_password", hash_password)

    stranger.post(REGISTER, form(email="john@example.com"))
    stranger.post(REGISTER, form(email="new@example.com"))

    assert hashed == [PASSWORD, PASSWORD]


@pytest.mark.parametrize("taken", ["username", "email"])
def test_what_is_taken_between_the_look_and_the_insert_is_answered_like_what_was_taken_before(
    stranger: Api, make_member: Any, read_mail: ReadMail, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    from core.accounts import services

    make_password = services.make_password

    def let_somebody_come_first(password: str) -> str:
        make_member(**{"username": "first", "email": "first@example.com", taken: form()[taken]})
        return make_password(password)

    monkeypatch.setattr(services, "make_password", let_somebody_come_first)

    answer = stranger.post(REGISTER, form())

    assert answer.status_code == (400 if taken == "username" else 201)
    assert User.objects.count() == 1
    assert [mail.to for mail in read_mail()] == ([] if taken == "username" else [["jane@example.com"]])


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_one_name_at_once_one_gets_it() -> None:
    numbers = itertools.count()

    def register() -> int:
        return int(Api().post(REGISTER, form(email=f"jane{next(numbers)}@example.com")).status_code)

    assert sorted(at_once(5, register)) == [201, 400, 400, 400, 400]
    assert User.objects.count() == FactRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_one_address_at_once_one_gets_it_and_nobody_is_told(read_mail: ReadMail) -> None:
    numbers = itertools.count()

    def register() -> int:
        return int(Api().post(REGISTER, form(username=f"jane{next(numbers)}")).status_code)

    assert at_once(5, register) == [201] * 5
    assert User.objects.count() == FactRecord.objects.count() == 1
    assert sorted(mail.subject for mail in read_mail()) == [
        "Welcome to Peer Learning",
        *["You already have an account"] * 4,
    ]


@pytest.mark.django_db(transaction=True)
def test_one_form_that_is_sent_many_times_at_once_makes_one_account_and_says_so() -> None:
    def register() -> int:
        return int(Api().post(REGISTER, form()).status_code)

    assert sorted(at_once(5, register)) == [201, 400, 400, 400, 400]
    assert User.objects.count() == FactRecord.objects.count() == 1
