"""The cascade of a member's deactivation: their sessions are cancelled, their seats and requests released.

See docs/contract.md, "Deactivation". What is left to do follows from the rows, so that the cascade is idempotent and
can be continued by another process. Each session is locked on its own.
"""

from collections.abc import Collection
from functools import partial

from core.accounts.models import User
from core.jobs.batches import process_in_batches
from core.time import clock
from modules.sessions.models import Session
from modules.sessions.queries.deactivation import (
    find_members_to_cascade,
    get_deactivation_cause,
    select_requests_to_release,
    select_sessions_to_cancel,
    select_sessions_to_leave,
)
from modules.sessions.services.booking import release_booking
from modules.sessions.services.life_cycle import apply_due_transitions
from modules.sessions.services.transitions import cancel_and_notify
from modules.sessions.states import FINAL, OPEN

# How many sessions the deactivating request itself handles; the periodic job does the rest.
IMMEDIATE_LIMIT = 20
JOB_LIMIT = 1000
# The reason that creators read when a seat is released; that of the deactivation is private.
DEACTIVATION_REASON = "The account was deactivated."


def cascade_deactivation(*, member_id: int) -> int:
    """Begin the cascade for a member who was just deactivated; return how many sessions were handled."""
    return _cascade([member_id], limit=IMMEDIATE_LIMIT)


def cascade_all_deactivations() -> int:
    """Continue the cascade for all inactive members; return how many sessions were handled.

    Also handles what concurrent requests created during a deactivation, and members who were deactivated in other ways.
    """
    member_ids = find_members_to_cascade(limit=JOB_LIMIT)
    return _cascade(member_ids, limit=JOB_LIMIT) if member_ids else 0


def _cascade(member_ids: Collection[int], *, limit: int) -> int:
    ended = process_in_batches(partial(select_sessions_to_cancel, member_ids), _cancel_session, size=1, limit=limit)
    release = partial(_release_bookings, member_ids=member_ids)
    return ended + process_in_batches(partial(select_sessions_to_leave, member_ids), release, size=1, limit=limit)


def _cancel_session(session: Session) -> None:
    """Cancel a session, with whoever deactivated its creator as the actor, if that is known.

    One that waits for approval is cancelled too, not rejected: nobody has decided on its content.
    """
    # The lock serializes this with a reactivation: sessions of an active member stay.
    if User.objects.select_for_update(no_key=True).get(pk=session.creator_id).is_active:
        return
    now = clock.now()
    apply_due_transitions(session, now)
    if session.status in FINAL:
        return
    by, explanation = get_deactivation_cause(session.creator_id)
    cancel_and_notify(session, by=by, reason=explanation, now=now)


def _release_bookings(session: Session, *, member_ids: Collection[int]) -> None:
    now = clock.now()
    apply_due_transitions(session, now)
    if session.status not in OPEN or session.date <= now:
        return
    for booking_request in select_requests_to_release(member_ids).filter(session=session):
        by, _ = get_deactivation_cause(booking_request.user_id)
        release_booking(session, booking_request, by=by, reason=DEACTIVATION_REASON)
