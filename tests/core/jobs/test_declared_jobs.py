"""What the worker does by itself, and that a task does what the rows say."""

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


def test_mail_that_is_due_goes_out_each_minute(john: User, mailoutbox: list[EmailMessage]) -> None:
    enqueue_mail(kind="welcome", address=john.email, user=john)

    tasks.send_mail_that_is_due.call_local()

    assert [mail.to for mail in mailoutbox] == [["john@example.com"]]


def test_a_task_that_runs_twice_sends_once(john: User, mailoutbox: list[EmailMessage]) -> None:
    enqueue_mail(kind="welcome", address=john.email, user=john)

    for _ in range(2):
        tasks.wake_sender.call_local()

    assert len(mailoutbox) == 1


# A task closes its connection when it is done.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("minutes", "sent"), [(4, 1), (6, 0)])
def test_a_wake_up_that_has_lain_for_long_is_dropped_unseen(
    john: User, mailoutbox: list[EmailMessage], clock: Any, minutes: int, sent: int
) -> None:
    """After a day without a worker thousands may lie there; the sweep finds what they were for."""
    enqueue_mail(kind="welcome", address=john.email, user=john)
    HUEY.flush()
    tasks.wake_sender()
    clock.shift(timedelta(minutes=minutes))

    HUEY.execute(HUEY.dequeue())

    assert len(mailoutbox) == sent


def test_receivers_that_failed_are_served_again_each_minute(
    john: User, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Delivery] = []
    monkeypatch.setitem(RECEIVERS, "tests.ear", lambda fact, delivery: heard.append(delivery))
    record = publish(ProfileChanged(member_id=john.pk), by=john)
    FailedDelivery.objects.create(fact=record, receiver="tests.ear", error="no", failed_at=NOW, next_try_at=NOW)

    tasks.serve_receivers_again.call_local()

    assert [(delivery.fact_id, delivery.is_retry) for delivery in heard] == [(record.pk, True)]


def test_old_mail_is_forgotten_each_night(john: User, mailoutbox: list[EmailMessage], clock: Any) -> None:
    enqueue_mail(kind="welcome", address=john.email, user=john)
    tasks.send_mail_that_is_due.call_local()
    clock.shift(timedelta(days=31))

    tasks.forget_mail_that_is_done.call_local()

    assert not Mail.objects.exists()


def test_logins_that_are_over_are_forgotten_a_month_later(john: User, clock: Any) -> None:
    ended = Login.objects.create(user=john, created_at=NOW, ended_at=NOW)
    ran_out = Login.objects.create(user=john, created_at=NOW - timedelta(days=14))
    open_still = Login.objects.create(user=john, created_at=NOW + timedelta(days=10))
    clock.shift(timedelta(days=30))
    tasks.forget_logins_that_are_over.call_local()
    assert set(Login.objects.all()) == {ended, ran_out, open_still}

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
def test_the_worker_is_woken_each_minute(task: str) -> None:
    (found,) = [each for each in HUEY._registry.periodic_tasks if type(each).__name__.endswith(task)]

    woken = [found.validate_datetime(NOW.replace(hour=hour, minute=minute)) for hour, minute in A_DAY]

    assert all(woken)


@pytest.mark.parametrize(
    ("task", "at"), [(tasks.forget_mail_that_is_done, "03:17"), (tasks.forget_logins_that_are_over, "03:23")]
)
def test_and_forgets_what_is_old_once_a_night(task: Any, at: str, clock: Any) -> None:
    clock.move_to(NOW.replace(hour=0, minute=0), tick=False)
    task.call_local()
    begun = []

    for hour, minute in A_DAY:
        clock.move_to(NOW.replace(hour=hour, minute=minute), tick=False)
        task.call_local()
        if Sweep.objects.filter(started_at=the_clock.now()).exists():
            begun.append(f"{hour:02}:{minute:02}")

    assert begun == ["00:00", at]
