"""Errors in letters, killed senders and expired claims lose no mail."""

from collections.abc import Iterator
from datetime import timedelta
from smtplib import SMTP
from typing import Any

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from tests.core.conftest import NOW
from tests.core.mail.mails import MINUTE, queue_welcome_mails, reload_mail
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail import sending
from core.mail.claiming import CLAIM_TIMEOUT, MAX_ATTEMPTS
from core.mail.letters import LETTER_WRITERS, Letter
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from core.mail.services import enqueue_mail
from core.time import clock as core_clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.mark.parametrize("error", [ZeroDivisionError, ConnectionError, TimeoutError])
def test_an_error_in_one_letter_does_not_block_others(
    john: User, jane: User, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """An error in a letter says nothing about the mail server."""

    def fail(mail: Mail) -> Letter:
        raise error

    monkeypatch.setitem(LETTER_WRITERS, "broken", fail)
    enqueue_mail(kind="broken", address=john.email, user=john)
    enqueue_mail(kind="no such kind", address=john.email, user=john)
    queue_welcome_mails(jane)

    assert send_due_mail() == 3

    assert [mail.to for mail in mailoutbox] == [["jane@example.com"]]
    assert list(Mail.objects.order_by("pk").values_list("status", "next_try_at")) == [
        ("failed", NOW + MINUTE),
        ("failed", NOW + MINUTE),
        ("sent", None),
    ]


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize(
    "address",
    [
        "john@example.com\r\nBcc: victim@example.com",
        "john@example.com, victim@example.com",
        f"john@{'x' * 64}.example",
        "john@\ud800.example",
        "john\ud800@example.com",
        "@",
        "john@",
    ],
)
def test_an_unwritable_address_is_given_up_at_once(
    john: User, jane: User, server: MailServer, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    letter = Letter(subject="Hi", reader="John", paragraphs=(), to=address)
    monkeypatch.setitem(LETTER_WRITERS, "forged", lambda mail: letter)
    enqueue_mail(kind="forged", address=john.email, user=john)
    queue_welcome_mails(jane)

    assert send_due_mail() == 2

    assert server.list_recipients() == ["jane@example.com"]
    assert list(Mail.objects.order_by("pk").values_list("status", "next_try_at")) == [("failed", None), ("sent", None)]


@pytest.mark.usefixtures("unlogged")
def test_an_invalid_sender_address_is_retried(mail: Mail, server: MailServer, settings: Settings) -> None:
    """Our configuration can be corrected."""
    settings.DEFAULT_FROM_EMAIL = f"noreply@{'x' * 64}.example"

    assert send_due_mail() == 1

    assert server.received == []
    assert (reload_mail(mail).status, mail.next_try_at) == ("failed", NOW + MINUTE)


def test_internationalized_addresses_are_sent(john: User, server: MailServer) -> None:
    enqueue_mail(kind="welcome", address="john@bücher.example", user=john)

    assert send_due_mail() == 1

    assert server.list_recipients() == ["john@xn--bcher-kva.example"]


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 1_000_000], ids=["NUL", "lone surrogate", "long"])
def test_any_error_text_can_be_stored(mail: Mail, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def fail(mail: Mail) -> Letter:
        raise ValueError(text)

    monkeypatch.setitem(LETTER_WRITERS, "welcome", fail)

    send_due_mail()

    reload_mail(mail)
    assert mail.status == "failed"
    assert mail.error.startswith("ValueError: ")
    assert len(mail.error) < 5000


class Killed(BaseException):
    """Stands for the end of a killed process."""


@pytest.fixture
def killing_letter(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Writing a welcome kills the process."""

    def die(mail: Mail) -> Letter:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setitem(LETTER_WRITERS, "welcome", die)
        yield patch


def test_the_mail_of_a_killed_sender_is_retried_after_the_claim_timeout(
    mail: Mail, killing_letter: pytest.MonkeyPatch, mailoutbox: list[EmailMessage], clock: Any
) -> None:
    with pytest.raises(Killed):
        send_due_mail()
    killing_letter.undo()
    assert (reload_mail(mail).status, mail.attempts, mail.next_try_at) == ("sending", 1, NOW + CLAIM_TIMEOUT)

    clock.shift(CLAIM_TIMEOUT - timedelta(seconds=1))
    assert send_due_mail() == 0
    clock.shift(timedelta(seconds=1))
    assert send_due_mail() == 1

    assert len(mailoutbox) == 1
    assert (reload_mail(mail).status, mail.attempts) == ("sent", 2)


def test_a_mail_that_kills_every_sender_is_given_up(mail: Mail, killing_letter: pytest.MonkeyPatch, clock: Any) -> None:
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            send_due_mail()
        clock.shift(CLAIM_TIMEOUT)

    assert send_due_mail() == 0

    reload_mail(mail)
    assert (mail.status, mail.attempts, mail.next_try_at) == ("failed", MAX_ATTEMPTS, None)
    assert mail.error == "The sender died during the last attempt."


def test_the_periodic_job_finds_a_mail_without_a_wake_up(
    mail: Mail, mailoutbox: list[EmailMessage], clock: Any
) -> None:
    """The process died between the commit and the wake-up."""
    clock.shift(timedelta(days=1))

    send_due_mail()

    assert len(mailoutbox) == 1


def test_a_sender_with_an_expired_claim_records_nothing(
    mail: Mail, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    """The machine was suspended while the letter was written, and another worker has sent it since."""

    def write_too_late(mail: Mail) -> Letter:
        Mail.objects.update(status="sent", attempts=2, sent_at=NOW, next_try_at=None)
        raise ValueError("too late")

    monkeypatch.setitem(LETTER_WRITERS, "welcome", write_too_late)

    send_due_mail()

    assert (reload_mail(mail).status, mail.attempts, mail.error, mail.next_try_at) == ("sent", 2, "", None)


def test_deleting_the_member_while_sending_is_no_error(
    john: User, jane: User, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    def delete(mail: Mail) -> None:
        User.objects.filter(pk=john.pk).delete()

    monkeypatch.setitem(LETTER_WRITERS, "farewell", delete)
    enqueue_mail(kind="farewell", address=john.email, user=john)
    queue_welcome_mails(jane)

    assert send_due_mail() == 2

    assert [mail.to for mail in mailoutbox] == [["jane@example.com"]]


def test_the_claim_timeout_exceeds_the_slowest_exchange(
    john: User, server: MailServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept connection fails with its last answer, and the mail goes over another: each answer, and the mail itself on
    its way there, may take as long as a connection waits."""
    answers = 0

    def count(connection: SMTP) -> tuple[int, bytes]:
        nonlocal answers
        answers += 1
        return get_reply(connection)

    get_reply = SMTP.getreply
    write = LETTER_WRITERS["welcome"]

    def hang_up(mail: Mail) -> Letter | None:
        nonlocal answers
        answers = 0
        server.dropped_mails = 1
        return write(mail)

    monkeypatch.setitem(LETTER_WRITERS, "last", hang_up)
    monkeypatch.setattr(SMTP, "getreply", count)
    # Not QUIT, which follows the record of the result.
    monkeypatch.setattr(sending, "record_result", lambda *_, **__: seen.append(answers))
    seen: list[int] = []
    queue_welcome_mails(john)
    enqueue_mail(kind="last", address=john.email, user=john)

    send_due_mail()

    # With TLS and a login: another EHLO, STARTTLS, two for the handshake, and the login. Before all of them two
    # addresses to connect to, and twice the mail itself.
    most = seen[1] + 5 + 2 + 2
    assert most * timedelta(seconds=settings.EMAIL_TIMEOUT) <= CLAIM_TIMEOUT


@pytest.mark.parametrize("attempts", [2, 3])
def test_all_attempts_have_the_same_message_id(mail: Mail, server: MailServer, clock: Any, attempts: int) -> None:
    """The server has accepted the mail, but its response was lost."""
    for _ in range(attempts):
        send_due_mail()
        clock.shift(CLAIM_TIMEOUT)
        Mail.objects.update(status="sending", next_try_at=core_clock.now(), sent_at=None)

    assert [message["Message-ID"] for message in server.received] == [server.received[0]["Message-ID"]] * attempts
