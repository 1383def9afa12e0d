"""The fact that notifications publish, and the questions that they ask."""

from dataclasses import dataclass
from datetime import datetime

from core.facts import Fact, Question
from core.time.icalendar import CalendarEvent


@dataclass(frozen=True, kw_only=True)
class PreferencesChanged(Fact):
    """Sent when a member has changed their preferences, in the app or by an unsubscribe link.

    The record has the channels before and after.
    """

    summary_template = "{member} chose where to be told of what"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class StillHolds(Question[bool]):
    """Does this fact still hold for this person? Asked when a delivery is retried, and before the fact is mailed.

    Answered by the module that published it. By default it holds: late news is better than none.
    """

    fact: Fact
    person_id: int

    def default(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class People:
    """Who belongs to a session now. If it is hidden, notifications contain none of its texts but `title`."""

    title: str
    creator_id: int
    participant_ids: tuple[int, ...]
    is_hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class PeopleOfSession(Question[People | None]):
    """Who belongs to this session? By default, nobody is notified."""

    session_id: int

    def default(self) -> People | None:
        return None


@dataclass(frozen=True, kw_only=True)
class SessionNow:
    """The present state of a session for one person, which a mail shows beside the news.

    `status` is its label ("waiting for approval"). `is_visible` is false if the session is hidden from them now.
    `event` is its event in their calendar, `None` if they never had it there, since they have only asked to join, or it
    was never approved. `is_attended`: it still belongs into their calendar.
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    status: str
    event: CalendarEvent | None
    is_attended: bool
    is_visible: bool


@dataclass(frozen=True, kw_only=True)
class SessionNowAsked(Question[SessionNow | None]):
    """What is the present state of this session for this person? By default, a mail has the news alone.

    A deleted session is described from the fact of its deletion.
    """

    session_id: int
    person_id: int

    def default(self) -> SessionNow | None:
        return None
