"""The cascade of a member's deactivation, and the panels on the portal's page of a member."""

from collections.abc import Collection
from urllib.parse import urlencode

from django.urls import reverse

from core.accounts.events import Consequence, ConsequencesAsked, MemberDeactivated
from core.accounts.models import User
from core.facts import Delivery, answers, subscribes
from core.jobs.task_queue.enqueueing import run_after_commit
from core.portal.events import OwnSessionsAsked
from core.portal.history import VIEW_FACTS
from core.portal.panels import Panel, PanelsOfMember
from modules.sessions.policy import build_viewer, can_moderate_sessions_of
from modules.sessions.queries.deactivation import describe_consequences
from modules.sessions.queries.members import list_offered_session_ids, load_booked, load_decisions, load_offered
from modules.sessions.queries.tabs import ALL
from modules.sessions.services.deactivation import cascade_deactivation

TEMPLATES = "admin/learning_sessions/panels"


@subscribes(MemberDeactivated)
def end_what_they_have(fact: MemberDeactivated, _delivery: Delivery) -> None:
    """Begin the cascade after the commit, to keep locks short. Failures are left to the periodic job."""
    run_after_commit(cascade_deactivation, member_id=fact.member_id)


@answers(ConsequencesAsked)
def list_consequences(question: ConsequencesAsked) -> list[Consequence]:
    return describe_consequences(member_id=question.member_id, by_id=question.by_id)


@answers(OwnSessionsAsked)
def list_own_sessions(question: OwnSessionsAsked) -> Collection[int]:
    return list_offered_session_ids(question.member_id)


@answers(PanelsOfMember)
def build_member_panels(question: PanelsOfMember) -> list[Panel]:
    """Build the panels of a member's sessions, the decisions on them, and bookings that the viewer may see."""
    member, viewer = question.member, question.viewer
    panels = []
    if viewer.has_perm("learning_sessions.view_session"):
        panels.append(_build_sessions_panel(member))
        if _may_read_decisions(member, viewer):
            panels.append(_build_decisions_panel(member))
    if viewer.has_perm("learning_sessions.view_bookingrequest"):
        panels.append(_build_bookings_panel(member))
    return panels


def _may_read_decisions(member: User, viewer: User) -> bool:
    """Return whether the pages of this member's sessions show the decisions to the viewer as well."""
    return viewer.has_perm(VIEW_FACTS) or can_moderate_sessions_of(member.pk, build_viewer(viewer))


def _build_sessions_panel(member: User) -> Panel:
    offered = load_offered(member)
    url = _get_list_url("session", tab=ALL.key, creator__id__exact=member.pk)
    return Panel(
        key="sessions",
        title="Sessions",
        template=f"{TEMPLATES}/member_sessions.html",
        rank=20,
        count=offered.count,
        context={
            "offered": offered,
            "all_url": url,
            "outcomes": [
                (str(outcome.label).lower(), count, f"{url}&{urlencode({'outcome': outcome.value})}")
                for outcome, count in offered.by_outcome.items()
            ],
        },
    )


def _build_decisions_panel(member: User) -> Panel:
    decisions = load_decisions(member)
    return Panel(
        key="decisions",
        title="Decisions",
        template=f"{TEMPLATES}/member_decisions.html",
        rank=30,
        context={"decisions": decisions},
    )


def _build_bookings_panel(member: User) -> Panel:
    booked = load_booked(member)
    url = _get_list_url("bookingrequest", user__id__exact=member.pk)
    return Panel(
        key="bookings",
        title="Bookings",
        template=f"{TEMPLATES}/member_bookings.html",
        rank=40,
        count=booked.count,
        context={
            "booked": booked,
            "all_url": url,
            "statuses": [
                (status.label.lower(), count, f"{url}&{urlencode({'status__exact': status.value})}")
                for status, count in booked.by_status.items()
            ],
        },
    )


def _get_list_url(model: str, **query: object) -> str:
    return f"{reverse(f'admin:learning_sessions_{model}_changelist')}?{urlencode(query)}"
