"""The services for moderation, which the API and the portal share."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, facts, last_fact, nothing_changes, path

from core.errors import Forbidden, Invalid, NotFound, StateForbids
from modules.sessions.services import moderation

SERVICES = {
    "approve": moderation.approve_session,
    "reject": moderation.reject_session,
    "hide": moderation.hide_session,
    "show": moderation.show_session,
    "second look": moderation.take_second_look,
}


# --- Who --------------------------------------------------------------------------------------------------------


def test_the_migrations_make_a_group_with_exactly_its_rights(db: None) -> None:
    group = Group.objects.get(name="Moderators")
    ours = group.permissions.filter(content_type__app_label="learning_sessions")

    assert sorted(permission.codename for permission in ours) == [
        "moderate_session",
        "view_bookingrequest",
        "view_session",
    ]
    # Whatever other modules add, it lets nobody change a row by hand.
    assert all(each.codename.startswith(("view_", "moderate_", "deactivate_")) for each in group.permissions.all())


def test_there_is_one_permission_to_moderate(db: None) -> None:
    permission = Permission.objects.get(codename="moderate_session")

    assert permission.content_type.model == "session"
    assert permission.name == "Can approve, reject, cancel and hide sessions"


def test_the_permission_makes_a_moderator(make_member: Any, make_session: Any) -> None:
    member = make_member()
    member.user_permissions.add(Permission.objects.get(codename="moderate_session"))

    for status in ("approved", "cancelled"):
        session = make_session("pending_approval")
        response = Api(member).put(path(session), {"status": status, "reason": "Because"})
        assert response.json()["status"] == status


def test_staff_without_the_permission_are_no_moderators(make_member: Any, make_session: Any) -> None:
    staff = make_member(is_staff=True)
    waiting, approved = make_session("pending_approval"), make_session("approved")

    for name, service in SERVICES.items():
        with nothing_changes():
            with pytest.raises(NotFound):
                service(session_id=waiting.pk, by=staff, reason=name)
            with pytest.raises(Forbidden):
                service(session_id=approved.pk, by=staff, reason=name)


def test_model_permissions_do_not_make_a_moderator(make_member: Any, make_session: Any) -> None:
    member = make_member(is_staff=True)
    member.user_permissions.set(
        Permission.objects.filter(content_type__app_label="learning_sessions").exclude(codename="moderate_session")
    )
    session = make_session("pending_approval")

    assert Api(member).put(path(session), {"status": "approved"}).status_code == 404
    with pytest.raises(NotFound):
        moderation.approve_session(session_id=session.pk, by=member)


def test_a_revoked_permission_is_effective_at_once(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")
    api = Api(alice)
    assert api.get(path(session)).status_code == 200

    alice.groups.clear()

    assert api.put(path(session), {"status": "approved"}).status_code == 404


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_moderates_a_session_of_their_own(alice: Any, make_session: Any, name: str) -> None:
    for status in ("pending_approval", "approved"):
        session = make_session(status, creator=alice, hidden_at=NOW, second_look_since=NOW)
        with nothing_changes(), pytest.raises(Forbidden):
            SERVICES[name](session_id=session.pk, by=alice, reason="My own")


def test_the_api_refuses_moderating_an_own_session(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval", creator=alice)

    with nothing_changes():
        answer = Api(alice).put(path(session), {"status": "approved"})
    assert (answer.status_code, answer.json()) == (403, {"error": "Nobody moderates a session of their own."})


def test_a_superuser_can_moderate_their_own_session(root: Any, make_session: Any) -> None:
    session = make_session("pending_approval", creator=root)

    assert moderation.approve_session(session_id=session.pk, by=root).status == "approved"
    moderation.hide_session(session_id=session.pk, by=root, reason="Mine")

    assert facts() == ["SessionApproved", "SessionHidden"]


def test_a_creator_cannot_approve_their_session(john: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    with nothing_changes(), pytest.raises(Forbidden):
        moderation.approve_session(session_id=session.pk, by=john)


# --- What -------------------------------------------------------------------------------------------------------


def test_approving_and_rejecting_by_the_service_equal_the_api(alice: Any, make_session: Any) -> None:
    by_service, by_put = make_session("pending_approval"), make_session("pending_approval")

    moderation.approve_session(session_id=by_service.pk, by=alice)
    Api(alice).put(path(by_put), {"status": "approved"})

    for session in (by_service, by_put):
        session.refresh_from_db()
        assert (session.status, session.approved_at, session.decided_by) == ("approved", NOW, alice)
    assert facts() == ["SessionApproved", "SessionApproved"]


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_a_rejection_needs_a_reason(alice: Any, make_session: Any, reason: str) -> None:
    session = make_session("pending_approval")

    with nothing_changes(), pytest.raises(Invalid) as raised:
        moderation.reject_session(session_id=session.pk, by=alice, reason=reason)
    assert list(raised.value.fields) == ["reason"]


def test_a_rejection_is_published_with_its_reason(alice: Any, john: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    moderation.reject_session(session_id=session.pk, by=alice, reason=" Too short a description. ")

    record = last_fact()
    assert (record.name, record.reason, record.actor) == (
        "sessions.SessionRejected",
        "Too short a description.",
        alice,
    )
    assert record.payload == {"session_id": session.pk, "title": session.title, "creator_id": john.pk}
    assert record.changes == {"status": ["pending_approval", "cancelled"]}


@pytest.mark.parametrize("status", ["approved", "scheduled", "ongoing", "completed", "cancelled", "expired"])
def test_decided_sessions_cannot_be_approved_or_rejected(alice: Any, make_session: Any, status: str) -> None:
    session = make_session(status)

    for decide in (moderation.approve_session, moderation.reject_session):
        with nothing_changes(), pytest.raises(StateForbids, match=status):
            decide(session_id=session.pk, by=alice, reason="Too late")


def test_hiding_and_showing_again(alice: Any, mallory: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled")

    assert moderation.hide_session(session_id=session.pk, by=alice, reason="Reported").hidden_at == NOW
    assert Api(mallory).get(SESSIONS).json()["count"] == 0
    clock.shift(60)
    moderation.show_session(session_id=session.pk, by=alice, reason="All is well")
    assert Api(mallory).get(SESSIONS).json()["count"] == 1

    assert facts() == ["SessionHidden", "SessionShown"]
    assert (last_fact().reason, last_fact().actor) == ("All is well", alice)


def test_hiding_does_not_change_what_participants_read(alice: Any, john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    before = [Api(member).get(path(session)).json() for member in (john, jane)]

    moderation.hide_session(session_id=session.pk, by=alice, reason="Reported")

    assert [Api(member).get(path(session)).json() for member in (john, jane)] == before


def test_repeated_actions_are_refused(alice: Any, make_session: Any) -> None:
    session = make_session("approved", second_look_since=NOW)

    for service in (moderation.hide_session, moderation.show_session, moderation.take_second_look):
        service(session_id=session.pk, by=alice, reason="Once")
        with nothing_changes(), pytest.raises(StateForbids):
            service(session_id=session.pk, by=alice, reason="Twice")


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_hiding_needs_a_reason(alice: Any, make_session: Any, reason: str) -> None:
    session = make_session("approved")

    with nothing_changes(), pytest.raises(Invalid) as raised:
        moderation.hide_session(session_id=session.pk, by=alice, reason=reason)
    assert raised.value.fields == {"reason": ["Say why the session is hidden."]}


def test_a_session_that_was_never_approved_cannot_be_hidden(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    with nothing_changes(), pytest.raises(StateForbids, match="approved once"):
        moderation.hide_session(session_id=session.pk, by=alice, reason="Reported")


def test_a_second_look_accepts_the_edits(john: Any, alice: Any, make_session: Any) -> None:
    session = make_session("approved")
    Api(john).put(path(session), {"title": "New"})

    looked_at = moderation.take_second_look(session_id=session.pk, by=alice)

    assert (looked_at.second_look_since, looked_at.title, looked_at.status) == (None, "New", "approved")
    assert (facts()[-1], last_fact().actor) == ("SecondLookTaken", alice)


def test_the_next_edit_requires_another_second_look(john: Any, alice: Any, make_session: Any) -> None:
    session = make_session("approved")
    Api(john).put(path(session), {"title": "New"})
    moderation.take_second_look(session_id=session.pk, by=alice)

    Api(john).put(path(session), {"title": "Newer"})

    session.refresh_from_db()
    assert session.second_look_since == NOW


def test_a_superuser_rejects_their_own_session_by_a_decision(root: Any, make_session: Any) -> None:
    session = make_session("pending_approval", creator=root)
    moderation.reject_session(session_id=session.pk, by=root, reason="On second thought")
    session.refresh_from_db()
    assert (session.status, session.decided_by) == ("cancelled", root)
    assert facts(session) == ["SessionRejected"]


def test_a_superuser_who_cancels_their_own_session_by_the_api_does_not_reject_it(root: Any, make_session: Any) -> None:
    session = make_session("pending_approval", creator=root)
    assert Api(root).post(path(session, "cancel/")).status_code == 200
    session.refresh_from_db()
    assert (session.status, session.decided_by) == ("cancelled", None)
    assert facts(session) == ["SessionCancelled"]
