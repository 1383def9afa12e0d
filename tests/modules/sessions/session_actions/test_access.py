"""Who may use the actions on a session."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession, last_fact, nothing_changes
from tests.modules.sessions.portal import LIST, page
from tests.modules.sessions.session_actions.conftest import HX, REASON, STEPS, address, confirm, with_step
from tests.portal import log_in

from core.accounts.models import User
from modules.sessions.models import Session


@pytest.mark.parametrize(
    ("status", "marks", "labels"),
    [
        ("pending_approval", {}, []),
        ("approved", {}, ["Hide", "Cancel"]),
        ("scheduled", {}, ["Hide", "Cancel"]),
        ("ongoing", {"hidden_at": NOW}, ["Show again", "Cancel"]),
        ("completed", {}, ["Hide"]),
        ("cancelled", {"approved_at": NOW}, ["Hide"]),
        ("cancelled", {}, []),
        ("expired", {}, []),
        ("approved", {"second_look_since": NOW, "hidden_at": NOW}, ["Let the edits stand", "Show again", "Cancel"]),
    ],
)
def test_buttons_depend_on_the_status(
    status: str, marks: dict[str, Any], labels: list[str], moderator: Client, make_session: MakeSession
) -> None:
    answer = moderator.get(page(make_session(status, **marks)))
    assert [action["label"] for action in answer.context["actions"]] == labels
    for action in answer.context["actions"]:
        assert f'data-dialog="{action["url"]}"' in answer.content.decode()


@pytest.mark.parametrize("step", STEPS)
def test_dialogs_are_opened_by_post_only(step: str, moderator: Client, session: Session) -> None:
    with nothing_changes():
        assert moderator.get(address(session, step)).status_code == 405


@pytest.mark.parametrize("step", STEPS)
def test_members_and_anonymous_users_are_redirected_to_the_login(step: str, session: Session, john: User) -> None:
    with nothing_changes():
        for client in (Client(), log_in(john)):
            answer = client.post(address(session, step), {"confirming": "yes", "reason": REASON})
            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("rights", [[], ["view_session", "view_bookingrequest"]], ids=["no rights", "may view"])
def test_staff_who_do_not_moderate_are_refused(
    rights: list[str], step: str, session: Session, make_member: Callable[..., User]
) -> None:
    staff = make_member("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=rights))
    with_step(session, step)
    with nothing_changes():
        for fields in ({}, {"previewing": "yes"}, {"confirming": "yes", "reason": REASON, "content_version": "0"}):
            answer = log_in(staff).post(address(session, step), fields, headers=HX)
            assert answer.status_code == 403
            assert "Knots" not in answer.content.decode()


@pytest.mark.parametrize("step", STEPS)
def test_nobody_moderates_their_own_session(
    step: str, moderator: Client, alice: User, make_session: MakeSession, jane: User
) -> None:
    own = make_session("scheduled", creator=alice, participants=[jane], hidden_at=NOW, second_look_since=NOW)
    with_step(own, step)
    with nothing_changes():
        for fields in ({}, {"confirming": "yes", "reason": REASON, "content_version": "0"}):
            assert moderator.post(address(own, step), fields, headers=HX).status_code == 403


@pytest.mark.parametrize("step", STEPS)
def test_a_superuser_does_moderate_their_own(step: str, root: User, make_session: MakeSession, jane: User) -> None:
    own = make_session("scheduled", creator=root, participants=[jane], hidden_at=NOW, second_look_since=NOW)
    assert confirm(log_in(root), with_step(own, step), step).status_code == 204
    assert last_fact().actor == root


@pytest.mark.parametrize("step", STEPS)
def test_a_deleted_session_is_a_404_for_moderators_only(
    step: str, moderator: Client, make_member: Callable[..., User]
) -> None:
    tail = "participants/1/remove/" if step == "remove" else f"{step}/"
    for key in (999999, 10**30):
        assert moderator.post(f"{LIST}{key}/{tail}", headers=HX).status_code == 404
        assert log_in(make_member(is_staff=True)).post(f"{LIST}{key}/{tail}", headers=HX).status_code == 403
