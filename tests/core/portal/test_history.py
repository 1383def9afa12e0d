"""The history of facts in the portal."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from tests.core.portal.conftest import NOW
from tests.portal import grant

from core.accounts.events import LoggedOutEverywhere, MemberRegistered, ProfileChanged
from core.accounts.models import User
from core.facts.base import Fact
from core.facts.models import FactRecord
from core.facts.publish import publish
from core.portal.history import PAGE_SIZE, list_history

HOSTILE = "<script>alert(1)</script>"


@dataclass(frozen=True, kw_only=True)
class SomethingElapsed(Fact):
    summary_template = "{title} elapsed"

    title: str


@dataclass(frozen=True, kw_only=True)
class Unspeakable(Fact):
    """Its template names a field that it lacks."""

    summary_template = "{actor} did {nothing.at_all}"

    member_id: int


def publish_fact(fact: Fact, *, by: User | None = None, **values: Any) -> FactRecord:
    with transaction.atomic():
        return publish(fact, by=by, **values)


def list_sentences(viewer: User, **options: Any) -> list[str]:
    return [entry.what for entry in list_history(FactRecord.objects.all(), viewer=viewer, **options).entries]


@pytest.fixture
def auditor(make_member: Callable[..., User]) -> User:
    """Staff without permission to see members."""
    return make_member("auditor", is_staff=True)


def test_facts_are_sentences_newest_first(auditor: User, john: User, jane: User) -> None:
    publish_fact(MemberRegistered(member_id=jane.pk, username=jane.username), by=jane)
    publish_fact(ProfileChanged(member_id=jane.pk), by=john)
    assert list_sentences(auditor) == ["John Doe changed the profile of Jane Smith", "Jane Smith got an account"]


def test_names_are_links_for_viewers_who_may_see_members(auditor: User, john: User, jane: User) -> None:
    publish_fact(ProfileChanged(member_id=jane.pk), by=john)
    auditor = grant(auditor, "view_user")
    link = '<a href="/admin/core/user/{}/change/" class="portal-link">{}</a>'
    assert list_sentences(auditor) == [
        f"{link.format(john.pk, 'John Doe')} changed the profile of {link.format(jane.pk, 'Jane Smith')}"
    ]


def test_names_and_titles_are_escaped(root: User, make_member: Callable[..., User]) -> None:
    mallory = make_member("mallory", first_name=HOSTILE, last_name="")
    publish_fact(ProfileChanged(member_id=mallory.pk), by=mallory, reason=HOSTILE)
    publish_fact(SomethingElapsed(title=f"{HOSTILE} {{actor}} %s"))
    assert list_sentences(root)[0] == "&lt;script&gt;alert(1)&lt;/script&gt; {actor} %s elapsed"
    assert HOSTILE not in list_sentences(root)[1]


def test_placeholders_in_titles_are_not_replaced(root: User, john: User) -> None:
    title = "\x00actor\x00 and \x00member\x00"
    if connection.vendor == "postgresql":
        # PostgreSQL stores no NUL.
        with pytest.raises(DataError), transaction.atomic():
            publish_fact(SomethingElapsed(title=title), by=john)
        assert list_sentences(root) == []
    else:
        publish_fact(SomethingElapsed(title=title), by=john)
        [entry] = list_history(FactRecord.objects.all(), viewer=root).entries
        assert (entry.what, entry.names_actor) == ("Actor and member elapsed", False)


def test_the_actor_is_shown_if_the_sentence_does_not_name_them(root: User, auditor: User, john: User) -> None:
    publish_fact(SomethingElapsed(title="The hour"), by=john)
    publish_fact(SomethingElapsed(title="The day"))
    publish_fact(LoggedOutEverywhere(member_id=john.pk), by=john)
    publish_fact(LoggedOutEverywhere(member_id=john.pk))
    entries = list_history(FactRecord.objects.all(), viewer=auditor).entries
    assert [(entry.what, entry.who, entry.names_actor) for entry in entries] == [
        ("John Doe logged out everywhere", "the system", False),
        ("John Doe logged out everywhere", "John Doe", True),
        ("The day elapsed", "the clock", False),
        ("The hour elapsed", "John Doe", False),
    ]


def test_sentences_without_a_name_begin_with_a_capital_letter(auditor: User) -> None:
    publish_fact(ProfileChanged(member_id=12345))
    assert list_sentences(auditor) == ["The system changed the profile of somebody"]


def test_facts_of_a_missing_module_are_shown_by_name(auditor: User) -> None:
    baker.make(FactRecord, name="gone.SomethingHappened", payload={"title": "Knots"}, occurred_at=NOW)
    assert list_sentences(auditor) == ["There was gone.SomethingHappened"]


@pytest.mark.parametrize("payload", [{}, [], "text", {"member_id": "no number"}])
def test_facts_with_outdated_fields_are_shown_by_name(payload: Any, auditor: User) -> None:
    baker.make(FactRecord, name=ProfileChanged.name, payload=payload, changes=[1, 2], occurred_at=NOW)
    [entry] = list_history(FactRecord.objects.all(), viewer=auditor).entries
    assert (entry.what, entry.changes) == ("There was accounts.ProfileChanged", [])


def test_facts_whose_sentence_fails_are_shown_by_name(auditor: User, unlogged: None) -> None:
    publish_fact(Unspeakable(member_id=1))
    assert list_sentences(auditor) == ["There was portal.Unspeakable"]


NOTE = "".join(f"{chr(0x4E00 + number)}." for number in range(10_000))
EDITS = {
    "characters between full stops": (NOTE, NOTE.replace(".", "!")),
    "signs that have to be escaped": ("<'" * 10_000, "\"'" * 10_000),
    "short values": ("'" * 80, '"' * 80),
    "texts of a few lines": ("\n".join("'" * 20), "\n".join('"' * 20)),
    "endless words": ("結" * 25_000, "縄" * 25_000),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_page_of_hostile_edits_is_small_and_fast(jane: User, edit: str) -> None:
    for _ in range(PAGE_SIZE):
        publish_fact(
            ProfileChanged(member_id=jane.pk), by=jane, changes={"note": EDITS[edit], "title": ("Knots", "Bends")}
        )
    began = time.process_time()
    page = list_history(FactRecord.objects.all(), viewer=jane)
    assert time.process_time() - began < 0.3
    assert len(page.entries) == PAGE_SIZE
    assert '<ins class="portal-after">' in page.entries[0].changes[0].marked or edit == "short values"
    html = render_to_string("portal/history.html", {"history": page})
    assert html.count("<dt>Note</dt>") == PAGE_SIZE
    assert len(html.encode()) < 300_000


# --- Template -----------------------------------------------------------------------------------------------------


def get_history_page(member: User, **query: Any) -> tuple[str, dict[str, Any]]:
    return f"/admin/core/user/{member.pk}/record/", query


def test_the_page_shows_time_reason_and_changes(admin: Client, jane: User, root: User) -> None:
    changes = {"first_name": ("Jane", HOSTILE), "timezone": ("UTC", "Europe/Paris")}
    publish_fact(ProfileChanged(member_id=jane.pk), by=jane, reason="Married & moved", changes=changes)
    html = admin.get(*get_history_page(jane)).content.decode()
    # In the viewer's time zone, Berlin.
    assert "Wed 10 Jan 2024, 11:00" in html
    assert "just now" in html
    assert '<blockquote class="portal-quote">Married &amp; moved</blockquote>' in html
    assert '<ins class="portal-after">&lt;script&gt;alert(1)&lt;/script&gt;</ins>' in html
    assert "<dt>Timezone</dt>" in html
    assert HOSTILE not in html


def test_the_page_shows_relative_times(admin: Client, jane: User, clock: Any) -> None:
    publish_fact(ProfileChanged(member_id=jane.pk), by=jane)
    clock.shift(timedelta(days=3))
    assert "3 days ago" in admin.get(*get_history_page(jane)).content.decode()


def test_only_superusers_see_request_ids(root: User, auditor: User, jane: User) -> None:
    record = publish_fact(ProfileChanged(member_id=jane.pk), by=jane)
    FactRecord.objects.filter(pk=record.pk).update(request_id="c0ffee")
    assert [entry.request_id for entry in list_history(FactRecord.objects.all(), viewer=root).entries] == ["c0ffee"]
    assert [entry.request_id for entry in list_history(FactRecord.objects.all(), viewer=auditor).entries] == [""]


def test_pages_have_no_gaps_or_duplicates(admin: Client, jane: User) -> None:
    records = [publish_fact(ProfileChanged(member_id=jane.pk), by=jane).pk for _ in range(2 * PAGE_SIZE + 1)]
    seen, before = [], None
    for wanted in (PAGE_SIZE, PAGE_SIZE, 1):
        path, query = get_history_page(jane, **({"before": before} if before else {}))
        page = admin.get(path, query)
        shown = page.context["history"]
        assert len(shown.entries) == wanted
        seen += [entry.fact_id for entry in shown.entries]
        before = shown.before
        assert (f'href="{path}?before={before}"' in page.content.decode()) == (before is not None)
    assert before is None
    assert seen == records[::-1]


@pytest.mark.parametrize("value", ["", "-1", "x", "\u0661", "1" * 30, "1.5"])
def test_an_invalid_cursor_shows_the_first_page(value: str, admin: Client, jane: User) -> None:
    publish_fact(ProfileChanged(member_id=jane.pk), by=jane)
    assert len(admin.get(*get_history_page(jane, before=value)).context["history"].entries) == 1


def test_a_cursor_before_all_facts_shows_an_empty_page(admin: Client, jane: User) -> None:
    publish_fact(ProfileChanged(member_id=jane.pk), by=jane)
    page = admin.get(*get_history_page(jane, before="1"))
    assert page.context["history"].entries == []
    assert "Nothing has happened yet." in page.content.decode()


def test_a_page_needs_two_queries(auditor: User, make_member: Callable[..., User]) -> None:
    counts = []
    for size in (3, 30):
        for _ in range(size):
            member = make_member()
            publish_fact(ProfileChanged(member_id=member.pk), by=make_member())
        viewer = User.objects.get(pk=auditor.pk)
        assert not viewer.has_perm("core.view_user")
        with CaptureQueriesContext(connection) as captured:
            list_history(FactRecord.objects.all(), viewer=viewer)
        counts.append(len(captured))
    assert counts == [2, 2]
