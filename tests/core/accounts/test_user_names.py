"""Confusable and reserved user names are rejected."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import get_resolver
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import LogIn

from core.accounts.models import User
from core.api import api
from core.facts.models import FactRecord
from core.mail.models import Mail

REGISTER = "/api/auth/register/"
MIXED = "A user name is written in one script that is in use today, not in a mixture of several."
UNSEEN = "A user name contains no characters that nobody sees."
DIGITS = "A user name contains digits of one kind alone."
RESERVED = "This user name is reserved. Choose another one."


def register(stranger: Api, username: str, **values: Any) -> Any:
    return stranger.post(REGISTER, {"username": username, "email": "jane@example.com", "password": PASSWORD, **values})


def assert_refused(answer: Any, sentence: str) -> None:
    assert answer.status_code == 400
    assert answer.json() == {"error": f"username: {sentence}", "fields": {"username": [sentence]}}
    assert not User.objects.filter(username_key__gt="").exclude(username="john_doe").exists()
    assert not FactRecord.objects.exists()
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "j\N{CYRILLIC SMALL LETTER A}ne",
        "\N{CYRILLIC SMALL LETTER A}dmin",
        "pay\N{GREEK SMALL LETTER RHO}al",
        "\N{ARMENIAN SMALL LETTER OH}lga",
        "j\N{CHEROKEE LETTER A}ne",
        "\u041e\u043b\u044c\u0433\u03b1",  # Cyrillic and Greek
        "\u3105\u3072",  # Bopomofo and Hiragana
        "\ud55c\u3072",  # Hangul and Hiragana
        "\u674e\u0430",  # Han and Cyrillic
        "jane\N{ARABIC-INDIC DIGIT THREE}",
        "jane_\u0e01",  # Thai
        "\U00010330\U00010331",  # Gothic, in which nobody writes
    ],
)
def test_a_mixture_of_scripts_is_rejected(stranger: Api, name: str) -> None:
    assert_refused(register(stranger, name), MIXED)


@pytest.mark.parametrize("name", ["\u1d00\u1d05\u1d0d\u026a\u0274", "\u1d0aohn", "jane\u1d8f"])
def test_phonetic_characters_are_rejected(stranger: Api, name: str) -> None:
    assert_refused(register(stranger, name), "A user name contains no phonetic signs.")


@pytest.mark.parametrize(
    "name",
    [
        *("jane_smith", "Zoë.7", "a-b+c", "42", "___"),
        *("Ольга_1", "Ελένη", "مريم", "דוד", "कमल", "อร", "ანა", "አበበ", "\u13a0\u13a1", "م٣"),
        *("李小龍", "李Lee", "山田たろうTaro", "カール", "张ㄅma", "김金Kim"),
    ],
)
def test_one_script_or_an_allowed_mixture_is_accepted(stranger: Api, log_in: LogIn, name: str) -> None:
    answer = register(stranger, name)

    assert (answer.status_code, answer.json()["username"]) == (201, name)
    assert log_in(name).is_authenticated()


@pytest.mark.parametrize("name", ["jane\u1160doe", "jane\u3164doe", "\u115fjane"])
def test_invisible_characters_are_rejected(stranger: Api, name: str) -> None:
    assert_refused(register(stranger, name), UNSEEN)


def test_digits_of_several_scripts_are_rejected(stranger: Api) -> None:
    assert_refused(register(stranger, "1\N{ARABIC-INDIC DIGIT ONE}"), DIGITS)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "admin",
            "Admin",
            "ADMIN",
            "\uff41dmin",
            "\u00e1dmin",
            "a.d.m.i.n",
            "_admin_",
            "admin-1",
            "admin2024",
        ),
        *("administrator", "moderator", "Moderators", "mod", "staff", "superuser", "root", "system", "support"),
        *("null", "undefined", "everyone", "anonymous", "no-reply"),
        *("adm\u0131n", "\u0251dmin", "adm1n", "m0derator", "adm1n5", "5upport", "he1p", "roo7"),
        *("admins", "the_admin", "support_team", "support.team", "admin-anna", "login1"),
        *("me", "Me", "m.e", "api", "static", "healthz", "my_sessions", "reset-password", "www"),
    ],
)
def test_names_of_roles_and_paths_are_reserved(stranger: Api, name: str) -> None:
    assert_refused(register(stranger, name), RESERVED)


@pytest.mark.parametrize(
    "name", ["james", "modest", "api2", "me2", "supporter", "rooty", "badmin", "madmin", "badminton", "administra"]
)
def test_names_that_only_resemble_reserved_ones_are_accepted(stranger: Api, name: str) -> None:
    assert register(stranger, name).status_code == 201


def paths() -> set[str]:
    """The first segments of all paths, and the second ones of those of the API."""
    first = {str(pattern.pattern).strip("^/").split("/")[0] for pattern in get_resolver().url_patterns}
    second = {path.split("/")[2] for path in json.loads(json.dumps(api.get_openapi_schema()))["paths"]}
    return {name for name in first | second if name.isidentifier()}


def test_all_paths_of_the_url_configuration_are_reserved(stranger: Api) -> None:
    assert {"admin", "api", "unsubscribe", "auth", "sessions", "notifications", "files"} <= paths()
    for name in sorted(paths()):
        assert_refused(register(stranger, name), RESERVED)


def test_the_name_is_checked_for_a_taken_address_too(john: User, stranger: Api) -> None:
    assert_refused(register(stranger, "admin", email=john.email), RESERVED)
    assert_refused(register(stranger, "j\N{CYRILLIC SMALL LETTER A}ne", email=john.email), MIXED)


def test_createsuperuser_may_use_a_reserved_name(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--no-input", "--username", "admin", "--email", "admin@example.com")

    assert User.objects.get().username == "admin"


def test_an_existing_reserved_name_stays_valid(make_member: Any, log_in: LogIn) -> None:
    member = make_member("moderator")
    member.set_password(PASSWORD)
    member.save()

    answer = log_in("moderator").api.patch("/api/auth/me/", {"first_name": "Morgan"})

    assert (answer.status_code, answer.json()["username"]) == (200, "moderator")
