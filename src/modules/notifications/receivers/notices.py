"""What a fact with a reason says to whom it concerns: the same words in a notification and in what is shown before."""

from core.accounts.models import User
from core.facts import answers
from modules.notifications import texts
from modules.notifications.kinds import Kind
from modules.notifications.queries.preferences import channels_for
from modules.notifications.texts import Text
from modules.sessions.events import (
    Notice,
    NoticeAsked,
    ParticipantRemoved,
    SessionApproved,
    SessionCancelled,
    SessionRejected,
)

WithReason = SessionApproved | SessionRejected | SessionCancelled | ParticipantRemoved


def kind_of(fact: WithReason) -> Kind:
    match fact:
        case SessionApproved() | SessionRejected():
            return Kind.SESSION_DECISION
        case SessionCancelled():
            return Kind.SESSION_CANCELLED
        case ParticipantRemoved():
            return Kind.BOOKING_DECISION


def words_of(fact: WithReason, reason: str) -> Text:
    match fact:
        case SessionApproved():
            return texts.session_approved(title=fact.title)
        case SessionRejected():
            return texts.session_rejected(title=fact.title, reason=reason)
        case SessionCancelled():
            return texts.session_cancelled(title=fact.title, reason=reason if fact.is_reason_told else "")
        case ParticipantRemoved():
            return texts.participant_removed(title=fact.title, reason=reason)


@answers(NoticeAsked)
def notice_of(question: NoticeAsked) -> Notice | None:
    """In the words that `words_of` has for everybody; nothing for a member who is not there."""
    if not isinstance(question.fact, WithReason) or not User.objects.filter(pk=question.person_id).exists():
        return None
    text = words_of(question.fact, question.reason)
    channels = channels_for([question.person_id], kind_of(question.fact))[question.person_id]
    return Notice(title=text.title, message=text.message, is_muted=not (channels.in_app or channels.mail))
