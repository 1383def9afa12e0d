"""The dialog in which moderators remove a material, with a reason."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.modules.materials.conftest import MaterialsApi, Sessions
from tests.portal import grant, log_in

from core.accounts.models import User
from core.facts.models import FactRecord
from modules.materials.events import SessionAccess, SessionAccessAsked
from modules.materials.models import Material

HX = {"HX-Request": "true"}
REASON = "It is not yours to share."
BACK = "/admin/core/user/?of=7"
LIST = "/admin/materials/material/"
HOSTILE = "<script>alert(1)</script>"


def address(material: Material | int) -> str:
    return f"{LIST}{material if isinstance(material, int) else material.pk}/remove/"


def log_in_as_staff(member: User) -> Client:
    member.is_staff = True
    member.save()
    return log_in(member)


@pytest.fixture
def material(tutor: MaterialsApi) -> Material:
    tutor.add_file("notes.txt", b"hello", title=f"Notes {HOSTILE}")
    return Material.objects.get()


@pytest.fixture
def mia(moderator: MaterialsApi, sessions: Sessions) -> User:
    """Moderates session 7, and may view materials."""
    assert moderator.user is not None
    sessions.let(moderator.user, can_read=True, can_manage=True, can_moderate=True)
    return grant(moderator.user, "view_material")


@pytest.fixture
def kept(material: Material) -> Callable[[], bool]:
    """Whether the material still exists, and no removal was recorded."""
    return lambda: (
        Material.objects.filter(pk=material.pk).exists()
        and not FactRecord.objects.filter(name="materials.MaterialRemoved").exists()
    )


# --- Who ---------------------------------------------------------------------------------------------------------


def test_the_dialog_is_opened_by_post_only(mia: User, material: Material, kept: Callable[[], bool]) -> None:
    assert log_in_as_staff(mia).get(address(material)).status_code == 405
    assert kept()


def test_members_and_anonymous_users_are_redirected_to_the_login(
    material: Material, tutor: MaterialsApi, kept: Callable[[], bool]
) -> None:
    member = Client()
    assert tutor.user is not None
    member.force_login(tutor.user)
    for client in (Client(), member):
        answer = client.post(address(material), {"confirming": "yes", "reason": REASON})
        assert answer["Location"].startswith("/admin/login/")
    assert kept()


@pytest.mark.parametrize("role", ["creator", "tutor", "student", "outsider", "unknowing", "moderator"])
def test_staff_who_do_not_moderate_the_session_are_refused(
    role: str, material: Material, kept: Callable[[], bool], request: pytest.FixtureRequest
) -> None:
    """Not even its creator, nor who manages its materials otherwise: nobody moderates a session of their own."""
    member = request.getfixturevalue(role).user
    grant(member, "view_material")
    client = log_in_as_staff(member)
    for fields in ({}, {"confirming": "yes", "reason": REASON}):
        answer = client.post(address(material), fields, headers=HX)
        assert answer.status_code == 403
        assert "Notes" not in answer.content.decode()
    assert kept()


def test_nobody_can_remove_materials_if_access_is_unknown(
    mia: User, material: Material, kept: Callable[[], bool], answer: Any
) -> None:
    answer(SessionAccessAsked, lambda question: None)
    assert log_in_as_staff(mia).post(address(material), {"confirming": "yes", "reason": REASON}).status_code == 403
    assert kept()


def test_only_staff_with_view_permission_learn_that_a_material_is_deleted(
    mia: User, make_member: Callable[..., User], sessions: Sessions
) -> None:
    for key in (999999, 10**30):
        answer = log_in_as_staff(mia).post(address(key), {"back": BACK}, headers=HX)
        assert (answer.status_code, answer["HX-Redirect"]) == (204, BACK)
        assert log_in_as_staff(make_member()).post(address(key), {"back": BACK}, headers=HX).status_code == 403


# --- The dialog --------------------------------------------------------------------------------------------------


def test_the_dialog_shows_the_consequences_and_who_reads_the_reason(
    mia: User, material: Material, kept: Callable[[], bool]
) -> None:
    dialog = log_in_as_staff(mia).post(address(material), {"back": BACK}, headers=HX)
    html = dialog.content.decode()
    assert dialog.status_code == 200
    assert "its file deleted with it" in html
    assert "tina_tutor, who added it, reads it." in html
    assert f'<input type="hidden" name="back" value="{BACK}">' in html
    assert HOSTILE not in html
    assert kept()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_removal_without_a_reason_is_refused(
    reason: str, mia: User, material: Material, kept: Callable[[], bool]
) -> None:
    answer = log_in_as_staff(mia).post(address(material), {"confirming": "yes", "reason": reason}, headers=HX)
    assert answer.context["form"].errors["reason"]
    assert kept()


def test_removing_deletes_the_file_and_records_the_reason(
    mia: User,
    tutor: MaterialsApi,
    material: Material,
    nothing_left: Callable[[], bool],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        fields = {"confirming": "yes", "reason": f" {REASON}", "back": BACK}
        answer = log_in_as_staff(mia).post(address(material), fields, headers=HX)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, BACK)
    assert nothing_left()
    record = FactRecord.objects.get(name="materials.MaterialRemoved")
    assert tutor.user is not None
    assert (record.actor, record.reason, record.session_id) == (mia, REASON, 7)
    assert record.payload["uploader_id"] == tutor.user.pk


def test_a_message_confirms_the_removal(mia: User, material: Material) -> None:
    client = log_in_as_staff(mia)
    answer = client.post(address(material), {"confirming": "yes", "reason": REASON, "back": LIST})
    page = client.get(answer["Location"])
    assert [str(message) for message in page.context["messages"]] == [f"Notes {HOSTILE} was removed."]
    assert HOSTILE not in page.content.decode()


@pytest.mark.parametrize(
    "back", ["", "https://evil.example/admin/", "//evil.example/admin/", "/elsewhere/", "javascript:1"]
)
def test_the_redirect_stays_within_the_admin(back: str, mia: User, material: Material) -> None:
    fields = {"confirming": "yes", "reason": REASON, "back": back}
    answer = log_in_as_staff(mia).post(address(material), fields, headers=HX)
    assert answer["HX-Redirect"] == LIST


def test_the_service_checks_the_permission_again(
    mia: User, material: Material, kept: Callable[[], bool], answer: Any
) -> None:
    """Whoever could moderate it a moment ago."""
    asked: list[SessionAccessAsked] = []

    def once(question: SessionAccessAsked) -> SessionAccess:
        asked.append(question)
        may = len(asked) == 1
        return SessionAccess(
            can_read=True,
            can_write=False,
            can_manage=may,
            can_moderate=may,
            closed_reason="",
            audience=None,  # type: ignore[arg-type]
        )

    answer(SessionAccessAsked, once)
    client = log_in_as_staff(mia)
    left = client.post(address(material), {"confirming": "yes", "reason": REASON, "back": LIST}, headers=HX)
    page = client.get(left["HX-Redirect"])
    [message] = page.context["messages"]
    assert message.level_tag == "error"
    assert len(asked) == 2
    assert kept()
