"""What is heard of the other modules, and who is told of it.

Whoever a fact concerns hears of it in one notification; whoever caused it knows already. The functions here stay where
they are: failed deliveries name them. What the module answers stands beside.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from core.accounts.models import User
from core.facts import Delivery, Fact, subscribes
from core.facts.models import FactRecord
from core.time import clock
from core.time.zones import load_zone
from modules.materials.events import MaterialAdded, MaterialRemoved
from modules.notifications import texts
from modules.notifications.events import People, PeopleOfSession, StillHolds
from modules.notifications.kinds import MAILED_AT_ONCE, Kind
from modules.notifications.models import Notification
from modules.notifications.receivers import navigation, panels
from modules.notifications.receivers.notices import kind_of, words_of
from modules.notifications.services import telling
from modules.notifications.texts import Text
from modules.sessions.events import (
    BookingRequestApproved,
    BookingRequested,
    BookingRequestRejected,
    ParticipantRemoved,
    ReminderDue,
    RequestsUndecided,
    SeatLeft,
    SessionApproved,
    SessionCancelled,
    SessionDeleted,
    SessionExpired,
    SessionRejected,
    SessionRescheduled,
    SessionStarted,
    SessionsWaiting,
)

__all__ = ["navigation", "panels"]

# Writes to one reader; the second argument is the name of the member that the news names.
# `None`: it does not concern them after all.
Writer = Callable[[User, str], Text | None]

SOMEBODY = "Somebody"
# How many of the sessions that wait a digest names.
MOST_NAMED = 20
# A new start that is so near cannot wait for more news.
SOON = timedelta(hours=1)


# --- Booking ----------------------------------------------------------------------------------------------------


@subscribes(BookingRequested)
def tell_of_booking_request(fact: BookingRequested, delivery: Delivery) -> None:
    _tell(
        fact,
        delivery,
        about=Kind.BOOKING_REQUEST,
        to=[fact.creator_id],
        session_id=fact.session_id,
        naming=fact.member_id,
        type=Notification.Type.BOOKING_REQUEST,
        write=lambda reader, name: texts.booking_requested(title=fact.title, member=name),
    )


@subscribes(BookingRequestApproved)
def tell_of_booking_approval(fact: BookingRequestApproved, delivery: Delivery) -> None:
    text = texts.booking_approved(title=fact.title)
    _tell(
        fact,
        delivery,
        about=Kind.BOOKING_DECISION,
        to=[fact.member_id],
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


@subscribes(BookingRequestRejected)
def tell_of_booking_rejection(fact: BookingRequestRejected, delivery: Delivery) -> None:
    text = texts.booking_rejected(title=fact.title, reason=delivery.reason)
    _tell(
        fact,
        delivery,
        about=Kind.BOOKING_DECISION,
        to=[fact.member_id],
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


@subscribes(SeatLeft)
def tell_of_seat_left(fact: SeatLeft, delivery: Delivery) -> None:
    _tell(
        fact,
        delivery,
        about=Kind.SEAT_LEFT,
        to=[fact.creator_id],
        session_id=fact.session_id,
        naming=fact.member_id,
        write=lambda reader, name: texts.seat_left(title=fact.title, member=name, reason=delivery.reason),
    )


@subscribes(ParticipantRemoved)
def tell_of_removal(fact: ParticipantRemoved, delivery: Delivery) -> None:
    text = words_of(fact, delivery.reason)
    _tell(
        fact,
        delivery,
        about=kind_of(fact),
        to=[fact.member_id],
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


# --- A session's life -------------------------------------------------------------------------------------------


@subscribes(SessionApproved)
def tell_of_session_approval(fact: SessionApproved, delivery: Delivery) -> None:
    text = words_of(fact, delivery.reason)
    _tell(
        fact,
        delivery,
        about=kind_of(fact),
        to=[fact.creator_id],
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


@subscribes(SessionRejected)
def tell_of_session_rejection(fact: SessionRejected, delivery: Delivery) -> None:
    text = words_of(fact, delivery.reason)
    _tell(
        fact,
        delivery,
        about=kind_of(fact),
        to=[fact.creator_id],
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


@subscribes(SessionRescheduled)
def tell_of_new_date(fact: SessionRescheduled, delivery: Delivery) -> None:
    _tell(
        fact,
        delivery,
        about=Kind.SESSION_RESCHEDULED,
        at_once=fact.date <= clock.now() + SOON,
        to=[fact.creator_id, *fact.participant_ids, *fact.requester_ids],
        session_id=fact.session_id,
        write=lambda reader, name: texts.session_rescheduled(
            title=fact.title, date=fact.date, zone=load_zone(reader.timezone)
        ),
    )


@subscribes(SessionCancelled)
def tell_of_cancellation(fact: SessionCancelled, delivery: Delivery) -> None:
    text = words_of(fact, delivery.reason)
    _tell(
        fact,
        delivery,
        about=kind_of(fact),
        to=[fact.creator_id, *fact.participant_ids, *fact.requester_ids],
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


@subscribes(SessionExpired)
def tell_of_expiry(fact: SessionExpired, delivery: Delivery) -> None:
    text = texts.session_expired(title=fact.title, why=fact.why)
    _tell(
        fact,
        delivery,
        about=Kind.SESSION_CANCELLED,
        to=[fact.creator_id, *fact.requester_ids],
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


@subscribes(SessionStarted)
def tell_of_rejection_at_start(fact: SessionStarted, delivery: Delivery) -> None:
    text = texts.booking_rejected_at_start(title=fact.title)
    _tell(
        fact,
        delivery,
        about=Kind.BOOKING_DECISION,
        to=fact.requester_ids,
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


@subscribes(SessionDeleted)
def let_go_of_session(fact: SessionDeleted, delivery: Delivery) -> None:
    """For those who had asked to join it is a cancellation; its creator is told if a moderator deleted it."""
    telling.unlink_session(session_id=fact.session_id)
    cancelled = texts.session_cancelled(title=fact.title, reason=delivery.reason)
    deleted = texts.session_deleted(title=fact.title, reason=delivery.reason)
    _tell(
        fact,
        delivery,
        about=Kind.SESSION_CANCELLED,
        to=[fact.creator_id, *fact.requester_ids],
        session_id=None,
        write=lambda reader, name: deleted if reader.pk == fact.creator_id else cancelled,
    )


# --- Materials and reminders ------------------------------------------------------------------------------------


@subscribes(MaterialAdded)
def tell_of_material(fact: MaterialAdded, delivery: Delivery) -> None:
    people = PeopleOfSession(session_id=fact.session_id).ask()
    if people is None:
        return
    _tell(
        fact,
        delivery,
        about=Kind.MATERIAL_ADDED,
        to=[people.creator_id, *people.participant_ids],
        session_id=fact.session_id,
        naming=fact.uploader_id,
        write=lambda reader, name: texts.material_added(
            title=people.title, material=_told_name(fact, people), member=name
        ),
    )


@subscribes(MaterialRemoved)
def tell_of_material_removed(fact: MaterialRemoved, delivery: Delivery) -> None:
    """Where the session is gone, too, there is nothing to say of one of its materials."""
    people = PeopleOfSession(session_id=fact.session_id).ask()
    if people is None:
        return
    text = texts.material_removed(title=people.title, material=_told_name(fact, people), reason=delivery.reason)
    _tell(
        fact,
        delivery,
        about=Kind.MATERIAL_REMOVED,
        to=[fact.uploader_id],
        session_id=fact.session_id,
        write=lambda reader, name: text,
    )


def _told_name(fact: MaterialAdded | MaterialRemoved, people: People) -> str | None:
    """What a material is called; of one in a hidden session, nothing."""
    return None if people.is_hidden else fact.title


@subscribes(ReminderDue)
def remind(fact: ReminderDue, delivery: Delivery) -> None:
    minutes_left = fact.minutes_left
    if delivery.late:
        seconds_left = (fact.date - clock.now()).total_seconds()
        if seconds_left <= 0:
            return
        minutes_left = int(seconds_left // 60)
    text = texts.reminder(title=fact.title, minutes_before=fact.minutes_before, minutes_left=minutes_left)
    _tell(
        fact,
        delivery,
        about=Kind.REMINDER,
        to=fact.person_ids,
        session_id=fact.session_id,
        type=Notification.Type.REMINDER,
        write=lambda reader, name: text,
    )


@subscribes(RequestsUndecided)
def nudge(fact: RequestsUndecided, delivery: Delivery) -> None:
    _tell(
        fact,
        delivery,
        about=Kind.BOOKING_REQUEST,
        to=[fact.creator_id],
        session_id=fact.session_id,
        type=Notification.Type.BOOKING_REQUEST,
        write=lambda reader, name: texts.requests_undecided(
            title=fact.title, undecided=fact.undecided, date=fact.date, zone=load_zone(reader.timezone)
        ),
    )


@subscribes(SessionsWaiting)
def tell_moderators(fact: SessionsWaiting, delivery: Delivery) -> None:
    """Nobody decides on a session of their own, so nobody is told of one."""

    def write(reader: User, _name: str) -> Text | None:
        others = [waiting for waiting in fact.sessions if waiting.creator_id != reader.pk]
        own = fact.own.get(reader.pk, len(fact.sessions) - len(others))
        sessions = [
            texts.Waiting(title=waiting.title, date=waiting.date, urgent=waiting.urgent)
            for waiting in others[:MOST_NAMED]
        ]
        if not sessions:
            return None
        return texts.sessions_waiting(waiting=fact.waiting - own, sessions=sessions, zone=load_zone(reader.timezone))

    _tell(
        fact,
        delivery,
        about=Kind.MODERATION_DIGEST,
        to=fact.moderator_ids,
        session_id=None,
        topic="moderation",
        type=Notification.Type.GENERAL,
        write=write,
    )


# --- Telling ----------------------------------------------------------------------------------------------------


def _tell(
    fact: Fact,
    delivery: Delivery,
    *,
    about: Kind,
    to: Iterable[int],
    session_id: int | None,
    write: Writer,
    naming: int | None = None,
    topic: str = "",
    at_once: bool = False,
    type: Notification.Type = Notification.Type.SESSION_UPDATE,  # noqa: A002
) -> None:
    """Notify these people, but not the one who caused it, and when late only those for whom it still holds.

    `about` is the preference that decides where. News of one `topic` (the session's, unless told otherwise) may make
    one mail, unless it has to leave `at_once`.
    """
    concerned = [person_id for person_id in to if person_id != delivery.actor_id]
    if delivery.late:
        told = set(Notification.objects.filter(fact=delivery.fact_id).values_list("user_id", flat=True))
        concerned = [
            person_id
            for person_id in concerned
            if person_id not in told and StillHolds(fact=fact, person_id=person_id).ask()
        ]
        if session_id is not None and _is_gone(session_id):
            session_id = None
    if not concerned:
        return
    wanted = concerned if naming is None else [*concerned, naming]
    fields = ("username", "first_name", "last_name", "timezone", "email", "is_active")
    members = {member.pk: member for member in User.objects.filter(pk__in=wanted).only(*fields)}
    named = members[naming].display_name if naming in members else SOMEBODY
    # An account may be gone, and a row for it would break the publisher's commit.
    readers = [members[person_id] for person_id in dict.fromkeys(concerned) if person_id in members]
    texts_of = {reader: write(reader, named) for reader in readers}
    telling.notify(
        fact_id=delivery.fact_id,
        type=type,
        kind=about,
        topic=topic or f"session:{getattr(fact, 'session_id', 0)}",
        session_id=session_id,
        at_once=at_once or about in MAILED_AT_ONCE,
        texts={reader: text for reader, text in texts_of.items() if text is not None},
    )


def _is_gone(session_id: int) -> bool:
    return FactRecord.objects.filter(session_id=session_id, name=SessionDeleted.name).exists()
