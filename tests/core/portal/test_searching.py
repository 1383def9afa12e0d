"""Search in lists, with the results of Django's search."""

from typing import Any

import pytest
from django.test import Client
from model_bakery import baker
from tests.core.portal.conftest import get_list_url
from tests.core.portal.rows import fact, member

from core.accounts.models import Login, User
from core.facts.models import FactRecord
from core.mail.models import Mail
from core.portal import searching
from core.portal.searching import search


def found(admin: Client, label: str, text: str) -> list[Any]:
    page = admin.get(get_list_url(label), {"q": text})
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


@pytest.fixture
def mails(db: None) -> dict[str, Mail]:
    """Mails to Zoë and Hana about knots, and one without a member."""
    zoe, hana = member(first_name="Zoë"), member(first_name="Hana")
    return {
        "zoe": baker.make(Mail, user=zoe, kind="news", address="zoe@example.com", topic="knots"),
        "hana": baker.make(Mail, user=hana, kind="news", address="hana@example.com", topic="knots"),
        "nobody": baker.make(Mail, user=None, kind="welcome", address="gone@example.com"),
    }


@pytest.mark.parametrize(
    ("fields", "text", "expected"),
    [
        (("address",), "EXAMPLE.com", {"zoe", "hana", "nobody"}),
        (("address", "user__first_name"), "Hana", {"hana"}),
        (("address", "user__first_name"), "gone", {"nobody"}),
        (("user__first_name", "user__email"), "zo", {"zoe"}),
        (("user__first_name",), "nobody", set()),
        # Each word, in any field.
        (("topic", "user__first_name"), "knots hana", {"hana"}),
        (("topic", "user__first_name"), "knots gone", set()),
        (("kind", "topic"), '"news knots"', set()),
        (("kind", "topic"), "news 'knots'", {"zoe", "hana"}),
        # A prefix, and an exact match.
        (("^address",), "zoe", {"zoe"}),
        (("^address",), "example", set()),
        (("=address",), "ZOE@example.com", {"zoe"}),
        (("=address",), "zoe", set()),
        (("^user__first_name",), "ha", {"hana"}),
        (("=user__first_name",), "Ha", set()),
        # Wildcards and patterns are literal.
        (("address",), "%", set()),
        (("address",), "_oe", set()),
        # No words.
        (("address",), "", {"zoe", "hana", "nobody"}),
        (("address",), "   ", {"zoe", "hana", "nobody"}),
        ((), "zoe", set()),
    ],
)
@pytest.mark.parametrize("few", [500, 0])
def test_each_word_has_to_match_one_of_the_fields(
    mails: dict[str, Mail],
    fields: tuple[str, ...],
    text: str,
    expected: set[str],
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # With and without the limit of related ids.
    monkeypatch.setattr(searching, "MAX_RELATED_IDS", few)

    rows = search(Mail.objects.all(), fields, text)

    assert {name for name, each in mails.items() if each in rows} == expected


@pytest.mark.parametrize("text", ["777", "x", "7x", "9" * 30, "-1", "1.5", "٣"])
def test_ids_are_matched_exactly(mails: dict[str, Mail], text: str) -> None:
    chosen = mails["hana"]
    Mail.objects.filter(pk=chosen.pk).update(attempts=777)

    rows = list(search(Mail.objects.all(), ("=attempts",), text))

    assert rows == ([Mail.objects.get(pk=chosen.pk)] if text == "777" else [])


def test_a_row_that_matches_in_several_fields_is_found_once(admin: Client) -> None:
    login = baker.make(Login, user=member(first_name="carol", last_name="carol"))

    assert found(admin, "core.login", "carol") == [login]


def test_facts_are_found_by_a_part_of_their_name(admin: Client) -> None:
    approved = fact()
    FactRecord.objects.filter(pk=fact().pk).update(name="core.ProfileChanged")

    assert found(admin, "core.factrecord", "sessionapproved") == [approved]


def test_facts_of_an_unknown_name_are_found_by_the_whole_name(admin: Client) -> None:
    old = fact()
    FactRecord.objects.filter(pk=old.pk).update(name="gone.Forgotten")

    assert found(admin, "core.factrecord", "gone.Forgotten") == [old]
    assert found(admin, "core.factrecord", "Forgott") == []


@pytest.mark.parametrize("column", ["session_id", "member_id", "request_id"])
def test_facts_are_found_by_the_id_of_a_row(admin: Client, column: str) -> None:
    about, _ = fact(**{column: 777}), fact(**{column: 77})

    assert found(admin, "core.factrecord", "777") == [about]


@pytest.mark.parametrize("text", ["9" * 30, "٣", "-1", "²", "\x00", "' OR 1=1", "\\", '"', "a" * 5000])
@pytest.mark.parametrize("label", ["core.factrecord", "core.mail", "core.user"])
def test_hostile_searches_cause_no_error(admin: Client, root: User, label: str, text: str) -> None:
    fact()

    assert found(admin, label, text) == [] or text in {'"', "\x00"}
