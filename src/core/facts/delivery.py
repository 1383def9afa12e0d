"""How a fact reaches its receivers, at once and again."""

import logging
from datetime import timedelta

from django.db import DatabaseError, transaction

from core.database.locking import lock_batch
from core.facts.base import Delivery, Fact
from core.facts.models import FactRecord, FailedDelivery
from core.facts.registry import RECEIVERS
from core.jobs.retry_policy import RetryPolicy, format_traceback
from core.time import clock

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 12
RETRY_POLICY = RetryPolicy(max_attempts=MOST_ATTEMPTS, max_delay=timedelta(hours=12))


def deliver(receiver: str, fact: Fact, delivery: Delivery) -> None:
    """Serve one receiver inside the publisher's transaction. What it raises costs the publisher nothing."""
    try:
        with transaction.atomic():
            RECEIVERS[receiver](fact, delivery)
    except Exception as error:
        logger.exception("%s could not receive %s %s", receiver, fact.name, delivery.fact_id)
        FailedDelivery.objects.create(
            fact_id=delivery.fact_id,
            receiver=receiver,
            error=format_traceback(error),
            failed_at=clock.now(),
            next_try_at=RETRY_POLICY.next_try_at(1),
        )


def retry_failed_deliveries(*, limit: int = 100) -> int:
    """Serve the receivers whose pause is over, by any number of workers at once; returns how many were served."""
    served = 0
    tried: set[int] = set()
    while len(tried) < limit:
        failure = None
        try:
            with transaction.atomic():
                due = FailedDelivery.objects.filter(next_try_at__lte=clock.now()).exclude(pk__in=tried)
                failure = next(iter(lock_batch(due.order_by("next_try_at", "pk"), size=1)), None)
                if failure is None:
                    break
                tried.add(failure.pk)
                delivered = _serve(failure)
        except DatabaseError as error:
            if failure is None:
                raise
            delivered = False
            _note_refused_commit(failure.pk, error)
        served += delivered
    return served


def retry_delivery(failure_id: int) -> bool:
    """Serve one failed delivery at once, whatever its pause; true when it is delivered (or had been)."""
    try:
        with transaction.atomic():
            failure = FailedDelivery.objects.select_for_update().get(pk=failure_id)
            return failure.delivered_at is not None or _serve(failure)
    except DatabaseError as error:
        _note_refused_commit(failure_id, error)
        return False


def _serve(failure: FailedDelivery) -> bool:
    """Serve a receiver whose failure is locked, in a savepoint of its own; true when that went well."""
    try:
        with transaction.atomic():
            record = failure.fact
            RECEIVERS[failure.receiver](
                load_fact(record),
                Delivery(
                    fact_id=record.pk,
                    occurred_at=record.occurred_at,
                    actor_id=record.actor_id,
                    reason=record.reason,
                    is_retry=True,
                ),
            )
    except Exception as error:
        _note_failure(failure, error)
        return False
    failure.delivered_at = clock.now()
    failure.next_try_at = None
    failure.save(update_fields=["delivered_at", "next_try_at"])
    return True


def _note_refused_commit(failure_id: int, error: Exception) -> None:
    """What a receiver wrote may be refused as late as at the commit (a dangling reference): that is its failure too."""
    with transaction.atomic():
        failure = FailedDelivery.objects.select_for_update().get(pk=failure_id)
        if failure.delivered_at is None:
            _note_failure(failure, error)


def _note_failure(failure: FailedDelivery, error: Exception) -> None:
    logger.error("%s still cannot receive fact %s", failure.receiver, failure.fact_id, exc_info=error)
    failure.error = format_traceback(error)
    failure.attempts += 1
    failure.failed_at = clock.now()
    failure.next_try_at = RETRY_POLICY.next_try_at(failure.attempts)
    failure.save(update_fields=["error", "attempts", "failed_at", "next_try_at"])


def load_fact(record: FactRecord) -> Fact:
    """The fact as it was published. Raises `KeyError` where the module that published it is gone."""
    fact: Fact = Fact.kinds[record.name].adapter().validate_python(record.payload)
    return fact
