"""Receivers that fail, and how they are served again."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection
from tests.core.conftest import NOW
from tests.core.facts.conftest import Drizzle, Ear, Hear, LanternLit, note, notes, tell
from tests.core.threads import at_once

from core.accounts.models import Login, User
from core.facts.base import Delivery, Fact
from core.facts.delivery import MAX_ATTEMPTS, retry_delivery, retry_failed_deliveries
from core.facts.models import FactRecord, FailedDelivery
from core.facts.publish import publish
from core.facts.registry import RECEIVERS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

EAR = "tests.core.facts.conftest.ear"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def broken(ear: Ear) -> Ear:
    """An ear that fails until told otherwise."""
    ear.fails_with = ValueError("no ear for this")
    return ear


def mend(ear: Ear) -> None:
    ear.fails_with = None
    ear.heard.clear()


# --- The first time -----------------------------------------------------------------------------------------------


def test_the_change_survives_a_receiver_that_raises(broken: Ear) -> None:
    tell(LanternLit())

    assert notes() == ["the change"]
    assert FactRecord.objects.count() == 1


def test_the_other_receivers_are_served(broken: Ear, hear: Hear) -> None:
    hear(lambda fact, delivery: note("another"))

    tell(LanternLit())

    assert notes() == ["the change", "another"]


def test_the_failure_is_recorded(broken: Ear) -> None:
    record = tell(LanternLit())

    failure = FailedDelivery.objects.get()
    assert (failure.fact, failure.receiver, failure.attempts) == (record, EAR, 1)
    assert (failure.failed_at, failure.next_try_at, failure.delivered_at) == (NOW, NOW + MINUTE, None)
    assert "ValueError: no ear for this" in failure.error
    assert "Traceback" in failure.error


def test_what_is_delivered_leaves_no_failure(ear: Ear) -> None:
    tell(LanternLit())

    assert not FailedDelivery.objects.exists()


def test_a_database_error_in_a_receiver_does_not_spoil_the_change(hear: Hear) -> None:
    hear(lambda fact, delivery: note("the change"))
    hear(lambda fact, delivery: note("afterwards"))

    tell(LanternLit())

    assert notes() == ["the change", "afterwards"]
    assert "IntegrityError" in FailedDelivery.objects.get().error


def test_a_database_error_that_a_receiver_swallows_does_not_spoil_the_change(hear: Hear) -> None:
    def swallow(fact: Fact, delivery: Delivery) -> None:
        with contextlib.suppress(IntegrityError):
            note("the change")

    hear(swallow)
    hear(lambda fact, delivery: note("afterwards"))

    tell(LanternLit())

    assert notes() == ["the change", "afterwards"]


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 1_000_000], ids=["NUL", "lone surrogate", "long"])
def test_any_error_can_be_recorded(broken: Ear, text: str) -> None:
    broken.fails_with = ValueError(text)

    tell(LanternLit())

    assert notes() == ["the change"]
    assert "ValueError" in FailedDelivery.objects.get().error
    assert len(FailedDelivery.objects.get().error) < 50_000


def test_a_receiver_that_ends_the_process_is_not_taken_for_a_failure(broken: Ear) -> None:
    broken.fails_with = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        tell(LanternLit())

    assert not FactRecord.objects.exists()


# --- Again --------------------------------------------------------------------------------------------------------


def test_a_failed_receiver_is_served_again_when_its_pause_is_over(broken: Ear, john: User, clock: Any) -> None:
    record = tell(LanternLit(), by=john, reason="It was dark")
    mend(broken)

    clock.shift(MINUTE - timedelta(seconds=1))
    assert retry_failed_deliveries() == 0
    assert broken.heard == []
    clock.shift(timedelta(seconds=1))
    assert retry_failed_deliveries() == 1

    delivery = Delivery(fact_id=record.pk, occurred_at=NOW, actor_id=john.pk, reason="It was dark", is_retry=True)
    assert broken.heard == [(LanternLit(), delivery)]
    assert notes() == ["the change", "heard"]
    failure = FailedDelivery.objects.get()
    assert (failure.delivered_at, failure.next_try_at, failure.attempts) == (NOW + MINUTE, None, 1)


def test_what_was_served_is_not_served_once_more(broken: Ear, clock: Any) -> None:
    tell(LanternLit())
    mend(broken)
    clock.shift(MINUTE)
    retry_failed_deliveries()

    clock.shift(timedelta(days=30))

    assert retry_failed_deliveries() == 0
    assert len(broken.heard) == 1


def test_only_the_receiver_that_failed_is_served_again(broken: Ear, hear: Hear, clock: Any) -> None:
    heard: list[Delivery] = []
    hear(lambda fact, delivery: heard.append(delivery))
    tell(LanternLit())
    mend(broken)
    clock.shift(MINUTE)

    retry_failed_deliveries()

    assert [delivery.is_retry for delivery in heard] == [False]
    assert [delivery.is_retry for _, delivery in broken.heard] == [True]


def test_what_a_receiver_writes_before_it_fails_again_is_undone(broken: Ear, clock: Any) -> None:
    tell(LanternLit())
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 0

    assert notes() == ["the change"]


def test_the_pauses_grow_up_to_half_a_day_until_it_is_given_up(broken: Ear, clock: Any) -> None:
    tell(LanternLit())
    pauses = []
    failure = FailedDelivery.objects.get()
    while failure.next_try_at is not None:
        pauses.append(failure.next_try_at - failure.failed_at)
        clock.move_to(failure.next_try_at)
        assert retry_failed_deliveries() == 0
        failure.refresh_from_db()

    assert [pause // MINUTE for pause in pauses] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 720]
    assert len(broken.heard) == failure.attempts == MAX_ATTEMPTS == 12
    assert failure.delivered_at is None


def test_what_was_given_up_stays_on_record_and_rests(broken: Ear, clock: Any) -> None:
    tell(LanternLit())
    FailedDelivery.objects.update(attempts=MAX_ATTEMPTS, next_try_at=None)
    mend(broken)
    clock.shift(timedelta(days=365))

    assert retry_failed_deliveries() == 0
    assert broken.heard == []
    assert FailedDelivery.objects.count() == 1


def test_the_latest_error_is_the_one_on_record(broken: Ear, clock: Any) -> None:
    tell(LanternLit())
    broken.fails_with = LookupError("something else now")
    clock.shift(MINUTE)

    retry_failed_deliveries()

    failure = FailedDelivery.objects.get()
    assert "LookupError: something else now" in failure.error
    assert "no ear" not in failure.error
    assert failure.failed_at == NOW + MINUTE


def test_one_that_still_fails_does_not_hold_up_the_others(hear: Hear, clock: Any) -> None:
    ears = [Ear(f"ear {number}", fails_with=ValueError("no")) for number in range(3)]
    for each in ears:
        hear(each.hear)
    tell(LanternLit())
    mend(ears[1])
    mend(ears[2])
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 2

    assert notes() == ["the change", "ear 1", "ear 2"]


def test_the_longest_overdue_come_first_and_no_more_than_asked_for(broken: Ear, clock: Any) -> None:
    for number in range(3):
        Group.objects.filter(name="the change").delete()
        tell(LanternLit(session_id=number))
        clock.shift(MINUTE)
    mend(broken)
    broken.name = ""
    clock.shift(MINUTE)

    retry_failed_deliveries(limit=2)

    failures = FailedDelivery.objects.order_by("pk")
    assert [failure.delivered_at is not None for failure in failures] == [True, True, False]


def test_a_receiver_whose_module_is_gone_waits_and_holds_up_nobody(broken: Ear, hear: Hear, clock: Any) -> None:
    other = Ear("other", fails_with=ValueError("no"))
    hear(other.hear)
    tell(LanternLit())
    mend(broken)
    mend(other)
    clock.shift(MINUTE)
    gone = RECEIVERS.pop(EAR)

    assert retry_failed_deliveries() == 1
    assert notes() == ["the change", "other"]
    failure = FailedDelivery.objects.get(receiver=EAR)
    assert (failure.attempts, failure.next_try_at, failure.delivered_at) == (2, NOW + 3 * MINUTE, None)

    RECEIVERS[EAR] = gone
    clock.shift(2 * MINUTE)
    assert retry_failed_deliveries() == 1
    assert notes() == ["the change", "other", "heard"]


def test_a_fact_whose_module_is_gone_waits(broken: Ear, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(LanternLit())
    mend(broken)
    monkeypatch.delitem(Fact.kinds, LanternLit.name)
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 0
    assert FailedDelivery.objects.get().attempts == 2


def test_a_record_that_no_longer_fits_its_kind_waits(broken: Ear, clock: Any) -> None:
    tell(LanternLit())
    mend(broken)
    FactRecord.objects.update(payload={"colour": "blue"})
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 0
    assert "colour" in FailedDelivery.objects.get().error


def test_a_fact_that_a_late_receiver_publishes_is_recorded(hear: Hear, clock: Any) -> None:
    def receive(fact: Fact, delivery: Delivery) -> None:
        if not delivery.is_retry:
            raise ValueError("not now")
        publish(Drizzle(), by=None)

    hear(receive)
    tell(LanternLit())
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 1
    assert FactRecord.objects.filter(name="facts.Drizzle").count() == 1


# --- By hand ------------------------------------------------------------------------------------------------------


def test_a_failed_delivery_can_be_served_at_once_whatever_its_pause(broken: Ear) -> None:
    tell(LanternLit())
    mend(broken)

    assert retry_delivery(FailedDelivery.objects.get().pk)
    assert FailedDelivery.objects.get().delivered_at == NOW
    assert notes() == ["the change", "heard"]


def test_what_was_given_up_can_be_served_by_hand(broken: Ear) -> None:
    tell(LanternLit())
    FailedDelivery.objects.update(attempts=MAX_ATTEMPTS, next_try_at=None)
    mend(broken)

    assert retry_delivery(FailedDelivery.objects.get().pk)
    assert notes() == ["the change", "heard"]


def test_serving_by_hand_twice_serves_once(broken: Ear) -> None:
    tell(LanternLit())
    mend(broken)
    failure = FailedDelivery.objects.get()

    assert retry_delivery(failure.pk)
    assert retry_delivery(failure.pk)
    assert len(broken.heard) == 1


def test_serving_by_hand_says_when_it_still_fails(broken: Ear) -> None:
    tell(LanternLit())

    assert not retry_delivery(FailedDelivery.objects.get().pk)
    failure = FailedDelivery.objects.get()
    assert (failure.attempts, failure.delivered_at) == (2, None)


# --- Many at once, and commits that are refused -------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_serve_each_receiver_once(hear: Hear, clock: Any) -> None:
    ears = [Ear(f"ear {number}", fails_with=ValueError("no")) for number in range(6)]
    for each in ears:
        hear(each.hear)
    tell(LanternLit())
    for each in ears:
        mend(each)
    clock.shift(MINUTE)

    assert sum(at_once(4, retry_failed_deliveries)) == 6

    assert [len(each.heard) for each in ears] == [1] * 6
    assert sorted(notes()) == [*(f"ear {number}" for number in range(6)), "the change"]
    assert not FailedDelivery.objects.filter(delivered_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_late_receiver_whose_commit_is_refused_has_failed_and_holds_up_nobody(hear: Hear, clock: Any) -> None:
    """A dangling reference shows itself only at the commit."""
    if not connection.features.can_defer_constraint_checks:
        pytest.skip("This database looks at references at once.")

    def dangle(fact: Fact, delivery: Delivery) -> None:
        if delivery.is_retry:
            Login.objects.create(user_id=999_999)
        else:
            raise ValueError("no")

    name = hear(dangle)
    other = Ear("other", fails_with=ValueError("no"))
    hear(other.hear)
    tell(LanternLit())
    mend(other)
    clock.shift(MINUTE)

    assert retry_failed_deliveries() == 1

    assert notes() == ["the change", "other"]
    assert not Login.objects.exists()
    failure = FailedDelivery.objects.get(receiver=name)
    assert (failure.attempts, failure.next_try_at, failure.delivered_at) == (2, NOW + 3 * MINUTE, None)
    assert "IntegrityError" in failure.error
