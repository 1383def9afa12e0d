"""Publishing a fact: its record, and what commits with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from tests.conftest import Api
from tests.core.conftest import NOW
from tests.core.facts.conftest import Drizzle, Ear, Hear, LanternLit, note, notes, tell

from core.accounts.models import User
from core.facts.base import Delivery
from core.facts.delivery import load_fact
from core.facts.models import FactRecord, FailedDelivery
from core.facts.publish import publish

pytestmark = pytest.mark.django_db


def test_the_record_keeps_who_what_when_why_and_the_values_before_and_after(john: User, clock: Any) -> None:
    record = tell(LanternLit(), by=john, reason="It was dark", changes={"colour": ("red", "green")})

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


def test_what_the_clock_does_has_no_actor() -> None:
    assert tell(LanternLit(), by=None).actor is None


def test_a_fact_about_no_session_and_no_member_has_neither() -> None:
    record = tell(Drizzle())

    assert (record.session_id, record.member_id, record.payload) == (None, None, {"drops": 1})


def test_the_values_before_and_after_are_plain(john: User) -> None:
    later = datetime(2024, 2, 1, tzinfo=UTC)

    record = tell(LanternLit(), changes={"date": (NOW, later), "duration": (60, 90), "colour": (None, "red")})

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
def test_a_fact_comes_back_from_its_record_as_it_was(fact: LanternLit | Drizzle) -> None:
    record = tell(fact)

    assert load_fact(FactRecord.objects.get(pk=record.pk)) == fact


def test_a_receiver_hears_the_fact_and_how_it_came_about(ear: Ear, john: User, clock: Any) -> None:
    record = tell(LanternLit(), by=john, reason="It was dark")

    delivery = Delivery(fact_id=record.pk, occurred_at=NOW, actor_id=john.pk, reason="It was dark", is_retry=False)
    assert ear.heard == [(LanternLit(), delivery)]


def test_only_who_hears_a_kind_is_told_of_it(ear: Ear) -> None:
    tell(Drizzle())

    assert ear.heard == []


def test_what_a_receiver_writes_commits_with_the_change(ear: Ear) -> None:
    tell(LanternLit())

    assert notes() == ["the change", "heard"]


def test_what_a_receiver_writes_rolls_back_with_the_change(ear: Ear) -> None:
    with pytest.raises(RuntimeError, match="second thoughts"):
        publish_and_think_again()

    assert [delivery.is_retry for _, delivery in ear.heard] == [False]
    assert notes() == []
    assert not FactRecord.objects.exists()


def test_a_failure_rolls_back_with_the_change_too(ear: Ear) -> None:
    ear.fails_with = ValueError("no")

    with pytest.raises(RuntimeError, match="second thoughts"):
        publish_and_think_again()

    assert not FailedDelivery.objects.exists()


def publish_and_think_again() -> None:
    with transaction.atomic():
        publish(LanternLit(), by=None)
        raise RuntimeError("second thoughts")


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_the_transaction_of_the_change_is_refused(ear: Ear) -> None:
    with pytest.raises(RuntimeError, match=r"facts\.LanternLit was published outside the transaction of its change"):
        publish(LanternLit(), by=None)

    assert ear.heard == []
    assert not FactRecord.objects.exists()


def test_a_receiver_may_publish_in_its_turn(hear: Hear) -> None:
    heard: list[str] = []
    hear(lambda fact, delivery: tell(Drizzle()) and heard.append("lantern"))
    hear(lambda fact, delivery: heard.append("drizzle"), kind=Drizzle)

    with transaction.atomic():
        publish(LanternLit(), by=None)

    assert heard == ["drizzle", "lantern"]
    assert sorted(FactRecord.objects.values_list("name", flat=True)) == ["facts.Drizzle", "facts.LanternLit"]


def test_receivers_are_served_in_the_order_in_which_they_were_declared(hear: Hear) -> None:
    for name in ("first", "second", "third"):
        hear(lambda fact, delivery, name=name: note(name))

    tell(LanternLit())

    assert notes() == ["the change", "first", "second", "third"]


def test_a_record_names_the_request_that_it_came_from(john: User, stranger: Api) -> None:
    answer = Api(john).patch("/api/auth/me/", {"first_name": "Johnny"})

    assert FactRecord.objects.get().request_id == answer["X-Request-ID"]


def test_what_happens_outside_a_request_names_none(john: User) -> None:
    Api(john).get("/api/auth/me/")

    assert tell(LanternLit(), by=john).request_id == ""
