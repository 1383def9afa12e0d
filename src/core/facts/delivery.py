"""Delivering facts to their receivers, and retrying the deliveries that failed."""

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

MAX_ATTEMPTS = 12
RETRY_POLICY = RetryPolicy(max_attempts=MAX_ATTEMPTS, max_delay=timedelta(hours=12))


def deliver(receiver: str, fact: Fact, delivery: Delivery) -> None:
    """Call one receiver in a savepoint of the publisher's transaction. What it raises is recorded, not propagated."""
    try:
        with transaction.atomic():
            RECEIVERS[receiver](fact, delivery)
    except Exception as error:
        logger.exception("%s failed on %s %s", receiver, fact.name, delivery.fact_id)
        FailedDelivery.objects.create(
            fact_id=delivery.fact_id,
            receiver=receiver,
            error=format_traceback(error),
            failed_at=clock.now(),
            next_try_at=RETRY_POLICY.next_try_at(1),
        )


def retry_failed_deliveries(*, limit: int = 100) -> int:
    """Retry the deliveries that are due, by any number of workers at once; return how many succeeded."""
    succeeded = 0
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
                is_delivered = _retry(failure)
        except DatabaseError as error:
            if failure is None:
                raise
            is_delivered = False
            _record_rejected_commit(failure.pk, error)
        succeeded += is_delivered
    return succeeded


def retry_delivery(failure_id: int) -> bool:
    """Retry one failed delivery now; return whether it is delivered (or had been before)."""
    try:
        with transaction.atomic():
            failure = FailedDelivery.objects.select_for_update().get(pk=failure_id)
            return failure.delivered_at is not None or _retry(failure)
    except DatabaseError as error:
        _record_rejected_commit(failure_id, error)
        return False


def _retry(failure: FailedDelivery) -> bool:
    """Retry a locked failure in a savepoint; return whether it succeeded."""
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
        _record_failure(failure, error)
        return False
    failure.delivered_at = clock.now()
    failure.next_try_at = None
    failure.save(update_fields=["delivered_at", "next_try_at"])
    return True


def _record_rejected_commit(failure_id: int, error: Exception) -> None:
    """Record that the database rejected the writes of a receiver at the commit (a dangling reference)."""
    with transaction.atomic():
        failure = FailedDelivery.objects.select_for_update().get(pk=failure_id)
        if failure.delivered_at is None:
            _record_failure(failure, error)


def _record_failure(failure: FailedDelivery, error: Exception) -> None:
    logger.error("%s failed again on fact %s", failure.receiver, failure.fact_id, exc_info=error)
    failure.error = format_traceback(error)
    failure.attempts += 1
    failure.failed_at = clock.now()
    failure.next_try_at = RETRY_POLICY.next_try_at(failure.attempts)
    failure.save(update_fields=["error", "attempts", "failed_at", "next_try_at"])


def load_fact(record: FactRecord) -> Fact:
    """Rebuild the fact as it was published. Raises `KeyError` where the module that published it is not installed."""
    fact: Fact = Fact.kinds[record.name].adapter().validate_python(record.payload)
    return fact
