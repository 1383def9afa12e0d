"""The letter that brings news: one for each mail, with all news of its topic, written when it is sent."""

from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings
from django.db.models import QuerySet

from core.accounts.models import User
from core.facts import Fact
from core.facts.delivery import load_fact
from core.http.frontend import build_session_url
from core.mail.letters import Attachment, Letter, Link, writes
from core.mail.models import Mail
from core.time import clock
from core.time.icalendar import build_cancellation, build_invitation
from core.time.zones import load_zone
from modules.notifications import texts
from modules.notifications.events import SessionNow, SessionNowAsked, StillHolds
from modules.notifications.kinds import CHANGES_CALENDAR, Kind
from modules.notifications.models import Notification
from modules.notifications.queries.preferences import list_channels
from modules.notifications.services.notifying import NEWS
from modules.notifications.services.preferences import build_unsubscribe_url

# How many notifications a mail reads, the latest first, and how many lines it has.
MAX_NEWS = 50
MAX_LINES = 20
# Kinds of which the latest notification replaces earlier ones.
ONLY_LATEST_COUNTS = frozenset({Kind.REMINDER, Kind.SESSION_RESCHEDULED, Kind.MODERATION_DIGEST})

NewsItem = tuple[Notification, Fact | None]


@writes(NEWS)
def write_news(mail: Mail) -> Letter | None:
    """Write the news of a mail that still holds, and the state of its session; `None` if no news is left."""
    reader = mail.user
    if reader is None:
        return None
    notifications = _select_news(mail, reader)
    if not notifications:
        return None
    last = notifications[-1]
    session_id = last.fact.session_id
    now = SessionNowAsked(session_id=session_id, person_id=reader.pk).ask() if session_id else None
    kinds = tuple(dict.fromkeys(Kind(notification.kind) for notification in notifications))
    return Letter(
        subject=texts.write_subject(titles=[each.title for each in notifications], about=_find_title(last, now)),
        reader=reader.display_name,
        paragraphs=_write_paragraphs(notifications, now),
        details=_list_details(now, reader) if now and now.is_visible else (),
        link=_build_link(last, now),
        small_print=(f"You get mail about: {', '.join(kind.label for kind in kinds)}.",),
        unsubscribe_url=build_unsubscribe_url(user_id=reader.pk, kinds=kinds),
        attachments=_build_calendar_file(now, last, reader, kinds),
    )


def _select_news(mail: Mail, reader: User) -> list[Notification]:
    """Return the news that the reader still wants and that still holds, the earliest first."""
    wanted = {kind for kind, channels in list_channels(reader).items() if channels.mail}
    items = [(each, _load_fact(each)) for each in reversed(list(list_news(mail)[:MAX_NEWS])) if each.kind in wanted]
    holding = [each for each, fact in _drop_reverted_moves(items) if _still_holds(fact, reader)]
    # Once a session does not take place, earlier news is obsolete.
    final = [each for each in holding if each.kind == Kind.SESSION_CANCELLED]
    return _deduplicate(final or holding)


def list_news(mail: Mail) -> "QuerySet[Notification]":
    """Return the notifications of a mail and of the mails that it superseded, the latest first."""
    # By ids, so that the index on `mail` is used, which it would not be with an OR.
    mails = [mail.pk, *mail.supersedes.values_list("pk", flat=True)]
    return Notification.objects.filter(mail__in=mails).select_related("fact").order_by("-pk")


def _drop_reverted_moves(items: list[NewsItem]) -> list[NewsItem]:
    """Omit all moves if the last one returns to the original start."""
    moves = [fact for each, fact in items if each.kind == Kind.SESSION_RESCHEDULED]
    if not moves or getattr(moves[0], "previous_date", None) != getattr(moves[-1], "date", ...):
        return items
    return [(each, fact) for each, fact in items if each.kind != Kind.SESSION_RESCHEDULED]


def _deduplicate(notifications: list[Notification]) -> list[Notification]:
    """Keep each sentence once, and of kinds in `ONLY_LATEST_COUNTS` the latest."""
    last = {each.kind if each.kind in ONLY_LATEST_COUNTS else each.message: each.pk for each in notifications}
    return [each for each in notifications if each.pk in set(last.values())]


def _load_fact(notification: Notification) -> Fact | None:
    try:
        return load_fact(notification.fact)
    except KeyError:
        # The module that published it is no longer installed.
        return None


def _still_holds(fact: Fact | None, reader: User) -> bool:
    """Return whether the fact still holds; one whose module is not installed does."""
    return fact is None or StillHolds(fact=fact, person_id=reader.pk).ask()


def _write_paragraphs(notifications: Sequence[Notification], now: SessionNow | None) -> tuple[str, ...]:
    lines = [line for each in notifications for line in _write_message(each, now).splitlines() if line.strip()]
    if len(lines) <= MAX_LINES:
        return tuple(lines)
    return (*lines[:MAX_LINES], f"And {len(lines) - MAX_LINES} more.")


def _find_title(notification: Notification, now: SessionNow | None) -> str:
    """Return the session's recorded title, for facts about something in it the present one, or the notification's."""
    payload = notification.fact.payload
    if "creator_id" in payload:
        return str(payload["title"])
    return now.title if now else notification.title


def _write_message(notification: Notification, now: SessionNow | None) -> str:
    """Return the stored message; for a delayed reminder, one with the time that is left now."""
    if notification.kind != Kind.REMINDER or now is None:
        return notification.message
    minutes_waited = (clock.now() - notification.created_at).total_seconds() // 60
    if minutes_waited <= texts.TOLERANCE_MINUTES:
        return notification.message
    minutes_left = int((now.starts_at - clock.now()).total_seconds() // 60)
    return texts.write_reminder(title=now.title, minutes_before=None, minutes_left=minutes_left).message


def _list_details(now: SessionNow, reader: User) -> tuple[tuple[str, str], ...]:
    when = texts.format_period(now.starts_at, now.ends_at, load_zone(reader.timezone))
    return ("Session", now.title), ("When", when), ("Now", now.status)


def _build_link(notification: Notification, now: SessionNow | None) -> Link | None:
    if notification.kind == Kind.MODERATION_DIGEST:
        return Link(label="Look at what waits", url=f"{settings.SITE_URL}/admin/")
    if notification.session_id is None or (now is not None and not now.is_visible):
        return None
    return Link(label="Open the session", url=build_session_url(notification.session_id))


def _build_calendar_file(
    now: SessionNow | None, last: Notification, reader: User, kinds: Sequence[Kind]
) -> tuple[Attachment, ...]:
    """Build the invitation or cancellation for the reader's calendar, if the news changes something there."""
    if now is None or now.event is None or not CHANGES_CALENDAR.intersection(kinds):
        return ()
    event = now.event if now.is_visible else replace(now.event, summary=_find_title(last, now))
    build, method = (build_invitation, "REQUEST") if now.is_attended else (build_cancellation, "CANCEL")
    content = build(event, attendee_name=reader.display_name, attendee_address=reader.email, now=clock.now())
    return (
        Attachment(name="session.ics", content=content, mime_type=f"text/calendar; method={method}; charset=utf-8"),
    )
