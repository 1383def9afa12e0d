"""Who may do what to a session: small, pure, and the only place that says so."""

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
    """Who is asking, as far as sessions care."""

    user: User
    moderates: bool

    @property
    def id(self) -> int:
        return self.user.pk


def build_viewer(user: User) -> Viewer:
    """A moderator is whoever has the permission; being staff is not enough."""
    return Viewer(user=user, moderates=user.has_perm(MODERATE))


def is_creator(session: Session, viewer: Viewer) -> bool:
    return session.creator_id == viewer.id


def acts_as_moderator(session: Session, viewer: Viewer) -> bool:
    """Nobody moderates their own session, but for a superuser: there they are its creator like any other."""
    return moderates_sessions_of(session.creator_id, viewer)


def moderates_sessions_of(creator_id: int, viewer: Viewer) -> bool:
    return viewer.moderates and (creator_id != viewer.id or viewer.user.is_superuser)


def can_manage(session: Session, viewer: Viewer) -> bool:
    """May change the session, decide requests and remove participants."""
    return is_creator(session, viewer) or viewer.moderates


def require_manager(session: Session, viewer: Viewer) -> None:
    if not can_manage(session, viewer):
        raise Forbidden("Only the creator of a session or a moderator may do this.")


def require_creator(session: Session, viewer: Viewer) -> None:
    if not is_creator(session, viewer):
        raise Forbidden("Only the creator of a session may do this.")


def require_moderator(session: Session, viewer: Viewer) -> None:
    if not viewer.moderates:
        raise Forbidden("Only a moderator may do this.")
    if not acts_as_moderator(session, viewer):
        raise Forbidden("Nobody moderates a session of their own.")


def list_roles(session: Session, viewer: Viewer) -> frozenset[Role]:
    """In which capacities a viewer may take this session along an edge."""
    capacities = set()
    if is_creator(session, viewer):
        capacities.add(Role.CREATOR)
    if acts_as_moderator(session, viewer):
        capacities.add(Role.MODERATOR)
    return frozenset(capacities)


def require_transition(session: Session, target: Status, by: frozenset[Role]) -> None:
    """Raises `StateForbids`, naming both states, where there is no such edge (for anyone who acts on request), and
    `Forbidden` where it is not theirs to take."""
    source = Status(session.status)
    allowed = ALLOWED_TRANSITIONS.get((source, target), frozenset()) - {Role.CLOCK, Role.BOOKING}
    if not allowed:
        raise StateForbids(f"A session cannot go from {source} to {target}.")
    if not allowed & by:
        whose = "a moderator" if Role.MODERATOR in allowed and len(allowed) == 1 else "its creator"
        if len(allowed) > 1:
            whose = "its creator or a moderator"
        raise Forbidden(f"Only {whose} may take this session from {source} to {target}.")


def require_reason(reason: str, *, what: str) -> None:
    """A moderator who takes a session away from people has to say why; `what` is done to it, as in "rejected"."""
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
    """Why a moderator cannot call this session off, or `None`: one that waits is rejected instead."""
    if session.status == Status.PENDING_APPROVAL:
        return StateForbids("This session waits for a decision: reject it instead.")
    if Role.MODERATOR in ALLOWED_TRANSITIONS.get((Status(session.status), Status.CANCELLED), frozenset()):
        return None
    return StateForbids(f"This session is {Status(session.status).label}: it cannot be cancelled.")


def raise_if_refused(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


def is_rejection(session: Session, viewer: Viewer) -> bool:
    """Cancelling a session that waits is a rejection when somebody else's moderator does it."""
    return session.status == Status.PENDING_APPROVAL and not is_creator(session, viewer)


def is_reason_told(session: Session, viewer: Viewer) -> bool:
    """Whether people read why a viewer calls a session off: of a hidden one they read no word of its creator's."""
    return session.hidden_at is None or acts_as_moderator(session, viewer)


def require_editable(session: Session, changed: set[str]) -> None:
    if not changed:
        return
    if session.status in FINAL:
        raise StateForbids(f"A session that is {session.status} cannot be edited.")
    fixed = [name for name in FIXED_WHILE_ONGOING if name in changed]
    if session.status == Status.ONGOING and fixed:
        raise StateForbids(f"The {' and '.join(fixed)} of an ongoing session cannot be changed.")


def forbid_self_approval(requester_id: int, viewer: Viewer) -> None:
    """Nobody lets themselves in, moderators neither."""
    if requester_id == viewer.id:
        raise Forbidden("Nobody decides their own request.")


def check_joining(session: Session, viewer_id: int, own_status: str | None, now: datetime) -> DomainError | None:
    """Why this member cannot ask to join now, or `None` where they can: `can_join` and `join/` are this one rule.

    `own_status` is the status of the request that they have already, if any.
    """
    if session.creator_id == viewer_id:
        return StateForbids("You cannot join your own session.")
    if own_status == BookingRequest.Status.APPROVED:
        return StateForbids("Already joined")
    if own_status == BookingRequest.Status.PENDING:
        return StateForbids("You have already asked to join this session.")
    return check_admission(session, now) or check_pending_limit(session)


def check_pending_limit(session: Session) -> DomainError | None:
    """Why nobody else can wait for an answer, or `None`."""
    most, waiting = settings.SESSIONS_MAX_WAITING_REQUESTS, session.waiting_count
    if waiting < most:
        return None
    return StateForbids(
        f"A session may have {most:,} requests waiting for an answer, {format_usage(most, waiting)}: ask again later."
    )


def check_offering(open_sessions: int) -> DomainError | None:
    """Why a member who has so many sessions open cannot offer another, or `None`."""
    most = settings.SESSIONS_MAX_OPEN_PER_MEMBER
    if open_sessions < most:
        return None
    return StateForbids(
        f"A member may have {most:,} sessions open at once, {format_usage(most, open_sessions)}:"
        " cancel one, or wait until one is over."
    )


def check_admission(session: Session, now: datetime) -> DomainError | None:
    """Why nobody can come in, or `None`: a session is open, ahead, and has room."""
    if session.status not in OPEN:
        return StateForbids(f"This session is {Status(session.status).label}: nobody can join it.")
    if session.date <= now:
        return StateForbids("This session has already started.")
    if session.is_full:
        return StateForbids("This session is full.")
    return None


def check_approving_request(session: Session, now: datetime) -> DomainError | None:
    """Why nobody's request can be approved now, or `None`."""
    if session.hidden_at is not None:
        return StateForbids("A moderator has hidden this session: nobody is let in until it is shown again.")
    return check_admission(session, now)


def is_before_start(session: Session, now: datetime) -> bool:
    """Places are given back and taken away only before the start."""
    return session.status in OPEN and session.date > now


def require_before_start(session: Session, now: datetime) -> None:
    if not is_before_start(session, now):
        raise StateForbids("This is possible only before the session starts.")


def may_read_materials(session: Session, viewer: Viewer, own_status: str | None) -> bool:
    return can_manage(session, viewer) or own_status == BookingRequest.Status.APPROVED


def may_write_materials(session: Session, viewer: Viewer, own: BookingRequest | None) -> bool:
    """The creator and those whom they made tutors."""
    is_tutor = own is not None and own.role == BookingRequest.Role.TUTOR
    return is_creator(session, viewer) or is_tutor


def explain_materials_closed(session: Session) -> str:
    """Why nothing can be added to a session, `""` where something can; a completed one still takes recordings."""
    if session.status in (Status.CANCELLED, Status.EXPIRED):
        return f"Nothing can be added to a session that is {session.status}."
    return ""


def build_email_audience(
    creator_id: int, viewer: Viewer, own_status: str | None, *, requesters: Iterable[int] = ()
) -> EmailAudience:
    """Whose addresses a viewer reads in a session: the creator's if they are in; if they run it, those of its
    `requesters` too, which are all who have a request there now, however it was decided.

    Whoever has left, or was removed, has none any more, though the session may go on naming them.
    """
    if viewer.moderates or creator_id == viewer.id:
        return EmailAudience(viewer_id=viewer.id, others=frozenset({creator_id, *requesters}))
    if own_status == BookingRequest.Status.APPROVED:
        return EmailAudience(viewer_id=viewer.id, others=frozenset({creator_id}))
    return EmailAudience(viewer_id=viewer.id)
