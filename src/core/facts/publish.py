"""Publishing a fact: a row in the record, then each receiver, all in the publisher's transaction."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from pydantic_core import to_jsonable_python

from core.facts.base import Delivery, Fact
from core.facts.delivery import deliver
from core.facts.models import FactRecord
from core.monitoring import request_id
from core.time import clock

if TYPE_CHECKING:
    from core.accounts.models import User

Changes = Mapping[str, tuple[Any, Any]]


def publish(fact: Fact, *, by: "User | None", reason: str = "", changes: Changes | None = None) -> FactRecord:
    """Record the fact and deliver it. Call it last in the transaction that makes the fact true.

    `by` is the actor, `None` for the system or the clock. `changes` maps a field to its value before and after.
    Raises `RuntimeError` outside a transaction, since the change and its record belong together.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{fact.name} was published outside the transaction of its change")
    record = FactRecord.objects.create(
        name=fact.name,
        session_id=getattr(fact, "session_id", None),
        member_id=getattr(fact, "member_id", None),
        actor=by,
        occurred_at=clock.now(),
        reason=reason,
        request_id=request_id.get_current_request_id(),
        payload=fact.adapter().dump_python(fact, mode="json"),
        changes=to_jsonable_python(dict(changes or {})),
    )
    delivery = Delivery(
        fact_id=record.pk,
        occurred_at=record.occurred_at,
        actor_id=by.pk if by else None,
        reason=reason,
        is_retry=False,
    )
    fact.signal.send(sender=type(fact), fact=fact, delivery=delivery, deliver=deliver)
    return record
