"""Who may do what to a session, as pure functions.

`ALLOWED_TRANSITIONS` in `states.py` has the transitions of each role. This module decides which of these roles a member
has in a session, and everything that depends on more than status and role.

`require_x` and `forbid_x` raise. `check_x` returns the error that would be raised, or `None`, so that a page can show
what is possible.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from core.accounts.models import User
from core.accounts.presentation import EmailAudience
from core.errors import DomainError, Forbidden, Invalid, StateForbids
from core.text.usage import format_usage
from modules.sessions.models import BookingRequest, Session
from modules.sessions.states import ALLOWED_TRANSITIONS, FINAL, OPEN, Role, Status

MODERATE = "learning_sessions.moderate_session"
FIXED_WHILE_ONGOING = ("date", "duration", "level")


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """The acting member, and whether they have the permission to moderate sessions."""

    user: User
    is_moderator: bool

    @property
    def id(self) -> int:
        return self.user.pk


def build_viewer(user: User) -> Viewer:
    """Read a member's permission once; staff without it are no moderators."""
    return Viewer(user=user, is_moderator=user.has_perm(MODERATE))


def is_creator(session: Session, viewer: Viewer) -> bool:
    return session.creator_id == viewer.id


def acts_as_moderator(session: Session, viewer: Viewer) -> bool:
    """Return whether the viewer moderates this session; their own only if they are a superuser."""
    return can_moderate_sessions_of(session.creator_id, viewer)


def can_moderate_sessions_of(creator_id: int, viewer: Viewer) -> bool:
    return viewer.is_moderator and (creator_id != viewer.id or viewer.user.is_superuser)


def can_manage(session: Session, viewer: Viewer) -> bool:
    """Return whether the viewer may edit the session, decide on booking requests and remove participants."""
    return is_creator(session, viewer) or viewer.is_moderator


def require_manager(session: Session, viewer: Viewer) -> None:
    if not can_manage(session, viewer):
        raise Forbidden("Only the creator of a session or a moderator may do this.")


def require_creator(session: Session, viewer: Viewer) -> None:
    if not is_creator(session, viewer):
        raise Forbidden("Only the creator of a session may do this.")


def require_moderator(session: Session, viewer: Viewer) -> None:
    if not viewer.is_moderator:
        raise Forbidden("Only a moderator may do this.")
    if not acts_as_moderator(session, viewer):
        raise Forbidden("Nobody moderates a session of their own.")


def list_roles(session: Session, viewer: Viewer) -> frozenset[Role]:
    """Return the roles of `ALLOWED_TRANSITIONS` that a viewer has in this session."""
    roles = set()
    if is_creator(session, viewer):
        roles.add(Role.CREATOR)
    if acts_as_moderator(session, viewer):
        roles.add(Role.MODERATOR)
    return frozenset(roles)


def require_transition(session: Session, target: Status, roles: frozenset[Role]) -> None:
    """Check that one of these roles may take the session to the target status.

    Raises `StateForbids` if no member may, whatever their role, and `Forbidden` if only other roles may.
    """
    source = Status(session.status)
    allowed = ALLOWED_TRANSITIONS.get((source, target), frozenset()) - {Role.CLOCK, Role.BOOKING}
    if not allowed:
        raise StateForbids(f"A session cannot go from {source} to {target}.")
    if not allowed & roles:
        whose = "a moderator" if Role.MODERATOR in allowed and len(allowed) == 1 else "its creator"
        if len(allowed) > 1:
            whose = "its creator or a moderator"
        raise Forbidden(f"Only {whose} may take this session from {source} to {target}.")


def require_reason(reason: str, *, what: str) -> None:
    """Raise `Invalid` for an empty reason; `what` is a participle such as "rejected"."""
    if not reason:
        raise Invalid({"reason": [f"Say why the session is {what}."]})


def check_hiding(session: Session) -> DomainError | None:
    if session.approved_at is None:
        return StateForbids("Only a session that was approved once can be hidden.")
    return StateForbids("This session is hidden already.") if session.hidden_at else None


def check_showing(session: Session) -> DomainError | None:
    return None if session.hidden_at else StateForbids("This session is not hidden.")


def check_second_look(session: Session) -> DomainError | None:
    return None if session.second_look_since else StateForbids("This session waits for no second look.")


def check_cancelling(session: Session) -> DomainError | None:
    """Return why a moderator cannot cancel this session. One that waits for approval is rejected instead."""
    if session.status == Status.PENDING_APPROVAL:
        return StateForbids("This session waits for a decision: reject it instead.")
    if Role.MODERATOR in ALLOWED_TRANSITIONS.get((Status(session.status), Status.CANCELLED), frozenset()):
        return None
    return StateForbids(f"This session is {Status(session.status).label}: it cannot be cancelled.")


def raise_if_refused(refusal: DomainError | None) -> None:
    """Raise what a `check_x` has returned."""
    if refusal is not None:
        raise refusal


def is_rejection(session: Session, viewer: Viewer) -> bool:
    """Return whether cancelling is a rejection: the session waits for approval, and the viewer is not its creator."""
    return session.status == Status.PENDING_APPROVAL and not is_creator(session, viewer)


def is_reason_told(session: Session, viewer: Viewer) -> bool:
    """Return whether members may read why the viewer cancels a session: not what the creator of a hidden one writes."""
    return session.hidden_at is None or acts_as_moderator(session, viewer)


def require_editable(session: Session, changed: set[str]) -> None:
    """Raise `StateForbids` if the status does not allow these fields to be changed."""
    if not changed:
        return
    if session.status in FINAL:
        raise StateForbids(f"A session that is {session.status} cannot be edited.")
    fixed = [name for name in FIXED_WHILE_ONGOING if name in changed]
    if session.status == Status.ONGOING and fixed:
        raise StateForbids(f"The {' and '.join(fixed)} of an ongoing session cannot be changed.")


def forbid_self_approval(requester_id: int, viewer: Viewer) -> None:
    """Raise `Forbidden` for members, including moderators, who would approve their own booking request."""
    if requester_id == viewer.id:
        raise Forbidden("Nobody decides their own request.")


def check_joining(session: Session, viewer_id: int, own_status: str | None, now: datetime) -> DomainError | None:
    """Return why this member cannot ask to join now, or `None`; used by `can_join` and `join/`.

    `own_status` is the status of the member's booking request, if they have one.
    """
    if session.creator_id == viewer_id:
        return StateForbids("You cannot join your own session.")
    if own_status == BookingRequest.Status.APPROVED:
        return StateForbids("Already joined")
    if own_status == BookingRequest.Status.PENDING:
        return StateForbids("You have already asked to join this session.")
    return check_admission(session, now) or check_pending_limit(session)


def check_pending_limit(session: Session) -> DomainError | None:
    """Return why the session accepts no further booking request, or `None`: the number of pending ones is limited."""
    limit, waiting = settings.SESSIONS_MAX_WAITING_REQUESTS, session.waiting_count
    if waiting < limit:
        return None
    return StateForbids(
        f"A session may have {limit:,} requests waiting for an answer, {format_usage(limit, waiting)}: ask again later."
    )


def check_offering(open_sessions: int) -> DomainError | None:
    """Return why a member with this many open sessions cannot offer another, or `None`."""
    limit = settings.SESSIONS_MAX_OPEN_PER_MEMBER
    if open_sessions < limit:
        return None
    return StateForbids(
        f"A member may have {limit:,} sessions open at once, {format_usage(limit, open_sessions)}:"
        " cancel one, or wait until one is over."
    )


def check_admission(session: Session, now: datetime) -> DomainError | None:
    """Return why nobody can become a participant, or `None` for a session that is open, upcoming and not full."""
    if session.status not in OPEN:
        return StateForbids(f"This session is {Status(session.status).label}: nobody can join it.")
    if session.date <= now:
        return StateForbids("This session has already started.")
    if session.is_full:
        return StateForbids("This session is full.")
    return None


def check_approving_request(session: Session, now: datetime) -> DomainError | None:
    """Return why no booking request can be approved now, or `None`."""
    if session.hidden_at is not None:
        return StateForbids("A moderator has hidden this session: nobody is let in until it is shown again.")
    return check_admission(session, now)


def is_before_start(session: Session, now: datetime) -> bool:
    """Return whether participants can still leave and be removed."""
    return session.status in OPEN and session.date > now


def require_before_start(session: Session, now: datetime) -> None:
    if not is_before_start(session, now):
        raise StateForbids("This is possible only before the session starts.")


def may_read_materials(session: Session, viewer: Viewer, own_status: str | None) -> bool:
    return can_manage(session, viewer) or own_status == BookingRequest.Status.APPROVED


def may_write_materials(session: Session, viewer: Viewer, own: BookingRequest | None) -> bool:
    """Return whether the viewer is the creator or a tutor; `own` is the viewer's booking request, if any."""
    is_tutor = own is not None and own.role == BookingRequest.Role.TUTOR
    return is_creator(session, viewer) or is_tutor


def explain_materials_closed(session: Session) -> str:
    """Return why nothing can be added to a session, or `""`. Recordings can be added to a completed session."""
    if session.status in (Status.CANCELLED, Status.EXPIRED):
        return f"Nothing can be added to a session that is {session.status}."
    return ""


def build_email_audience(
    creator_id: int, viewer: Viewer, own_status: str | None, *, requesters: Iterable[int] = ()
) -> EmailAudience:
    """Return whose e-mail addresses a viewer may read in a session.

    Participants read the creator's; the creator and moderators also those of `requesters`, the ids of all members with
    a booking request of any status.
    """
    if viewer.is_moderator or creator_id == viewer.id:
        return EmailAudience(viewer_id=viewer.id, others=frozenset({creator_id, *requesters}))
    if own_status == BookingRequest.Status.APPROVED:
        return EmailAudience(viewer_id=viewer.id, others=frozenset({creator_id}))
    return EmailAudience(viewer_id=viewer.id)
