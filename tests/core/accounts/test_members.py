"""What the database itself holds about members, whoever writes to it."""

import sys
import unicodedata
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction

from core.accounts.models import User, build_username_key


@pytest.mark.parametrize("name", ["JOHN_DOE", "John_Doe", "john_doe"])
def test_user_names_are_unique_whatever_their_case(john: User, name: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(name, "other@example.com")


@pytest.mark.parametrize("address", ["JOHN@EXAMPLE.COM", "John@example.com"])
def test_addresses_are_unique_whatever_their_case(john: User, address: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("other", address)


def test_any_number_of_members_has_no_address(make_member: Callable[..., User]) -> None:
    make_member("one", email="")
    make_member("two", email="")

    assert User.objects.filter(email="").count() == 2


@pytest.mark.parametrize("name", ["", "john@home"])
def test_no_user_name_is_empty_or_has_an_at(db: None, name: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username=name, username_key=name)])


def test_a_renamed_member_is_found_by_the_new_name_alone(john: User) -> None:
    john.username = "Johnny"
    john.save(update_fields=["username"])

    assert User.objects.get_by_natural_key("johnny") == john
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key("john_doe")


def test_a_form_says_what_the_database_would_refuse(john: User) -> None:
    with pytest.raises(ValidationError) as name:
        User(username="John_Doe", password="x").full_clean()
    with pytest.raises(ValidationError) as address:
        User(username="other", email="JOHN@example.com", password="x").full_clean()

    assert name.value.message_dict == {"username": ["This user name is taken."]}
    assert address.value.message_dict == {"email": ["This address has an account."]}
    john.password = "x"
    john.full_clean()


def test_a_superuser_can_be_made_on_the_command_line(db: None) -> None:
    call_command("createsuperuser", username="Root", email="root@example.com", interactive=False)

    root = User.objects.get_by_natural_key("root")
    assert (root.is_superuser, root.username, root.email) == (True, "Root", "root@example.com")


def test_a_key_is_its_own_key_and_never_more_than_twice_as_long() -> None:
    """So the columns hold the key of any name, and a key is found again whichever way its name was written."""
    for number in range(sys.maxunicode + 1):
        letter = unicodedata.normalize("NFKC", chr(number))
        key = build_username_key(letter)
        assert build_username_key(key) == key
        assert len(key) <= 2 * len(letter)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"first_name": "John", "last_name": "Doe"}, "John Doe"),
        ({"first_name": "John", "last_name": ""}, "John"),
        ({"first_name": "", "last_name": "Doe"}, "Doe"),
        ({"first_name": "", "last_name": ""}, "john_doe"),
    ],
)
def test_a_member_is_called_by_their_full_name_or_else_their_user_name(values: dict[str, str], name: str) -> None:
    assert User(username="john_doe", **values).display_name == name
