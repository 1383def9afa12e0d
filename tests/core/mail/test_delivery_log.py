"""Queueing, sending, retrying and deleting mails in the delivery log."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from huey.contrib.djhuey import HUEY
from tests.core.conftest import NOW, ReadMail
from tests.threads import run_concurrently

from core.accounts.models import User
from core.mail import services
from core.mail.letters import LETTER_WRITERS
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from core.mail.services import delete_old_mail, enqueue_mail, retry_mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MINUTE = timedelta(minutes=1)


# --- Sending ------------------------------------------------------------------------------------------------------


def test_a_mail_is_stored_before_it_is_sent(mail: Mail, john: User, mailoutbox: list[EmailMessage]) -> None:
    assert (mail.kind, mail.address, mail.user, mail.status) == ("welcome", "john@example.com", john, "queued")
    assert (mail.queued_at, mail.next_try_at, mail.sent_at, mail.attempts) == (NOW, NOW, None, 0)
    assert mailoutbox == []


def test_a_queued_mail_is_sent_and_recorded(mail: Mail, mailoutbox: list[EmailMessage], clock: Any) -> None:
    clock.shift(MINUTE)

    assert send_due_mail() == 1

    assert [(each.to, each.subject) for each in mailoutbox] == [(["john@example.com"], "Welcome to Peer Learning")]
    assert mailoutbox[0].from_email == "Peer Learning <noreply@localhost>"
    mail.refresh_from_db()
    assert (mail.status, mail.sent_at, mail.attempts, mail.next_try_at) == ("sent", NOW + MINUTE, 1, None)


def test_a_sent_mail_is_not_sent_again(mail: Mail, mailoutbox: list[EmailMessage], clock: Any) -> None:
    send_due_mail()

    for _ in range(3):
        clock.shift(timedelta(days=1))
        assert send_due_mail() == 0

    assert len(mailoutbox) == 1


def test_without_an_address_nothing_is_queued(john: User) -> None:
    enqueue_mail(kind="welcome", address="", user=john)

    assert not Mail.objects.exists()


def test_a_mail_without_a_letter_is_dropped(mailoutbox: list[EmailMessage]) -> None:
    enqueue_mail(kind="password_reset", address="nobody@example.com", user=None)

    send_due_mail()

    mail = Mail.objects.get()
    assert (mail.status, mail.next_try_at, mail.sent_at) == ("dropped", None, None)
    assert mailoutbox == []


def test_a_rolled_back_transaction_queues_no_mail(john: User) -> None:
    with pytest.raises(RuntimeError, match="second thoughts"):
        queue_and_roll_back(john)

    assert not Mail.objects.exists()


def queue_and_roll_back(user: User) -> None:
    with transaction.atomic():
        enqueue_mail(kind="welcome", address=user.email, user=user)
        raise RuntimeError("second thoughts")


# --- The letters about an account ---------------------------------------------------------------------------------

ABOUT_ACCOUNTS = ("address_change", "address_changed", "address_taken", "password_changed", "password_reset", "welcome")


@pytest.mark.parametrize("kind", ABOUT_ACCOUNTS)
def test_all_kinds_of_letters_can_be_written(john: User, kind: str, read_mail: ReadMail) -> None:
    john.set_password("learn-together")
    john.save()
    enqueue_mail(kind=kind, address=john.email, user=john)

    (mail,) = read_mail()

    assert mail.to == ["john@example.com"]
    name = "john_doe" if kind in {"welcome", "address_change"} else "John Doe"
    assert str(mail.body).startswith(f"Hello {name},\n\n")
    assert "\n\nPeer Learning\n" in str(mail.body)
    # Letters about an account cannot be unsubscribed from.
    assert "List-Unsubscribe" not in mail.extra_headers


@pytest.mark.parametrize("kind", ["welcome", "address_change"])
def test_letters_to_unconfirmed_addresses_contain_no_full_names(
    make_member: Callable[..., User], kind: str, read_mail: ReadMail
) -> None:
    """Names are free text, and could carry a message to the owner of the address."""
    member = make_member("jane", first_name="You have won!", last_name="https://evil.example")
    enqueue_mail(kind=kind, address="victim@example.com", user=member)

    (mail,) = read_mail()

    written = mail.message().as_string()
    assert "won" not in written
    assert "evil" not in written


@pytest.mark.parametrize("kind", sorted(set(ABOUT_ACCOUNTS) - {"password_reset"}))
def test_letters_of_a_deleted_member_are_not_written(kind: str, read_mail: ReadMail) -> None:
    enqueue_mail(kind=kind, address="john@example.com", user=None)

    assert read_mail() == []
    assert Mail.objects.get().status == "dropped"


@pytest.mark.parametrize("kind", ["welcome", "address_change"])
def test_deactivated_members_get_no_letters_that_ask_for_something(john: User, kind: str, read_mail: ReadMail) -> None:
    enqueue_mail(kind=kind, address=john.email, user=john)
    User.objects.filter(pk=john.pk).update(is_active=False)

    assert read_mail() == []
    assert Mail.objects.get().status == "dropped"


def test_a_letter_about_an_account_goes_to_its_original_address(john: User, read_mail: ReadMail) -> None:
    """It has to reach the old address, which was replaced."""
    enqueue_mail(kind="address_changed", address=john.email, user=john)
    User.objects.filter(pk=john.pk).update(email="thief@example.com")

    assert [mail.to for mail in read_mail()] == [["john@example.com"]]


# --- Wake-ups -----------------------------------------------------------------------------------------------------


@pytest.fixture
def wake_ups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each enqueued task."""
    calls: list[str] = []
    monkeypatch.setattr(services, "wake_sender", lambda: calls.append("wake_ups"))
    return calls


def test_the_worker_is_woken_after_the_commit(
    john: User, wake_ups: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue_mail(kind="welcome", address=john.email, user=john)
        assert wake_ups == []

    assert wake_ups == ["wake_ups"]


def test_a_mail_is_sent_later_if_the_queue_is_unavailable(
    john: User,
    monkeypatch: pytest.MonkeyPatch,
    read_mail: ReadMail,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    def fail() -> None:
        raise ConnectionError("no queue")

    monkeypatch.setattr(services, "wake_sender", fail)

    with django_capture_on_commit_callbacks(execute=True):
        enqueue_mail(kind="welcome", address=john.email, user=john)

    assert len(read_mail()) == 1


@pytest.mark.django_db(transaction=True)
def test_the_task_that_wakes_the_worker_sends_the_mail(
    john: User, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in production, with the task run immediately."""
    monkeypatch.setattr(HUEY, "immediate", True)

    with transaction.atomic():
        enqueue_mail(kind="welcome", address=john.email, user=john)
        assert mailoutbox == []

    assert [mail.to for mail in mailoutbox] == [["john@example.com"]]
    assert Mail.objects.get().status == "sent"


# --- Retrying -----------------------------------------------------------------------------------------------------


def test_a_retried_mail_has_all_attempts_left(
    mail: Mail, wake_ups: list[str], read_mail: ReadMail, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    Mail.objects.update(status="failed", attempts=24, next_try_at=None, error="no such mailbox")

    with django_capture_on_commit_callbacks(execute=True):
        assert retry_mail(mail_ids=[mail.pk]) == 1

    assert wake_ups == ["wake_ups"]
    assert [each.to for each in read_mail()] == [["john@example.com"]]
    mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.error) == ("sent", 1, "")


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "dropped"])
def test_only_failed_mails_are_retried(
    mail: Mail, status: str, wake_ups: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    waits = NOW + MINUTE if status in {"queued", "sending"} else None
    Mail.objects.update(status=status, attempts=1, next_try_at=waits)
    before = Mail.objects.values().get()

    with django_capture_on_commit_callbacks(execute=True):
        assert retry_mail(mail_ids=[mail.pk]) == 0

    assert wake_ups == []
    assert Mail.objects.values().get() == before


# --- Retention ----------------------------------------------------------------------------------------------------


def test_rows_contain_no_text_of_the_letter(john: User, read_mail: ReadMail) -> None:
    john.set_password("learn-together")
    john.save()
    for kind in ("password_reset", "address_change"):
        enqueue_mail(kind=kind, address=john.email, user=john)

    sent = read_mail()

    rows = str(list(Mail.objects.values()))
    assert len(sent) == 2
    for mail in sent:
        (link,) = [word for word in str(mail.body).split() if "token=" in word]
        assert link.split("token=")[1] not in rows


def test_errors_contain_no_text_of_the_letter(mail: Mail, monkeypatch: pytest.MonkeyPatch, read_mail: ReadMail) -> None:
    """The row has the error, but nothing of the letter."""
    monkeypatch.setitem(LETTER_WRITERS, "welcome", lambda mail: "token=secret")  # type: ignore[arg-type, return-value]

    assert read_mail() == []

    mail.refresh_from_db()
    assert mail.status == "failed"
    assert "secret" not in mail.error


def test_settled_rows_are_deleted_after_thirty_days(mail: Mail, john: User, clock: Any) -> None:
    send_due_mail()
    clock.shift(timedelta(days=30))
    assert delete_old_mail() == 0
    enqueue_mail(kind="welcome", address=john.email, user=john)
    clock.shift(timedelta(seconds=1))

    assert delete_old_mail() == 1
    assert Mail.objects.get().status == "queued"


def test_pending_rows_are_never_deleted(mail: Mail, clock: Any) -> None:
    clock.shift(timedelta(days=400))

    assert delete_old_mail() == 0
    assert Mail.objects.count() == 1


def make_old(number: int, **values: Any) -> list[int]:
    """Make so many settled mails older than the retention."""
    values = {"status": "sent", "next_try_at": None, "queued_at": NOW - timedelta(days=31), **values}
    mails = [Mail(kind="welcome", address="john@example.com", **values) for _ in range(number)]
    return [mail.pk for mail in Mail.objects.bulk_create(mails)]


@pytest.mark.django_db(transaction=True)
def test_rows_are_deleted_in_batches() -> None:
    """Others can write in between, and superseded rows are not loaded into memory."""
    (speaker,) = make_old(1)
    make_old(250, status="dropped", superseded_by_id=speaker)

    with CaptureQueriesContext(connection) as queries:
        assert delete_old_mail() == 251

    assert not Mail.objects.exists()
    statements = [query["sql"] for query in queries]
    assert len([sql for sql in statements if sql.startswith("BEGIN")]) == 3
    read = [sql for sql in statements if sql.startswith("SELECT")]
    assert len(read) == 3
    assert all("LIMIT 100" in sql for sql in read)


@pytest.mark.django_db(transaction=True)
def test_a_concurrently_retried_row_is_not_deleted() -> None:
    mails = make_old(400, status="failed")

    def send_some_again() -> int:
        return sum(retry_mail(mail_ids=mails[first : first + 10]) for first in range(390, -1, -10))

    results = run_concurrently(delete_old_mail, send_some_again)

    assert all(isinstance(result, int) for result in results), results
    assert sum(results) == 400
    assert Mail.objects.filter(status="failed", next_try_at=NOW).count() == Mail.objects.count()
    assert Mail.objects.count() in results
