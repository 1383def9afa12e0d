"""Sending: a mail server may refuse, hang up or be away, and a sender may die, and no mail is lost by it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from smtplib import SMTP
from typing import Any

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from tests.core.conftest import NOW
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail import sending, transport
from core.mail.claiming import CLAIM_TIMEOUT, MAX_ATTEMPTS
from core.mail.letters import LETTER_WRITERS, Letter
from core.mail.models import Mail
from core.mail.sending import send_due_mail, wake_sender
from core.mail.services import enqueue_mail
from core.time import clock as core_clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MINUTE = timedelta(minutes=1)


def reread(mail: Mail) -> Mail:
    mail.refresh_from_db()
    return mail


def queue_for(*users: User) -> None:
    for user in users:
        enqueue_mail(kind="welcome", address=user.email, user=user)


# --- A server that refuses --------------------------------------------------------------------------------------


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


# --- A server that is away --------------------------------------------------------------------------------------


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


# --- A server that is slow --------------------------------------------------------------------------------------


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


# --- A connection that is kept ----------------------------------------------------------------------------------


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


# --- A letter that cannot be written ----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, ConnectionError, TimeoutError])
def test_one_that_cannot_be_written_does_not_hold_up_the_others(
    john: User, jane: User, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """Whatever its writer meets says nothing about the mail server."""

    def fail(mail: Mail) -> Letter:
        raise error

    monkeypatch.setitem(LETTER_WRITERS, "broken", fail)
    enqueue_mail(kind="broken", address=john.email, user=john)
    enqueue_mail(kind="no such kind", address=john.email, user=john)
    queue_for(jane)

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
def test_an_address_that_no_mail_can_carry_is_given_up_at_once(
    john: User, jane: User, server: MailServer, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    letter = Letter(subject="Hi", reader="John", paragraphs=(), to=address)
    monkeypatch.setitem(LETTER_WRITERS, "forged", lambda mail: letter)
    enqueue_mail(kind="forged", address=john.email, user=john)
    queue_for(jane)

    assert send_due_mail() == 2

    assert server.addressed() == ["jane@example.com"]
    assert list(Mail.objects.order_by("pk").values_list("status", "next_try_at")) == [("failed", None), ("sent", None)]


@pytest.mark.usefixtures("unlogged")
def test_a_sender_that_no_mail_can_carry_costs_none_its_attempts(
    mail: Mail, server: MailServer, settings: Settings
) -> None:
    """What is wrong with our configuration can be put right."""
    settings.DEFAULT_FROM_EMAIL = f"noreply@{'x' * 64}.example"

    assert send_due_mail() == 1

    assert server.received == []
    assert (reread(mail).status, mail.next_try_at) == ("failed", NOW + MINUTE)


def test_an_address_of_another_alphabet_is_written(john: User, server: MailServer) -> None:
    enqueue_mail(kind="welcome", address="john@bücher.example", user=john)

    assert send_due_mail() == 1

    assert server.addressed() == ["john@xn--bcher-kva.example"]


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 1_000_000], ids=["NUL", "lone surrogate", "long"])
def test_any_reason_can_be_noted(mail: Mail, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def fail(mail: Mail) -> Letter:
        raise ValueError(text)

    monkeypatch.setitem(LETTER_WRITERS, "welcome", fail)

    send_due_mail()

    reread(mail)
    assert mail.status == "failed"
    assert mail.error.startswith("ValueError: ")
    assert len(mail.error) < 5000


# --- A sender that dies -----------------------------------------------------------------------------------------


class Killed(BaseException):
    """What a process that is killed never gets to see."""


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Whoever writes a welcome is killed by it."""

    def die(mail: Mail) -> Letter:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setitem(LETTER_WRITERS, "welcome", die)
        yield patch


def test_the_mail_of_a_dead_sender_is_found_again(
    mail: Mail, deadly: pytest.MonkeyPatch, mailoutbox: list[EmailMessage], clock: Any
) -> None:
    with pytest.raises(Killed):
        send_due_mail()
    deadly.undo()
    assert (reread(mail).status, mail.attempts, mail.next_try_at) == ("sending", 1, NOW + CLAIM_TIMEOUT)

    clock.shift(CLAIM_TIMEOUT - timedelta(seconds=1))
    assert send_due_mail() == 0
    clock.shift(timedelta(seconds=1))
    assert send_due_mail() == 1

    assert len(mailoutbox) == 1
    assert (reread(mail).status, mail.attempts) == ("sent", 2)


def test_a_mail_that_kills_every_sender_is_given_up_too(mail: Mail, deadly: pytest.MonkeyPatch, clock: Any) -> None:
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            send_due_mail()
        clock.shift(CLAIM_TIMEOUT)

    assert send_due_mail() == 0

    reread(mail)
    assert (mail.status, mail.attempts, mail.next_try_at) == ("failed", MAX_ATTEMPTS, None)
    assert mail.error == "Whoever tried to send it did not live to tell."


def test_a_mail_that_nobody_was_woken_for_is_found(mail: Mail, mailoutbox: list[EmailMessage], clock: Any) -> None:
    """The process died between the commit and the queue."""
    clock.shift(timedelta(days=1))

    send_due_mail()

    assert len(mailoutbox) == 1


def test_who_held_a_mail_for_too_long_leaves_the_word_to_the_next(
    mail: Mail, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    """The machine slept while the letter was written, and another worker has sent it since."""

    def oversleep(mail: Mail) -> Letter:
        Mail.objects.update(status="sent", attempts=2, sent_at=NOW, next_try_at=None)
        raise ValueError("too late")

    monkeypatch.setitem(LETTER_WRITERS, "welcome", oversleep)

    send_due_mail()

    assert (reread(mail).status, mail.attempts, mail.error, mail.next_try_at) == ("sent", 2, "", None)


def test_a_mail_whose_member_is_deleted_meanwhile_is_no_error(
    john: User, jane: User, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    def delete(mail: Mail) -> None:
        User.objects.filter(pk=john.pk).delete()

    monkeypatch.setitem(LETTER_WRITERS, "farewell", delete)
    enqueue_mail(kind="farewell", address=john.email, user=john)
    queue_for(jane)

    assert send_due_mail() == 2

    assert [mail.to for mail in mailoutbox] == [["jane@example.com"]]


def test_a_mail_is_held_for_longer_than_the_slowest_server_takes(
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
        server.hangs_up = 1
        return write(mail)

    monkeypatch.setitem(LETTER_WRITERS, "last", hang_up)
    monkeypatch.setattr(SMTP, "getreply", count)
    # Not QUIT, which comes once the mail is noted.
    monkeypatch.setattr(sending, "record_result", lambda *_, **__: seen.append(answers))
    seen: list[int] = []
    queue_for(john)
    enqueue_mail(kind="last", address=john.email, user=john)

    send_due_mail()

    # With TLS and a login: another EHLO, STARTTLS, two for the handshake, and the login. Before all of them two
    # addresses to connect to, and twice the mail itself.
    most = seen[1] + 5 + 2 + 2
    assert most * timedelta(seconds=settings.EMAIL_TIMEOUT) <= CLAIM_TIMEOUT


@pytest.mark.parametrize("attempts", [2, 3])
def test_every_attempt_carries_the_same_message_id(mail: Mail, server: MailServer, clock: Any, attempts: int) -> None:
    """The server took the mail, and its answer did not arrive."""
    for _ in range(attempts):
        send_due_mail()
        clock.shift(CLAIM_TIMEOUT)
        Mail.objects.update(status="sending", next_try_at=core_clock.now(), sent_at=None)

    assert [message["Message-ID"] for message in server.received] == [server.received[0]["Message-ID"]] * attempts


# --- One that keeps nobody else waiting -------------------------------------------------------------------------


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
