"""The periodic jobs of core."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from huey.contrib.djhuey import HUEY
from tests.core.conftest import NOW

from core import tasks
from core.accounts.events import ProfileChanged
from core.accounts.models import Login, User
from core.facts.base import Delivery
from core.facts.models import FailedDelivery
from core.facts.publish import publish
from core.facts.registry import RECEIVERS
from core.jobs.models import Sweep
from core.mail.models import Mail
from core.mail.services import enqueue_mail
from core.time import clock as the_clock

pytestmark = pytest.mark.django_db

A_DAY = [(hour, minute) for hour in range(24) for minute in range(60)]


def test_due_mail_is_sent(john: User, mailoutbox: list[EmailMessage]) -> None:
    enqueue_mail(kind="welcome", address=john.email, user=john)

    tasks.send_mail_that_is_due.call_local()

    assert [mail.to for mail in mailoutbox] == [["john@example.com"]]


def test_a_task_that_runs_twice_sends_a_mail_once(john: User, mailoutbox: list[EmailMessage]) -> None:
    enqueue_mail(kind="welcome", address=john.email, user=john)

    for _ in range(2):
        tasks.wake_sender.call_local()

    assert len(mailoutbox) == 1


# A task closes its connection at its end.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("minutes", "sent"), [(4, 1), (6, 0)])
def test_an_expired_wake_up_is_dropped(
    john: User, mailoutbox: list[EmailMessage], clock: Any, minutes: int, sent: int
) -> None:
    """Without a worker thousands may pile up; the periodic job finds the work."""
    enqueue_mail(kind="welcome", address=john.email, user=john)
    HUEY.flush()
    tasks.wake_sender()
    clock.shift(timedelta(minutes=minutes))

    HUEY.execute(HUEY.dequeue())

    assert len(mailoutbox) == sent


def test_failed_deliveries_are_retried(john: User, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[Delivery] = []
    monkeypatch.setitem(RECEIVERS, "tests.receiver", lambda fact, delivery: received.append(delivery))
    record = publish(ProfileChanged(member_id=john.pk), by=john)
    FailedDelivery.objects.create(fact=record, receiver="tests.receiver", error="no", failed_at=NOW, next_try_at=NOW)

    tasks.serve_receivers_again.call_local()

    assert [(delivery.fact_id, delivery.is_retry) for delivery in received] == [(record.pk, True)]


def test_old_mail_is_deleted(john: User, mailoutbox: list[EmailMessage], clock: Any) -> None:
    enqueue_mail(kind="welcome", address=john.email, user=john)
    tasks.send_mail_that_is_due.call_local()
    clock.shift(timedelta(days=31))

    tasks.forget_mail_that_is_done.call_local()

    assert not Mail.objects.exists()


def test_ended_logins_are_deleted_after_a_month(john: User, clock: Any) -> None:
    ended = Login.objects.create(user=john, created_at=NOW, ended_at=NOW)
    expired = Login.objects.create(user=john, created_at=NOW - timedelta(days=14))
    open_still = Login.objects.create(user=john, created_at=NOW + timedelta(days=10))
    clock.shift(timedelta(days=30))
    tasks.forget_logins_that_are_over.call_local()
    assert set(Login.objects.all()) == {ended, expired, open_still}

    clock.shift(timedelta(days=1))
    tasks.forget_logins_that_are_over.call_local()

    assert set(Login.objects.all()) == {open_still}


@pytest.mark.parametrize(
    "task",
    [
        "send_mail_that_is_due",
        "serve_receivers_again",
        "forget_mail_that_is_done",
        "forget_logins_that_are_over",
    ],
)
def test_the_worker_is_woken_for_each_job_every_minute(task: str) -> None:
    (found,) = [each for each in HUEY._registry.periodic_tasks if type(each).__name__.endswith(task)]

    woken = [found.validate_datetime(NOW.replace(hour=hour, minute=minute)) for hour, minute in A_DAY]

    assert all(woken)


@pytest.mark.parametrize(
    ("task", "at"), [(tasks.forget_mail_that_is_done, "03:17"), (tasks.forget_logins_that_are_over, "03:23")]
)
def test_old_rows_are_deleted_once_a_night(task: Any, at: str, clock: Any) -> None:
    clock.move_to(NOW.replace(hour=0, minute=0), tick=False)
    task.call_local()
    started = []

    for hour, minute in A_DAY:
        clock.move_to(NOW.replace(hour=hour, minute=minute), tick=False)
        task.call_local()
        if Sweep.objects.filter(started_at=the_clock.now()).exists():
            started.append(f"{hour:02}:{minute:02}")

    assert started == ["00:00", at]
