"""The history of a session or a member: facts as sentences, with actor, time, reason and changes."""

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
# In entries.
PAGE_SIZE = 100
# Placeholders for names, replaced after the sentence was escaped. NUL is removed from the fact's own texts.
ACTOR, MEMBER = "\x00actor\x00", "\x00member\x00"
NAME_FIELDS = ("username", "first_name", "last_name")
SOMEBODY = SafeString("somebody")
# Begin a sentence with a capital letter in place of a name.
NAMELESS = (SOMEBODY, "the clock", "the system")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One fact. `who` and `what` are HTML, with links to members if the viewer may see them."""

    fact_id: int
    occurred_at: datetime
    who: SafeString
    # A sentence without a full stop.
    what: SafeString
    # Whether the sentence names the actor.
    names_actor: bool
    reason: str
    changes: Sequence[Difference]
    # Empty unless the viewer is a superuser.
    request_id: str


@dataclass(frozen=True, kw_only=True)
class History:
    """A page of entries, newest first. `before` is the cursor of the next page, `None` on the last."""

    entries: Sequence[Entry]
    before: int | None


def list_history(
    records: "QuerySet[FactRecord]", *, viewer: User, before: int | None = None, wording: Wording | None = None
) -> History:
    """Return a page of these records, older than the fact `before`, by two queries."""
    if before is not None:
        records = records.filter(pk__lt=before)
    page = list(records.order_by("-pk")[: PAGE_SIZE + 1])
    shown = page[:PAGE_SIZE]
    names, budget = _Names(shown, viewer), Budget()
    return History(
        entries=[_build_entry(record, names, wording, budget) for record in shown],
        before=shown[-1].pk if len(page) > PAGE_SIZE else None,
    )


class _Names:
    """The names of all members in some records, loaded by one query."""

    def __init__(self, records: Sequence[FactRecord], viewer: User) -> None:
        member_ids = {record.actor_id for record in records} | {record.member_id for record in records}
        self.members: Mapping[int, User] = User.objects.only(*NAME_FIELDS).in_bulk(
            [each for each in member_ids if each]
        )
        self.may_view_members = viewer.has_perm("core.view_user")
        self.shows_requests = viewer.is_superuser

    def render(self, member_id: int | None) -> SafeString:
        member = self.members.get(member_id or 0)
        if member is None:
            return SOMEBODY
        if not self.may_view_members:
            return format_html("{}", member.display_name)
        url = reverse("admin:core_user_change", args=[member.pk])
        return format_html('<a href="{}" class="portal-link">{}</a>', url, member.display_name)


def _build_entry(record: FactRecord, names: _Names, wording: Wording | None, budget: Budget) -> Entry:
    sentence = _write_sentence(record)
    who = names.render(record.actor_id) if record.actor_id else SafeString(record.system_actor_label)
    what = str(conditional_escape(capfirst(sentence)))
    what = what.replace(ACTOR, who).replace(MEMBER, names.render(record.member_id))
    if what.startswith(NAMELESS):
        what = capfirst(what)
    is_about_actor = record.actor_id is not None and record.actor_id == record.member_id and MEMBER in sentence
    changes: Mapping[str, Any] = record.changes if isinstance(record.changes, dict) else {}
    return Entry(
        fact_id=record.pk,
        occurred_at=record.occurred_at,
        who=who,
        what=mark_safe(what),  # noqa: S308  (escaped above, except for our own links)
        names_actor=ACTOR in sentence or is_about_actor,
        reason=record.reason,
        changes=list_differences(changes, wording, budget=budget),
        request_id=record.request_id if names.shows_requests else "",
    )


def _write_sentence(record: FactRecord) -> str:
    """Return the fact as a sentence; only its name if its module is not installed or its fields have changed."""
    try:
        return _strip_nul(load_fact(record)).summarize(actor=ACTOR, member=MEMBER)
    except (KeyError, ValidationError):
        return f"there was {record.name}"
    except Exception:
        logger.exception("Cannot write the sentence of fact %s", record.pk)
        return f"there was {record.name}"


def _strip_nul(fact: Fact) -> Fact:
    values = {field.name: getattr(fact, field.name) for field in fields(fact)}
    return replace(fact, **{name: text.replace("\x00", "") for name, text in values.items() if isinstance(text, str)})
