"""Failed deliveries and their retries."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection
from tests.core.conftest import NOW
from tests.core.facts.conftest import (
    Drizzle,
    LanternLit,
    RecordingReceiver,
    Subscribe,
    list_rows,
    publish_change,
    write_row,
)
from tests.threads import run_in_threads

from core.accounts.models import Login, User
from core.facts.base import Delivery, Fact
from core.facts.delivery import MAX_ATTEMPTS, retry_delivery, retry_failed_deliveries
from core.facts.models import FactRecord, FailedDelivery
from core.facts.publish import publish
from core.facts.registry import RECEIVERS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

RECEIVER = "tests.core.facts.conftest.receiver"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def failing_receiver(receiver: RecordingReceiver) -> RecordingReceiver:
    """A receiver that fails until it is repaired."""
    receiver.fails_with = ValueError("it is broken")
    return receiver


def repair(receiver: RecordingReceiver) -> None:
    receiver.fails_with = None
    receiver.received.clear()


# --- First delivery -----------------------------------------------------------------------------------------------


def test_an_exception_in_a_receiver_does_not_roll_back_the_change(failing_receiver: RecordingReceiver) -> None:
    publish_change(LanternLit())

    assert list_rows() == ["the change"]
    assert FactRecord.objects.count() == 1


def test_other_receivers_are_called_after_one_that_fails(
    failing_receiver: RecordingReceiver, subscribe: Subscribe
) -> None:
    subscribe(lambda fact, delivery: write_row("another"))

    publish_change(LanternLit())

    assert list_rows() == ["the change", "another"]


def test_the_failure_is_recorded(failing_receiver: RecordingReceiver) -> None:
    record = publish_change(LanternLit())

    failure = FailedDelivery.objects.get()
    assert (failure.fact, failure.receiver, failure.attempts) == (record, RECEIVER, 1)
    assert (failure.failed_at, failure.next_try_at, failure.delivered_at) == (NOW, NOW + MINUTE, None)
    assert "ValueError: it is broken" in failure.error
    assert "Traceback" in failure.error


def test_a_successful_delivery_records_no_failure(receiver: RecordingReceiver) -> None:
    publish_change(LanternLit())

    assert not FailedDelivery.objects.exists()


def test_a_database_error_in_a_receiver_rolls_back_its_savepoint_only(subscribe: Subscribe) -> None:
    subscribe(lambda fact, delivery: write_row("the change"))
    subscribe(lambda fact, delivery: write_row("afterwards"))

    publish_change(LanternLit())

    assert list_rows() == ["the change", "afterwards"]
    assert "IntegrityError" in FailedDelivery.objects.get().error


def test_a_suppressed_database_error_in_a_receiver_rolls_back_its_savepoint_only(subscribe: Subscribe) -> None:
    def swallow(fact: Fact, delivery: Delivery) -> None:
        with contextlib.suppress(IntegrityError):
            write_row("the change")

    subscribe(swallow)
    subscribe(lambda fact, delivery: write_row("afterwards"))

    publish_change(LanternLit())

    assert list_rows() == ["the change", "afterwards"]


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 1_000_000], ids=["NUL", "lone surrogate", "long"])
def test_any_error_can_be_recorded(failing_receiver: RecordingReceiver, text: str) -> None:
    failing_receiver.fails_with = ValueError(text)

    publish_change(LanternLit())

    assert list_rows() == ["the change"]
    assert "ValueError" in FailedDelivery.objects.get().error
    assert len(FailedDelivery.objects.get().error) < 50_000


def test_a_keyboard_interrupt_in_a_receiver_propagates(failing_receiver: RecordingReceiver) -> None:
    failing_receiver.fails_with = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        publish_change(LanternLit())

    assert not FactRecord.objects.exists()


# --- Retries ------------------------------------------------------------------------------------------------------


def test_a_failed_delivery_is_retried_once_it_is_due(
    failing_receiver: RecordingReceiver, john: User, clock: Any
) -> None:
    record = publish_change(LanternLit(), by=john, reason="It was dark")
    repair(failing_receiver)

    clock.shift(MINUTE - timedelta(seconds=1))
    assert retry_failed_deliveries() == 0
    assert failing_receiver.received == []
    clock.shift(timedelta(seconds=1))
    assert retry_failed_deliveries() == 1

    delivery = Delivery(fact_id=record.pk, occurred_at=NOW, actor_id=john.pk, reason="It was dark", is_retry=True)
    assert failing_receiver.received == [(LanternLit(), delivery)]
    assert list_rows() == ["the change", "received"]
    failure = FailedDelivery.objects.get()
    assert (failure.delivered_at, failure.next_try_at, failure.attempts) == (NOW + MINUTE, None, 1)


def test_a_delivery_that_succeeded_is_not_retried(failing_receiver: RecordingReceiver, clock: Any) -> None:
    publish_change(LanternLit())
    repair(failing_receiver)
    clock.shift(MINUTE)
    retry_failed_deliveries()

    clock.shift(timedelta(days=30))

    assert retry_failed_deliveries() == 0
    assert len(failing_receiver.received) == 1


def test_only_the_receiver_that_failed_is_retried(
    failing_receiver: RecordingReceiver, subscribe: Subscribe, clock: Any
) -> None:
    received: list[Delivery] = []
    subscribe(lambda fact, delivery: received.append(delivery))
    publish_change(LanternLit())
    repair(failing_receiver)
    clock.shift(MINUTE)

    retry_failed_deliveries()

    assert [delivery.is_retry for delivery in received] == [False]
    assert [delivery.is_retry for _, delivery in failing_receiver.received] == [True]


def test_a_retry_that_fails_is_rolled_back(failing_receiver: RecordingReceiver, clock: Any) -> None:
    publish_change(LanternLit())
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 0

    assert list_rows() == ["the change"]


def test_delays_double_up_to_twelve_hours_until_the_delivery_is_given_up(
    failing_receiver: RecordingReceiver, clock: Any
) -> None:
    publish_change(LanternLit())
    delays = []
    failure = FailedDelivery.objects.get()
    while failure.next_try_at is not None:
        delays.append(failure.next_try_at - failure.failed_at)
        clock.move_to(failure.next_try_at)
        assert retry_failed_deliveries() == 0
        failure.refresh_from_db()

    assert [delay // MINUTE for delay in delays] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 720]
    assert len(failing_receiver.received) == failure.attempts == MAX_ATTEMPTS == 12
    assert failure.delivered_at is None


def test_a_delivery_that_was_given_up_is_kept_and_not_retried(failing_receiver: RecordingReceiver, clock: Any) -> None:
    publish_change(LanternLit())
    FailedDelivery.objects.update(attempts=MAX_ATTEMPTS, next_try_at=None)
    repair(failing_receiver)
    clock.shift(timedelta(days=365))

    assert retry_failed_deliveries() == 0
    assert failing_receiver.received == []
    assert FailedDelivery.objects.count() == 1


def test_the_latest_error_is_recorded(failing_receiver: RecordingReceiver, clock: Any) -> None:
    publish_change(LanternLit())
    failing_receiver.fails_with = LookupError("something else now")
    clock.shift(MINUTE)

    retry_failed_deliveries()

    failure = FailedDelivery.objects.get()
    assert "LookupError: something else now" in failure.error
    assert "it is broken" not in failure.error
    assert failure.failed_at == NOW + MINUTE


def test_a_retry_that_fails_does_not_block_the_others(subscribe: Subscribe, clock: Any) -> None:
    receivers = [RecordingReceiver(f"receiver {number}", fails_with=ValueError("no")) for number in range(3)]
    for each in receivers:
        subscribe(each.receive)
    publish_change(LanternLit())
    repair(receivers[1])
    repair(receivers[2])
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 2

    assert list_rows() == ["the change", "receiver 1", "receiver 2"]


def test_the_longest_overdue_are_retried_first_up_to_the_limit(failing_receiver: RecordingReceiver, clock: Any) -> None:
    for number in range(3):
        Group.objects.filter(name="the change").delete()
        publish_change(LanternLit(session_id=number))
        clock.shift(MINUTE)
    repair(failing_receiver)
    failing_receiver.name = ""
    clock.shift(MINUTE)

    retry_failed_deliveries(limit=2)

    failures = FailedDelivery.objects.order_by("pk")
    assert [failure.delivered_at is not None for failure in failures] == [True, True, False]


def test_a_receiver_that_is_not_installed_is_retried_later_and_does_not_block_others(
    failing_receiver: RecordingReceiver, subscribe: Subscribe, clock: Any
) -> None:
    other = RecordingReceiver("other", fails_with=ValueError("no"))
    subscribe(other.receive)
    publish_change(LanternLit())
    repair(failing_receiver)
    repair(other)
    clock.shift(MINUTE)
    removed = RECEIVERS.pop(RECEIVER)

    assert retry_failed_deliveries() == 1
    assert list_rows() == ["the change", "other"]
    failure = FailedDelivery.objects.get(receiver=RECEIVER)
    assert (failure.attempts, failure.next_try_at, failure.delivered_at) == (2, NOW + 3 * MINUTE, None)

    RECEIVERS[RECEIVER] = removed
    clock.shift(2 * MINUTE)
    assert retry_failed_deliveries() == 1
    assert list_rows() == ["the change", "other", "received"]


def test_a_fact_whose_module_is_not_installed_is_retried_later(
    failing_receiver: RecordingReceiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_change(LanternLit())
    repair(failing_receiver)
    monkeypatch.delitem(Fact.kinds, LanternLit.name)
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 0
    assert FailedDelivery.objects.get().attempts == 2


def test_a_record_with_an_invalid_payload_is_retried_later(failing_receiver: RecordingReceiver, clock: Any) -> None:
    publish_change(LanternLit())
    repair(failing_receiver)
    FactRecord.objects.update(payload={"colour": "blue"})
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 0
    assert "colour" in FailedDelivery.objects.get().error


def test_a_fact_that_a_retried_receiver_publishes_is_recorded(subscribe: Subscribe, clock: Any) -> None:
    def receive(fact: Fact, delivery: Delivery) -> None:
        if not delivery.is_retry:
            raise ValueError("not now")
        publish(Drizzle(), by=None)

    subscribe(receive)
    publish_change(LanternLit())
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 1
    assert FactRecord.objects.filter(name="facts.Drizzle").count() == 1


# --- By hand ------------------------------------------------------------------------------------------------------


def test_a_delivery_can_be_retried_by_hand_before_it_is_due(failing_receiver: RecordingReceiver) -> None:
    publish_change(LanternLit())
    repair(failing_receiver)

    assert retry_delivery(FailedDelivery.objects.get().pk)
    assert FailedDelivery.objects.get().delivered_at == NOW
    assert list_rows() == ["the change", "received"]


def test_a_delivery_that_was_given_up_can_be_retried_by_hand(failing_receiver: RecordingReceiver) -> None:
    publish_change(LanternLit())
    FailedDelivery.objects.update(attempts=MAX_ATTEMPTS, next_try_at=None)
    repair(failing_receiver)

    assert retry_delivery(FailedDelivery.objects.get().pk)
    assert list_rows() == ["the change", "received"]


def test_retrying_by_hand_twice_delivers_once(failing_receiver: RecordingReceiver) -> None:
    publish_change(LanternLit())
    repair(failing_receiver)
    failure = FailedDelivery.objects.get()

    assert retry_delivery(failure.pk)
    assert retry_delivery(failure.pk)
    assert len(failing_receiver.received) == 1


def test_retrying_by_hand_returns_whether_it_succeeded(failing_receiver: RecordingReceiver) -> None:
    publish_change(LanternLit())

    assert not retry_delivery(FailedDelivery.objects.get().pk)
    failure = FailedDelivery.objects.get()
    assert (failure.attempts, failure.delivered_at) == (2, None)


# --- Concurrency, and rejected commits ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_workers_retry_each_delivery_once(subscribe: Subscribe, clock: Any) -> None:
    receivers = [RecordingReceiver(f"receiver {number}", fails_with=ValueError("no")) for number in range(6)]
    for each in receivers:
        subscribe(each.receive)
    publish_change(LanternLit())
    for each in receivers:
        repair(each)
    clock.shift(MINUTE)

    assert sum(run_in_threads(4, retry_failed_deliveries)) == 6

    assert [len(each.received) for each in receivers] == [1] * 6
    assert sorted(list_rows()) == [*(f"receiver {number}" for number in range(6)), "the change"]
    assert not FailedDelivery.objects.filter(delivered_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_retry_whose_commit_is_rejected_has_failed_and_does_not_block_others(
    subscribe: Subscribe, clock: Any
) -> None:
    """Deferred constraints are checked at the commit."""
    if not connection.features.can_defer_constraint_checks:
        pytest.skip("This database has no deferred constraints.")

    def leave_dangling_reference(fact: Fact, delivery: Delivery) -> None:
        if delivery.is_retry:
            Login.objects.create(user_id=999_999)
        else:
            raise ValueError("no")

    name = subscribe(leave_dangling_reference)
    other = RecordingReceiver("other", fails_with=ValueError("no"))
    subscribe(other.receive)
    publish_change(LanternLit())
    repair(other)
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 1

    assert list_rows() == ["the change", "other"]
    assert not Login.objects.exists()
    failure = FailedDelivery.objects.get(receiver=name)
    assert (failure.attempts, failure.next_try_at, failure.delivered_at) == (2, NOW + 3 * MINUTE, None)
    assert "IntegrityError" in failure.error
