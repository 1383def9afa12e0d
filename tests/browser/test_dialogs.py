"""Dialogs with slow responses, double clicks and expired logins."""

import re
from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session as BrowserSession
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import PageOf
from tests.browser.test_moderating import QUEUE, decisions, status_of
from tests.conftest import PASSWORD

from core.accounts.models import User
from modules.sessions.models import DecisionLease, Session


class Gate:
    """Holds requests back until it is opened.

    Stands before the page is loaded: a page on its way to being intercepted can still send its next request past it.
    """

    def __init__(self, page: Page, pattern: str) -> None:
        self.held: list[Route] = []
        page.route(pattern, lambda route: self.held.append(route))  # noqa: PLW0108 (Playwright asks how many it takes)

    def wait(self, page: Page, number: int = 1) -> None:
        for _ in range(200):
            if len(self.held) >= number:
                return
            page.wait_for_timeout(25)
        raise AssertionError(f"{len(self.held)} requests came")

    def open(self) -> None:
        for route in self.held:
            route.continue_()


@pytest.fixture
def session(alice: User, offer: Callable[..., Session]) -> Session:
    """A session that waits."""
    return offer("Watercolours")


@pytest.fixture
def page(page_of: PageOf, alice: User) -> Page:
    return page_of(alice)


def open_page(page: Page, session: Session) -> None:
    page.goto(f"{QUEUE}{session.pk}/change/")


def test_keys_pressed_before_the_dialog_opens_are_no_shortcuts(page: Page, session: Session) -> None:
    gate = Gate(page, "**/decisions/open/")
    open_page(page, session)
    page.keyboard.press("r")
    gate.wait(page)
    page.keyboard.type("an unusual reason")
    gate.open()
    expect(page.get_by_role("dialog", name="Reject Watercolours")).to_contain_text("In your hands until")
    page.keyboard.press("Space")
    assert len(gate.held) == 1
    assert page.url.endswith(f"/{session.pk}/change/")
    assert status_of(session) == "pending_approval"


def test_a_double_click_opens_one_dialog(page: Page, session: Session) -> None:
    gate = Gate(page, "**/decisions/open/")
    open_page(page, session)
    page.get_by_role("button", name="Approve…").dblclick()
    gate.wait(page)
    page.wait_for_timeout(100)
    gate.open()
    expect(page.get_by_role("dialog")).to_contain_text("In your hands until")
    assert len(gate.held) == 1


def test_a_form_that_is_submitted_twice_decides_once_and_stays_open(page: Page, session: Session) -> None:
    gate = Gate(page, "**/decisions/carry-out/")
    open_page(page, session)
    page.get_by_role("button", name="Approve…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("In your hands until")
    for _ in range(3):
        page.keyboard.press("Control+Enter")
    gate.wait(page)
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_visible()
    assert len(gate.held) == 1
    gate.open()
    expect(page.get_by_text("Watercolours was approved.")).to_be_visible()
    assert status_of(session) == "approved"
    assert decisions() == ["SessionApproved"]


LISTEN = """
new MutationObserver(() => {
    for (const alert of document.querySelectorAll("dialog [role=alert]")) heard(alert.textContent);
}).observe(document, {childList: true, subtree: true});
"""


def test_a_success_shows_no_error_while_the_next_page_loads(page: Page, session: Session) -> None:
    heard: list[str] = []
    sent: list[str] = []
    page.expose_function("heard", lambda text: heard.append(text))  # noqa: PLW0108 (Playwright marks what it is given)
    page.on("request", lambda request: sent.append(request.url))
    open_page(page, session)
    page.get_by_role("button", name="Approve…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("In your hands until")
    page.evaluate(LISTEN)
    dialog.get_by_role("button", name="Approve", exact=True).dblclick()
    expect(page.get_by_text("Watercolours was approved.")).to_be_visible()
    expect(page.get_by_text("approved Watercolours, just now")).to_have_count(0)
    assert heard == []
    assert [url.rpartition(QUEUE)[2] for url in sent if url.endswith("/carry-out/")] == ["decisions/carry-out/"]


def test_the_text_in_a_dialog_survives_a_logout_and_a_new_login(page_of: PageOf, alice: User, session: Session) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    page = page_of(alice)
    open_page(page, session)
    page.get_by_role("button", name="Reject…").click()
    dialog = page.get_by_role("dialog")
    reason = dialog.get_by_label("Reason, which the creator will read")
    reason.fill("Long thought about.")
    BrowserSession.objects.all().delete()
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("You are not logged in any more.")
    expect(reason).to_have_value("Long thought about.")
    with page.context.expect_page() as other:
        dialog.get_by_role("link", name="Log in in another tab").click()
    login = other.value
    login.get_by_label("Username").fill(alice.username)
    login.get_by_label("Password").fill(PASSWORD)
    login.get_by_role("button", name="Log in").click()
    login.wait_for_url(f"**/{session.pk}/change/")
    page.bring_to_front()
    dialog.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_text("Watercolours was rejected.")).to_be_visible()
    assert status_of(session) == "cancelled"


def test_a_button_after_a_logout_leads_to_the_login_and_back(page: Page, session: Session) -> None:
    open_page(page, session)
    BrowserSession.objects.all().delete()
    page.get_by_role("button", name="Approve…").click()
    page.wait_for_url(re.compile(r"/admin/login/\?next="))
    assert f"next=%2Fadmin%2Flearning_sessions%2Fsession%2F{session.pk}%2Fchange%2F" in page.url


def test_an_error_of_the_server_is_shown_and_no_text_is_lost(page_of: PageOf, alice: User, session: Session) -> None:
    page = page_of(alice, expected=(503,))
    page.route("**/decisions/carry-out/", lambda route: route.fulfill(status=503), times=1)
    open_page(page, session)
    page.get_by_role("button", name="Reject…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason, which the creator will read").fill("Long thought about.")
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Nothing was lost")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Watercolours was rejected.")).to_be_visible()
    assert status_of(session) == "cancelled"
    assert not DecisionLease.objects.exists()
