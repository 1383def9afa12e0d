"""The letters that bring news: one for all that has happened about one topic, written when it is sent."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Q

from core import clock
from core.accounts.models import User
from core.calendars import cancellation, invitation
from core.facts.delivery import fact_of
from core.frontend import session_link
from core.mail.letters import Attachment, Letter, Link, writes
from core.mail.models import Mail
from core.time_zones import zone_of
from modules.notifications import texts
from modules.notifications.events import SessionNow, SessionNowAsked, StillHolds
from modules.notifications.kinds import IN_CALENDARS, Kind
from modules.notifications.models import Notification
from modules.notifications.queries.preferences import preferences_of
from modules.notifications.services.preferences import unsubscribe_url
from modules.notifications.services.telling import NEWS


@writes(NEWS)
def news(mail: Mail) -> Letter | None:
    """What still holds of the news that this mail is to bring, and what holds of its session now."""
    reader = mail.user
    if reader is None or not reader.is_active or not reader.email:
        return None
    told = _worth_telling(mail, reader)
    if not told:
        return None
    last = told[-1]
    session_id = last.fact.session_id
    now = SessionNowAsked(session_id=session_id, person_id=reader.pk).ask() if session_id else None
    kinds = tuple(dict.fromkeys(Kind(notification.kind) for notification in told))
    return Letter(
        to=reader.email,
        subject=texts.several(titles=[each.title for each in told], about=now.title if now else last.title),
        reader=reader.display_name,
        paragraphs=tuple(line for each in told for line in _message(each, now).splitlines()),
        details=_details(now, reader),
        link=_link(last),
        small_print=(f"You get mail about: {', '.join(kind.label for kind in kinds)}.",),
        unsubscribe_url=unsubscribe_url(user_id=reader.pk, kinds=kinds),
        attachments=_calendar_file(now, reader, kinds),
    )


def _worth_telling(mail: Mail, reader: User) -> list[Notification]:
    """The news of this mail, and of those that it speaks for, that the reader still wants and that is still so."""
    told = Notification.objects.filter(Q(mail=mail) | Q(mail__superseded_by=mail)).select_related("fact").order_by("pk")
    wanted = {kind for kind, channels in preferences_of(reader).items() if channels.mail}
    holding = [each for each in told if each.kind in wanted and _holds(each, reader)]
    # Once a session does not take place, nothing that came before is worth telling.
    final = [each for each in holding if each.kind == Kind.SESSION_CANCELLED]
    return final or holding


def _holds(notification: Notification, reader: User) -> bool:
    try:
        fact = fact_of(notification.fact)
    except KeyError:
        # The module that told it has been left out since: nobody can say that it does not hold.
        return True
    return StillHolds(fact=fact, person_id=reader.pk).ask()


def _message(notification: Notification, now: SessionNow | None) -> str:
    """In the words of its moment, but for a reminder that has waited: how much time is left has changed."""
    if notification.kind != Kind.REMINDER or now is None:
        return notification.message
    waited = (clock.now() - notification.created_at).total_seconds() // 60
    if waited <= texts.A_LITTLE:
        return notification.message
    minutes_left = int((now.starts_at - clock.now()).total_seconds() // 60)
    return texts.reminder(title=now.title, minutes_before=None, minutes_left=minutes_left).message


def _details(now: SessionNow | None, reader: User) -> tuple[tuple[str, str], ...]:
    if now is None:
        return ()
    when = texts.span(now.starts_at, now.ends_at, zone_of(reader.timezone))
    return ("Session", now.title), ("When", when), ("Now", now.status)


def _link(notification: Notification) -> Link | None:
    if notification.kind == Kind.MODERATION_DIGEST:
        return Link(label="Look at what waits", url=f"{settings.SITE_URL}/admin/")
    if notification.session_id is None:
        return None
    return Link(label="Open the session", url=session_link(notification.session_id))


def _calendar_file(now: SessionNow | None, reader: User, kinds: Sequence[Kind]) -> tuple[Attachment, ...]:
    """What makes the reader's calendar say the same, where the news changes something there."""
    if now is None or now.event is None or not IN_CALENDARS.intersection(kinds):
        return ()
    build, method = (invitation, "REQUEST") if now.is_attended else (cancellation, "CANCEL")
    content = build(now.event, attendee_name=reader.display_name, attendee_address=reader.email, now=clock.now())
    return (
        Attachment(name="session.ics", content=content, mime_type=f"text/calendar; method={method}; charset=utf-8"),
    )
