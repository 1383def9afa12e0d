"""Preview for moderators what a member will read of a decision with its reason."""

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

# Facts whose text is the same for all readers.
PREVIEWED = {SessionApproved, SessionRejected, SessionCancelled, ParticipantRemoved}
RULES = {rule.fact: rule for rule in TABLE if rule.fact in PREVIEWED}


@answers(NoticeAsked)
def preview_notice(question: NoticeAsked) -> Notice | None:
    """Write the notice by the table's rule; `None` for a member who does not exist."""
    rule = RULES.get(type(question.fact))
    reader = User.objects.filter(pk=question.person_id).first() if rule else None
    if rule is None or reader is None:
        return None
    text = rule.text(News(fact=question.fact, reason=question.reason, reader=reader))
    if text is None:
        return None
    channels = list_channels_by_member([reader.pk], rule.kind)[reader.pk]
    return Notice(title=text.title, message=text.message, is_muted=not (channels.in_app or channels.mail))
