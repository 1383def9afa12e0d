"""Deactivating and reactivating members (docs/contract.md, "Deactivation")."""

from django.db import transaction

from core.accounts.events import MemberDeactivated, MemberReactivated
from core.accounts.models import User
from core.accounts.policy import require_deactivating
from core.accounts.services import end_logins
from core.errors import Invalid, NotFound, StateForbids
from core.facts.delivery import load_fact
from core.facts.models import FactRecord
from core.facts.publish import publish
from core.mail.services import enqueue_mail
from core.time.durations import format_relative_time

STATUS_FACTS = (MemberDeactivated.name, MemberReactivated.name)


def deactivate_member(*, member_id: int, by: User, reason: str, told: str = "") -> User:
    """Deactivate a member: end their logins, refuse new ones, and mail them the reason.

    `told` is the explanation for other members concerned, who never read the reason; by default `DEFAULT_EXPLANATION`.
    Raises `NotFound`, `Forbidden`, `Invalid` without a reason, and `StateForbids` if the member is deactivated already,
    with a message that says by whom.
    """
    with transaction.atomic():
        member, by = _lock_account(member_id, by)
        require_deactivating(member, by)
        if not member.is_active:
            raise StateForbids(describe_status(member))
        if not reason.strip():
            raise Invalid({"reason": ["Say why: the member reads it, and it stays in the record."]})
        member.is_active = False
        end_logins(member)
        member.save(update_fields=["is_active", "token_version"])
        enqueue_mail(kind="deactivated", address=member.email, user=member)
        publish(MemberDeactivated(member_id=member.pk, told=told.strip()), by=by, reason=reason.strip())
    return member


def reactivate_member(*, member_id: int, by: User, reason: str = "") -> User:
    """Let a deactivated member log in again; old tokens stay invalid, and cancelled sessions stay cancelled.

    Raises `NotFound`, `Forbidden`, and `StateForbids` if the member is active, with a message that says since when.
    """
    with transaction.atomic():
        member, by = _lock_account(member_id, by)
        require_deactivating(member, by)
        if member.is_active:
            raise StateForbids(describe_status(member))
        member.is_active = True
        member.save(update_fields=["is_active"])
        enqueue_mail(kind="reactivated", address=member.email, user=member)
        publish(MemberReactivated(member_id=member.pk), by=by, reason=reason.strip())
    return member


def find_last_change(member_id: int) -> FactRecord | None:
    """Return the record of the last deactivation or reactivation of a member; `None` if none is recorded."""
    records = FactRecord.objects.filter(member_id=member_id, name__in=STATUS_FACTS).select_related("actor")
    return records.order_by("-pk").first()


def _lock_account(member_id: int, by: User) -> tuple[User, User]:
    """Lock both members: of two who deactivate each other at once, one comes too late."""
    # `no_key`: rows with a foreign key to them can still be written.
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=[member_id, by.pk]).order_by("pk")
    members = {row.pk: row for row in rows}
    if member_id not in members or by.pk not in members:
        raise NotFound("There is no such member.")
    return members[member_id], members[by.pk]


def describe_status(member: User) -> str:
    """Say whether a member is active, since when, by whom and why."""
    state = "active" if member.is_active else "deactivated"
    change = find_last_change(member.pk)
    if change is None:
        return f"{member.display_name} is {state} already."
    actor = change.actor.display_name if change.actor else "Somebody"
    why = f" The reason: {change.reason}" if change.reason else ""
    what = load_fact(change).summarize(actor=actor, member=member.display_name)
    return f"{what}, {format_relative_time(change.occurred_at)}.{why}"
