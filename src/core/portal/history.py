"""What has happened, from the record of facts: who did what, when, why, and what it changed."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from pydantic import ValidationError

from core.accounts.models import User
from core.facts.base import Fact
from core.facts.delivery import load_fact
from core.facts.models import FactRecord
from core.portal.differences import Budget, Difference, Wording, list_differences

logger = logging.getLogger(__name__)

VIEW_FACTS = "core.view_factrecord"
A_PAGE = 100
# Stand for the names until the rest of a sentence is escaped; what a fact says itself is rid of their first character.
ACTOR, MEMBER = "\x00actor\x00", "\x00member\x00"
NAMES = ("username", "first_name", "last_name")
SOMEBODY = SafeString("somebody")
NAMELESS = (SOMEBODY, "the clock", "the system")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One fact. `who` and `what` are safe to show, with links to the members whom the viewer may look at."""

    fact_id: int
    occurred_at: datetime
    who: SafeString
    # A sentence without its full stop. It names who did it, unless `is_by_name` is false.
    what: SafeString
    is_by_name: bool
    reason: str
    changes: Sequence[Difference]
    # For superusers alone, else empty.
    request_id: str


@dataclass(frozen=True, kw_only=True)
class History:
    """A page of entries, the newest first; `before` asks for the next, and is empty on the last."""

    entries: Sequence[Entry]
    before: int | None


def list_history(
    records: "QuerySet[FactRecord]", *, viewer: User, before: int | None = None, wording: Wording | None = None
) -> History:
    """A page of these records, those older than the fact `before`; two queries, however many there are."""
    if before is not None:
        records = records.filter(pk__lt=before)
    page = list(records.order_by("-pk")[: A_PAGE + 1])
    shown = page[:A_PAGE]
    people, budget = _People(shown, viewer), Budget()
    return History(
        entries=[_build_entry(record, people, wording, budget) for record in shown],
        before=shown[-1].pk if len(page) > A_PAGE else None,
    )


class _People:
    """The members whom some records name, by one query."""

    def __init__(self, records: Sequence[FactRecord], viewer: User) -> None:
        named = {record.actor_id for record in records} | {record.member_id for record in records}
        self.members: Mapping[int, User] = User.objects.only(*NAMES).in_bulk([each for each in named if each])
        self.may_look = viewer.has_perm("core.view_user")
        self.sees_requests = viewer.is_superuser

    def name(self, member_id: int | None) -> SafeString:
        member = self.members.get(member_id or 0)
        if member is None:
            return SOMEBODY
        if not self.may_look:
            return format_html("{}", member.display_name)
        url = reverse("admin:core_user_change", args=[member.pk])
        return format_html('<a href="{}" class="portal-link">{}</a>', url, member.display_name)


def _build_entry(record: FactRecord, people: _People, wording: Wording | None, budget: Budget) -> Entry:
    sentence = _write_sentence(record)
    who = people.name(record.actor_id) if record.actor_id else SafeString(record.system_actor_label)
    what = str(conditional_escape(capfirst(sentence)))
    what = what.replace(ACTOR, who).replace(MEMBER, people.name(record.member_id))
    if what.startswith(NAMELESS):
        what = capfirst(what)
    is_about_actor = record.actor_id is not None and record.actor_id == record.member_id and MEMBER in sentence
    changes: Mapping[str, Any] = record.changes if isinstance(record.changes, dict) else {}
    return Entry(
        fact_id=record.pk,
        occurred_at=record.occurred_at,
        who=who,
        what=mark_safe(what),  # noqa: S308  (escaped above, but for our own links)
        is_by_name=ACTOR in sentence or is_about_actor,
        reason=record.reason,
        changes=list_differences(changes, wording, budget=budget),
        request_id=record.request_id if people.sees_requests else "",
    )


def _write_sentence(record: FactRecord) -> str:
    """The fact in words. One whose module is not installed, or that is no longer of the shape that it had, by its
    name."""
    try:
        return _strip_nul(load_fact(record)).summarize(actor=ACTOR, member=MEMBER)
    except (KeyError, ValidationError):
        return f"there was {record.name}"
    except Exception:
        logger.exception("Fact %s cannot be put into words", record.pk)
        return f"there was {record.name}"


def _strip_nul(fact: Fact) -> Fact:
    values = {field.name: getattr(fact, field.name) for field in fields(fact)}
    return replace(fact, **{name: text.replace("\x00", "") for name, text in values.items() if isinstance(text, str)})
