"""What was decided on sessions, and what was changed since: read from the record of facts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from core.facts.delivery import load_fact
from core.facts.models import FactRecord
from core.facts.publish import Changes
from core.time.durations import format_relative_time
from modules.sessions import events
from modules.sessions.models import Session

DECISIONS = (events.SessionApproved.name, events.SessionRejected.name)
UNKNOWN_ACTOR = "Somebody"


@dataclass(frozen=True, kw_only=True)
class StatusChange:
    """What changed the status of a session, or one of its marks; `words` is a clause without a full stop."""

    words: str
    when: datetime
    reason: str

    @property
    def told(self) -> str:
        """Who did what, when and why, in sentences."""
        why = f" The reason: {self.reason}" if self.reason else ""
        return f"{self.words[:1].upper()}{self.words[1:]}, {format_relative_time(self.when)}.{why}"


def find_last_change(session_id: int, field: str) -> StatusChange | None:
    """The latest change of that field (`status`, `hidden_at`, …). `None` where the record knows of none."""
    moved = FactRecord.objects.filter(session_id=session_id, changes__has_key=field)
    record = moved.select_related("actor").order_by("-pk").first()
    if record is None:
        return None
    actor = record.actor.display_name if record.actor else UNKNOWN_ACTOR
    return StatusChange(words=load_fact(record).in_words(actor=actor), when=record.occurred_at, reason=record.reason)


def find_changes_since_version(session: Session, version: int) -> Changes:
    """What was changed after that version of the content: each field before and now, as the record holds them."""
    edits = _select_edits(session.pk).order_by("-pk")[: max(session.content_version - version, 0)]
    return merge_changes(edit.changes for edit in reversed(edits))


def find_changes_since_decision(session: Session) -> Changes:
    """What was changed since a moderator last approved it or let its edits stand; since the offer, if never."""
    seen = FactRecord.objects.filter(session_id=session.pk, name__in=[*DECISIONS, events.SecondLookTaken.name])
    last = seen.order_by("-pk").values_list("pk", flat=True).first() or 0
    return merge_changes(edit.changes for edit in _select_edits(session.pk).filter(pk__gt=last).order_by("pk"))


def merge_changes(edits: Iterable[Changes]) -> Changes:
    """Several changes, the oldest first, as one: what was changed back is no change."""
    whole: dict[str, tuple[object, object]] = {}
    for changes in edits:
        for field, (before, after) in changes.items():
            whole[field] = (whole[field][0] if field in whole else before, after)
    return {field: (before, after) for field, (before, after) in whole.items() if before != after}


def _select_edits(session_id: int) -> "QuerySet[FactRecord]":
    return FactRecord.objects.filter(session_id=session_id, name=events.SessionEdited.name)
