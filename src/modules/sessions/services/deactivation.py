"""What becomes of the sessions, requests and places of members who are deactivated (docs/contract.md, "Deactivation").

The record says who was deactivated, and the rows what they still have: so it can be done in part, later and twice. Each
session is locked by itself, and nobody waits for the others.
"""

from django.db.models import QuerySet

from core import clock
from core.accounts.events import MemberDeactivated
from core.facts.delivery import fact_of
from core.sweeps.batches import work_off
from modules.sessions.models import Session
from modules.sessions.queries.deactivation import (
    last_deactivation,
    requests_of_deactivated,
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

    def offered() -> "QuerySet[Session]":
        return sessions_to_call_off().filter(creator=member_id)

    def attended() -> "QuerySet[Session]":
        return sessions_to_give_back().filter(booking_requests__user=member_id)

    ended = work_off(offered, _call_off, size=1, limit=AT_ONCE)
    return ended + work_off(attended, _give_back, size=1, limit=AT_ONCE)


def wind_down_all() -> int:
    """End what all members have who were deactivated; returns how many sessions that concerned.

    What had been under way when they were deactivated, and came after that, is met here, too.
    """
    ended = work_off(sessions_to_call_off, _call_off, size=1, limit=IN_A_TURN)
    return ended + work_off(sessions_to_give_back, _give_back, size=1, limit=IN_A_TURN)


def _call_off(session: Session) -> None:
    """Cancel it in the name of who deactivated its creator.

    One that waits is cancelled, too, rather than rejected: nobody has judged what it offers.
    """
    now = clock.now()
    catch_up(session, now)
    if session.status in FINAL:
        return
    record = last_deactivation(session.creator_id)
    fact = fact_of(record)
    told = fact.told if isinstance(fact, MemberDeactivated) else ""
    call_off(session, by=record.actor, reason=told or record.reason, now=now)


def _give_back(session: Session) -> None:
    now = clock.now()
    catch_up(session, now)
    if session.status not in OPEN or session.date <= now:
        return
    for request in requests_of_deactivated().filter(session=session):
        give_back(session, request, by=last_deactivation(request.user_id).actor, reason=GONE)
