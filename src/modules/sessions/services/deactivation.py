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
    deactivated_by,
    deactivated_with_something_left,
    requests_to_give_back,
    sessions_to_call_off,
    sessions_to_give_back,
)
from modules.sessions.services.booking import give_back
from modules.sessions.services.life_cycle import catch_up
from modules.sessions.services.transitions import call_off
from modules.sessions.states import FINAL, OPEN

# As many as nobody notices to wait for; the worker does what is left.
AT_ONCE = 20
IN_A_TURN = 1000
# What creators read of a place that is free again: why the account was deactivated is nobody else's business.
GONE = "The account was deactivated."


def wind_down(*, member_id: int) -> int:
    """End the first of what a member has who was deactivated just now; returns how many sessions that concerned."""
    return _wind_down([member_id], limit=AT_ONCE)


def wind_down_all() -> int:
    """End what all members have who are not active; returns how many sessions that concerned.

    What had been under way when they were deactivated, and came after that, is met here, too; so is what those have
    who were deactivated before there was this service, or past it.
    """
    member_ids = deactivated_with_something_left(limit=IN_A_TURN)
    return _wind_down(member_ids, limit=IN_A_TURN) if member_ids else 0


def _wind_down(member_ids: Collection[int], *, limit: int) -> int:
    ended = process_in_batches(partial(sessions_to_call_off, member_ids), _call_off, size=1, limit=limit)
    give_back_theirs = partial(_give_back, member_ids=member_ids)
    return ended + process_in_batches(partial(sessions_to_give_back, member_ids), give_back_theirs, size=1, limit=limit)


def _call_off(session: Session) -> None:
    """Cancel it in the name of who deactivated its creator, or of the clock where that is not known.

    One that waits is cancelled, too, rather than rejected: nobody has judged what it offers.
    """
    # Whoever is being let in again comes before this or after it: of one who is active, nothing is called off.
    if User.objects.select_for_update(no_key=True).get(pk=session.creator_id).is_active:
        return
    now = clock.now()
    catch_up(session, now)
    if session.status in FINAL:
        return
    by, told = deactivated_by(session.creator_id)
    call_off(session, by=by, reason=told, now=now)


def _give_back(session: Session, *, member_ids: Collection[int]) -> None:
    now = clock.now()
    catch_up(session, now)
    if session.status not in OPEN or session.date <= now:
        return
    for request in requests_to_give_back(member_ids).filter(session=session):
        by, _ = deactivated_by(request.user_id)
        give_back(session, request, by=by, reason=GONE)
