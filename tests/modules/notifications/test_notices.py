"""The preview of a decision equals its notification."""

from typing import Any

import pytest
from model_bakery import baker
from tests.modules.notifications.post import NOW, about, cancelled, removed

from core.accounts.models import User
from modules.notifications.kinds import Kind
from modules.notifications.models import Preference
from modules.sessions.events import (
    BookingRequested,
    Notice,
    NoticeAsked,
    SessionApproved,
    SessionFact,
    SessionRejected,
)

REASON = "  Too vague: say <b>what</b> you teach.\nAnd to whom. "


def facts_of(john: User, jane: User) -> dict[str, tuple[SessionFact, User]]:
    """A fact of each kind that is shown before, and who reads of it."""
    return {
        "approved": (SessionApproved(**about(john)), john),
        "rejected": (SessionRejected(**about(john)), john),
        "cancelled, for its creator": (cancelled(john, jane), john),
        "cancelled, for who is in": (cancelled(john, jane), jane),
        "removed": (removed(john, jane), jane),
    }


@pytest.mark.parametrize(
    "what", ["approved", "rejected", "cancelled, for its creator", "cancelled, for who is in", "removed"]
)
@pytest.mark.parametrize("reason", ["", REASON])
def test_the_preview_equals_the_notification(
    what: str, reason: str, john: User, jane: User, bob: User, news: Any
) -> None:
    fact, reader = facts_of(john, jane)[what]
    shown = NoticeAsked(fact=fact, reason=reason, person_id=reader.pk).ask()
    assert news.told() == {}, "asking tells nobody"

    news.publish(fact, by=bob, reason=reason)

    [(_, title, message, _)] = news.told()[reader.username]
    assert shown == Notice(title=title, message=message)


def test_the_preview_of_a_rejection_has_its_reason(john: User) -> None:
    notice = NoticeAsked(fact=SessionRejected(**about(john)), reason="Too vague.", person_id=john.pk).ask()
    assert notice == Notice(
        title="Session rejected: Knots", message="Your session Knots has been rejected. Reason: Too vague."
    )


def test_facts_without_a_reason_have_no_preview(john: User, jane: User) -> None:
    fact = BookingRequested(**about(john), request_id=1, member_id=jane.pk, requested_at=NOW)
    assert NoticeAsked(fact=fact, reason="", person_id=john.pk).ask() is None


def test_a_member_who_does_not_exist_has_no_preview(john: User) -> None:
    assert NoticeAsked(fact=SessionApproved(**about(john)), reason="", person_id=0).ask() is None


@pytest.mark.parametrize(
    ("channels", "is_muted"),
    [({"in_app": True, "mail": False}, False), ({"in_app": False, "mail": True}, False), ({}, True)],
)
def test_the_preview_says_if_the_reader_has_muted_the_kind(
    channels: dict[str, bool], is_muted: bool, john: User
) -> None:
    chosen = {"in_app": False, "mail": False, **channels}
    baker.make(Preference, user=john, kind=Kind.SESSION_DECISION, **chosen)
    baker.make(Preference, user=john, kind=Kind.SESSION_CANCELLED, in_app=False, mail=False)

    notice = NoticeAsked(fact=SessionRejected(**about(john)), reason="Too vague.", person_id=john.pk).ask()

    assert notice is not None
    assert notice.is_muted is is_muted
