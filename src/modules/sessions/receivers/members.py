"""What becomes of the sessions of a member, and what the page about one shows of them."""

from functools import partial

from django.db import transaction

from core.accounts.events import Consequence, ConsequencesAsked, MemberDeactivated
from core.facts import Delivery, answers, hears
from modules.sessions.queries.deactivation import consequences
from modules.sessions.services.deactivation import wind_down


@hears(MemberDeactivated)
def end_what_they_have(fact: MemberDeactivated, _delivery: Delivery) -> None:
    """After the commit, so that nobody waits for the locks of all of it. What fails then is left to the sweep."""
    transaction.on_commit(partial(wind_down, member_id=fact.member_id), robust=True)


@answers(ConsequencesAsked)
def consequences_for_sessions(question: ConsequencesAsked) -> list[Consequence]:
    return consequences(member_id=question.member_id, by_id=question.by_id)
