"""The dialog for a decision on one session."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import MakeSession, facts, last_fact, nothing_changes
from tests.modules.sessions.portal import (
    DECISIONS,
    LIST,
    carry_out,
    decide,
    fields_of_dialog,
    messages_of,
    open_decision,
)
from tests.portal import log_in

from core.accounts.models import User
from modules.sessions.models import DecisionLease

STEPS = ["open", "preview", "leave", "carry-out"]


def test_a_moderator_logs_in_with_name_or_address(alice: User) -> None:
    alice.is_staff = True
    alice.set_password("learn-together")
    alice.save()
    for name in (alice.username, alice.email.upper()):
        answer = Client().post("/admin/login/", {"username": name, "password": "learn-together"})
        assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_moderator_without_staff_status_is_not_let_in(alice: User) -> None:
    answer = log_in(alice).get(LIST)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={LIST}")


@pytest.mark.parametrize("step", STEPS)
def test_a_decision_is_never_a_link(step: str, moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")
    with nothing_changes():
        assert moderator.get(f"{DECISIONS}{step}/").status_code == 405


@pytest.mark.parametrize("step", STEPS)
def test_staff_without_permission_are_refused_the_dialog(step: str, staff: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    fields = {
        "decision": "approve",
        "reason": "x",
        "_selected_action": str(session.pk),
        f"version_{session.pk}": str(session.content_version),
    }
    with nothing_changes():
        assert staff.post(f"{DECISIONS}{step}/", fields).status_code == 403
    assert not DecisionLease.objects.exists()


def test_opening_a_dialog_only_takes_the_lease(
    moderator: Client, alice: User, make_session: MakeSession, clock: Any
) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        answer = open_decision(moderator, "approve", session)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    lease = DecisionLease.objects.get()
    assert (lease.session, lease.holder) == (session, alice)
    assert lease.ends_at - lease.taken_at == timedelta(minutes=5)


def test_a_moderator_approves_a_session(moderator: Client, alice: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    answer = decide(moderator, "approve", session)
    assert messages_of(answer) == ["Advanced Python Programming was approved."]
    session.refresh_from_db()
    assert (session.status, session.decided_by) == ("approved", alice)
    assert facts(session) == ["SessionApproved"]
    assert last_fact().actor == alice
    assert not DecisionLease.objects.exists()


def test_a_moderator_rejects_a_session_with_a_reason(moderator: Client, alice: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    answer = decide(moderator, "reject", session, reason="Too vague")
    assert messages_of(answer) == ["Advanced Python Programming was rejected."]
    session.refresh_from_db()
    assert session.status == "cancelled"
    assert facts(session) == ["SessionRejected"]
    assert (last_fact().actor, last_fact().reason) == (alice, "Too vague")


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_rejecting_without_a_reason_asks_for_one_and_keeps_the_dialog(
    reason: str, moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "reject", session))
    with nothing_changes():
        answer = carry_out(moderator, fields, reason=reason)
    assert answer.status_code == 200
    assert answer.context["form"].errors == {"reason": ["Say why: the creator will read it."]}
    assert fields_of_dialog(answer) == fields


def test_a_reason_that_is_too_long_stays_in_the_form(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "reject", session))
    with nothing_changes():
        answer = carry_out(moderator, fields, reason="no " * 400)
    assert "at most 1000 characters" in answer.content.decode()
    assert "no no no" in answer.content.decode()


def test_leaving_a_dialog_releases_the_lease(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "reject", session))
    with nothing_changes():
        assert moderator.post(f"{DECISIONS}leave/", fields).status_code == 204
    assert not DecisionLease.objects.exists()


def test_moderators_cannot_decide_on_their_own_session(
    moderator: Client, alice: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval", creator=alice)
    with nothing_changes():
        opened = open_decision(moderator, "approve", session)
        answer = carry_out(moderator, {"decision": "approve", f"version_{session.pk}": "0"})
    assert "Nobody moderates a session of their own." in opened.content.decode()
    assert 'type="submit"' not in opened.content.decode()
    assert messages_of(moderator.get(answer["HX-Redirect"])) == [
        "Advanced Python Programming: Nobody moderates a session of their own."
    ]


def test_a_session_whose_start_was_reached_cannot_be_decided(
    moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session))
    clock.move_to(session.date)
    answer = carry_out(moderator, fields)
    (message,) = messages_of(moderator.get(answer["HX-Redirect"]))
    assert message.startswith("Advanced Python Programming: The start of Advanced Python Programming was reached")
    session.refresh_from_db()
    assert session.approved_at is None


def test_a_session_deleted_meanwhile_is_reported(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session))
    session.delete()
    answer = carry_out(moderator, fields)
    assert messages_of(moderator.get(answer["HX-Redirect"])) == [
        "A session that was chosen is no longer there: it has been deleted."
    ]


@pytest.mark.parametrize(
    ("back", "leads_to"),
    [
        (f"{LIST}?tab=soon&q=python", f"{LIST}?tab=soon&q=python"),
        ("https://evil.example/admin/", LIST),
        ("//evil.example/admin/", LIST),
        ("/api/docs", LIST),
        ("/admin/\\evil", "/admin/\\evil"),
        ("", LIST),
    ],
)
def test_the_redirect_goes_back_to_where_the_dialog_was_opened(
    back: str, leads_to: str, moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session, back=back))
    assert carry_out(moderator, fields)["HX-Redirect"] == leads_to


@pytest.mark.parametrize("chosen", ["", "x", "-1", "٣", "9" * 40, "1 OR 1=1"])
def test_invalid_ids_select_nothing(chosen: str, moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")
    with nothing_changes():
        answer = moderator.post(f"{DECISIONS}open/", {"decision": "approve", "_selected_action": chosen})
        assert messages_of(moderator.get(answer["Location"])) == ["Tick the sessions first."]
        for step in STEPS:
            fields = {"decision": "approve", f"version_{chosen}": chosen, "reason": "x"}
            assert moderator.post(f"{DECISIONS}{step}/", fields).status_code < 500


def test_an_unknown_decision_changes_nothing(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        answer = carry_out(moderator, {"decision": "promote", f"version_{session.pk}": "0"}, reason="x")
    assert answer.status_code == 200
