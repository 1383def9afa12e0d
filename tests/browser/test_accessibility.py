"""axe-core finds nothing serious on any page, in light and dark mode, on a desktop and on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import DESKTOP, HEIGHTS, PHONE, SCHEMES, PageOf

from core.accounts.models import User
from modules.sessions.models import Session

Accessible = Callable[[Page], None]
Demo = dict[str, User]

QUEUE = "/admin/learning_sessions/session/"

schemes = pytest.mark.parametrize("scheme", SCHEMES)

# What they show is in the demo. The tabs and dialogs of a session and of a member are looked at where they are tested.
PAGES = {
    "login": "/admin/login/",
    "dashboard": "/admin/",
    "queue": QUEUE,
    "session": f"{QUEUE}{{waiting}}/change/",
    "members": "/admin/core/user/",
}
# What else there is, in part for superusers alone.
OTHER_PAGES = {
    "booking requests": "/admin/learning_sessions/bookingrequest/",
    "materials": "/admin/materials/material/",
    "form to add": "/admin/core/user/add/",
    "group": "/admin/auth/group/1/change/",
    "question before deleting": "/admin/auth/group/1/delete/",
    "record of facts": "/admin/core/factrecord/",
    "fact": "/admin/core/factrecord/1/change/",
    "why somebody was told": "/admin/notifications/notification/why/",
}
# What is clicked on which page, and what is there then.
OPENED = {
    "navigation": ("/admin/", "Navigation", "#nav-sidebar"),
    "filters": (QUEUE, "Filters", "#changelist-filter"),
    "help with the keys": (QUEUE, "Keyboard shortcuts", "dialog[open]"),
}


@schemes
def test_pages_for_moderators(
    *, demo: Demo, page_of: PageOf, accessible: Accessible, subtests: pytest.Subtests, scheme: str
) -> None:
    waiting = Session.objects.filter(status="pending_approval").earliest("date")
    moderator, stranger = page_of(demo["moderator"], scheme=scheme), page_of(scheme=scheme)

    for name, path in PAGES.items():
        page = stranger if name == "login" else moderator
        page.goto(path.format(waiting=waiting.pk))
        for width in (DESKTOP, PHONE):
            page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            with subtests.test(page=name, width=width):
                accessible(page)


@schemes
def test_other_pages(
    *, demo: Demo, root: User, page_of: PageOf, accessible: Accessible, subtests: pytest.Subtests, scheme: str
) -> None:
    page = page_of(root, scheme=scheme)

    for name, path in OTHER_PAGES.items():
        page.goto(path)
        with subtests.test(page=name):
            accessible(page)


@schemes
@pytest.mark.parametrize("name", OPENED)
def test_a_dialog_on_a_phone(demo: Demo, page_of: PageOf, accessible: Accessible, name: str, scheme: str) -> None:
    page = page_of(demo["moderator"], scheme=scheme, width=PHONE)
    path, button, opened = OPENED[name]
    page.goto(path)
    expect(page.locator(opened)).to_be_hidden()

    page.get_by_role("button", name=button, exact=True).click()

    expect(page.locator(opened)).to_be_visible()
    accessible(page)
