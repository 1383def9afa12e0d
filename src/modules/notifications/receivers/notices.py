"""What a fact with a reason says to whom it concerns, shown to a moderator before it is decided."""

from core.accounts.models import User
from core.facts import answers
from modules.notifications.queries.preferences import list_channels_by_member
from modules.notifications.receivers.rules import News
from modules.notifications.receivers.table import TABLE
from modules.sessions.events import (
    Notice,
    NoticeAsked,
    ParticipantRemoved,
    SessionApproved,
    SessionCancelled,
    SessionRejected,
)

# Each is told everybody in the same words.
SHOWN_BEFORE = {SessionApproved, SessionRejected, SessionCancelled, ParticipantRemoved}
RULES = {rule.fact: rule for rule in TABLE if rule.fact in SHOWN_BEFORE}


@answers(NoticeAsked)
def preview_notice(question: NoticeAsked) -> Notice | None:
    """In the words of the table; nothing for a member who is not there."""
    rule = RULES.get(type(question.fact))
    reader = User.objects.filter(pk=question.person_id).first() if rule else None
    if rule is None or reader is None:
        return None
    text = rule.text(News(fact=question.fact, reason=question.reason, reader=reader))
    if text is None:
        return None
    channels = list_channels_by_member([reader.pk], rule.kind)[reader.pk]
    return Notice(title=text.title, message=text.message, is_muted=not (channels.in_app or channels.mail))
