"""Moderators decide in dialogs of the admin, through the services that the API uses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from tests.conftest import Api
from tests.modules.sessions.conftest import MakeSession, facts, join, last_fact, nothing_changes, path
from tests.modules.sessions.portal import (
    DECISIONS,
    LIST,
    admin_of,
    carry_out,
    decide,
    fields_of_dialog,
    messages_of,
    open_decision,
    page,
)

from core.accounts.models import User
from core.facts.models import FactRecord
from modules.sessions.models import DecisionLease, ReasonTemplate, Session

STEPS = ["open", "preview", "leave", "carry-out"]


# --- Entering ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("step", STEPS)
def test_a_decision_is_never_a_link(step: str, moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")
    with nothing_changes():
        assert moderator.get(f"{DECISIONS}{step}/").status_code == 405


@pytest.mark.parametrize("step", STEPS)
def test_staff_without_the_permission_are_refused_what_they_see_no_button_for(
    step: str, staff: Client, make_session: MakeSession
) -> None:
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


# --- One --------------------------------------------------------------------------------------------------------


def test_opening_a_decision_changes_nothing_but_whose_hands_it_is_in(
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


def test_a_reason_that_is_too_long_is_not_lost(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "reject", session))
    with nothing_changes():
        answer = carry_out(moderator, fields, reason="no " * 400)
    assert "at most 1000 characters" in answer.content.decode()
    assert "no no no" in answer.content.decode()


def test_a_dialog_that_is_left_gives_the_session_back(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "reject", session))
    with nothing_changes():
        assert moderator.post(f"{DECISIONS}leave/", fields).status_code == 204
    assert not DecisionLease.objects.exists()


def test_nobody_decides_on_their_own_session_here_either(
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


def test_one_whose_start_has_been_reached_is_not_decided_on(
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


def test_a_session_that_was_deleted_meanwhile_is_told(moderator: Client, make_session: MakeSession) -> None:
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
def test_afterwards_one_is_back_where_the_dialog_was_opened_and_nowhere_else(
    back: str, leads_to: str, moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session, back=back))
    assert carry_out(moderator, fields)["HX-Redirect"] == leads_to


@pytest.mark.parametrize("chosen", ["", "x", "-1", "٣", "9" * 40, "1 OR 1=1"])
def test_what_is_no_id_chooses_nothing(chosen: str, moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")
    with nothing_changes():
        answer = moderator.post(f"{DECISIONS}open/", {"decision": "approve", "_selected_action": chosen})
        assert messages_of(moderator.get(answer["Location"])) == ["Tick the sessions first."]
        for step in STEPS:
            fields = {"decision": "approve", f"version_{chosen}": chosen, "reason": "x"}
            assert moderator.post(f"{DECISIONS}{step}/", fields).status_code < 500


def test_a_decision_that_is_neither_changes_nothing(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        answer = carry_out(moderator, {"decision": "promote", f"version_{session.pk}": "0"}, reason="x")
    assert answer.status_code == 200


# --- Many -------------------------------------------------------------------------------------------------------


def test_many_are_approved_at_once_and_each_outcome_is_told(moderator: Client, make_session: MakeSession) -> None:
    first = make_session("pending_approval", title="First")
    second = make_session("pending_approval", title="Second")
    fields = fields_of_dialog(open_decision(moderator, "approve", first, second))
    second.status, second.decided_at = "cancelled", second.created_at
    second.save()
    answer = moderator.get(carry_out(moderator, fields)["HX-Redirect"])
    assert messages_of(answer) == [
        "First was approved.",
        "Second: This session is cancelled already: it waits for no decision.",
    ]
    second.refresh_from_db()
    assert second.status == "cancelled"
    assert facts() == ["SessionApproved"]


def test_many_are_rejected_with_one_reason(moderator: Client, make_session: MakeSession) -> None:
    sessions = [make_session("pending_approval", title=f"No {number}") for number in range(3)]
    answer = decide(moderator, "reject", *sessions, reason="Twice the same")
    assert messages_of(answer) == ["No 0 was rejected.", "No 1 was rejected.", "No 2 was rejected."]
    assert {session.status for session in Session.objects.all()} == {"cancelled"}
    assert facts() == ["SessionRejected"] * 3
    assert set(FactRecord.objects.values_list("reason", flat=True)) == {"Twice the same"}


def test_of_many_those_that_cannot_be_decided_say_why_at_once(
    moderator: Client, alice: User, make_session: MakeSession
) -> None:
    waiting, own = make_session("pending_approval"), make_session("pending_approval", creator=alice, title="Mine")
    decided = make_session("approved", title="Long ago")
    answer = open_decision(moderator, "approve", waiting, own, decided)
    refusals = {row["candidate"].session.title: row["candidate"].refusal for row in answer.context["rows"]}
    assert refusals == {
        "Advanced Python Programming": "",
        "Mine": "Nobody moderates a session of their own.",
        "Long ago": "This session is approved already: it waits for no decision.",
    }
    assert [lease.session for lease in DecisionLease.objects.all()] == [waiting]


def test_no_more_than_a_page_is_decided_at_once(moderator: Client, make_session: MakeSession) -> None:
    sessions = [make_session("pending_approval") for _ in range(51)]
    answer = open_decision(moderator, "approve", *sessions)
    assert messages_of(moderator.get(answer["HX-Redirect"])) == ["Decide on at most 50 sessions at once."]
    assert not DecisionLease.objects.exists()


# --- Reasons ----------------------------------------------------------------------------------------------------


def test_the_reasons_to_begin_with_come_from_the_list(moderator: Client, make_session: MakeSession) -> None:
    ReasonTemplate.objects.all().delete()
    baker.make(ReasonTemplate, title="Second", text="Because of the second", rank=2)
    baker.make(ReasonTemplate, title="First", text='Because of "the first" <3', rank=1)
    html = open_decision(moderator, "reject", make_session("pending_approval")).content.decode()
    assert '<option value="Because of &quot;the first&quot; &lt;3">First</option>' in html
    assert html.index(">First<") < html.index(">Second<")


def test_the_migrations_bring_reasons_to_begin_with(db: None) -> None:
    assert ReasonTemplate.objects.count() == 6


def test_superusers_edit_the_reasons_and_moderators_do_not(moderator: Client, root: User) -> None:
    template = ReasonTemplate.objects.first()
    assert template is not None
    address = f"/admin/learning_sessions/reasontemplate/{template.pk}/change/"
    form = {"title": "Changed", "text": "Another text", "rank": "7"}
    assert moderator.post(address, form).status_code == 403
    assert moderator.get("/admin/learning_sessions/reasontemplate/").status_code == 403
    assert admin_of(root).post(address, form).status_code == 302
    template.refresh_from_db()
    assert (template.title, template.text, template.rank) == ("Changed", "Another text", 7)


# --- Evidence ---------------------------------------------------------------------------------------------------


def test_the_dialog_has_the_evidence_in_one_place(
    moderator: Client, alice: User, john: User, bob: User, make_session: MakeSession, api_of: Callable[..., Api]
) -> None:
    earlier = make_session("pending_approval", title="Earlier <one>")
    decide(moderator, "reject", earlier, reason="Says <too> little")
    session = make_session("pending_approval", title="To decide")
    make_session("approved", title="Offered at the same time", date=session.date + timedelta(minutes=60))
    attended = make_session("approved", title="Attended then", creator=bob, date=session.date)
    attended.participant_count = 1
    attended.save()
    join(attended, john, "approved")
    make_session("approved", title="Right after", date=session.ends_at)
    make_session("cancelled", title="Off", date=session.date)
    assert api_of(john).put(path(session), {"description": "Now with more words"}).status_code == 200

    evidence = open_decision(moderator, "reject", session).context["rows"][0]["evidence"]

    assert (evidence["history"].held, evidence["history"].rejected, evidence["history"].cancelled) == (0, 1, 0)
    (decision,) = evidence["decisions"]
    assert (decision.title, decision.approved, decision.by, decision.reason) == (
        "Earlier <one>",
        False,
        "Alice Jones",
        "Says <too> little",
    )
    assert {(clash.session.title, clash.offers) for clash in evidence["clashes"]} == {
        ("Offered at the same time", True),
        ("Attended then", False),
    }
    (difference,) = evidence["differences"]
    assert (difference.label, difference.before, difference.after) == (
        "Description",
        "Learn advanced Python concepts",
        "Now with more words",
    )


def test_hostile_words_of_members_are_shown_as_words(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", title="<script>1</script>", description="<img src=x onerror=1>")
    for decision in ("approve", "reject"):
        html = open_decision(moderator, decision, session).content.decode()
        assert "<script>1" not in html
        assert "<img" not in html


def test_a_dialog_costs_as_many_queries_for_a_creator_of_many_sessions(
    moderator: Client, make_session: MakeSession
) -> None:
    counts = []
    for number in (2, 15):
        session = make_session("pending_approval", title="This one")
        for _ in range(number):
            decide(moderator, "reject", make_session("pending_approval"), reason="No")
            make_session("approved", date=session.date)
        with CaptureQueriesContext(connection) as queries:
            open_decision(moderator, "reject", session)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_dialog_for_many_looks_up_their_evidence_at_once(
    moderator: Client, john: User, bob: User, make_session: MakeSession
) -> None:
    decide(moderator, "reject", make_session("pending_approval"), reason="No")
    one, other = make_session("pending_approval", title="One"), make_session("pending_approval", creator=bob)
    make_session("approved", title="At the same time", date=one.date)
    html = open_decision(moderator, "approve", one, other).content.decode()
    assert "Creator so far: 0 held, 1 rejected, 0 cancelled." in html
    assert "Creator so far: 0 held, 0 rejected, 0 cancelled." in html
    assert html.count("Overlaps with At the same time.") == 1


def test_a_moderator_changes_no_field_and_deletes_nothing(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("approved")
    with nothing_changes():
        assert moderator.post(page(session), {"title": "Mine"}).status_code in {403, 405}
        assert moderator.post(f"{LIST}{session.pk}/delete/", {"post": "yes"}).status_code == 403
        assert moderator.get(f"{LIST}add/").status_code == 403


def test_zeros_before_an_id_make_no_other_session_of_it(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    assert carry_out(moderator, {"decision": "approve", f"version_00{session.pk}": "0"}).status_code == 204
    session.refresh_from_db()
    assert session.status == "approved"


def test_a_version_that_has_never_been_was_not_read(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    with nothing_changes():
        answer = carry_out(moderator, {"decision": "approve", f"version_{session.pk}": "999"})
    assert answer.status_code == 200
    (row,) = answer.context["rows"]
    assert row["candidate"].session.content_version == 0


def test_of_many_those_that_are_not_there_are_told(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", title="Knots")
    chosen = [session.pk, 999998, 999999]
    answer = moderator.post(f"{DECISIONS}open/", {"decision": "approve", "_selected_action": chosen})
    assert [row["candidate"].session for row in answer.context["rows"]] == [session]
    assert "2 sessions that were chosen are no longer there: they have been deleted." in answer.text


@pytest.mark.parametrize("back", ["/admin/\r\nX-Evil: yes", "//evil.example/admin/", "https://evil.example/admin/"])
def test_a_way_back_that_is_none_is_the_list(back: str, moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session))
    answer = carry_out(moderator, {**fields, "back": back})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, LIST)


def test_a_session_that_is_not_there_cannot_be_opened(moderator: Client) -> None:
    answer = moderator.post(f"{DECISIONS}open/", {"decision": "approve", "_selected_action": "999999"})
    assert messages_of(moderator.get(answer["Location"])) == [
        "A session that was chosen is no longer there: it has been deleted."
    ]
