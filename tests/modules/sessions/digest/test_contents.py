"""Which sessions a digest names, and which moderators get it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from tests.modules.sessions.conftest import nothing_changes
from tests.modules.sessions.digest.conftest import DAY, HOUR, Told, digests

from core.accounts.models import User
from modules.sessions.events import SessionsWaiting
from modules.sessions.models import Session
from modules.sessions.services.digest import MAX_NAMED, publish_digest
from modules.sessions.services.moderation import approve_session, reject_session


def test_a_digest_lists_waiting_sessions_urgent_first(
    *, john: Any, jane: Any, alice: Any, waits: Any, told: Told
) -> None:
    later = waits("Later", begins=3 * DAY, creator=jane)
    urgent = waits("Urgent", begins=47 * HOUR)
    soon = waits("In two days", begins=2 * DAY)

    assert told(timedelta(0)) == ["Urgent", "In two days", "Later"]

    record = digests().get()
    assert (record.session_id, record.actor) == (None, None)
    assert record.payload == {
        "moderator_ids": [alice.pk],
        "waiting": 3,
        "sessions": [
            {"session_id": each.pk, "title": each.title, "creator_id": whose, "date": date, "urgent": is_urgent}
            for each, whose, date, is_urgent in [
                (urgent, john.pk, z_of(urgent), True),
                (soon, john.pk, z_of(soon), True),
                (later, jane.pk, z_of(later), False),
            ]
        ],
        "own": {},
    }


def z_of(session: Session) -> str:
    """A date as it is recorded, with microseconds."""
    return session.date.isoformat().replace("+00:00", "Z")


def test_a_digest_counts_all_sessions_and_names_the_first(waits: Any, told: Told) -> None:
    for number in range(MAX_NAMED + 5):
        waits(f"{number}", begins=timedelta(days=100 - number))

    assert told(timedelta(0)) == [str(number) for number in range(MAX_NAMED + 4, 4, -1)]
    assert digests().get().payload["waiting"] == MAX_NAMED + 5


def test_moderators_with_own_sessions_read_the_first_of_others_too(
    *, alice: Any, root: Any, waits: Any, told: Told
) -> None:
    by_alice = [waits(f"a{number}", begins=(3 + number) * DAY, creator=alice) for number in range(MAX_NAMED + 5)]
    by_root = [waits(f"r{number}", begins=(30 + number) * DAY, creator=root) for number in range(2)]
    others = [waits(f"o{number}", begins=(40 + number) * DAY) for number in range(MAX_NAMED + 5)]

    titles = told(timedelta(0))

    payload = digests().get().payload
    assert (payload["waiting"], payload["own"]) == (2 * MAX_NAMED + 12, {str(alice.pk): MAX_NAMED + 5, str(root.pk): 2})
    # The first for everybody else and for root, and the first that are not by alice.
    assert titles == [session.title for session in [*by_alice[:MAX_NAMED], *by_root, *others[: MAX_NAMED - 2]]]


def test_old_records_without_own_counts_can_be_read() -> None:
    old = {"moderator_ids": [7], "waiting": 1, "sessions": []}

    assert SessionsWaiting.adapter().validate_python(old) == SessionsWaiting(
        moderator_ids=(7,), waiting=1, sessions=(), own={}
    )
    assert SessionsWaiting.adapter().validate_python(old | {"own": {"7": 1}}).own == {7: 1}


@pytest.mark.parametrize("state", ["approved", "scheduled", "ongoing", "completed", "cancelled", "expired"])
def test_sessions_that_do_not_wait_are_not_named(make_session: Any, told: Told, state: str) -> None:
    make_session(state)

    with nothing_changes():
        assert told(timedelta(0)) == []


def test_decided_sessions_are_not_named(alice: Any, waits: Any, told: Told) -> None:
    approved, rejected = waits("Approved"), waits("Rejected")
    waits("Waiting")
    told(timedelta(0))
    approve_session(session_id=approved.pk, by=alice)
    reject_session(session_id=rejected.pk, by=alice, reason="No")

    assert told(DAY) == ["Waiting"]


def test_sessions_past_their_start_are_not_named(waits: Any, told: Told) -> None:
    waits("Passed", begins=HOUR)

    assert told(HOUR) == []


@pytest.fixture
def told_members(clock: Any) -> Callable[[], list[int]]:
    def look() -> list[int]:
        publish_digest()
        return list(digests().get().payload["moderator_ids"])

    return look


def test_all_moderators_get_the_digest(
    *, alice: Any, root: Any, jane: Any, bob: Any, mallory: Any, waits: Any, told_members: Any
) -> None:
    jane.user_permissions.add(Permission.objects.get(codename="moderate_session"))
    # Being staff is not enough.
    User.objects.filter(pk=mallory.pk).update(is_staff=True)
    waits("Knots")

    assert told_members() == sorted([alice.pk, root.pk, jane.pk])


def test_deactivated_moderators_do_not_get_the_digest(alice: Any, root: Any, waits: Any, told_members: Any) -> None:
    User.objects.filter(pk=root.pk).update(is_active=False)
    waits("Knots")

    assert told_members() == [alice.pk]
