"""The charts of the dashboard: colours, links and keyboard access."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from model_bakery import baker
from playwright.sync_api import Page, expect
from tests.browser.conftest import PHONE, PageOf

from core.accounts.models import User
from core.time import clock
from modules.sessions.models import Session

CHART = "#chart-outcomes canvas"


@pytest.fixture
def held(root: User) -> list[Session]:
    """Three sessions of this week, with which its bar is almost as high as the chart."""
    cache.clear()
    now = clock.now()
    monday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    return [
        baker.make(
            Session,
            title=f"Session {number}",
            subject="Art",
            description="Of no importance.",
            level="beginner",
            status="completed",
            date=monday,
            duration=60,
            max_participants=4,
            participant_count=2,
            approved_at=monday - timedelta(days=3),
            creator=root,
        )
        for number in range(3)
    ]


# Where the bar of the last week stands in the chart, seen from its right edge and its top.
FROM_RIGHT, DOWN = 45, 0.75
LIGHT, DARK = [29, 78, 216, 255], [122, 162, 255, 255]


def wait_for_bar(page: Page, colour: list[int]) -> None:
    """Until the bar of the last week is drawn in that colour."""
    page.wait_for_function(
        """([selector, fromRight, down, colour]) => {
            const canvas = document.querySelector(selector);
            const [x, y] = [canvas.width - fromRight * devicePixelRatio, canvas.height * down];
            return String(canvas.getContext("2d").getImageData(x, y, 1, 1).data) === String(colour);
        }""",
        arg=[CHART, FROM_RIGHT, DOWN, colour],
    )


def test_a_bar_leads_to_the_list_of_what_it_counts(root: User, held: list[Session], page_of: PageOf) -> None:
    baker.make(
        Session,
        title="Another one",
        subject="Art",
        description="Of no importance.",
        level="beginner",
        status="expired",
        date=held[0].date - timedelta(weeks=2),
        duration=60,
        max_participants=4,
        creator=root,
    )
    page = page_of(root)
    page.goto("/admin/")
    wait_for_bar(page, LIGHT)
    box = page.locator(CHART).bounding_box()
    assert box is not None

    page.mouse.click(box["x"] + box["width"] - FROM_RIGHT, box["y"] + box["height"] * DOWN)

    expect(page).to_have_url(re.compile("outcome=held"))
    expect(page.locator("#result_list tbody tr")).to_have_count(3)


def test_charts_are_redrawn_in_dark_mode(root: User, held: list[Session], page_of: PageOf) -> None:
    page = page_of(root)
    page.goto("/admin/")
    wait_for_bar(page, LIGHT)

    page.get_by_role("button", name=root.username).press("Enter")
    page.get_by_role("button", name="Dark").press(" ")

    wait_for_bar(page, DARK)


def test_the_table_of_a_chart_opens_by_keyboard(
    root: User, held: list[Session], page_of: PageOf, accessible: Callable[[Page], None]
) -> None:
    page = page_of(root, width=PHONE)
    page.goto("/admin/")
    figure = page.locator("#chart-outcomes")
    expect(figure.get_by_role("img", name="Sessions by outcome. 3 sessions: 3 held.")).to_be_visible()
    expect(figure.get_by_role("table")).to_be_hidden()

    figure.get_by_text("The numbers as a table").press("Enter")

    expect(figure.get_by_role("row", name="Together 3 0 0 0 0")).to_be_visible()
    accessible(page)
