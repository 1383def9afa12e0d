"""The letters that bring news: one for all that has happened about one topic, written when it is sent."""

from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings
from django.db.models import QuerySet

from core.accounts.models import User
from core.facts import Fact
from core.facts.delivery import load_fact
from core.http.frontend import session_link
from core.mail.letters import Attachment, Letter, Link, writes
from core.mail.models import Mail
from core.time import clock
from core.time.icalendar import cancellation, invitation
from core.time.zones import load_zone
from modules.notifications import texts
from modules.notifications.events import SessionNow, SessionNowAsked, StillHolds
from modules.notifications.kinds import IN_CALENDARS, Kind
from modules.notifications.models import Notification
from modules.notifications.queries.preferences import preferences_of
from modules.notifications.services.preferences import unsubscribe_url
from modules.notifications.services.telling import NEWS

# However much has happened: what a mail looks at, the latest first, and what it says.
MOST_NEWS = 50
MOST_LINES = 20
# Of several of these, the last says how things stand.
LAST_ONE_COUNTS = frozenset({Kind.REMINDER, Kind.SESSION_RESCHEDULED, Kind.MODERATION_DIGEST})

Told = tuple[Notification, Fact | None]


@writes(NEWS)
def news(mail: Mail) -> Letter | None:
    """What still holds of the news that this mail is to bring, and what holds of its session now."""
    reader = mail.user
    if reader is None:
        return None
    told = _worth_telling(mail, reader)
    if not told:
        return None
    last = told[-1]
    session_id = last.fact.session_id
    now = SessionNowAsked(session_id=session_id, person_id=reader.pk).ask() if session_id else None
    kinds = tuple(dict.fromkeys(Kind(notification.kind) for notification in told))
    return Letter(
        subject=texts.several(titles=[each.title for each in told], about=_title(last, now)),
        reader=reader.display_name,
        paragraphs=_paragraphs(told, now),
        details=_details(now, reader) if now and now.is_visible else (),
        link=_link(last, now),
        small_print=(f"You get mail about: {', '.join(kind.label for kind in kinds)}.",),
        unsubscribe_url=unsubscribe_url(user_id=reader.pk, kinds=kinds),
        attachments=_calendar_file(now, last, reader, kinds),
    )


def _worth_telling(mail: Mail, reader: User) -> list[Notification]:
    """The news of this mail, and of those that it speaks for, that the reader still wants and that is still so."""
    wanted = {kind for kind, channels in preferences_of(reader).items() if channels.mail}
    told = [(each, _fact(each)) for each in reversed(list(news_of(mail)[:MOST_NEWS])) if each.kind in wanted]
    holding = [each for each, fact in _without_detours(told) if _holds(fact, reader)]
    # Once a session does not take place, nothing that came before is worth telling.
    final = [each for each in holding if each.kind == Kind.SESSION_CANCELLED]
    return _once(final or holding)


def news_of(mail: Mail) -> "QuerySet[Notification]":
    """What this mail and those that it speaks for are to tell, the latest first."""
    # By ids: the database finds them by the index of the mail, which it does not for "this one or superseded by it".
    mails = [mail.pk, *mail.supersedes.values_list("pk", flat=True)]
    return Notification.objects.filter(mail__in=mails).select_related("fact").order_by("-pk")


def _without_detours(told: list[Told]) -> list[Told]:
    """Where a start has been moved and moved back, it is where its reader knows it to be."""
    moves = [fact for each, fact in told if each.kind == Kind.SESSION_RESCHEDULED]
    if not moves or getattr(moves[0], "previous_date", None) != getattr(moves[-1], "date", ...):
        return told
    return [(each, fact) for each, fact in told if each.kind != Kind.SESSION_RESCHEDULED]


def _once(told: list[Notification]) -> list[Notification]:
    """Each sentence once, and only the last of what says how things stand."""
    last = {each.kind if each.kind in LAST_ONE_COUNTS else each.message: each.pk for each in told}
    return [each for each in told if each.pk in set(last.values())]


def _fact(notification: Notification) -> Fact | None:
    try:
        return load_fact(notification.fact)
    except KeyError:
        # The module that told it has been left out since.
        return None


def _holds(fact: Fact | None, reader: User) -> bool:
    """Nobody can say of a fact without its module that it does not hold."""
    return fact is None or StillHolds(fact=fact, person_id=reader.pk).ask()


def _paragraphs(told: Sequence[Notification], now: SessionNow | None) -> tuple[str, ...]:
    lines = [line for each in told for line in _message(each, now).splitlines() if line.strip()]
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    return (*lines[:MOST_LINES], f"And {len(lines) - MOST_LINES} more.")


def _title(notification: Notification, now: SessionNow | None) -> str:
    """What the session was called when it happened, or, where the fact is about something in it, is called now; of news
    about none, what the news is called."""
    payload = notification.fact.payload
    if "creator_id" in payload:
        return str(payload["title"])
    return now.title if now else notification.title


def _message(notification: Notification, now: SessionNow | None) -> str:
    """In the words of its moment, but for a reminder that has waited: how much time is left has changed."""
    if notification.kind != Kind.REMINDER or now is None:
        return notification.message
    waited = (clock.now() - notification.created_at).total_seconds() // 60
    if waited <= texts.A_LITTLE:
        return notification.message
    minutes_left = int((now.starts_at - clock.now()).total_seconds() // 60)
    return texts.reminder(title=now.title, minutes_before=None, minutes_left=minutes_left).message


def _details(now: SessionNow, reader: User) -> tuple[tuple[str, str], ...]:
    when = texts.span(now.starts_at, now.ends_at, load_zone(reader.timezone))
    return ("Session", now.title), ("When", when), ("Now", now.status)


def _link(notification: Notification, now: SessionNow | None) -> Link | None:
    if notification.kind == Kind.MODERATION_DIGEST:
        return Link(label="Look at what waits", url=f"{settings.SITE_URL}/admin/")
    if notification.session_id is None or (now is not None and not now.is_visible):
        return None
    return Link(label="Open the session", url=session_link(notification.session_id))


def _calendar_file(
    now: SessionNow | None, last: Notification, reader: User, kinds: Sequence[Kind]
) -> tuple[Attachment, ...]:
    """What makes the reader's calendar say the same, where the news changes something there."""
    if now is None or now.event is None or not IN_CALENDARS.intersection(kinds):
        return ()
    event = now.event if now.is_visible else replace(now.event, summary=_title(last, now))
    build, method = (invitation, "REQUEST") if now.is_attended else (cancellation, "CANCEL")
    content = build(event, attendee_name=reader.display_name, attendee_address=reader.email, now=clock.now())
    return (
        Attachment(name="session.ics", content=content, mime_type=f"text/calendar; method={method}; charset=utf-8"),
    )
