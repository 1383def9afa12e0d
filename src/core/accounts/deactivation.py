"""Keeping members out, and letting them in again (docs/contract.md, "Deactivation")."""

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

SWITCHES = (MemberDeactivated.name, MemberReactivated.name)


def deactivate_member(*, member_id: int, by: User, reason: str, told: str = "") -> User:
    """Keep a member out: no new login, and every open one ends. They are written why.

    `told` is what others read whom it concerns, if not the standard sentence; the reason they never do. Raises
    `NotFound`, `Forbidden`, `Invalid` without a reason, and `StateForbids` for one who is out already: the message says
    by whom.
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
    """Let a deactivated member log in again; old tokens stay dead, and what was called off stays so.

    Raises `NotFound`, `Forbidden`, and `StateForbids` for one who is active: the message says since when.
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
    """When, by whom and why a member was last deactivated or reactivated; `None` where the record knows of neither."""
    switches = FactRecord.objects.filter(member_id=member_id, name__in=SWITCHES).select_related("actor")
    return switches.order_by("-pk").first()


def _lock_account(member_id: int, by: User) -> tuple[User, User]:
    """Both as they are now, until the transaction ends: of two who put each other out at once, one comes too late."""
    # What refers to them can be written meanwhile.
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=[member_id, by.pk]).order_by("pk")
    members = {row.pk: row for row in rows}
    if member_id not in members or by.pk not in members:
        raise NotFound("There is no such member.")
    return members[member_id], members[by.pk]


def describe_status(member: User) -> str:
    state = "active" if member.is_active else "deactivated"
    switch = find_last_change(member.pk)
    if switch is None:
        return f"{member.display_name} is {state} already."
    actor = switch.actor.display_name if switch.actor else "Somebody"
    why = f" The reason: {switch.reason}" if switch.reason else ""
    what = load_fact(switch).summarize(actor=actor, member=member.display_name)
    return f"{what}, {format_relative_time(switch.occurred_at)}.{why}"
