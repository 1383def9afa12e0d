"""How a fact reaches its receivers, at once and again."""

import logging
import traceback
from datetime import timedelta

from django.db import transaction
from pydantic import TypeAdapter

from core import clock
from core.facts.base import Delivery, Fact
from core.facts.models import FactRecord, FailedDelivery
from core.facts.registry import RECEIVERS
from core.locking import locked_batch

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 12
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=12)


def deliver(receiver: str, fact: Fact, delivery: Delivery) -> None:
    """Serve one receiver inside the publisher's transaction. What it raises costs the publisher nothing."""
    try:
        with transaction.atomic():
            RECEIVERS[receiver](fact, delivery)
    except Exception:
        logger.exception("%s could not receive %s %s", receiver, fact.name, delivery.fact_id)
        at = clock.now()
        FailedDelivery.objects.create(
            fact_id=delivery.fact_id,
            receiver=receiver,
            error=traceback.format_exc(),
            failed_at=at,
            next_try_at=at + FIRST_PAUSE,
        )


def deliver_again(*, limit: int = 100) -> int:
    """Serve the receivers whose pause is over, by any number of workers at once; returns how many were served."""
    served = 0
    tried: set[int] = set()
    while len(tried) < limit:
        with transaction.atomic():
            due = FailedDelivery.objects.filter(next_try_at__lte=clock.now()).exclude(pk__in=tried)
            failure = next(iter(locked_batch(due.order_by("next_try_at", "pk"), size=1)), None)
            if failure is None:
                break
            tried.add(failure.pk)
            served += _serve(failure)
    return served


def serve_now(failure_id: int) -> bool:
    """Serve one failed delivery at once, whatever its pause; true when it is delivered (or had been)."""
    with transaction.atomic():
        failure = FailedDelivery.objects.select_for_update().get(pk=failure_id)
        return failure.delivered_at is not None or _serve(failure)


def _serve(failure: FailedDelivery) -> bool:
    at = clock.now()
    try:
        with transaction.atomic():
            record = failure.fact
            RECEIVERS[failure.receiver](
                fact_of(record),
                Delivery(
                    fact_id=record.pk,
                    occurred_at=record.occurred_at,
                    actor_id=record.actor_id,
                    reason=record.reason,
                    late=True,
                ),
            )
    except Exception:
        logger.exception("%s still cannot receive fact %s", failure.receiver, failure.fact_id)
        failure.error = traceback.format_exc()
        failure.failed_at = at
        failure.next_try_at = at + _pause(failure.attempts) if failure.attempts < MOST_ATTEMPTS else None
        failure.attempts += 1
        failure.save(update_fields=["error", "attempts", "failed_at", "next_try_at"])
        return False
    failure.delivered_at = at
    failure.next_try_at = None
    failure.save(update_fields=["delivered_at", "next_try_at"])
    return True


def _pause(attempts: int) -> timedelta:
    return min(FIRST_PAUSE * (1 << attempts), LONGEST_PAUSE)


def fact_of(record: FactRecord) -> Fact:
    """The fact as it was published. Raises `KeyError` where the module that published it is gone."""
    kind = Fact.kinds[record.name]
    return TypeAdapter(kind).validate_python(record.payload)
