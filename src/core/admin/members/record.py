"""What somebody may read of a member's record of facts: the only place that says so."""

from django.db.models import Q, QuerySet

from core.accounts.events import MemberDeactivated, MemberReactivated, MemberRegistered
from core.accounts.models import User
from core.accounts.policy import DEACTIVATE
from core.facts.models import FactRecord
from core.portal.events import OwnSessionsAsked
from core.portal.history import A_PAGE, VIEW_FACTS, History, list_history

# Of an account, what moderators ask about; addresses, rights and passwords are none of their business.
OF_MODERATION = (MemberRegistered.name, MemberDeactivated.name, MemberReactivated.name)


def may_read_record(member: User, viewer: User) -> bool:
    return _make_readable(member, viewer) is not None


def list_member_history(member: User, viewer: User, *, before: int | None = None) -> History | None:
    """What happened to a member, and what they did: a page of it, the newest first. `None` for who may not know."""
    readable = _make_readable(member, viewer)
    if readable is None:
        return None
    concerns = [FactRecord.objects.filter(member_id=member.pk), FactRecord.objects.filter(actor=member)]
    # Each by its own index: the database would sort all that a moderator has ever done, asked for both at once.
    ids = {pk for records in concerns for pk in _find_newest(records.filter(readable), before)}
    return list_history(FactRecord.objects.filter(pk__in=ids), viewer=viewer)


def _make_readable(member: User, viewer: User) -> Q | None:
    """Which of the facts; `None` for nothing at all."""
    if viewer.has_perm(VIEW_FACTS):
        return Q()
    if not viewer.has_perm(DEACTIVATE) or member.pk == viewer.pk:
        return None
    # Moderators learn nothing of what others did to them, nor in sessions of theirs: who decided, and what they said.
    concerns_viewer = (
        Q(member_id=viewer.pk)
        | Q(session_id__in=OwnSessionsAsked(member_id=viewer.pk).ask())
        | _is_named("creator_id", viewer)
        | _is_named("uploader_id", viewer)
    )
    return (Q(name__in=OF_MODERATION) | Q(session_id__isnull=False)) & ~concerns_viewer


def _is_named(key: str, viewer: User) -> Q:
    """A fact without the key says nothing of them, where a database would answer that it does not know."""
    return Q(**{f"payload__{key}__isnull": False, f"payload__{key}": viewer.pk})


def _find_newest(records: "QuerySet[FactRecord]", before: int | None) -> list[int]:
    if before is not None:
        records = records.filter(pk__lt=before)
    return list(records.order_by("-pk").values_list("pk", flat=True)[: A_PAGE + 1])
