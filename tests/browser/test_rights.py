"""Users without permissions see nothing in the portal."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import PageOf

from core.accounts.models import User

PAGES = [
    "/admin/learning_sessions/session/",
    "/admin/learning_sessions/bookingrequest/",
    "/admin/materials/material/",
    "/admin/core/user/",
    "/admin/core/factrecord/",
]


@pytest.fixture
def nobody(transactional_db: None, make_member: Callable[..., User]) -> User:
    """May enter the portal, and that is all."""
    return make_member("nobody", is_staff=True)


def test_staff_without_permissions_see_no_list_and_get_a_403(nobody: User, page_of: PageOf) -> None:
    page = page_of(nobody, expected=(403,))

    page.goto("/admin/")
    for path in PAGES:
        expect(page.locator(f"a[href^='{path}']")).to_have_count(0)
    for path in PAGES:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403
        expect(page.get_by_role("heading", name="403 Forbidden")).to_be_visible()


def test_a_member_who_is_no_staff_stays_at_the_login(john: User, page_of: PageOf) -> None:
    page = page_of(john)

    for path in ["/admin/", *PAGES]:
        page.goto(path)
        expect(page).to_have_url(f"/admin/login/?next={path}")
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
