"""Constraints, and skipping members who were notified before."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from tests.modules.notifications.conftest import NOW

from core.facts.models import FactRecord
from core.mail.models import Mail
from modules.notifications.kinds import Kind
from modules.notifications.models import Notification, Preference
from modules.notifications.services.notifying import notify
from modules.notifications.texts import Text

TEXT = Text(title="Title", message="Message.")


@pytest.fixture
def fact(db: None) -> FactRecord:
    return FactRecord.objects.create(name="tests.SomethingHappened", occurred_at=NOW, payload={})


def create(fact: FactRecord, user: Any, **values: Any) -> Notification:
    return Notification.objects.create(
        **{
            "fact": fact,
            "user": user,
            "type": "general",
            "kind": "reminder",
            "title": "",
            "message": "",
            "created_at": NOW,
            **values,
        }
    )


def test_a_member_has_one_notification_of_a_fact(fact: FactRecord, john: Any, jane: Any) -> None:
    create(fact, john)
    create(fact, jane)

    with pytest.raises(IntegrityError), transaction.atomic():
        create(fact, john)


def test_an_unknown_type_is_refused(fact: FactRecord, john: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        create(fact, john, type="gossip")


def test_a_fact_with_notifications_cannot_be_deleted(fact: FactRecord, john: Any) -> None:
    create(fact, john)

    with pytest.raises(ProtectedError):
        fact.delete()


def test_an_unknown_kind_is_refused(fact: FactRecord, john: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        create(fact, john, kind="gossip")


def test_a_member_has_one_preference_a_kind(john: Any) -> None:
    values = {"user": john, "kind": "reminder", "in_app": True, "mail": True, "changed_at": NOW}
    Preference.objects.create(**values)

    with pytest.raises(IntegrityError), transaction.atomic():
        Preference.objects.create(**values)


def tell(fact: FactRecord, texts: dict[Any, Text]) -> None:
    notify(
        fact_id=fact.pk,
        type=Notification.Type.GENERAL,
        kind=Kind.REMINDER,
        topic="tests",
        session_id=None,
        at_once=False,
        texts=texts,
    )


def test_members_with_a_notification_of_the_fact_are_skipped(fact: FactRecord, john: Any, jane: Any) -> None:
    create(fact, john, message="First.")

    with transaction.atomic():
        tell(fact, {john: TEXT, jane: TEXT})

    assert dict(Notification.objects.values_list("user_id", "message")) == {john.pk: "First.", jane.pk: "Message."}


def test_notifying_nobody_does_nothing(fact: FactRecord) -> None:
    tell(fact, {})

    assert not Notification.objects.exists()
    assert not Mail.objects.exists()
