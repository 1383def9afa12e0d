"""The portal's page of a session with the panels of all modules, and notifications of what is done there."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api

from core.accounts.models import User
from core.portal.panels import Panel
from core.time import clock
from modules.materials.models import Material
from modules.materials.services import add_material
from modules.sessions.models import Session
from modules.sessions.services import booking, moderation, offering
from modules.sessions.wall_clock import SentDate

HX = {"HX-Request": "true"}
REASON = "The room was flooded."
LIST = "/admin/learning_sessions/session/"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    """Where the bytes of materials are."""
    backend = "core.storages.local.LocalStorage"
    options = {"location": str(tmp_path / "materials")}
    settings.STORAGES = {**settings.STORAGES, "materials_local": {"BACKEND": backend, "OPTIONS": options}}


MakeSession = Callable[..., Session]


@pytest.fixture
def make_session(make_member: Callable[..., User]) -> MakeSession:
    """Offers a session of that creator and has it approved by a superuser, with these members in."""
    root = make_member("root", is_staff=True, is_superuser=True)

    def make(creator: User, *participants: User) -> Session:
        values = {"title": "Knots", "description": "Five knots.", "subject": "Crafts", "level": "beginner"}
        start = (clock.now() + timedelta(days=9)).replace(second=0, microsecond=0)
        session = offering.offer_session(
            values={**values, "duration": 60, "max_participants": 40}, date=SentDate(value=start), by=creator
        )
        moderation.approve_session(session_id=session.pk, by=root)
        for member in participants:
            booking.request_booking(session_id=session.pk, message="Please.", by=member)
            booking.approve_request(session_id=session.pk, requester_id=member.pk, by=creator)
        session.refresh_from_db()
        return session

    return make


def page(session: Session) -> str:
    return f"{LIST}{session.pk}/change/"


def panels_of(answer: Any) -> dict[str, Panel]:
    assert answer.status_code == 200
    return {panel.key: panel for panel in answer.context["panels"]}


def news_of(member: User) -> dict[str, Any]:
    """What they were told last."""
    return dict(Api(member).get("/api/notifications/", {"limit": 1}).json()[0])


# --- What it shows -----------------------------------------------------------------------------------------------


def test_a_moderator_has_everything_on_one_page(
    moderator: Client, make_session: MakeSession, john: User, jane: User
) -> None:
    session = make_session(john, jane)
    add_material(session_id=session.pk, by=john, title="What to bring", type="note", content="A rope.")
    answer = moderator.get(page(session))
    panels = panels_of(answer)
    assert list(panels) == ["details", "requests", "participants", "materials", "notifications", "history"]
    # Approved, asked, let in, and a new material.
    counts = {key: panel.count for key, panel in panels.items()}
    assert counts == {
        "details": None,
        "requests": 1,
        "participants": 1,
        "materials": 1,
        "notifications": 4,
        "history": None,
    }
    html = answer.content.decode()
    for words in ("A rope.", "Please.", "Your session Knots has been approved.", "added the material What to bring"):
        assert words in html


def test_a_moderator_sees_their_own_session_as_their_permissions_allow(
    moderator: Client, morgan: User, make_session: MakeSession, jane: User
) -> None:
    session = make_session(morgan, jane)
    add_material(session_id=session.pk, by=morgan, title="What to bring", type="note", content="A rope.")
    answer = moderator.get(page(session))
    assert list(panels_of(answer)) == ["details", "requests", "participants", "materials"]
    assert "data-dialog=" not in answer.content.decode()


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User]
) -> None:
    counts = []
    for size in (3, 12):
        creator = make_member(f"creator_{size}")
        members = [make_member(f"member_{size}_{number}") for number in range(size)]
        session = make_session(creator, *members)
        for number, member in enumerate(make_member(f"asker_{size}_{number}") for number in range(size)):
            booking.request_booking(session_id=session.pk, message=f"Number {number}", by=member)
        for number in range(size):
            upload = ContentFile(b"hello", name="notes.txt")
            add_material(session_id=session.pk, by=creator, title=f"File {number}", type="file", upload=upload)
            edit = {"title": f"Knots {number}", "description": f"{number} knots. " * 20}
            offering.edit_session(session_id=session.pk, values=edit, date=None, status=None, reason="", by=creator)
            # More to say in the evidence.
            make_session(creator)
        with CaptureQueriesContext(connection) as captured:
            answer = moderator.get(page(session))
        panels = panels_of(answer)
        assert panels["participants"].count == panels["materials"].count == size
        assert panels["requests"].count == 2 * size
        assert panels["notifications"].count is not None
        assert panels["notifications"].count > 3 * size
        assert len(panels["history"].context["history"].entries) >= 4 * size
        assert len(panels["details"].context["evidence"]["decisions"]) >= 3
        counts.append(len(captured))
    assert counts[0] == counts[1] < 60


# --- What people hear --------------------------------------------------------------------------------------------


def test_a_removed_participant_reads_why(moderator: Client, make_session: MakeSession, john: User, jane: User) -> None:
    session = make_session(john, jane)
    address = f"{LIST}{session.pk}/participants/{jane.pk}/remove/"
    preview = moderator.post(address, {"previewing": "yes", "reason": REASON}, headers=HX).content.decode()
    assert moderator.post(address, {"confirming": "yes", "reason": REASON}, headers=HX).status_code == 204
    message = news_of(jane)["message"]
    assert message == f"You have been removed from Knots. Reason: {REASON}"
    assert message in preview


def test_a_cancellation_is_notified_with_the_text_of_its_preview(
    moderator: Client, make_session: MakeSession, john: User, jane: User, bob: User, morgan: User
) -> None:
    session = make_session(john, jane)
    booking.request_booking(session_id=session.pk, message="", by=bob)
    address = f"{LIST}{session.pk}/cancel/"
    dialog = moderator.post(address, headers=HX).content.decode()
    assert "3 people will be told: its creator, 1 participant and 1 member who asked to join." in dialog
    preview = moderator.post(address, {"previewing": "yes", "reason": REASON}, headers=HX).content.decode()
    moderator.post(address, {"confirming": "yes", "reason": REASON}, headers=HX)
    for member in (john, jane, bob):
        news = news_of(member)
        assert news["message"] == f"Knots has been cancelled. Reason: {REASON}"
        assert news["title"] in preview
        assert news["message"] in preview
    assert Api(morgan).get("/api/notifications/").json() == []


def test_an_uploader_reads_why_a_moderator_removed_their_material(
    moderator: Client, make_session: MakeSession, john: User, jane: User
) -> None:
    session = make_session(john, jane)
    booking.change_role(session_id=session.pk, participant_id=jane.pk, role="tutor", by=john)
    material = add_material(session_id=session.pk, by=jane, title="Slides", type="note", content="x")
    address = f"/admin/materials/material/{material.pk}/remove/"
    assert f'data-dialog="{address}"' in moderator.get(page(session)).content.decode()
    fields = {"confirming": "yes", "reason": REASON, "back": page(session)}
    answer = moderator.post(address, fields, headers=HX)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, page(session))
    assert not Material.objects.exists()
    assert news_of(jane)["message"] == f'Your material "Slides" has been removed. Reason: {REASON}'
    assert news_of(john)["title"] == "New material for Knots", "he is not told of what was not his"
    assert "removed the material Slides" in moderator.get(page(session)).content.decode()


def test_a_moderator_cannot_remove_materials_of_their_own_session_in_the_portal(
    moderator: Client, morgan: User, make_session: MakeSession, jane: User
) -> None:
    session = make_session(morgan, jane)
    material = add_material(session_id=session.pk, by=morgan, title="Slides", type="note", content="x")
    answer = moderator.post(
        f"/admin/materials/material/{material.pk}/remove/", {"confirming": "yes", "reason": REASON}, headers=HX
    )
    assert answer.status_code == 403
    assert Material.objects.exists()
