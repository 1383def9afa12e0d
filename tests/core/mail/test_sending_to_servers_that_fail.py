"""A mail server may refuse, be away or be slow, and no mail is lost by it."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings
from tests.core.conftest import NOW
from tests.core.mail.mails import MINUTE, queue_for, reread
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail import sending
from core.mail.letters import LETTER_WRITERS, Letter
from core.mail.models import Mail
from core.mail.sending import send_due_mail, wake_sender
from core.time import clock as core_clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_an_address_that_is_refused_for_good_is_given_up_at_once(mail: Mail, server: MailServer, clock: Any) -> None:
    server.refused["john@example.com"] = "550 5.1.1 No such mailbox"

    assert send_due_mail() == 1

    reread(mail)
    assert (mail.status, mail.attempts, mail.next_try_at, mail.sent_at) == ("failed", 1, None, None)
    assert "550" in mail.error
    assert "No such mailbox" in mail.error
    clock.shift(timedelta(days=30))
    assert send_due_mail() == 0


def test_an_address_that_is_refused_for_now_is_tried_again(mail: Mail, server: MailServer, clock: Any) -> None:
    server.refused["john@example.com"] = "450 4.2.0 Greylisted"
    send_due_mail()
    assert (reread(mail).status, mail.next_try_at) == ("failed", NOW + MINUTE)

    server.refused.clear()
    clock.shift(MINUTE)
    assert send_due_mail() == 1

    assert server.addressed() == ["john@example.com"]
    assert (reread(mail).status, mail.error, mail.sent_at) == ("sent", "", NOW + MINUTE)


@pytest.mark.parametrize(
    ("answer", "next_try_at"), [("554 5.7.1 Looks like spam", None), ("451 4.3.0 Try later", NOW + MINUTE)]
)
def test_a_mail_whose_content_is_refused_is_given_up_or_tried_again(
    mail: Mail, server: MailServer, answer: str, next_try_at: Any
) -> None:
    server.refuses_all = answer

    send_due_mail()

    assert (reread(mail).status, mail.next_try_at) == ("failed", next_try_at)


def test_a_server_that_refuses_us_is_tried_again(john: User, jane: User, server: MailServer) -> None:
    """What is wrong with our configuration can be put right, and every other mail would meet the same."""
    server.patience = 0
    queue_for(john, jane)

    assert send_due_mail() == 1

    assert list(Mail.objects.order_by("pk").values_list("status", "next_try_at")) == [
        ("failed", NOW + MINUTE),
        ("queued", NOW),
    ]


def test_an_address_that_is_refused_does_not_hold_up_the_others(john: User, jane: User, server: MailServer) -> None:
    server.refused["john@example.com"] = "550 5.1.1 No such mailbox"
    queue_for(john, jane)

    assert send_due_mail() == 2

    assert server.addressed() == ["jane@example.com"]
    assert server.connections == 1


def test_a_mail_that_was_not_taken_is_noted_with_the_reason(mail: Mail, server: MailServer) -> None:
    server.stop()

    send_due_mail()

    reread(mail)
    assert (mail.status, mail.attempts, mail.sent_at, mail.next_try_at) == ("failed", 1, None, NOW + MINUTE)
    assert mail.error.startswith("ConnectionRefusedError: ")


def test_it_is_tried_again_when_its_pause_is_over_and_not_before(mail: Mail, server: MailServer, clock: Any) -> None:
    server.stop()
    send_due_mail()
    server.start()

    clock.shift(MINUTE - timedelta(seconds=1))
    assert send_due_mail() == 0
    assert server.received == []
    clock.shift(timedelta(seconds=1))
    assert send_due_mail() == 1

    assert server.addressed() == ["john@example.com"]
    assert (reread(mail).status, mail.error, mail.next_try_at, mail.sent_at) == ("sent", "", None, NOW + MINUTE)


def test_the_pauses_grow_until_it_is_given_up_after_almost_three_days(
    mail: Mail, server: MailServer, clock: Any
) -> None:
    server.stop()
    pauses = []
    while True:
        send_due_mail()
        if reread(mail).next_try_at is None:
            break
        assert mail.next_try_at is not None
        pauses.append((mail.next_try_at - core_clock.now()) // MINUTE)
        clock.move_to(mail.next_try_at)

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, *[240] * 15]
    assert (mail.status, mail.attempts) == ("failed", 24)
    server.start()
    clock.shift(timedelta(days=30))
    assert send_due_mail() == 0


def test_a_server_that_does_not_answer_is_asked_once_a_sweep(john: User, server: MailServer, clock: Any) -> None:
    """Waiting for it once for each mail would keep the worker from everything else."""
    server.stop()
    queue_for(*[john] * 5)

    assert [send_due_mail() for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]

    server.start()
    clock.shift(MINUTE)
    assert send_due_mail() == 5
    assert server.connections == 1


def test_what_has_not_been_tried_leaves_as_soon_as_the_server_is_back(
    john: User, jane: User, bob: User, server: MailServer
) -> None:
    server.stop()
    queue_for(john, jane, bob)
    assert send_due_mail() == 1

    server.start()
    assert send_due_mail() == 2

    assert server.addressed() == ["bob@example.com", "jane@example.com"]


def test_a_server_that_accepts_and_says_nothing_is_let_go_of(
    mail: Mail, server: MailServer, settings: Settings, silent_port: int
) -> None:
    settings.EMAIL_PORT = silent_port
    settings.EMAIL_TIMEOUT = 0.2

    assert send_due_mail() == 1

    assert (reread(mail).status, mail.next_try_at) == ("failed", NOW + MINUTE)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Where somebody listens and never speaks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_server_that_hangs_up_in_the_middle_gets_the_mail_later(
    mail: Mail, john: User, server: MailServer, clock: Any
) -> None:
    queue_for(john)
    server.hangs_up = 1

    assert send_due_mail() == 2
    assert reread(mail).status == "failed"
    assert mail.error.startswith("SMTPServerDisconnected: ")
    assert len(server.received) == 1
    clock.shift(MINUTE)
    assert send_due_mail() == 1

    assert server.addressed() == ["john@example.com"] * 2


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if each welcome took half a minute. Nobody waits for it here: the clock that measures turns is moved."""
    seconds = 0

    def take_long(mail: Mail) -> Letter | None:
        nonlocal seconds
        seconds += 30
        return write(mail)

    write = LETTER_WRITERS["welcome"]
    monkeypatch.setitem(LETTER_WRITERS, "welcome", take_long)
    monkeypatch.setattr(sending, "monotonic", lambda: seconds)


@pytest.mark.usefixtures("slow")
def test_a_turn_ends_after_a_minute_and_the_next_goes_on(john: User, server: MailServer) -> None:
    """The worker has more to do than to send mail."""
    queue_for(*[john] * 5)

    assert [send_due_mail() for _ in range(4)] == [2, 2, 1, 0]

    assert len(server.received) == 5


@pytest.mark.usefixtures("slow")
def test_wake_ups_do_not_go_on_with_what_a_turn_has_left_until_a_minute_later(
    john: User, server: MailServer, clock: Any
) -> None:
    """There are as many of them as there is news, and one after the other they would take all of the worker's time."""
    queue_for(*[john] * 7)
    send_due_mail()

    clock.shift(MINUTE - timedelta(seconds=1))
    for _ in range(3):
        wake_sender.call_local()
    assert len(server.received) == 2
    # The sweep does.
    send_due_mail()
    assert len(server.received) == 4
    clock.shift(MINUTE)
    wake_sender.call_local()
    assert len(server.received) == 6


def test_wake_ups_leave_a_server_alone_that_did_not_answer_until_a_minute_later(
    john: User, jane: User, server: MailServer, clock: Any
) -> None:
    server.stop()
    queue_for(john, jane)
    for _ in range(3):
        wake_sender.call_local()
    assert list(Mail.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "queued"]

    server.start()
    clock.shift(MINUTE)
    wake_sender.call_local()

    assert server.addressed() == ["jane@example.com", "john@example.com"]


def test_wake_ups_are_heard_again_once_a_turn_has_left_nothing(john: User, jane: User, server: MailServer) -> None:
    server.stop()
    queue_for(john)
    send_due_mail()
    server.start()
    send_due_mail()

    queue_for(jane)
    wake_sender.call_local()

    assert server.addressed() == ["jane@example.com"]


@pytest.mark.usefixtures("slow")
def test_a_clock_that_is_put_back_does_not_make_wake_ups_go_unheard(john: User, server: MailServer, clock: Any) -> None:
    queue_for(*[john] * 3)
    send_due_mail()

    Mail.objects.filter(status="queued").update(next_try_at=NOW - timedelta(days=1))
    clock.move_to(NOW - timedelta(hours=1))
    wake_sender.call_local()

    assert len(server.received) == 3
