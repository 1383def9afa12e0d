"""Controls of unfold can be reached and left by keyboard."""

import re

from playwright.sync_api import expect
from tests.browser.conftest import PHONE, PageOf

from core.accounts.models import User

LIST = "/admin/core/user/"


def test_the_first_tab_stop_skips_the_sidebar(root: User, page_of: PageOf) -> None:
    page = page_of(root)
    page.goto(LIST)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#content")).to_be_focused()


def test_the_sidebar_opens_and_closes_on_a_phone(root: User, page_of: PageOf) -> None:
    page = page_of(root, width=PHONE)
    page.goto(LIST)
    sidebar = page.locator("#nav-sidebar")
    expect(sidebar).to_be_hidden()

    page.get_by_role("button", name="Navigation", exact=True).press("Enter")
    expect(sidebar).to_be_visible()
    expect(page.get_by_role("button", name="Navigation", exact=True)).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Close the navigation").press("Enter")

    expect(sidebar).to_be_hidden()


def test_filters_take_and_return_the_focus(root: User, page_of: PageOf) -> None:
    page = page_of(root)
    page.goto(LIST)
    opens, closes = page.get_by_role("button", name="Filters"), page.get_by_role("button", name="Close the filters")

    opens.press(" ")
    expect(closes).to_be_focused()
    page.keyboard.press("Escape")
    expect(closes).to_be_hidden()
    expect(opens).to_be_focused()

    opens.press("Enter")
    closes.press("Enter")
    expect(closes).to_be_hidden()
    expect(opens).to_be_focused()


def test_the_colour_scheme_is_chosen_in_the_account_menu(root: User, page_of: PageOf) -> None:
    page = page_of(root)
    page.goto(LIST)
    dark = re.compile(r"\bdark\b")
    expect(page.locator("html")).not_to_have_class(dark)

    page.get_by_role("button", name=root.username).press("Enter")
    page.get_by_role("button", name="Dark").press(" ")
    expect(page.locator("html")).to_have_class(dark)
    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    page.goto(LIST)
    expect(page.locator("html")).to_have_class(dark)
