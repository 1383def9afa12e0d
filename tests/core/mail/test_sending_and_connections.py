"""A connection to the mail server is kept for several mails, and a sender keeps nobody waiting."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from pytest_django import Settings
from tests.core.conftest import NOW
from tests.core.mail.mails import MINUTE, queue_for, reread
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail import transport
from core.mail.letters import LETTER_WRITERS, Letter
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from core.mail.services import enqueue_mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_many_mails_go_over_one_connection(john: User, server: MailServer) -> None:
    queue_for(*[john] * 10)

    assert send_due_mail() == 10

    assert len(server.received) == 10
    assert server.connections == 1


def test_a_server_that_takes_few_mails_over_one_connection_gets_them_over_several(
    john: User, server: MailServer
) -> None:
    server.patience = 3
    queue_for(*[john] * 10)

    assert send_due_mail() == 10

    assert len(server.received) == 10
    assert server.connections == 4
    assert set(Mail.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_a_connection_that_has_gone_stale_is_opened_anew(
    john: User, jane: User, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is restarted while the second letter is written."""

    def write_slowly(mail: Mail) -> Letter | None:
        server.stop()
        server.start()
        return LETTER_WRITERS["welcome"](mail)

    monkeypatch.setitem(LETTER_WRITERS, "slow", write_slowly)
    queue_for(john)
    enqueue_mail(kind="slow", address=jane.email, user=jane)

    assert send_due_mail() == 2

    assert server.addressed() == ["jane@example.com", "john@example.com"]
    assert set(Mail.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_the_server_is_left_alone_where_nothing_is_to_be_said(server: MailServer) -> None:
    enqueue_mail(kind="password_reset", address="nobody@example.com", user=None)

    assert send_due_mail() == 1

    assert server.connections == 0


def test_what_the_server_says_last_costs_nothing(mail: Mail, server: MailServer) -> None:
    server.farewell = "x" * 10_000

    assert send_due_mail() == 1

    assert reread(mail).status == "sent"


def test_a_mailbox_at_which_the_server_hangs_up_delays_nobody_else(
    john: User, jane: User, bob: User, server: MailServer
) -> None:
    server.hangs_up_on = {"john@example.com"}
    queue_for(john, jane, bob)

    assert send_due_mail() == 3

    assert server.addressed() == ["bob@example.com", "jane@example.com"]
    assert Mail.objects.get(user=john).status == "failed"


def test_a_server_that_hangs_up_on_everybody_is_left_alone(make_member: Any, server: MailServer) -> None:
    members = [make_member() for _ in range(6)]
    server.hangs_up_on = {member.email for member in members}
    queue_for(*members)

    assert send_due_mail() == 3

    assert Mail.objects.filter(attempts=0).count() == 3


def test_what_was_never_tried_goes_before_what_failed(
    john: User, jane: User, bob: User, server: MailServer, clock: Any
) -> None:
    server.refused = {"john@example.com": "450 4.2.0 Later", "jane@example.com": "450 4.2.0 Later"}
    queue_for(john, jane)
    send_due_mail()
    clock.shift(2 * MINUTE)
    server.refused = {}
    queue_for(bob)

    send_due_mail()

    assert [recipients[0] for recipients in server.recipients] == [bob.email, john.email, jane.email]


@pytest.fixture
def dripping_port() -> Iterator[int]:
    """Where a server listens that goes on greeting for ever, a line now and then."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def greet() -> None:
        with suppress(OSError):
            connected, _ = listener.accept()
            with connected:
                while not ended.wait(0.02):
                    connected.sendall(b"220-wait\r\n")

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    ended.set()
    listener.close()
    thread.join()


def test_a_server_that_never_comes_to_an_end_is_hung_up_on(
    mail: Mail, server: MailServer, settings: Settings, dripping_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it says something: the timeout for each answer alone would wait for ever."""
    settings.EMAIL_PORT = dripping_port
    monkeypatch.setattr(transport, "SERVER_DEADLINE_SECONDS", 0.3)

    assert send_due_mail() == 1

    assert (reread(mail).status, mail.attempts, mail.next_try_at) == ("failed", 1, NOW + MINUTE)
