"""Moderators decide in the admin, through the services that the API uses."""

import re
from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import MakeSession, facts, last_fact, nothing_changes

from core.accounts.models import User
from modules.sessions.models import Session

LIST = "/admin/learning_sessions/session/"


def admin_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(session: Session, part: str) -> str:
    return f"{LIST}{session.pk}/{part}/"


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def moderator(alice: User) -> Client:
    """Alice at the admin: a moderator who may enter it."""
    alice.is_staff = True
    alice.save()
    return admin_of(alice)


@pytest.fixture
def staff(make_member: Any) -> Client:
    """Somebody who may enter the admin, and moderates nothing."""
    return admin_of(make_member("staff", is_staff=True))


def test_a_moderator_logs_in_with_name_or_address(alice: User) -> None:
    alice.is_staff = True
    alice.set_password("learn-together")
    alice.save()
    for name in (alice.username, alice.email.upper()):
        answer = Client().post("/admin/login/", {"username": name, "password": "learn-together"})
        assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_moderator_without_staff_status_is_not_let_in(alice: User) -> None:
    answer = admin_of(alice).get(LIST)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={LIST}")


def test_the_list_shows_what_waits(moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval", title="Waiting for you")
    make_session("approved", title="Decided long ago")
    answer = moderator.get(LIST, {"status__exact": "pending_approval"})
    assert "Waiting for you" in answer.content.decode()
    assert "Decided long ago" not in answer.content.decode()


def test_opening_a_decision_changes_nothing(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        for part in ("change", "decide"):
            assert moderator.get(page(session, part)).status_code == 200


def test_a_moderator_approves_a_session(moderator: Client, alice: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    answer = moderator.post(page(session, "decide"), {"approving": "1", "reason": ""}, follow=True)
    assert messages_of(answer) == ["Advanced Python Programming was approved."]
    session.refresh_from_db()
    assert (session.status, session.decided_by) == ("approved", alice)
    assert facts(session) == ["SessionApproved"]
    assert last_fact().actor == alice


def test_approving_does_not_ask_for_a_reason(moderator: Client, make_session: MakeSession) -> None:
    """A browser would otherwise hold the form back, since the reason is required for rejecting."""
    html = moderator.get(page(make_session("pending_approval"), "decide")).content.decode()
    buttons = {name: tag for tag in re.findall(r"<button[^>]*>", html) for name in re.findall(r'name="(\w+ing)"', tag)}
    assert "formnovalidate" in buttons["approving"]
    assert "formnovalidate" not in buttons["rejecting"]


def test_a_moderator_rejects_a_session_with_a_reason(moderator: Client, alice: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    moderator.post(page(session, "decide"), {"rejecting": "1", "reason": "Too vague"})
    session.refresh_from_db()
    assert session.status == "cancelled"
    assert facts(session) == ["SessionRejected"]
    assert (last_fact().actor, last_fact().reason) == (alice, "Too vague")


def test_rejecting_without_a_reason_asks_for_one(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        answer = moderator.post(page(session, "decide"), {"rejecting": "1", "reason": "  "})
    assert answer.context["form"].errors == {"reason": ["This field is required."]}


def test_a_decision_that_comes_too_late_is_told(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("approved")
    with nothing_changes():
        answer = moderator.post(page(session, "decide"), {"approving": "1"}, follow=True)
    assert messages_of(answer) == ["Advanced Python Programming: A session cannot go from approved to approved."]


def test_nobody_approves_their_own_session_here_either(
    moderator: Client, alice: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval", creator=alice)
    with nothing_changes():
        answer = moderator.post(page(session, "decide"), {"approving": "1"}, follow=True)
    assert messages_of(answer) == ["Advanced Python Programming: Nobody moderates a session of their own."]


def test_many_are_approved_at_once_and_each_outcome_is_told(moderator: Client, make_session: MakeSession) -> None:
    waiting = make_session("pending_approval", title="First")
    decided = make_session("cancelled", title="Second")
    form = {"action": "approve", "_selected_action": [waiting.pk, decided.pk]}
    answer = moderator.post(LIST, form, follow=True)
    assert sorted(messages_of(answer)) == [
        "First was approved.",
        "Second: A session cannot go from cancelled to approved.",
    ]
    decided.refresh_from_db()
    assert decided.status == "cancelled"


def test_many_are_rejected_with_one_reason_that_is_asked_for(moderator: Client, make_session: MakeSession) -> None:
    sessions = [make_session("pending_approval"), make_session("pending_approval")]
    form: dict[str, Any] = {"action": "reject", "_selected_action": [session.pk for session in sessions]}
    with nothing_changes():
        asked = moderator.post(LIST, form)
    assert asked.templates[0].name == "admin/learning_sessions/decide.html"
    moderator.post(LIST, {**form, "rejecting": "1", "reason": "Twice the same"})
    assert {session.status for session in Session.objects.all()} == {"cancelled"}
    assert facts() == ["SessionRejected", "SessionRejected"]


def test_a_session_is_hidden_and_shown_again(
    moderator: Client, make_session: MakeSession, mallory: User, api_of: Any
) -> None:
    session = make_session("approved")
    moderator.post(LIST, {"action": "hide", "_selected_action": [session.pk]})
    assert api_of(mallory).get(f"/api/sessions/{session.pk}/").status_code == 404
    moderator.post(LIST, {"action": "show", "_selected_action": [session.pk]})
    assert api_of(mallory).get(f"/api/sessions/{session.pk}/").status_code == 200


def test_edits_since_the_approval_are_let_stand(moderator: Client, make_session: MakeSession, clock: Any) -> None:
    session = make_session("approved", second_look_since=make_session("approved").created_at)
    assert "Advanced" in moderator.get(LIST, {"second_look": "yes"}).content.decode()
    moderator.post(LIST, {"action": "take_second_look", "_selected_action": [session.pk]})
    session.refresh_from_db()
    assert session.second_look_since is None
    assert facts(session) == ["SecondLookTaken"]


@pytest.mark.parametrize("action", ["approve", "reject", "hide", "show", "take_second_look"])
def test_staff_without_the_permission_carry_nothing_out(action: str, staff: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        answers = [
            staff.post(LIST, {"action": action, "_selected_action": [session.pk], "rejecting": "1", "reason": "x"}),
            staff.post(page(session, "decide"), {"approving": "1"}),
            staff.get(page(session, "decide")),
            staff.get(page(session, "change")),
        ]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403]


def test_a_moderator_changes_no_field_and_deletes_nothing(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("approved")
    with nothing_changes():
        assert moderator.post(page(session, "change"), {"title": "Mine"}).status_code == 403
        assert moderator.post(page(session, "delete"), {"post": "yes"}).status_code == 403
        assert moderator.get(f"{LIST}add/").status_code == 403


def test_a_session_that_is_not_there_is_told(moderator: Client) -> None:
    answer = moderator.get(f"{LIST}999/decide/")
    assert answer.status_code == 200
    assert "There is no such session." in answer.content.decode()
