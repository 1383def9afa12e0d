"""Moderation with the mouse, by keyboard alone, and by two moderators at once."""

import re
from typing import Any

from model_bakery import baker
from playwright.sync_api import Page, expect
from tests.browser.conftest import PageOf

from core.accounts.models import User
from core.facts.models import FactRecord
from modules.notifications.models import Notification
from modules.sessions.models import ReasonTemplate, Session

QUEUE = "/admin/learning_sessions/session/"


def status_of(session: Session) -> str:
    session.refresh_from_db()
    return session.status


def tick(page: Page, title: str) -> None:
    page.get_by_role("row", name=title).get_by_role("checkbox").check()


def decisions() -> list[str]:
    names = FactRecord.objects.order_by("pk").values_list("name", flat=True)
    return [name.removeprefix("sessions.") for name in names]


def test_a_long_word_hides_nothing_in_the_list(page_of: PageOf, alice: User, offer: Any) -> None:
    session = offer("W" * 200)
    Session.objects.filter(pk=session.pk).update(subject="M" * 100)
    page = page_of(alice, width=1280)
    page.goto(QUEUE)
    row = page.get_by_role("row", name="WWW")
    for cell in ("creator_name", "subject", "start", "waiting"):
        box = row.locator(f".field-{cell}").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1280, cell


# --- With the mouse ---------------------------------------------------------------------------------------------


def test_a_session_is_approved_from_the_list(page_of: PageOf, alice: User, offer: Any) -> None:
    session = offer("Watercolours")
    page = page_of(alice)
    page.goto(QUEUE)
    tick(page, "Watercolours")
    page.get_by_role("button", name="Approve…").click()
    dialog = page.get_by_role("dialog", name="Approve Watercolours")
    expect(dialog).to_contain_text("In your hands until")
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("Watercolours was approved.")).to_be_visible()
    assert status_of(session) == "approved"


def test_a_session_is_rejected_with_a_reason_that_its_creator_reads(
    page_of: PageOf, api_of: Any, alice: User, john: User, offer: Any
) -> None:
    session = offer("Guaranteed wins")
    page = page_of(alice)
    page.goto(f"{QUEUE}{session.pk}/change/")
    page.get_by_role("button", name="Reject…").click()
    dialog = page.get_by_role("dialog", name="Reject Guaranteed wins")
    dialog.get_by_label("Begin with").select_option(label="Advertises")
    reason = dialog.get_by_label("Reason, which the creator will read")
    expect(reason).to_have_value(re.compile("^Sessions are free and advertise nothing"))
    expect(dialog.locator("#portal-notice")).to_contain_text("Sessions are free and advertise nothing")
    reason.fill("Nobody wins always.")
    expect(dialog.locator("#portal-notice")).to_contain_text("Nobody wins always.")
    notice = dialog.locator("#portal-notice .portal-quote").inner_text()
    dialog.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_text("Guaranteed wins was rejected.")).to_be_visible()
    assert status_of(session) == "cancelled"
    (told,) = api_of(john)("GET", "notifications/")
    assert told["message"] == notice
    assert "Nobody wins always." in told["message"]


def test_a_reason_template_does_not_replace_a_written_reason(page_of: PageOf, alice: User, offer: Any) -> None:
    session = offer("Watercolours")
    ReasonTemplate.objects.all().delete()
    baker.make(ReasonTemplate, title="One", text="The first.", rank=1)
    baker.make(ReasonTemplate, title="Two", text="The second.", rank=2)
    page = page_of(alice)
    page.goto(f"{QUEUE}{session.pk}/change/")
    page.get_by_role("button", name="Reject…").click()
    choice = page.get_by_label("Begin with")
    reason = page.get_by_label("Reason, which the creator will read")
    choice.select_option(label="One")
    choice.select_option(label="Two")
    expect(reason).to_have_value("The second.")
    reason.fill("My own words.")
    choice.select_option(label="One")
    expect(reason).to_have_value("My own words.\n\nThe first.")


def test_a_closed_dialog_decides_nothing_and_releases_the_lease(
    page_of: PageOf, alice: User, victor: User, offer: Any
) -> None:
    session = offer("Watercolours")
    page, other = page_of(alice), page_of(victor)
    page.goto(f"{QUEUE}{session.pk}/change/")
    page.get_by_role("button", name="Approve…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    with page.expect_response("**/decisions/leave/"):
        page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Approve…")).to_be_focused()
    other.goto(f"{QUEUE}{session.pk}/change/")
    other.get_by_role("button", name="Approve…").click()
    expect(other.get_by_role("dialog")).to_contain_text("In your hands until")
    assert status_of(session) == "pending_approval"


def test_many_sessions_are_rejected_at_once_with_a_result_for_each(page_of: PageOf, alice: User, offer: Any) -> None:
    sessions = [offer(f"Session {number}") for number in range(3)]
    page = page_of(alice)
    page.goto(QUEUE)
    for session in sessions:
        tick(page, session.title)
    page.get_by_role("button", name="Reject…").click()
    page.get_by_label("Reason, which the creator will read").fill("All the same.")
    page.get_by_role("dialog").get_by_role("button", name="Reject", exact=True).click()
    for session in sessions:
        expect(page.get_by_text(f"{session.title} was rejected.")).to_be_visible()
        assert status_of(session) == "cancelled"


# --- Two at once ------------------------------------------------------------------------------------------------


def test_two_moderators_make_one_decision_on_a_session(
    page_of: PageOf, alice: User, victor: User, john: User, offer: Any
) -> None:
    session = offer("Watercolours")
    first, second = page_of(alice), page_of(victor)
    for page in (first, second):
        page.goto(f"{QUEUE}{session.pk}/change/")
    first.get_by_role("button", name="Approve…").click()
    expect(first.get_by_role("dialog")).to_contain_text("In your hands until")

    second.get_by_role("button", name="Reject…").click()
    expect(second.get_by_role("dialog")).to_contain_text("Alice Jones has this session in hand")
    expect(second.get_by_role("dialog").get_by_role("button", name="Reject", exact=True)).to_have_count(0)
    second.keyboard.press("Escape")

    first.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
    expect(first.get_by_text("Watercolours was approved.")).to_be_visible()

    second.get_by_role("button", name="Reject…").click()
    expect(second.get_by_role("dialog")).to_contain_text("Alice Jones approved Watercolours, just now.")

    assert status_of(session) == "approved"
    assert decisions() == ["SessionApproved"]
    assert Notification.objects.filter(user=john).count() == 1


def test_a_concurrent_edit_is_shown_before_the_decision_is_repeated(
    page_of: PageOf, api_of: Any, alice: User, john: User, offer: Any
) -> None:
    session = offer("Watercolours")
    page = page_of(alice)
    page.goto(f"{QUEUE}{session.pk}/change/")
    page.get_by_role("button", name="Approve…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("In your hands until")
    api_of(john)("PUT", f"sessions/{session.pk}/", {"title": "Lottery numbers"})
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("What was changed since you read it")
    expect(dialog.locator("del")).to_have_text("Watercolours")
    expect(dialog.locator("ins")).to_have_text("Lottery numbers")
    assert status_of(session) == "pending_approval"
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("Lottery numbers was approved.")).to_be_visible()
    assert decisions() == ["SessionEdited", "SessionApproved"]


# --- By the keyboard alone --------------------------------------------------------------------------------------


def test_decisions_in_a_row_are_made_by_keyboard_alone(page_of: PageOf, alice: User, john: User, offer: Any) -> None:
    sessions = [offer(f"Session {number}") for number in range(5)]
    page = page_of(alice)
    page.goto(QUEUE)
    press = page.keyboard.press
    for number, session in enumerate(sessions):
        press("j")
        if number % 3 == 1:
            # On its own page, and back from there.
            press("o")
            page.wait_for_url(f"**/{session.pk}/change/")
        key, word = ("r", "rejected") if number % 2 else ("a", "approved")
        press(key)
        expect(page.get_by_role("dialog")).to_contain_text("In your hands until")
        if number % 2:
            page.keyboard.type(f"Reason {number}")
            press("Control+Enter")
        else:
            press("Enter")
        expect(page.get_by_text(f"{session.title} was {word}.")).to_be_visible()
        page.wait_for_load_state()
        if number % 3 == 1:
            press("u")
            page.wait_for_url(f"**{QUEUE}")
    assert [status_of(session) for session in sessions] == [
        "approved",
        "cancelled",
        "approved",
        "cancelled",
        "approved",
    ]
    assert decisions() == ["SessionApproved", "SessionRejected"] * 2 + ["SessionApproved"]
    assert sorted(FactRecord.objects.exclude(reason="").values_list("reason", flat=True)) == ["Reason 1", "Reason 3"]
    expect(page.get_by_role("row", name="Session")).to_have_count(0)


def test_keys_act_on_the_current_row_after_a_dialog_was_closed(page_of: PageOf, alice: User, offer: Any) -> None:
    offer("First")
    offer("Second")
    page = page_of(alice)
    page.goto(QUEUE)
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.get_by_role("dialog", name="Reject First")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("dialog", name="Approve Second")).to_be_visible()


def test_going_back_restores_the_filters_of_the_list(page_of: PageOf, alice: User, offer: Any) -> None:
    session = offer("Watercolours")
    page = page_of(alice)
    page.goto(f"{QUEUE}?tab=all&q=Water")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url(f"**/{session.pk}/change/*")
    page.keyboard.press("u")
    page.wait_for_url(f"**{QUEUE}?tab=all&q=Water")


def test_a_long_text_is_scrolled_to_its_start(page_of: PageOf, alice: User, offer: Any) -> None:
    session = offer("Watercolours", description="Many words. " * 400)
    page = page_of(alice)
    page.goto(f"{QUEUE}{session.pk}/change/")
    for button in ("Approve…", "Reject…"):
        page.get_by_role("button", name=button).click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("In your hands until")
        expect(dialog.get_by_role("heading", name="Watercolours")).to_be_in_viewport()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()


def test_pages_work_without_javascript(context_of: Any, alice: User, offer: Any) -> None:
    offer("Watercolours")
    page = context_of(alice, java_script_enabled=False).new_page()
    page.goto(QUEUE)
    expect(page.get_by_role("link", name="Watercolours")).to_be_visible()


def test_a_key_opens_the_next_waiting_session(page_of: PageOf, alice: User, offer: Any) -> None:
    first, second = offer("First"), offer("Second")
    page = page_of(alice)
    page.goto(f"{QUEUE}{first.pk}/change/")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(f"/{second.pk}/change/$"))


def test_the_help_lists_the_keys_and_closes_by_escape(page_of: PageOf, alice: User, offer: Any) -> None:
    offer("Watercolours")
    page = page_of(alice)
    page.goto(QUEUE)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    shown = dict(zip(dialog.locator("kbd").all_inner_texts(), dialog.locator("dd").all_inner_texts(), strict=True))
    assert set(shown) >= {"j", "k", "o", "x", "a", "r", "/", "?"}
    assert shown["j"] == "Next row"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_keyboard_shortcuts_can_be_disabled_and_enabled(page_of: PageOf, alice: User, offer: Any) -> None:
    offer("Watercolours")
    page = page_of(alice)
    page.goto(QUEUE)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single-key shortcuts are on in this browser").uncheck()
    page.keyboard.press("Escape")
    for key in ("j", "a", "?", "/"):
        page.keyboard.press(key)
    page.reload()
    for key in ("j", "a", "?", "/"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".portal-current")).to_have_count(0)
    expect(page.locator("#searchbar")).not_to_be_focused()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single-key shortcuts are on in this browser").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Watercolours")).to_be_focused()


def test_keys_in_a_field_are_no_shortcuts(page_of: PageOf, alice: User, offer: Any) -> None:
    offer("Watercolours")
    page = page_of(alice)
    page.goto(QUEUE)
    page.keyboard.press("/")
    page.keyboard.type("jar?")
    expect(page.locator("#searchbar")).to_have_value("jar?")
    expect(page.locator("dialog[open]")).to_have_count(0)
