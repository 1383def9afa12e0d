"""Two moderators of the same session: leases and optimistic locks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.conftest import Api
from tests.modules.sessions.conftest import MakeSession, facts, nothing_changes, path
from tests.modules.sessions.portal import (
    DECISIONS,
    LIST,
    carry_out,
    decide,
    fields_of_dialog,
    messages_of,
    open_decision,
    page,
)
from tests.portal import log_in
from tests.threads import run_concurrently

from core.accounts.models import User
from core.time import clock as core_clock
from modules.sessions.models import DecisionLease, Session
from modules.sessions.services import leases, moderation
from modules.sessions.services.deciding import AlreadyDecided, ContentChanged, LeasedByOther
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.running import cancel_session


@pytest.fixture
def other(victor: User) -> Client:
    """Victor's portal client."""
    return log_in(victor)


def refusal_of(response: Any) -> str:
    (row,) = response.context["rows"]
    return str(row["candidate"].refusal)


# --- Leases -----------------------------------------------------------------------------------------------------


def test_a_leased_session_cannot_be_opened_by_another_moderator(
    moderator: Client, other: Client, alice: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    open_decision(moderator, "approve", session)
    answer = open_decision(other, "approve", session)
    assert refusal_of(answer) == "Alice Jones has this session in hand, for 5 minutes. Nothing was decided."
    assert 'type="submit"' not in answer.content.decode()
    assert DecisionLease.objects.get().holder == alice


def test_the_list_shows_the_holder_of_a_lease(moderator: Client, other: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    assert "Alice Jones, until" not in other.get(LIST).content.decode()
    open_decision(moderator, "approve", session)
    assert "Alice Jones, until 10:05" in other.get(LIST).content.decode()


def test_a_leased_session_cannot_be_decided_by_another_moderator(
    moderator: Client, other: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    open_decision(moderator, "approve", session)
    with nothing_changes():
        answer = carry_out(other, {"decision": "reject", f"version_{session.pk}": "0"}, reason="Long thought about")
    assert "Alice Jones has this session in hand" in refusal_of(answer)
    assert "Long thought about" in answer.content.decode()


def test_a_lease_ends_after_five_minutes(
    moderator: Client, other: Client, victor: User, make_session: MakeSession, clock: Any
) -> None:
    session = make_session("pending_approval")
    open_decision(moderator, "approve", session)
    clock.shift(timedelta(minutes=4, seconds=59))
    assert refusal_of(open_decision(other, "approve", session)).startswith("Alice Jones has this session in hand")
    clock.shift(timedelta(seconds=1))
    assert refusal_of(open_decision(other, "approve", session)) == ""
    assert DecisionLease.objects.get().holder == victor


def test_opening_again_renews_the_lease(moderator: Client, make_session: MakeSession, clock: Any) -> None:
    session = make_session("pending_approval")
    open_decision(moderator, "approve", session)
    before = DecisionLease.objects.get().ends_at
    clock.shift(timedelta(minutes=3))
    open_decision(moderator, "reject", session)
    assert DecisionLease.objects.get().ends_at == before + timedelta(minutes=3)


def test_an_expired_lease_does_not_prevent_a_decision(moderator: Client, make_session: MakeSession, clock: Any) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session))
    clock.shift(timedelta(minutes=20))
    carry_out(moderator, fields)
    session.refresh_from_db()
    assert session.status == "approved"


def test_the_lease_of_another_moderator_cannot_be_released(
    moderator: Client, other: Client, alice: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session))
    assert other.post(f"{DECISIONS}leave/", fields).status_code == 204
    assert DecisionLease.objects.get().holder == alice


def test_a_dialog_releases_only_its_own_lease(moderator: Client, make_session: MakeSession, clock: Any) -> None:
    session = make_session("pending_approval")
    first = fields_of_dialog(open_decision(moderator, "approve", session))
    clock.shift(timedelta(seconds=1))
    second = fields_of_dialog(open_decision(moderator, "reject", session))
    moderator.post(f"{DECISIONS}leave/", first)
    assert DecisionLease.objects.count() == 1
    moderator.post(f"{DECISIONS}leave/", second)
    assert DecisionLease.objects.count() == 0


def test_typing_a_reason_renews_the_lease(
    moderator: Client, other: Client, make_session: MakeSession, clock: Any
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "reject", session))
    for _ in range(3):
        clock.shift(timedelta(minutes=4))
        moderator.post(f"{DECISIONS}preview/", {**fields, "reason": "Well"})
    assert refusal_of(open_decision(other, "approve", session)).startswith("Alice Jones has this session in hand")
    clock.shift(timedelta(minutes=5))
    assert refusal_of(open_decision(other, "approve", session)) == ""
    moderator.post(f"{DECISIONS}preview/", {**fields, "reason": "Well"})
    assert DecisionLease.objects.get().holder.username == "victor"


def test_typing_does_not_renew_an_expired_lease(
    moderator: Client, other: Client, make_session: MakeSession, clock: Any
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "reject", session))
    clock.shift(timedelta(minutes=6))
    moderator.post(f"{DECISIONS}preview/", {**fields, "reason": "Well"})
    assert DecisionLease.objects.get().ends_at < core_clock.now()
    assert refusal_of(open_decision(other, "approve", session)) == ""


@pytest.mark.parametrize(
    "taken",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "",
        "x",
        "2024-01-10",
        "2024-01-10T10:00:00",
        "9" * 5000,
    ],
)
def test_an_invalid_lease_time_releases_nothing(taken: str, moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    open_decision(moderator, "approve", session)
    assert moderator.post(f"{DECISIONS}leave/", {f"taken_{session.pk}": taken}).status_code == 204
    assert DecisionLease.objects.count() == 1


def test_a_decided_session_has_no_lease(moderator: Client, make_session: MakeSession, john: User, clock: Any) -> None:
    cancelled, expired = (make_session("pending_approval") for _ in range(2))
    for session in (cancelled, expired):
        open_decision(moderator, "approve", session)

    cancel_session(session_id=cancelled.pk, by=john, reason="")
    assert [lease.session for lease in DecisionLease.objects.all()] == [expired]
    clock.move_to(expired.date)
    advance_due_sessions()
    assert not DecisionLease.objects.exists()


def test_sessions_leased_by_others_are_left_out_of_a_selection(
    moderator: Client, other: Client, make_session: MakeSession
) -> None:
    mine, yours = make_session("pending_approval", title="Mine"), make_session("pending_approval", title="Yours")
    open_decision(moderator, "approve", mine)
    answer = decide(other, "approve", mine, yours)
    assert messages_of(answer) == ["Yours was approved."]
    mine.refresh_from_db()
    assert mine.status == "pending_approval"


def test_members_cannot_take_a_lease(mallory: User, john: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    for member in (mallory, john):
        with pytest.raises(Exception, match=r"There is no such session\.|Only a moderator may do this\."):
            leases.take_lease(session_id=session.pk, by=member)
    assert not DecisionLease.objects.exists()


# --- Decided meanwhile ------------------------------------------------------------------------------------------


def test_the_second_moderator_reads_who_decided_what_when_and_why(
    moderator: Client, other: Client, make_session: MakeSession, clock: Any
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(other, "approve", session))
    clock.shift(timedelta(minutes=6))
    decide(moderator, "reject", session, reason="Says too little")
    clock.shift(timedelta(minutes=2))
    with nothing_changes():
        answer = carry_out(other, fields)
    (message,) = messages_of(other.get(answer["HX-Redirect"]))
    assert message == (
        "Advanced Python Programming: Alice Jones rejected Advanced Python Programming, 2 minutes ago. "
        "The reason: Says too little"
    )


def test_a_decision_by_the_api_is_shown_in_the_portal(
    moderator: Client, victor: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session))
    assert Api(victor).put(path(session), {"status": "approved"}).status_code == 200
    answer = carry_out(moderator, fields)
    assert messages_of(moderator.get(answer["HX-Redirect"])) == [
        "Advanced Python Programming: Victor Vogel approved Advanced Python Programming, just now."
    ]
    assert facts(session) == ["SessionApproved"]


def test_a_cancellation_by_the_creator_meanwhile_is_shown(
    moderator: Client, john: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, "approve", session))
    Api(john).post(path(session, "cancel/"), {"reason": "I am ill"})
    answer = carry_out(moderator, fields)
    assert messages_of(moderator.get(answer["HX-Redirect"])) == [
        "Advanced Python Programming: John Doe cancelled Advanced Python Programming, just now. The reason: I am ill"
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_concurrent_decisions_make_one_decision_and_one_fact(
    attempt: int, alice: User, victor: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    results = run_concurrently(
        lambda: moderation.approve_session(session_id=session.pk, by=alice, version=0),
        lambda: moderation.reject_session(session_id=session.pk, by=victor, reason="No", version=0),
    )
    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [AlreadyDecided]
    assert len(facts(session)) == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_openings_give_one_lease(alice: User, victor: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    results = run_concurrently(
        lambda: leases.take_lease(session_id=session.pk, by=alice),
        lambda: leases.take_lease(session_id=session.pk, by=victor),
    )
    assert [type(result) for result in results if isinstance(result, Exception)] == [LeasedByOther]
    assert DecisionLease.objects.count() == 1


# --- Changed meanwhile ------------------------------------------------------------------------------------------


def edit(session: Session, by: User, **changes: Any) -> None:
    assert Api(by).put(path(session), changes).status_code == 200


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_after_an_edit_is_refused_with_the_difference(
    decision: str, moderator: Client, john: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    fields = fields_of_dialog(open_decision(moderator, decision, session))
    edit(session, john, title="Free Bitcoins", duration=60)
    with nothing_changes():
        answer = carry_out(moderator, fields, reason="No")
    (row,) = answer.context["rows"]
    assert {(each.label, each.before, each.after) for each in row["candidate"].changes} == {
        ("Title", "Advanced Python Programming", "Free Bitcoins"),
        ("Duration (minutes)", "90", "60"),
    }
    assert "Free Bitcoins" in answer.content.decode()
    assert row["candidate"].session.content_version == 1
    carry_out(moderator, fields_of_dialog(answer), reason="No")
    session.refresh_from_db()
    assert session.status == ("approved" if decision == "approve" else "cancelled")


def test_edited_sessions_of_a_selection_are_shown_again_and_the_rest_decided(
    moderator: Client, john: User, make_session: MakeSession
) -> None:
    same, changed = make_session("pending_approval", title="Same"), make_session("pending_approval", title="Other")
    fields = fields_of_dialog(open_decision(moderator, "approve", same, changed))
    edit(changed, john, subject="Gambling")
    answer = carry_out(moderator, fields)
    (row,) = answer.context["rows"]
    assert row["candidate"].session == changed
    assert "data-stale" in answer.content.decode()
    assert messages_of(moderator.get(LIST)) == ["Same was approved."]
    changed.refresh_from_db()
    assert changed.status == "pending_approval"


def test_edits_between_page_and_dialog_are_marked(moderator: Client, john: User, make_session: MakeSession) -> None:
    session, other = make_session("pending_approval", title="Read"), make_session("pending_approval", title="Other")
    page_as_read = moderator.get(page(session)).content.decode()
    assert f"version_{session.pk}=0" in page_as_read
    assert f"version_{session.pk}=0" in moderator.get(LIST).content.decode()
    edit(session, john, description="BUY PILLS")
    for answer in (open_decision(moderator, "approve", session), open_decision(moderator, "approve", session, other)):
        changed = {row["candidate"].session.title: row["candidate"].changes for row in answer.context["rows"]}
        assert [each.after for each in changed["Read"]] == ["BUY PILLS"]
        assert not changed.get("Other")
        assert "What was changed since you read it is marked below." in answer.content.decode()
        assert "Nothing was decided" not in answer.content.decode()


def test_reverted_edits_do_not_prevent_a_decision(john: User, alice: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    edit(session, john, title="Another")
    edit(session, john, title="Advanced Python Programming")
    moderation.approve_session(session_id=session.pk, by=alice, version=0)
    session.refresh_from_db()
    assert (session.status, session.content_version) == ("approved", 2)


def test_several_changes_are_shown_as_one_difference(john: User, alice: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    edit(session, john, title="First", level="beginner")
    edit(session, john, title="Second")
    with pytest.raises(ContentChanged) as refused:
        moderation.approve_session(session_id=session.pk, by=alice, version=0)
    assert refused.value.changes == {
        "title": ("Advanced Python Programming", "Second"),
        "level": ("advanced", "beginner"),
    }
    with pytest.raises(ContentChanged) as refused:
        moderation.approve_session(session_id=session.pk, by=alice, version=1)
    assert refused.value.changes == {"title": ("First", "Second")}


def test_a_second_look_needs_the_version_that_was_read(john: User, alice: User, make_session: MakeSession) -> None:
    session = make_session("approved")
    edit(session, john, title="First")
    edit(session, john, title="Second")
    with pytest.raises(ContentChanged):
        moderation.take_second_look(session_id=session.pk, by=alice, version=1)
    session.refresh_from_db()
    assert session.second_look_since is not None
    moderation.take_second_look(session_id=session.pk, by=alice, version=2)
    session.refresh_from_db()
    assert session.second_look_since is None


def test_booking_and_reading_do_not_change_the_version(
    john: User, jane: User, make_session: MakeSession, api_of: Callable[..., Api]
) -> None:
    session = make_session("approved")
    api_of(jane).post(path(session, "join/"))
    api_of(john).post(path(session, "approve_request/"), {"user_id": jane.pk})
    api_of(john).put(path(session), {"title": session.title})
    session.refresh_from_db()
    assert session.content_version == 0
