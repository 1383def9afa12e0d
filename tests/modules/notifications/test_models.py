"""What the database itself holds to."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from tests.modules.notifications.conftest import NOW

from core.facts.models import FactRecord
from modules.notifications import services
from modules.notifications.models import Notification
from modules.notifications.texts import Text

TEXT = Text(title="Title", message="Message.")


@pytest.fixture
def fact(db: None) -> FactRecord:
    return FactRecord.objects.create(name="tests.SomethingHappened", occurred_at=NOW, payload={})


def create(fact: FactRecord, user: Any, **values: Any) -> Notification:
    return Notification.objects.create(
        **{"fact": fact, "user": user, "type": "general", "title": "", "message": "", "created_at": NOW, **values}
    )


def test_nobody_is_told_twice_of_one_fact(fact: FactRecord, john: Any, jane: Any) -> None:
    create(fact, john)
    create(fact, jane)

    with pytest.raises(IntegrityError), transaction.atomic():
        create(fact, john)


def test_an_unknown_type_is_refused(fact: FactRecord, john: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        create(fact, john, type="gossip")


def test_a_fact_that_somebody_was_told_of_stays(fact: FactRecord, john: Any) -> None:
    create(fact, john)

    with pytest.raises(ProtectedError):
        fact.delete()


def test_telling_passes_over_whom_the_fact_told_before(fact: FactRecord, john: Any, jane: Any) -> None:
    create(fact, john, message="First.")

    services.notify(
        fact_id=fact.pk,
        kind=Notification.Type.GENERAL,
        session_id=None,
        texts={john.pk: TEXT, jane.pk: TEXT},
    )

    assert dict(Notification.objects.values_list("user_id", "message")) == {john.pk: "First.", jane.pk: "Message."}


def test_telling_nobody_does_nothing(fact: FactRecord) -> None:
    services.notify(fact_id=fact.pk, kind=Notification.Type.GENERAL, session_id=None, texts={})

    assert not Notification.objects.exists()
