"""The constraints of the table of members."""

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


def test_several_members_may_have_no_address(make_member: Callable[..., User]) -> None:
    make_member("one", email="")
    make_member("two", email="")

    assert User.objects.filter(email="").count() == 2


@pytest.mark.parametrize("name", ["", "john@home"])
def test_the_database_rejects_user_names_that_are_empty_or_have_an_at_sign(db: None, name: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username=name, username_key=name)])


def test_a_renamed_member_is_found_only_by_the_new_name(john: User) -> None:
    john.username = "Johnny"
    john.save(update_fields=["username"])

    assert User.objects.get_by_natural_key("johnny") == john
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key("john_doe")


def test_a_form_reports_what_the_database_would_reject(john: User) -> None:
    with pytest.raises(ValidationError) as name:
        User(username="John_Doe", password="x").full_clean()
    with pytest.raises(ValidationError) as address:
        User(username="other", email="JOHN@example.com", password="x").full_clean()

    assert name.value.message_dict == {"username": ["This user name is taken."]}
    assert address.value.message_dict == {"email": ["This address has an account."]}
    john.password = "x"
    john.full_clean()


def test_a_superuser_can_be_created_on_the_command_line(db: None) -> None:
    call_command("createsuperuser", username="Root", email="root@example.com", interactive=False)

    root = User.objects.get_by_natural_key("root")
    assert (root.is_superuser, root.username, root.email) == (True, "Root", "root@example.com")


def test_a_user_name_key_is_idempotent_and_at_most_twice_as_long() -> None:
    """So the key of any name fits into its column."""
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
def test_the_display_name_is_the_full_name_or_else_the_user_name(values: dict[str, str], name: str) -> None:
    assert User(username="john_doe", **values).display_name == name
