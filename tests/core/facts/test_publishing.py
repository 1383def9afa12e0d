"""Publishing facts: the record, and calling receivers in the transaction."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from tests.conftest import Api
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

from core.accounts.models import User
from core.facts.base import Delivery
from core.facts.delivery import load_fact
from core.facts.models import FactRecord, FailedDelivery
from core.facts.publish import publish

pytestmark = pytest.mark.django_db


def test_a_record_has_name_actor_time_reason_payload_and_changes(john: User, clock: Any) -> None:
    record = publish_change(LanternLit(), by=john, reason="It was dark", changes={"colour": ("red", "green")})

    record.refresh_from_db()
    assert record.name == "facts.LanternLit"
    assert (record.session_id, record.member_id) == (7, 3)
    assert record.actor == john
    assert record.occurred_at == NOW
    assert record.reason == "It was dark"
    assert record.changes == {"colour": ["red", "green"]}
    assert record.payload == {
        "session_id": 7,
        "member_id": 3,
        "at": "2024-01-15T19:00:00Z",
        "day": "2024-01-15",
        "for_long": "PT1H30M",
        "guest_ids": [1, 2],
        "colour": "green",
        "words": "Zoë said 'go'\n",
        "nothing": None,
    }


def test_a_fact_by_the_clock_has_no_actor() -> None:
    assert publish_change(LanternLit(), by=None).actor is None


def test_a_fact_may_have_neither_session_nor_member() -> None:
    record = publish_change(Drizzle())

    assert (record.session_id, record.member_id, record.payload) == (None, None, {"drops": 1})


def test_changes_are_stored_as_json_values(john: User) -> None:
    later = datetime(2024, 2, 1, tzinfo=UTC)

    record = publish_change(LanternLit(), changes={"date": (NOW, later), "duration": (60, 90), "colour": (None, "red")})

    record.refresh_from_db()
    assert record.changes == {
        "date": ["2024-01-13T11:00:00Z", "2024-02-01T00:00:00Z"],
        "duration": [60, 90],
        "colour": [None, "red"],
    }


@pytest.mark.parametrize(
    "fact",
    [
        LanternLit(),
        LanternLit(guest_ids=(), colour="red", nothing="something", words=""),
        LanternLit(at=datetime(2024, 3, 31, 1, 59, 59, 999999, tzinfo=UTC), for_long=timedelta(days=-1, seconds=1)),
        Drizzle(drops=2**62),
    ],
)
def test_a_fact_is_rebuilt_from_its_record(fact: LanternLit | Drizzle) -> None:
    record = publish_change(fact)

    assert load_fact(FactRecord.objects.get(pk=record.pk)) == fact


def test_a_receiver_gets_the_fact_and_its_delivery(receiver: RecordingReceiver, john: User, clock: Any) -> None:
    record = publish_change(LanternLit(), by=john, reason="It was dark")

    delivery = Delivery(fact_id=record.pk, occurred_at=NOW, actor_id=john.pk, reason="It was dark", is_retry=False)
    assert receiver.received == [(LanternLit(), delivery)]


def test_a_receiver_gets_only_facts_of_its_type(receiver: RecordingReceiver) -> None:
    publish_change(Drizzle())

    assert receiver.received == []


def test_writes_of_a_receiver_commit_with_the_change(receiver: RecordingReceiver) -> None:
    publish_change(LanternLit())

    assert list_rows() == ["the change", "received"]


def test_writes_of_a_receiver_roll_back_with_the_change(receiver: RecordingReceiver) -> None:
    with pytest.raises(RuntimeError, match="rolled back"):
        publish_and_roll_back()

    assert [delivery.is_retry for _, delivery in receiver.received] == [False]
    assert list_rows() == []
    assert not FactRecord.objects.exists()


def test_a_failed_delivery_rolls_back_with_the_change(receiver: RecordingReceiver) -> None:
    receiver.fails_with = ValueError("no")

    with pytest.raises(RuntimeError, match="rolled back"):
        publish_and_roll_back()

    assert not FailedDelivery.objects.exists()


def publish_and_roll_back() -> None:
    with transaction.atomic():
        publish(LanternLit(), by=None)
        raise RuntimeError("rolled back")


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_the_transaction_of_the_change_is_refused(receiver: RecordingReceiver) -> None:
    with pytest.raises(RuntimeError, match=r"facts\.LanternLit was published outside the transaction of its change"):
        publish(LanternLit(), by=None)

    assert receiver.received == []
    assert not FactRecord.objects.exists()


def test_a_receiver_may_publish_facts(subscribe: Subscribe) -> None:
    received: list[str] = []
    subscribe(lambda fact, delivery: publish_change(Drizzle()) and received.append("lantern"))
    subscribe(lambda fact, delivery: received.append("drizzle"), kind=Drizzle)

    with transaction.atomic():
        publish(LanternLit(), by=None)

    assert received == ["drizzle", "lantern"]
    assert sorted(FactRecord.objects.values_list("name", flat=True)) == ["facts.Drizzle", "facts.LanternLit"]


def test_receivers_are_called_in_the_order_of_their_subscription(subscribe: Subscribe) -> None:
    for name in ("first", "second", "third"):
        subscribe(lambda fact, delivery, name=name: write_row(name))

    publish_change(LanternLit())

    assert list_rows() == ["the change", "first", "second", "third"]


def test_a_record_has_the_id_of_its_request(john: User, stranger: Api) -> None:
    answer = Api(john).patch("/api/auth/me/", {"first_name": "Johnny"})

    assert FactRecord.objects.get().request_id == answer["X-Request-ID"]


def test_a_record_outside_a_request_has_no_request_id(john: User) -> None:
    Api(john).get("/api/auth/me/")

    assert publish_change(LanternLit(), by=john).request_id == ""
