"""What becomes of the sessions, requests and places of members who are deactivated (docs/contract.md, "Deactivation").

The rows say who is not active and what they still have: so it can be done in part, later and twice. Each session is
locked by itself, and nobody waits for the others.
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

# As many as nobody notices to wait for; the worker does what is left.
IMMEDIATE_LIMIT = 20
JOB_LIMIT = 1000
# What creators read of a place that is free again: why the account was deactivated is nobody else's business.
DEACTIVATION_REASON = "The account was deactivated."


def cascade_deactivation(*, member_id: int) -> int:
    """End the first of what a member has who was deactivated just now; returns how many sessions that concerned."""
    return _cascade([member_id], limit=IMMEDIATE_LIMIT)


def cascade_all_deactivations() -> int:
    """End what all members have who are not active; returns how many sessions that concerned.

    What had been under way when they were deactivated, and came after that, is met here, too; so is what those have
    who were deactivated before there was this service, or past it.
    """
    member_ids = find_members_to_cascade(limit=JOB_LIMIT)
    return _cascade(member_ids, limit=JOB_LIMIT) if member_ids else 0


def _cascade(member_ids: Collection[int], *, limit: int) -> int:
    ended = process_in_batches(partial(select_sessions_to_cancel, member_ids), _cancel_session, size=1, limit=limit)
    release_theirs = partial(_release_bookings, member_ids=member_ids)
    return ended + process_in_batches(
        partial(select_sessions_to_leave, member_ids), release_theirs, size=1, limit=limit
    )


def _cancel_session(session: Session) -> None:
    """Cancel it in the name of who deactivated its creator, or of the clock where that is not known.

    One that waits is cancelled, too, rather than rejected: nobody has judged what it offers.
    """
    # Whoever is being let in again comes before this or after it: of one who is active, nothing is called off.
    if User.objects.select_for_update(no_key=True).get(pk=session.creator_id).is_active:
        return
    now = clock.now()
    apply_due_transitions(session, now)
    if session.status in FINAL:
        return
    by, told = get_deactivation_cause(session.creator_id)
    cancel_and_notify(session, by=by, reason=told, now=now)


def _release_bookings(session: Session, *, member_ids: Collection[int]) -> None:
    now = clock.now()
    apply_due_transitions(session, now)
    if session.status not in OPEN or session.date <= now:
        return
    for booking_request in select_requests_to_release(member_ids).filter(session=session):
        by, _ = get_deactivation_cause(booking_request.user_id)
        release_booking(session, booking_request, by=by, reason=DEACTIVATION_REASON)
