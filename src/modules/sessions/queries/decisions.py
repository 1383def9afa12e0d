"""Decisions on sessions, and edits since then, from the record of facts."""

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
    """A change of a session's status or of another field; `text` is a clause without a full stop."""

    text: str
    when: datetime
    reason: str

    @property
    def sentence(self) -> str:
        """The change with its time and reason, in sentences."""
        why = f" The reason: {self.reason}" if self.reason else ""
        return f"{self.text[:1].upper()}{self.text[1:]}, {format_relative_time(self.when)}.{why}"


def find_last_change(session_id: int, field: str) -> StatusChange | None:
    """Find the latest change of a field such as `status` or `hidden_at`; `None` if none is recorded."""
    changes = FactRecord.objects.filter(session_id=session_id, changes__has_key=field)
    record = changes.select_related("actor").order_by("-pk").first()
    if record is None:
        return None
    actor = record.actor.display_name if record.actor else UNKNOWN_ACTOR
    return StatusChange(text=load_fact(record).summarize(actor=actor), when=record.occurred_at, reason=record.reason)


def find_changes_since_version(session: Session, version: int) -> Changes:
    """Return the edits after that content version: for each field its recorded values before and after."""
    edits = _select_edits(session.pk).order_by("-pk")[: max(session.content_version - version, 0)]
    return merge_changes(edit.changes for edit in reversed(edits))


def find_changes_since_decision(session: Session) -> Changes:
    """Return the edits since the last decision or second look; if there was none, since the creation."""
    decisions = FactRecord.objects.filter(session_id=session.pk, name__in=[*DECISIONS, events.SecondLookTaken.name])
    last = decisions.order_by("-pk").values_list("pk", flat=True).first() or 0
    return merge_changes(edit.changes for edit in _select_edits(session.pk).filter(pk__gt=last).order_by("pk"))


def merge_changes(edits: Iterable[Changes]) -> Changes:
    """Merge several changes, oldest first; a field that was changed back is omitted."""
    merged: dict[str, tuple[object, object]] = {}
    for changes in edits:
        for field, (before, after) in changes.items():
            merged[field] = (merged[field][0] if field in merged else before, after)
    return {field: (before, after) for field, (before, after) in merged.items() if before != after}


def _select_edits(session_id: int) -> "QuerySet[FactRecord]":
    return FactRecord.objects.filter(session_id=session_id, name=events.SessionEdited.name)
