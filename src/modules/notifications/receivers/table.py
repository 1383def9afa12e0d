"""Who is notified of what: one rule for each fact that members are notified of.

To add a notification, add a rule here, its text in `modules.notifications.texts` and its test. Channels and delays of a
kind are in `modules.notifications.kinds`. A fact without a rule is in `NOT_NOTIFIED`, with the reason; a fact in
neither fails the system check `notifications.E001`.
"""

from datetime import timedelta

from core.accounts import events as accounts
from core.facts import Fact
from core.portal import events as portal
from core.time import clock
from core.time.zones import load_zone
from modules.materials import events as materials
from modules.notifications import events as notifications
from modules.notifications import texts
from modules.notifications.kinds import Kind
from modules.notifications.models import Notification
from modules.notifications.receivers.rules import Audience, News, Rule
from modules.notifications.services.notifying import unlink_session
from modules.notifications.texts import Text
from modules.sessions import events as sessions

# How many sessions a digest names.
MAX_SESSIONS_IN_DIGEST = 20
# A new start within this time is mailed without delay.
SOON = timedelta(hours=1)


def starts_soon(news: News) -> bool:
    """Return whether the new start is within an hour."""
    return bool(news.fact.date <= clock.now() + SOON)


def write_session_deletion(news: News) -> Text:
    """Write a deletion for the creator, and a cancellation for members with a pending request."""
    is_creator = news.reader.pk == news.fact.creator_id
    write = texts.write_session_deleted if is_creator else texts.write_session_cancelled
    return write(title=news.fact.title, reason=news.reason)


def write_reminder(news: News) -> Text | None:
    """Write the time until the start; `None` on a retry after the start."""
    minutes_left = news.fact.minutes_left
    if news.is_retry:
        seconds_left = (news.fact.date - clock.now()).total_seconds()
        if seconds_left <= 0:
            return None
        minutes_left = int(seconds_left // 60)
    return texts.write_reminder(
        title=news.fact.title, minutes_before=news.fact.minutes_before, minutes_left=minutes_left
    )


def write_digest(news: News) -> Text | None:
    """Write the digest without the reader's own sessions, on which they cannot decide."""
    fact = news.fact
    others = [waiting for waiting in fact.sessions if waiting.creator_id != news.reader.pk]
    own = fact.own.get(news.reader.pk, len(fact.sessions) - len(others))
    named = [
        texts.Waiting(title=waiting.title, date=waiting.date, urgent=waiting.urgent)
        for waiting in others[:MAX_SESSIONS_IN_DIGEST]
    ]
    if not named:
        return None
    return texts.write_sessions_waiting(
        waiting=fact.waiting - own, sessions=named, zone=load_zone(news.reader.timezone)
    )


CREATOR = Audience(label="the creator", find=lambda news: [news.fact.creator_id])
MEMBER = Audience(label="the member", find=lambda news: [news.fact.member_id])
PARTICIPANTS = Audience(label="participants", find=lambda news: news.fact.participant_ids)
REQUESTERS = Audience(label="members with a pending request", find=lambda news: news.fact.requester_ids)
ATTENDEES = Audience(label="the creator and participants", find=lambda news: news.fact.person_ids)
PEOPLE_NOW = Audience(
    label="the creator and participants",
    find=lambda news: [] if news.people is None else [news.people.creator_id, *news.people.participant_ids],
)
# Nobody if the session was deleted, too.
UPLOADER = Audience(label="the uploader", find=lambda news: [] if news.people is None else [news.fact.uploader_id])
MODERATORS = Audience(label="moderators", find=lambda news: news.fact.moderator_ids)

BOOKING_REQUEST, REMINDER, GENERAL = (
    Notification.Type.BOOKING_REQUEST,
    Notification.Type.REMINDER,
    Notification.Type.GENERAL,
)

TABLE = (
    # --- Booking
    Rule(
        fact=sessions.BookingRequested,
        audiences=[CREATOR],
        kind=Kind.BOOKING_REQUEST,
        type=BOOKING_REQUEST,
        mentions="member_id",
        text=lambda news: texts.write_booking_requested(title=news.fact.title, member=news.mentioned),
        receiver="tell_of_booking_request",
    ),
    Rule(
        fact=sessions.BookingRequestApproved,
        audiences=[MEMBER],
        kind=Kind.BOOKING_DECISION,
        text=lambda news: texts.write_booking_approved(title=news.fact.title),
        receiver="tell_of_booking_approval",
    ),
    Rule(
        fact=sessions.BookingRequestRejected,
        audiences=[MEMBER],
        kind=Kind.BOOKING_DECISION,
        text=lambda news: texts.write_booking_rejected(title=news.fact.title, reason=news.reason),
        receiver="tell_of_booking_rejection",
    ),
    Rule(
        fact=sessions.SessionStarted,
        audiences=[REQUESTERS],
        kind=Kind.BOOKING_DECISION,
        text=lambda news: texts.write_booking_rejected_at_start(title=news.fact.title),
        receiver="tell_of_rejection_at_start",
    ),
    Rule(
        fact=sessions.SeatLeft,
        audiences=[CREATOR],
        kind=Kind.SEAT_LEFT,
        mentions="member_id",
        text=lambda news: texts.write_seat_left(title=news.fact.title, member=news.mentioned, reason=news.reason),
        receiver="tell_of_seat_left",
    ),
    Rule(
        fact=sessions.ParticipantRemoved,
        audiences=[MEMBER],
        kind=Kind.BOOKING_DECISION,
        text=lambda news: texts.write_participant_removed(title=news.fact.title, reason=news.reason),
        receiver="tell_of_removal",
    ),
    Rule(
        fact=sessions.RequestsUndecided,
        audiences=[CREATOR],
        kind=Kind.BOOKING_REQUEST,
        type=BOOKING_REQUEST,
        text=lambda news: texts.write_requests_undecided(
            title=news.fact.title,
            undecided=news.fact.undecided,
            date=news.fact.date,
            zone=load_zone(news.reader.timezone),
        ),
        receiver="nudge",
    ),
    # --- A session's life cycle
    Rule(
        fact=sessions.SessionApproved,
        audiences=[CREATOR],
        kind=Kind.SESSION_DECISION,
        text=lambda news: texts.write_session_approved(title=news.fact.title),
        receiver="tell_of_session_approval",
    ),
    Rule(
        fact=sessions.SessionRejected,
        audiences=[CREATOR],
        kind=Kind.SESSION_DECISION,
        text=lambda news: texts.write_session_rejected(title=news.fact.title, reason=news.reason),
        receiver="tell_of_session_rejection",
    ),
    Rule(
        fact=sessions.SessionRescheduled,
        audiences=[CREATOR, PARTICIPANTS, REQUESTERS],
        kind=Kind.SESSION_RESCHEDULED,
        is_mailed_at_once=starts_soon,
        text=lambda news: texts.write_session_rescheduled(
            title=news.fact.title, date=news.fact.date, zone=load_zone(news.reader.timezone)
        ),
        receiver="tell_of_new_date",
    ),
    Rule(
        fact=sessions.SessionCancelled,
        audiences=[CREATOR, PARTICIPANTS, REQUESTERS],
        kind=Kind.SESSION_CANCELLED,
        text=lambda news: texts.write_session_cancelled(
            title=news.fact.title, reason=news.reason if news.fact.is_reason_told else ""
        ),
        receiver="tell_of_cancellation",
    ),
    Rule(
        fact=sessions.SessionExpired,
        audiences=[CREATOR, REQUESTERS],
        kind=Kind.SESSION_CANCELLED,
        text=lambda news: texts.write_session_expired(title=news.fact.title, why=news.fact.why),
        receiver="tell_of_expiry",
    ),
    Rule(
        fact=sessions.SessionDeleted,
        audiences=[CREATOR, REQUESTERS],
        kind=Kind.SESSION_CANCELLED,
        links_session=False,
        prepare=lambda fact: unlink_session(session_id=fact.session_id),
        text=write_session_deletion,
        receiver="let_go_of_session",
    ),
    # --- Materials
    Rule(
        fact=materials.MaterialAdded,
        audiences=[PEOPLE_NOW],
        kind=Kind.MATERIAL_ADDED,
        asks_people=True,
        mentions="uploader_id",
        text=lambda news: texts.write_material_added(
            title=news.session_title, material=news.material_title, member=news.mentioned
        ),
        receiver="tell_of_material",
    ),
    Rule(
        fact=materials.MaterialRemoved,
        audiences=[UPLOADER],
        kind=Kind.MATERIAL_REMOVED,
        asks_people=True,
        text=lambda news: texts.write_material_removed(
            title=news.session_title, material=news.material_title, reason=news.reason
        ),
        receiver="tell_of_material_removed",
    ),
    # --- Reminders and moderation
    Rule(
        fact=sessions.ReminderDue,
        audiences=[ATTENDEES],
        kind=Kind.REMINDER,
        type=REMINDER,
        text=write_reminder,
        receiver="remind",
    ),
    Rule(
        fact=sessions.SessionsWaiting,
        audiences=[MODERATORS],
        kind=Kind.MODERATION_DIGEST,
        type=GENERAL,
        links_session=False,
        topic="moderation",
        text=write_digest,
        receiver="tell_moderators",
    ),
)

_DIGEST = "The digest of sessions that wait tells moderators."
_ACCOUNT = "A letter about the account is mailed, or the member did it and saw it done."
_FOR_HISTORY = "Recorded for the history in the portal."

NOT_NOTIFIED: dict[type[Fact], str] = {
    sessions.SessionOffered: _DIGEST,
    sessions.SessionEdited: "Participants read the session as it is; a new start is a fact of its own.",
    sessions.SessionScheduled: "The API shows the status; participants are reminded before the start.",
    sessions.SessionCompleted: "The people of a session were there.",
    sessions.SessionHidden: _FOR_HISTORY,
    sessions.SessionShown: _FOR_HISTORY,
    sessions.SecondLookTaken: _FOR_HISTORY,
    sessions.BookingRequestWithdrawn: "The creator has nothing to decide any more; the request is gone from the list.",
    sessions.ParticipantRoleChanged: "The API shows the role; nothing is asked of the participant.",
    sessions.CalendarFeedMade: "The member did it.",
    sessions.CalendarFeedRevoked: "The member did it.",
    materials.MaterialChanged: "Participants read the material as it is.",
    notifications.PreferencesChanged: "The member did it.",
    accounts.MemberRegistered: _ACCOUNT,
    accounts.ProfileChanged: _ACCOUNT,
    accounts.AddressChanged: _ACCOUNT,
    accounts.PasswordChanged: _ACCOUNT,
    accounts.LoggedOutEverywhere: _ACCOUNT,
    accounts.MemberDeactivated: _ACCOUNT,
    accounts.MemberReactivated: _ACCOUNT,
    accounts.RightsChanged: _FOR_HISTORY,
    accounts.GroupChanged: _FOR_HISTORY,
    portal.ListExported: _FOR_HISTORY,
}
