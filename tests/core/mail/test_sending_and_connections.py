"""Reuse of connections to the mail server, and the order of mails."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from pytest_django import Settings
from tests.core.conftest import NOW
from tests.core.mail.mails import MINUTE, queue_welcome_mails, reload_mail
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail import transport
from core.mail.letters import LETTER_WRITERS, Letter
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from core.mail.services import enqueue_mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_several_mails_share_a_connection(john: User, server: MailServer) -> None:
    queue_welcome_mails(*[john] * 10)

    assert send_due_mail() == 10

    assert len(server.received) == 10
    assert server.connections == 1


def test_a_server_with_a_limit_per_connection_gets_several_connections(john: User, server: MailServer) -> None:
    server.max_mails_per_connection = 3
    queue_welcome_mails(*[john] * 10)

    assert send_due_mail() == 10

    assert len(server.received) == 10
    assert server.connections == 4
    assert set(Mail.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_a_stale_connection_is_reopened(
    john: User, jane: User, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Restarts the server while the second letter is written."""

    def write_slowly(mail: Mail) -> Letter | None:
        server.stop()
        server.start()
        return LETTER_WRITERS["welcome"](mail)

    monkeypatch.setitem(LETTER_WRITERS, "slow", write_slowly)
    queue_welcome_mails(john)
    enqueue_mail(kind="slow", address=jane.email, user=jane)

    assert send_due_mail() == 2

    assert server.list_recipients() == ["jane@example.com", "john@example.com"]
    assert set(Mail.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_without_due_mail_no_connection_is_opened(server: MailServer) -> None:
    enqueue_mail(kind="password_reset", address="nobody@example.com", user=None)

    assert send_due_mail() == 1

    assert server.connections == 0


def test_an_error_at_quit_is_ignored(mail: Mail, server: MailServer) -> None:
    server.quit_reply = "x" * 10_000

    assert send_due_mail() == 1

    assert reload_mail(mail).status == "sent"


def test_an_interrupted_mail_does_not_block_others(john: User, jane: User, bob: User, server: MailServer) -> None:
    server.dropped_recipients = {"john@example.com"}
    queue_welcome_mails(john, jane, bob)

    assert send_due_mail() == 3

    assert server.list_recipients() == ["bob@example.com", "jane@example.com"]
    assert Mail.objects.get(user=john).status == "failed"


def test_several_interruptions_in_a_row_stop_the_run(make_member: Any, server: MailServer) -> None:
    members = [make_member() for _ in range(6)]
    server.dropped_recipients = {member.email for member in members}
    queue_welcome_mails(*members)

    assert send_due_mail() == 3

    assert Mail.objects.filter(attempts=0).count() == 3


def test_untried_mails_are_sent_before_retries(
    john: User, jane: User, bob: User, server: MailServer, clock: Any
) -> None:
    server.rcpt_replies = {"john@example.com": "450 4.2.0 Later", "jane@example.com": "450 4.2.0 Later"}
    queue_welcome_mails(john, jane)
    send_due_mail()
    clock.shift(2 * MINUTE)
    server.rcpt_replies = {}
    queue_welcome_mails(bob)

    send_due_mail()

    assert [recipients[0] for recipients in server.recipients] == [bob.email, john.email, jane.email]


@pytest.fixture
def dripping_port() -> Iterator[int]:
    """The port of a server that sends a line of its greeting now and then, for ever."""
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


def test_a_dripping_server_is_disconnected_at_the_deadline(
    mail: Mail, server: MailServer, settings: Settings, dripping_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timeout of each read alone would never be reached."""
    settings.EMAIL_PORT = dripping_port
    monkeypatch.setattr(transport, "SERVER_DEADLINE_SECONDS", 0.3)

    assert send_due_mail() == 1

    assert (reload_mail(mail).status, mail.attempts, mail.next_try_at) == ("failed", 1, NOW + MINUTE)
