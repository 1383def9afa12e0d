"""The portal's page of a member: deactivation, and accessibility."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from model_bakery import baker
from playwright.sync_api import Page, expect
from tests.browser.conftest import DESKTOP, PHONE, SCHEMES

from core.accounts.models import User
from core.facts.models import FactRecord
from core.time import clock
from modules.notifications.models import Notification
from modules.sessions.models import BookingRequest, Session

LIST = "/admin/core/user/"
PageOf = Callable[..., Page]


@pytest.fixture
def knots(transactional_db: None, john: User, jane: User) -> Session:
    """John offers it, and Jane is in."""
    now = clock.now()
    session = baker.make(
        Session,
        title="Knots That Hold",
        creator=john,
        status="scheduled",
        date=now + timedelta(days=3),
        duration=60,
        level="beginner",
        max_participants=5,
        participant_count=1,
        approved_at=now,
    )
    baker.make(BookingRequest, session=session, user=jane, status="approved", joined_at=now, message="With pleasure.")
    return session


def test_a_member_is_deactivated_by_keyboard(
    page_of: PageOf, alice: User, john: User, jane: User, knots: Session
) -> None:
    page = page_of(alice)
    page.goto(LIST)
    page.get_by_role("link", name="john_doe").click()
    page.get_by_role("button", name="Deactivate…").press("Enter")
    dialog = page.get_by_role("dialog", name="Deactivate John Doe")
    expect(dialog).to_contain_text("1 session of theirs is cancelled")
    expect(dialog).to_contain_text("1 member who is in, or asked to join, is told")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    assert User.objects.get(pk=john.pk).is_active

    page.keyboard.type("Threatened two members.")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("John Doe is deactivated.")).to_be_visible()
    expect(page.get_by_role("button", name="Reactivate…")).to_be_visible()
    expect(page.get_by_role("tabpanel", name="Overview")).to_contain_text("by Alice Jones")
    knots.refresh_from_db()
    assert knots.status == "cancelled"
    told = Notification.objects.get(user=jane).message
    assert told == "Knots That Hold has been cancelled. Reason: The account of its creator was deactivated."


def test_a_concurrent_change_is_shown_and_the_text_is_kept(
    page_of: PageOf, alice: User, john: User, knots: Session
) -> None:
    page = page_of(alice)
    page.goto(f"{LIST}{john.pk}/change/")
    page.get_by_role("button", name="Deactivate…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Threatened two members.")
    Session.objects.filter(pk=knots.pk).update(status="cancelled", moves_at=None)

    dialog.get_by_role("button", name="Deactivate").click()
    expect(dialog.get_by_role("alert")).to_contain_text("has changed while you read it")
    expect(dialog).to_contain_text("They offer nothing that is to come")
    expect(dialog.get_by_label("Reason")).to_have_value("Threatened two members.")
    assert not FactRecord.objects.exists()
    dialog.get_by_role("button", name="Deactivate").click()

    expect(page.get_by_text("John Doe is deactivated.")).to_be_visible()


def test_a_closed_dialog_does_nothing(page_of: PageOf, alice: User, john: User, knots: Session) -> None:
    page = page_of(alice)
    page.goto(f"{LIST}{john.pk}/change/")
    page.get_by_role("button", name="Deactivate…").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Threatened two members.")

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Deactivate…")).to_be_focused()
    assert not FactRecord.objects.exists()


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_and_its_dialog_are_accessible(
    *, page_of: PageOf, accessible: Any, alice: User, john: User, jane: User, knots: Session, scheme: str, width: int
) -> None:
    page = page_of(alice, scheme=scheme, width=width)
    page.goto(f"{LIST}{john.pk}/change/")
    for tab in ("Overview", "Sessions", "Decisions", "Bookings", "History"):
        page.get_by_role("tab", name=tab).click()
        accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Deactivate…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    accessible(page)
    page.goto(f"{LIST}{jane.pk}/change/#bookings")
    expect(page.get_by_text("With pleasure.")).to_be_visible()
    accessible(page)
