"""The portal's page of a session: its tabs by keyboard, and dialogs that keep the open tab."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import DESKTOP, PHONE, SCHEMES

from core.accounts.models import User
from modules.materials.services import add_material
from modules.sessions.models import Session
from modules.sessions.services import offering

KEYS = ["details", "requests", "participants", "materials", "notifications", "history"]
PageOf = Callable[..., Page]


@pytest.fixture
def session(demo: dict[str, User]) -> Session:
    """Takes place in some days, with participants and materials."""
    return Session.objects.get(title="Advanced Python Programming")


@pytest.fixture
def address(session: Session) -> str:
    return f"/admin/learning_sessions/session/{session.pk}/change/"


def open_panels(page: Page) -> list[str]:
    shown = page.locator("[role=tabpanel]:visible")
    return [str(shown.nth(at).get_attribute("id")).removeprefix("panel-") for at in range(shown.count())]


def test_arrow_keys_switch_tabs(page_of: PageOf, demo: dict[str, User], address: str) -> None:
    page = page_of(demo["moderator"])
    page.goto(address)
    assert open_panels(page) == ["details"]
    page.locator("#tab-details").focus()
    for key, reached in [
        ("ArrowRight", "requests"),
        ("End", "history"),
        ("ArrowRight", "details"),
        ("ArrowLeft", "history"),
        ("Home", "details"),
        ("ArrowRight", "requests"),
        ("ArrowRight", "participants"),
    ]:
        page.keyboard.press(key)
        assert open_panels(page) == [reached]
        assert urlsplit(page.url).fragment == reached
        expect(page.locator(f"#tab-{reached}")).to_be_focused()
        expect(page.get_by_role("tab", selected=True)).to_have_id(f"tab-{reached}")
    # One stop: from the tab into what it opened.
    page.keyboard.press("Tab")
    expect(page.locator("#panel-participants")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#tab-participants")).to_be_focused()


def test_the_url_selects_a_tab_and_an_unknown_one_the_first(
    page_of: PageOf, demo: dict[str, User], address: str
) -> None:
    page = page_of(demo["moderator"])
    page.goto(f"{address}#materials")
    assert open_panels(page) == ["materials"]
    page.reload()
    assert open_panels(page) == ["materials"]
    page.evaluate("location.hash = '#history'")
    expect(page.locator("#panel-history")).to_be_visible()
    assert open_panels(page) == ["history"]
    page.goto("about:blank")
    page.goto(f"{address}#nonsense")
    assert open_panels(page) == ["details"]


def test_every_tab_is_reachable_on_a_phone(page_of: PageOf, demo: dict[str, User], address: str) -> None:
    page = page_of(demo["moderator"], width=PHONE)
    page.goto(address)
    for key in KEYS:
        tab = page.locator(f"#tab-{key}")
        tab.click()
        assert open_panels(page) == [key]
        box = tab.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, "nothing is wider than the screen"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_every_tab_and_dialog_is_accessible(
    width: int,
    scheme: str,
    page_of: PageOf,
    demo: dict[str, User],
    session: Session,
    address: str,
    accessible: Callable[[Page], None],
) -> None:
    long_note = "A rope, a knife and a good hour.\n" * 100
    add_material(session_id=session.pk, by=session.creator, title="What to bring", type="note", content=long_note)
    offering.edit_session(
        session_id=session.pk,
        values={"title": "Python for the Advanced", "description": long_note},
        date=None,
        status=None,
        reason="",
        by=session.creator,
    )
    page = page_of(demo["moderator"], scheme=scheme, width=width)
    page.goto(address)
    for key in KEYS:
        page.locator(f"#tab-{key}").click()
        assert open_panels(page) == [key]
        accessible(page)
    for button in ("Let the edits stand…", "Hide…", "Cancel…"):
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        accessible(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_shared_link_is_not_loaded(page_of: PageOf, demo: dict[str, User], session: Session, address: str) -> None:
    add_material(session_id=session.pk, by=session.creator, title="Docs", type="link", url="https://tracker.example/x")
    page = page_of(demo["moderator"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).hostname or ""))
    page.goto(f"{address}#materials")
    expect(page.get_by_role("link", name="https://tracker.example/x")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert set(asked) == {urlsplit(page.url).hostname}


def test_a_removal_keeps_the_open_tab(page_of: PageOf, demo: dict[str, User], session: Session, address: str) -> None:
    jane = demo["jane_smith"]
    page = page_of(demo["moderator"])
    page.goto(f"{address}#participants")
    button = page.get_by_role("button", name="Remove Jane Smith")
    button.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()

    button.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("She asked me to.")
    expect(dialog.locator("#portal-notice")).to_contain_text("Reason: She asked me to.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Jane Smith was removed from Advanced Python Programming.")).to_be_visible()
    assert open_panels(page) == ["participants"]
    expect(page.get_by_role("button", name="Remove Jane Smith")).to_have_count(0)
    assert not session.booking_requests.filter(user=jane).exists()


def test_a_second_look_is_ended_by_keyboard(page_of: PageOf, demo: dict[str, User], session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(second_look_since=session.created_at)
    page = page_of(demo["moderator"])
    page.goto(f"/admin/learning_sessions/session/{session.pk}/change/")
    page.get_by_role("button", name="Let the edits stand…").press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Reason (optional)")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The edits of Advanced Python Programming stand.")).to_be_visible()
    session.refresh_from_db()
    assert session.second_look_since is None
