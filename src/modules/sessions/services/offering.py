"""Offering, editing and deleting sessions (docs/contract.md, "Sessions")."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from core.accounts.locking import lock_member
from core.accounts.models import User
from core.errors import Invalid, StateForbids
from core.facts.publish import publish
from core.time import clock
from modules.sessions import events
from modules.sessions.models import Session
from modules.sessions.policy import (
    Viewer,
    acts_as_moderator,
    build_viewer,
    check_offering,
    raise_if_refused,
    require_editable,
    require_manager,
)
from modules.sessions.queries.sessions import select_open_sessions
from modules.sessions.services import transitions
from modules.sessions.services.fact_fields import build_session_fields
from modules.sessions.services.life_cycle import (
    CALENDAR_FIELDS,
    REMINDER_FIELDS,
    increment_calendar_sequence,
    list_participant_ids,
    list_pending_requester_ids,
    schedule_reminders,
)
from modules.sessions.services.locking import lock_session, lock_session_with_status
from modules.sessions.states import OPEN, Status
from modules.sessions.wall_clock import SentDate, is_same_wall_clock, resolve_instant

DATE_IN_THE_PAST = "Session date must be in the future"
# What moderators review: changing it after the approval requires a second look.
REVIEWED_FIELDS = frozenset({"title", "description", "subject"})
FIELDS_IN_CALENDARS = frozenset({"title", "description", "date", "duration"})


def offer_session(*, values: Mapping[str, Any], date: SentDate, by: User) -> Session:
    """Create a session that waits for approval.

    `values` are title, description, subject, level, duration (minutes) and max_participants, validated by the caller.
    Raises `Invalid`, and `StateForbids` for a date in the past or too many open sessions.
    """
    now = clock.now()
    start = _require_future(resolve_instant(date, member_zone=by.timezone, now=now), now)
    with transaction.atomic():
        lock_member(by.pk)
        raise_if_refused(check_offering(select_open_sessions(by, now).count()))
        session = Session.objects.create(**values, date=start, creator=by, created_at=now, updated_at=now)
        publish(events.SessionOffered(**build_session_fields(session), date=start), by=by)
    return session


def edit_session(
    *,
    session_id: int,
    values: Mapping[str, Any],
    date: SentDate | None,
    status: Status | None,
    reason: str,
    by: User,
) -> Session:
    """Change any of the writable fields and, if `status` differs from the stored one, make that transition.

    A value equal to the stored one is no change. Atomic.
    Raises `NotFound`, `Forbidden`, `StateForbids` and `Invalid`.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session, read_status = lock_session_with_status(session_id, viewer)
        require_manager(session, viewer)
        now = clock.now()
        wanted = dict(values)
        if date is not None and not is_same_wall_clock(date, session.date):
            wanted["date"] = resolve_instant(date, member_zone=by.timezone, now=now)
        _change_fields(session, wanted, viewer, now)
        if status is not None and status != read_status and not _is_already_reached(session, status):
            transitions.apply_requested_transition(session, status, viewer, reason=reason.strip(), now=now)
    return session


def delete_session(*, session_id: int, by: User) -> None:
    """Delete a session without participants. Raises `NotFound`, `Forbidden`, `StateForbids`."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_manager(session, viewer)
        if session.participant_count:
            raise StateForbids("Somebody is in this session: cancel it instead of deleting it.")
        increment_calendar_sequence(session)
        fact = events.SessionDeleted(
            **build_session_fields(session),
            requester_ids=list_pending_requester_ids(session),
            description=session.public_description,
            date=session.date,
            ends_at=session.ends_at,
            calendar_uid=str(session.calendar_uid),
            calendar_sequence=session.calendar_sequence,
            ever_approved=session.approved_at is not None,
        )
        session.delete()
        publish(fact, by=by)


def _change_fields(session: Session, wanted: Mapping[str, Any], viewer: Viewer, now: datetime) -> None:
    changes = {
        name: (getattr(session, name), value) for name, value in wanted.items() if getattr(session, name) != value
    }
    require_editable(session, set(changes))
    if not changes:
        return
    if "date" in changes:
        _require_future(wanted["date"], now)
    if changes.get("max_participants") and wanted["max_participants"] < session.participant_count:
        raise Invalid({"max_participants": [f"{session.participant_count} participants are in already."]})
    for name, (_, value) in changes.items():
        setattr(session, name, value)
    needs_review = bool(REVIEWED_FIELDS & changes.keys()) and session.approved_at is not None
    second_look = needs_review and not acts_as_moderator(session, viewer)
    if second_look and session.second_look_since is None:
        session.second_look_since = now
    if "date" in changes:
        schedule_reminders(session, now=now)
    if FIELDS_IN_CALENDARS & changes.keys():
        increment_calendar_sequence(session)
    session.content_version += 1
    session.updated_at = now
    session.save(
        update_fields=[
            *changes,
            "content_version",
            "second_look_since",
            "updated_at",
            *REMINDER_FIELDS,
            *CALENDAR_FIELDS,
        ]
    )
    publish(
        events.SessionEdited(**build_session_fields(session), second_look=second_look), by=viewer.user, changes=changes
    )
    if "date" in changes:
        _publish_rescheduled(session, changes["date"][0], viewer)


def _publish_rescheduled(session: Session, previous: datetime, viewer: Viewer) -> None:
    fact = events.SessionRescheduled(
        **build_session_fields(session),
        date=session.date,
        previous_date=previous,
        participant_ids=list_participant_ids(session),
        # Members with a pending request do not see a hidden session, and so not its new time.
        requester_ids=() if session.hidden_at else list_pending_requester_ids(session),
    )
    publish(fact, by=viewer.user)


def _is_already_reached(session: Session, status: Status) -> bool:
    """Return whether a status that a client sends back is no transition; `approved` includes what follows it."""
    return session.status == status or (status == Status.APPROVED and session.status in OPEN | {Status.ONGOING})


def _require_future(date: datetime, now: datetime) -> datetime:
    if date <= now:
        raise StateForbids(DATE_IN_THE_PAST)
    return date
