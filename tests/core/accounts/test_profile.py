"""`GET` and `PATCH me/`."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.core.conftest import NOW

from core.accounts.models import User
from core.facts.models import FactRecord

ME = "/api/auth/me/"


def build_profile(user: User, **changes: Any) -> dict[str, Any]:
    return {
        "id": user.pk,
        "username": "john_doe",
        "first_name": "John",
        "last_name": "Doe",
        "email": "john@example.com",
        "date_joined": "2024-01-13T11:00:00Z",
        "timezone": "UTC",
        **changes,
    }


@pytest.fixture
def john(clock: Any, john: User) -> User:
    """John, who joined at `NOW`."""
    return john


def test_a_profile_has_ones_own_address_and_time_zone(john: User) -> None:
    answer = Api(john).get(ME)

    assert answer.status_code == 200
    assert answer.json() == build_profile(john)
    assert list(answer.json()) == ["id", "username", "first_name", "last_name", "email", "date_joined", "timezone"]


def test_members_see_their_own_profile(john: User, jane: User) -> None:
    assert Api(jane).get(ME).json()["id"] == jane.pk
    assert Api(john).get(ME).json()["id"] == john.pk


def test_a_profile_without_names_has_empty_ones(make_member: Any) -> None:
    answer = Api(make_member("bare", first_name="", last_name="")).get(ME)

    assert (answer.json()["first_name"], answer.json()["last_name"]) == ("", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [("first_name", "Johnny"), ("last_name", ""), ("last_name", "d'Oé 李"), ("timezone", "America/New_York")],
)
def test_the_names_and_the_time_zone_can_be_changed(john: User, field: str, value: str) -> None:
    api = Api(john)

    answer = api.patch(ME, {field: value})

    assert answer.status_code == 200
    assert answer.json() == build_profile(john, **{field: value})
    assert api.get(ME).json() == build_profile(john, **{field: value})


def test_several_fields_can_be_changed_in_one_request(john: User) -> None:
    wanted = {"first_name": "Jonathan", "last_name": "Dough", "timezone": "Asia/Kathmandu"}

    assert Api(john).patch(ME, wanted).json() == build_profile(john, **wanted)


@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_a_name_with_a_direction_override_is_rejected(john: User, field: str) -> None:
    answer = Api(john).patch(ME, {field: "A\u202ebc"})

    assert answer.status_code == 400
    assert answer.json()["fields"] == {field: ["May not turn the direction of the text that comes after it."]}
    assert Api(john).get(ME).json() == build_profile(john)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 999),
        ("username", "somebody_else"),
        ("email", "new@example.com"),
        ("date_joined", "2001-01-01T00:00:00Z"),
        ("password", "another-password"),
        ("is_staff", True),
        ("is_superuser", True),
        ("is_active", False),
        ("token_version", 0),
    ],
)
def test_other_fields_are_ignored(john: User, field: str, value: Any) -> None:
    before = User.objects.values().get()

    answer = Api(john).patch(ME, {field: value})

    assert answer.status_code == 200
    assert answer.json() == build_profile(john)
    assert User.objects.values().get() == before
    assert not FactRecord.objects.exists()


def test_the_whole_profile_can_be_sent_back(john: User) -> None:
    api = Api(john)

    answer = api.patch(ME, {**api.get(ME).json(), "first_name": "Johnny"})

    assert answer.json() == build_profile(john, first_name="Johnny")


def test_null_changes_nothing(john: User) -> None:
    answer = Api(john).patch(ME, {"first_name": None, "last_name": None, "timezone": None})

    assert answer.status_code == 200
    assert answer.json() == build_profile(john)


def test_an_empty_request_changes_nothing(john: User) -> None:
    assert Api(john).patch(ME, {}).json() == build_profile(john)
    assert not FactRecord.objects.exists()


@pytest.mark.parametrize(
    "garbage",
    [
        " ",
        "Europe/Nowhere",
        "localtime",
        "Factory",
        "UTC+1",
        "+01:00",
        "../../etc/passwd",
        "/etc/passwd",
        "Europe",
        "europe/berlin",
        "Europe/Berlin\nEurope/Paris",
        "é",
        "x" * 64,
    ],
)
def test_an_unknown_time_zone_is_rejected(john: User, garbage: str) -> None:
    answer = Api(john).patch(ME, {"timezone": garbage, "first_name": "Johnny"})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "timezone: Not a time zone of the IANA database, such as Europe/Berlin.",
        "fields": {"timezone": ["Not a time zone of the IANA database, such as Europe/Berlin."]},
    }
    john.refresh_from_db()
    assert (john.timezone, john.first_name) == ("UTC", "John")


@pytest.mark.parametrize("garbage", ["", 7, True, [], {}, "x" * 65, "UTC\x00"])
def test_a_time_zone_of_another_type_is_rejected(john: User, garbage: Any) -> None:
    answer = Api(john).patch(ME, {"timezone": garbage})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["timezone"]


@pytest.mark.parametrize("field", ["first_name", "last_name"])
@pytest.mark.parametrize("value", ["x" * 151, "a\nb", "a\x00b", 7, ["a"]])
def test_names_of_several_lines_or_over_150_characters_are_rejected(john: User, field: str, value: Any) -> None:
    answer = Api(john).patch(ME, {field: value})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    john.refresh_from_db()
    assert (john.first_name, john.last_name) == ("John", "Doe")


def test_a_change_is_recorded_with_the_values_before_and_after(john: User) -> None:
    answer = Api(john).patch(ME, {"first_name": "Johnny", "last_name": "Doe", "timezone": "Europe/Berlin"})

    fact = FactRecord.objects.get()
    assert (fact.name, fact.member_id, fact.actor_id, fact.occurred_at) == (
        "accounts.ProfileChanged",
        john.pk,
        john.pk,
        NOW,
    )
    assert fact.changes == {"first_name": ["John", "Johnny"], "timezone": ["UTC", "Europe/Berlin"]}
    assert fact.request_id == answer["X-Request-ID"]


def test_a_change_ends_no_login(john: User) -> None:
    api = Api(john)

    api.patch(ME, {"first_name": "Johnny"})

    assert api.get(ME).status_code == 200


def test_the_profile_needs_an_access_token(john: User, stranger: Api) -> None:
    assert stranger.get(ME).status_code == 401
    assert stranger.patch(ME, {"first_name": "Johnny"}).status_code == 401
