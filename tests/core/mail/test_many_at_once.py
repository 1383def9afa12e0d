"""Concurrent senders, as threads and as processes; and other mail backends."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from email import message_from_bytes, message_from_string
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection, connections, transaction
from tests.mail_server import MailServer
from tests.threads import run_in_threads

from core.accounts.models import User
from core.mail import services
from core.mail.letters import LETTER_WRITERS, Letter
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from core.mail.services import enqueue_mail

pytestmark = [
    pytest.mark.system,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clock", "no_wake_ups"),
]

SRC = Path(__file__).resolve().parents[3] / "src"
SEND = "from core.mail.sending import send_due_mail; send_due_mail()"


@pytest.fixture
def no_wake_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wake-ups: the tests call the sender."""
    monkeypatch.setattr(services, "wake_sender", lambda: None)


def queue(user: User, number: int) -> list[str]:
    """Queue so many mails; return their recipients."""
    addresses = [f"john{each:02}@example.com" for each in range(number)]
    with transaction.atomic():
        for address in addresses:
            enqueue_mail(kind="welcome", address=address, user=user)
    return addresses


class Process:
    """A process that sends what is due in the test's database."""

    def __init__(self, tmp_path: Path, email_url: str) -> None:
        settings = connection.settings_dict
        if connection.vendor == "sqlite":
            database_url = f"sqlite:///{settings['NAME']}"
        else:
            access = f"{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}"
            database_url = f"postgres://{access}/{settings['NAME']}"
        self.process = subprocess.Popen(
            [sys.executable, str(SRC / "manage.py"), "shell", "--no-imports", "--command", SEND],
            env={
                "PATH": os.environ["PATH"],
                "DATA_DIR": str(tmp_path),
                "DATABASE_URL": database_url,
                "EMAIL_URL": email_url,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def output(self) -> str:
        out, errors = self.process.communicate(timeout=60)
        assert (self.process.returncode, errors) == (0, "")
        return out


def test_concurrent_processes_send_each_mail_once(john: User, server: MailServer, tmp_path: Path) -> None:
    addresses = queue(john, 30)
    # They wait for each other, so that they send at the same time.
    server.min_connections = 3

    processes = [Process(tmp_path, f"smtp://127.0.0.1:{server.port}") for _ in range(3)]
    for process in processes:
        process.output()

    assert server.list_recipients() == addresses
    assert set(Mail.objects.values_list("status", "attempts")) == {("sent", 1)}
    assert server.connections == 3


def test_concurrent_threads_send_each_mail_once(john: User, server: MailServer) -> None:
    addresses = queue(john, 20)

    results = run_in_threads(4, send_due_mail)

    assert all(isinstance(result, int) for result in results), results
    assert sum(results) == 20
    assert server.list_recipients() == addresses
    assert set(Mail.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_a_second_thread_does_not_wait_and_the_first_sends_its_mail(
    john: User, jane: User, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, second_is_done = threading.Event(), threading.Event()

    def write_when_the_second_is_done(mail: Mail) -> Letter | None:
        writing.set()
        assert second_is_done.wait(10)
        return LETTER_WRITERS["welcome"](mail)

    monkeypatch.setitem(LETTER_WRITERS, "slow", write_when_the_second_is_done)
    enqueue_mail(kind="slow", address=john.email, user=john)
    taken_up: list[int] = []
    first = in_thread(lambda: taken_up.append(send_due_mail()))
    assert writing.wait(10)
    enqueue_mail(kind="welcome", address=jane.email, user=jane)

    assert send_due_mail() == 0

    second_is_done.set()
    first.join()
    assert taken_up == [2]
    assert server.list_recipients() == ["jane@example.com", "john@example.com"]


def test_a_run_requested_while_another_ends_is_not_lost(
    john: User, jane: User, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has found nothing due, and still holds the lock when the second one comes."""
    close = EmailBackend.close
    seconds: list[Any] = []

    def close_late(backend: EmailBackend) -> None:
        monkeypatch.setattr(EmailBackend, "close", close)
        enqueue_mail(kind="welcome", address=jane.email, user=jane)
        seconds.extend(run_in_threads(1, send_due_mail))
        close(backend)

    monkeypatch.setattr(EmailBackend, "close", close_late)
    enqueue_mail(kind="welcome", address=john.email, user=john)

    assert send_due_mail() == 2

    assert seconds == [0]
    assert server.list_recipients() == ["jane@example.com", "john@example.com"]


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=lambda: (work(), connections.close_all()))
    thread.start()
    return thread


# --- Other mail backends ------------------------------------------------------------------------------------------


def test_mail_can_be_written_to_a_folder(john: User, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    addresses = queue(john, 2)

    assert Process(tmp_path, f"file://{folder}").output() == ""

    written = b"".join(file.read_bytes() for file in folder.iterdir())
    first, second, rest = written.split(b"-" * 79 + b"\n")
    assert rest == b""
    messages = [message_from_bytes(each, policy=default) for each in (first, second)]
    assert [message["To"] for message in messages] == addresses
    for message in messages:
        text = message.get_body(("plain",))
        assert text is not None
        assert 'Your account "john_doe" is ready.' in text.get_content()
    assert set(Mail.objects.values_list("status", flat=True)) == {"sent"}


def test_mail_can_be_printed(john: User, tmp_path: Path) -> None:
    (address,) = queue(john, 1)

    printed = Process(tmp_path, "console://").output()

    message = message_from_string(printed, policy=default)
    assert message["To"] == address
    assert 'Your account "john_doe" is ready.' in printed
    assert Mail.objects.get().status == "sent"
