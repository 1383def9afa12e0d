"""Receivers of facts of sessions, and answers to questions of other modules."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from tests.modules.materials.conftest import ORIGIN, PATH, MaterialsApi, Sessions

from core.accounts.models import User
from core.accounts.presentation import EmailAudience
from core.facts.base import Fact
from core.facts.models import FactRecord, FailedDelivery
from core.facts.publish import publish
from core.http.json import encode
from modules.materials.events import MaterialAdded, MaterialChanged, MaterialRemoved, SessionAccessAsked
from modules.materials.models import Material
from modules.notifications.events import StillHolds
from modules.sessions.events import MaterialsOfSessions, SessionApproved, SessionDeleted, SizesOfMaterials

NOTE = {"title": "Note", "type": "note", "content": "x"}

Commits = Callable[..., Any]


def delete_session(session_id: int = 7) -> None:
    with transaction.atomic():
        publish(SessionDeleted(session_id=session_id, title="x", creator_id=1, requester_ids=()), by=None)


# --- A session that is gone -------------------------------------------------------------------------------------


def test_deleting_a_session_deletes_its_materials_and_files(
    creator: MaterialsApi, nothing_left: Callable[[], bool], django_capture_on_commit_callbacks: Commits
) -> None:
    creator.post(PATH, NOTE)
    creator.add_file("a.txt", b"a")
    creator.add_file("b.txt", b"b")
    with django_capture_on_commit_callbacks(execute=True):
        delete_session()
    assert nothing_left()
    assert not FactRecord.objects.filter(name="materials.MaterialRemoved").exists()
    assert not FailedDelivery.objects.exists()


def test_deleting_a_session_keeps_materials_of_others(
    creator: MaterialsApi, stored: Callable[[], list[bytes]], django_capture_on_commit_callbacks: Commits
) -> None:
    creator.add_file("a.txt", b"a")
    with django_capture_on_commit_callbacks(execute=True):
        delete_session(8)
        delete_session(8)
    assert stored() == [b"a"]


# --- The materials of many sessions -----------------------------------------------------------------------------


@pytest.fixture
def two_sessions(creator: MaterialsApi, tutor: MaterialsApi, sessions: Sessions) -> tuple[User, User]:
    assert creator.user is not None
    assert tutor.user is not None
    sessions.let(creator.user, session=8, can_read=True, can_write=True)
    creator.post(PATH, {**NOTE, "title": "First"})
    tutor.add_file("second.txt", b"x", title="Second")
    creator.post(PATH.replace("7", "8"), {**NOTE, "title": "Elsewhere"})
    creator.post(PATH, {**NOTE, "title": "Third"})
    return creator.user, tutor.user


def test_materials_are_answered_by_session_oldest_first(two_sessions: tuple[User, User]) -> None:
    john, _ = two_sessions
    audience = EmailAudience(viewer_id=john.pk)
    rows = MaterialsOfSessions(audiences={7: audience, 8: audience, 9: audience}, origin="https://learn.example").ask()
    assert {session: [row["title"] for row in each] for session, each in rows.items()} == {
        7: ["First", "Second", "Third"],
        8: ["Elsewhere"],
        9: [],
    }
    assert rows[7][1]["file"].startswith("https://learn.example/api/files/")


def test_email_addresses_follow_the_audience_of_each_session(two_sessions: tuple[User, User]) -> None:
    john, tina = two_sessions
    audiences = {
        7: EmailAudience(viewer_id=0, others=frozenset({tina.pk})),
        8: EmailAudience(viewer_id=0, others=frozenset({john.pk})),
    }
    rows = MaterialsOfSessions(audiences=audiences, origin=ORIGIN).ask()
    assert [row["uploaded_by"]["email"] for row in rows[7]] == ["", tina.email, ""]
    assert [row["uploaded_by"]["email"] for row in rows[8]] == [john.email]


@pytest.mark.parametrize(("characters", "shown"), [(None, "x" * 300), (200, "x" * 200), (300, "x" * 300)])
def test_notes_are_truncated_on_request(
    creator: MaterialsApi, sessions: Sessions, characters: int | None, shown: str
) -> None:
    creator.post(PATH, {**NOTE, "content": "x" * 300})
    creator.post(PATH, {**NOTE, "content": "\N{KNOT}"})
    audience = EmailAudience(viewer_id=0)
    rows = MaterialsOfSessions(audiences={7: audience}, origin=ORIGIN, note_characters=characters).ask()
    assert [row["content"] for row in rows[7]] == [shown, "\N{KNOT}"]
    # The whole of it is where it is by itself.
    assert creator.get(PATH).json()[0]["content"] == "x" * 300


def test_the_estimated_sizes_are_tight_lower_bounds(
    two_sessions: tuple[User, User], creator: MaterialsApi, django_assert_num_queries: Callable[[int], Any]
) -> None:
    creator.post(PATH, {**NOTE, "title": "\N{KNOT}" * 200, "content": "\N{KNOT}" * 40_000})
    audiences = {pk: EmailAudience(viewer_id=0) for pk in (7, 8, 9)}
    for characters in (None, 200):
        with django_assert_num_queries(1):
            sizes = SizesOfMaterials(session_ids=[7, 8, 9], note_characters=characters).ask()
        rows = MaterialsOfSessions(audiences=audiences, origin=ORIGIN, note_characters=characters).ask()
        assert set(sizes) == {7, 8}
        for session_id, size in sizes.items():
            encoded = len(encode(rows[session_id]))
            assert encoded - 200 * len(rows[session_id]) < size <= encoded


def test_answering_takes_two_queries(
    two_sessions: tuple[User, User], creator: MaterialsApi, django_assert_num_queries: Callable[[int], Any]
) -> None:
    audience = EmailAudience(viewer_id=0)
    with django_assert_num_queries(2):
        MaterialsOfSessions(audiences={7: audience, 8: audience}, origin=ORIGIN).ask()
    for number in range(20):
        creator.add_file(f"{number}.txt", b"x")
    with django_assert_num_queries(2):
        MaterialsOfSessions(audiences={7: audience, 8: audience}, origin=ORIGIN).ask()


# --- News that come late ----------------------------------------------------------------------------------------


@pytest.fixture
def material(creator: MaterialsApi) -> Material:
    creator.post(PATH, NOTE)
    return Material.objects.get()


def added(material: Material) -> Fact:
    return MaterialAdded(
        material_id=material.pk, session_id=7, title=material.title, uploader_id=material.uploaded_by_id
    )


def holds(fact: Fact, member: MaterialsApi) -> bool:
    assert member.user is not None
    return StillHolds(fact=fact, person_id=member.user.pk).ask()


def test_a_fact_holds_while_its_material_exists_and_may_be_read(material: Material, student: MaterialsApi) -> None:
    assert holds(added(material), student)


def test_a_fact_about_a_deleted_material_does_not_hold(
    material: Material, student: MaterialsApi, creator: MaterialsApi
) -> None:
    fact = added(material)
    creator.delete(f"{PATH}{material.pk}/")
    assert not holds(fact, student)
    assert not holds(MaterialChanged(material_id=material.pk, session_id=7, title="x"), student)


def test_a_removal_holds_even_if_the_materials_may_no_longer_be_read(
    material: Material, outsider: MaterialsApi, unknowing: MaterialsApi
) -> None:
    fact = MaterialRemoved(material_id=material.pk, session_id=7, title="x")
    assert holds(fact, outsider)
    assert holds(fact, unknowing)
    assert not StillHolds(fact=fact, person_id=0).ask()


@pytest.mark.parametrize("role", ["outsider", "unknowing"])
def test_a_fact_does_not_hold_for_members_who_may_no_longer_read(
    role: str, material: Material, request: pytest.FixtureRequest
) -> None:
    assert not holds(added(material), request.getfixturevalue(role))


def test_a_fact_does_not_hold_for_deactivated_or_deleted_members(material: Material, student: MaterialsApi) -> None:
    assert student.user is not None
    student.user.is_active = False
    student.user.save()
    assert not holds(added(material), student)
    assert not StillHolds(fact=added(material), person_id=0).ask()


def test_facts_of_other_modules_are_left_to_them(student: MaterialsApi) -> None:
    from modules.materials.receivers import check_still_holds

    fact = SessionApproved(session_id=7, title="x", creator_id=1)
    assert student.user is not None
    assert check_still_holds(StillHolds(fact=fact, person_id=student.user.pk)) is None


# --- With nobody to ask -----------------------------------------------------------------------------------------


def test_nothing_is_accessible_if_no_module_answers(creator: MaterialsApi, material: Material, answer: Any) -> None:
    answer(SessionAccessAsked, lambda question: None)
    assert creator.get(PATH).status_code == 404
    assert creator.post(PATH, NOTE).status_code == 404
    assert creator.delete(f"{PATH}{material.pk}/").status_code == 404
    assert Material.objects.count() == 1
