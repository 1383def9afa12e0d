"""The login form of the portal."""

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import PageOf
from tests.conftest import PASSWORD

from core.accounts.models import User


@pytest.fixture
def moderator(root: User) -> User:
    root.set_password(PASSWORD)
    root.save()
    return root


def log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_logging_in_leads_to_the_requested_page(moderator: User, page_of: PageOf) -> None:
    page = page_of()
    page.goto("/admin/core/user/")
    expect(page).to_have_url("/admin/login/?next=/admin/core/user/")

    log_in(page, moderator.username, PASSWORD)

    expect(page).to_have_url("/admin/core/user/")
    expect(page.get_by_role("link", name=moderator.username)).to_be_visible()


def test_a_wrong_password_shows_an_error(moderator: User, page_of: PageOf) -> None:
    page = page_of()
    page.goto("/admin/")

    log_in(page, moderator.username, "learn-alone")

    expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
    page.goto("/admin/")
    expect(page).to_have_url("/admin/login/?next=/admin/")
