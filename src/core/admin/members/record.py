"""Who may read which facts of a member's history."""

from django.db.models import Q, QuerySet

from core.accounts.events import MemberDeactivated, MemberReactivated, MemberRegistered
from core.accounts.models import User
from core.accounts.policy import DEACTIVATE
from core.facts.models import FactRecord
from core.portal.events import OwnSessionsAsked
from core.portal.history import PAGE_SIZE, VIEW_FACTS, History, list_history

# The facts about accounts that moderators may read: not changes of addresses, rights and passwords.
MODERATION_FACTS = (MemberRegistered.name, MemberDeactivated.name, MemberReactivated.name)


def may_read_record(member: User, viewer: User) -> bool:
    return _filter_readable(member, viewer) is not None


def list_member_history(member: User, viewer: User, *, before: int | None = None) -> History | None:
    """Return a page of the facts about a member and of their own actions, newest first; `None` without permission."""
    readable = _filter_readable(member, viewer)
    if readable is None:
        return None
    sources = [FactRecord.objects.filter(member_id=member.pk), FactRecord.objects.filter(actor=member)]
    # Two queries, each with its own index: with OR, the database would sort all facts of a moderator.
    ids = {pk for records in sources for pk in _list_newest_ids(records.filter(readable), before)}
    return list_history(FactRecord.objects.filter(pk__in=ids), viewer=viewer)


def _filter_readable(member: User, viewer: User) -> Q | None:
    """Return the filter for the facts that the viewer may read; `None` if there are none."""
    if viewer.has_perm(VIEW_FACTS):
        return Q()
    if not viewer.has_perm(DEACTIVATE) or member.pk == viewer.pk:
        return None
    # Moderators must not learn who decided on them or on their own sessions, and why.
    concerns_viewer = (
        Q(member_id=viewer.pk)
        | Q(session_id__in=OwnSessionsAsked(member_id=viewer.pk).ask())
        | _filter_payload("creator_id", viewer)
        | _filter_payload("uploader_id", viewer)
    )
    return (Q(name__in=MODERATION_FACTS) | Q(session_id__isnull=False)) & ~concerns_viewer


def _filter_payload(key: str, viewer: User) -> Q:
    """Return the filter for facts that name the viewer under a key; without the key it is false instead of NULL."""
    return Q(**{f"payload__{key}__isnull": False, f"payload__{key}": viewer.pk})


def _list_newest_ids(records: "QuerySet[FactRecord]", before: int | None) -> list[int]:
    if before is not None:
        records = records.filter(pk__lt=before)
    return list(records.order_by("-pk").values_list("pk", flat=True)[: PAGE_SIZE + 1])
