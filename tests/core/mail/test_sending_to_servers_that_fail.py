"""Mail servers that refuse, are unavailable or slow."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings
from tests.core.conftest import NOW
from tests.core.mail.mails import MINUTE, queue_welcome_mails, reload_mail
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail import sending
from core.mail.letters import LETTER_WRITERS, Letter
from core.mail.models import Mail
from core.mail.sending import send_due_mail, wake_sender
from core.time import clock as core_clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_a_permanently_refused_recipient_is_given_up_at_once(mail: Mail, server: MailServer, clock: Any) -> None:
    server.rcpt_replies["john@example.com"] = "550 5.1.1 No such mailbox"

    assert send_due_mail() == 1

    reload_mail(mail)
    assert (mail.status, mail.attempts, mail.next_try_at, mail.sent_at) == ("failed", 1, None, None)
    assert "550" in mail.error
    assert "No such mailbox" in mail.error
    clock.shift(timedelta(days=30))
    assert send_due_mail() == 0


def test_a_temporarily_refused_recipient_is_retried(mail: Mail, server: MailServer, clock: Any) -> None:
    server.rcpt_replies["john@example.com"] = "450 4.2.0 Greylisted"
    send_due_mail()
    assert (reload_mail(mail).status, mail.next_try_at) == ("failed", NOW + MINUTE)

    server.rcpt_replies.clear()
    clock.shift(MINUTE)
    assert send_due_mail() == 1

    assert server.list_recipients() == ["john@example.com"]
    assert (reload_mail(mail).status, mail.error, mail.sent_at) == ("sent", "", NOW + MINUTE)


@pytest.mark.parametrize(
    ("answer", "next_try_at"), [("554 5.7.1 Looks like spam", None), ("451 4.3.0 Try later", NOW + MINUTE)]
)
def test_refused_content_is_given_up_or_retried_by_its_code(
    mail: Mail, server: MailServer, answer: str, next_try_at: Any
) -> None:
    server.data_reply = answer

    send_due_mail()

    assert (reload_mail(mail).status, mail.next_try_at) == ("failed", next_try_at)


def test_a_refused_sender_is_retried(john: User, jane: User, server: MailServer) -> None:
    """Our configuration can be corrected, and every other mail would fail too."""
    server.max_mails_per_connection = 0
    queue_welcome_mails(john, jane)

    assert send_due_mail() == 1

    assert list(Mail.objects.order_by("pk").values_list("status", "next_try_at")) == [
        ("failed", NOW + MINUTE),
        ("queued", NOW),
    ]


def test_a_refused_recipient_does_not_block_others(john: User, jane: User, server: MailServer) -> None:
    server.rcpt_replies["john@example.com"] = "550 5.1.1 No such mailbox"
    queue_welcome_mails(john, jane)

    assert send_due_mail() == 2

    assert server.list_recipients() == ["jane@example.com"]
    assert server.connections == 1


def test_a_failed_mail_is_stored_with_its_error(mail: Mail, server: MailServer) -> None:
    server.stop()

    send_due_mail()

    reload_mail(mail)
    assert (mail.status, mail.attempts, mail.sent_at, mail.next_try_at) == ("failed", 1, None, NOW + MINUTE)
    assert mail.error.startswith("ConnectionRefusedError: ")


def test_a_failed_mail_is_retried_after_its_delay(mail: Mail, server: MailServer, clock: Any) -> None:
    server.stop()
    send_due_mail()
    server.start()

    clock.shift(MINUTE - timedelta(seconds=1))
    assert send_due_mail() == 0
    assert server.received == []
    clock.shift(timedelta(seconds=1))
    assert send_due_mail() == 1

    assert server.list_recipients() == ["john@example.com"]
    assert (reload_mail(mail).status, mail.error, mail.next_try_at, mail.sent_at) == ("sent", "", None, NOW + MINUTE)


def test_delays_grow_until_the_mail_is_given_up_after_almost_three_days(
    mail: Mail, server: MailServer, clock: Any
) -> None:
    server.stop()
    pauses = []
    while True:
        send_due_mail()
        if reload_mail(mail).next_try_at is None:
            break
        assert mail.next_try_at is not None
        pauses.append((mail.next_try_at - core_clock.now()) // MINUTE)
        clock.move_to(mail.next_try_at)

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, *[240] * 15]
    assert (mail.status, mail.attempts) == ("failed", 24)
    server.start()
    clock.shift(timedelta(days=30))
    assert send_due_mail() == 0


def test_an_unavailable_server_is_tried_once_a_run(john: User, server: MailServer, clock: Any) -> None:
    """Waiting for it for each mail would block the worker."""
    server.stop()
    queue_welcome_mails(*[john] * 5)

    assert [send_due_mail() for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]

    server.start()
    clock.shift(MINUTE)
    assert send_due_mail() == 5
    assert server.connections == 1


def test_untried_mails_are_sent_when_the_server_is_back(john: User, jane: User, bob: User, server: MailServer) -> None:
    server.stop()
    queue_welcome_mails(john, jane, bob)
    assert send_due_mail() == 1

    server.start()
    assert send_due_mail() == 2

    assert server.list_recipients() == ["bob@example.com", "jane@example.com"]


def test_a_silent_server_is_disconnected(mail: Mail, server: MailServer, settings: Settings, silent_port: int) -> None:
    settings.EMAIL_PORT = silent_port
    settings.EMAIL_TIMEOUT = 0.2

    assert send_due_mail() == 1

    assert (reload_mail(mail).status, mail.next_try_at) == ("failed", NOW + MINUTE)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_mail_interrupted_by_the_server_is_retried(mail: Mail, john: User, server: MailServer, clock: Any) -> None:
    queue_welcome_mails(john)
    server.dropped_mails = 1

    assert send_due_mail() == 2
    assert reload_mail(mail).status == "failed"
    assert mail.error.startswith("SMTPServerDisconnected: ")
    assert len(server.received) == 1
    clock.shift(MINUTE)
    assert send_due_mail() == 1

    assert server.list_recipients() == ["john@example.com"] * 2


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each welcome takes half a minute of the monotonic clock, which is patched."""
    seconds = 0

    def take_long(mail: Mail) -> Letter | None:
        nonlocal seconds
        seconds += 30
        return write(mail)

    write = LETTER_WRITERS["welcome"]
    monkeypatch.setitem(LETTER_WRITERS, "welcome", take_long)
    monkeypatch.setattr(sending, "monotonic", lambda: seconds)


@pytest.mark.usefixtures("slow")
def test_a_run_ends_after_a_minute_and_the_next_continues(john: User, server: MailServer) -> None:
    """So that the worker gets to other jobs."""
    queue_welcome_mails(*[john] * 5)

    assert [send_due_mail() for _ in range(4)] == [2, 2, 1, 0]

    assert len(server.received) == 5


@pytest.mark.usefixtures("slow")
def test_wake_ups_ignore_a_backlog_for_a_minute(john: User, server: MailServer, clock: Any) -> None:
    """Each news enqueues one: together they would block the worker."""
    queue_welcome_mails(*[john] * 7)
    send_due_mail()

    clock.shift(MINUTE - timedelta(seconds=1))
    for _ in range(3):
        wake_sender.call_local()
    assert len(server.received) == 2
    # The periodic job does.
    send_due_mail()
    assert len(server.received) == 4
    clock.shift(MINUTE)
    wake_sender.call_local()
    assert len(server.received) == 6


def test_wake_ups_ignore_an_unavailable_server_for_a_minute(
    john: User, jane: User, server: MailServer, clock: Any
) -> None:
    server.stop()
    queue_welcome_mails(john, jane)
    for _ in range(3):
        wake_sender.call_local()
    assert list(Mail.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "queued"]

    server.start()
    clock.shift(MINUTE)
    wake_sender.call_local()

    assert server.list_recipients() == ["jane@example.com", "john@example.com"]


def test_wake_ups_send_again_after_a_run_without_backlog(john: User, jane: User, server: MailServer) -> None:
    server.stop()
    queue_welcome_mails(john)
    send_due_mail()
    server.start()
    send_due_mail()

    queue_welcome_mails(jane)
    wake_sender.call_local()

    assert server.list_recipients() == ["jane@example.com"]


@pytest.mark.usefixtures("slow")
def test_wake_ups_send_after_the_clock_was_set_back(john: User, server: MailServer, clock: Any) -> None:
    queue_welcome_mails(*[john] * 3)
    send_due_mail()

    Mail.objects.filter(status="queued").update(next_try_at=NOW - timedelta(days=1))
    clock.move_to(NOW - timedelta(hours=1))
    wake_sender.call_local()

    assert len(server.received) == 3
