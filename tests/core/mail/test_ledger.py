"""The ledger of mails: each is sent once, by whoever finds it, and no failure loses it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from huey.contrib.djhuey import HUEY
from tests.core.conftest import NOW, ReadMail
from tests.core.threads import at_once

from core.accounts.models import User
from core.mail import services
from core.mail.letters import WRITERS
from core.mail.models import Mail
from core.mail.services import MOST_ATTEMPTS, forget_old_mail, queue_mail, send_due_mail, send_one

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def mail(john: User) -> Mail:
    """Queued for John."""
    queue_mail(kind="welcome", address=john.email, user=john)
    return Mail.objects.get()


class Server:
    """A mail server that is down as long as it is told to be, and refuses some."""

    def __init__(self) -> None:
        self.down = True
        self.refused: set[str] = set()
        self.calls = 0

    def send_messages(self, messages: list[EmailMessage]) -> int:
        self.calls += 1
        if self.down:
            raise SMTPServerDisconnected("Connection unexpectedly closed")
        if self.refused & {address for message in messages for address in message.to}:
            raise SMTPRecipientsRefused({})
        return EmailBackend().send_messages(messages)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, mailoutbox: Any) -> Server:
    """Between us and the mailboxes, and down."""
    server = Server()

    class Backend(EmailBackend):
        def send_messages(self, messages: Any) -> int:
            return server.send_messages(messages)

    monkeypatch.setattr(services, "get_connection", Backend)
    return server


def reread(mail: Mail) -> Mail:
    mail.refresh_from_db()
    return mail


# --- Once -------------------------------------------------------------------------------------------------------


def test_a_mail_is_a_row_before_it_is_sent(mail: Mail, john: User, mailoutbox: list[EmailMessage]) -> None:
    assert (mail.kind, mail.address, mail.user, mail.status) == ("welcome", "john@example.com", john, "queued")
    assert (mail.queued_at, mail.next_try_at, mail.sent_at, mail.attempts) == (NOW, NOW, None, 0)
    assert mailoutbox == []


def test_a_queued_mail_is_sent_and_noted(mail: Mail, mailoutbox: list[EmailMessage], clock: Any) -> None:
    clock.shift(MINUTE)

    assert send_due_mail() == 1

    assert [(each.to, each.subject) for each in mailoutbox] == [(["john@example.com"], "Welcome to Peer Learning")]
    assert mailoutbox[0].from_email == "Peer Learning <noreply@localhost>"
    reread(mail)
    assert (mail.status, mail.sent_at, mail.attempts, mail.next_try_at) == ("sent", NOW + MINUTE, 1, None)


def test_a_sent_mail_is_not_sent_again(mail: Mail, mailoutbox: list[EmailMessage], clock: Any) -> None:
    send_one(mail.pk)

    for _ in range(3):
        clock.shift(timedelta(days=1))
        send_one(mail.pk)
        assert send_due_mail() == 0

    assert len(mailoutbox) == 1


def test_a_mail_that_is_gone_is_no_error(db: None, mailoutbox: list[EmailMessage]) -> None:
    send_one(12345)

    assert mailoutbox == []


def test_nothing_is_queued_without_an_address(john: User) -> None:
    queue_mail(kind="welcome", address="", user=john)

    assert not Mail.objects.exists()


def test_a_mail_to_nobody_is_dropped(db: None, mailoutbox: list[EmailMessage], clock: Any) -> None:
    queue_mail(kind="password_reset", address="nobody@example.com", user=None)

    send_due_mail()

    mail = Mail.objects.get()
    assert (mail.status, mail.next_try_at, mail.sent_at) == ("dropped", None, None)
    assert mailoutbox == []


def test_a_mail_leaves_with_the_change_that_asked_for_it_or_not_at_all(john: User) -> None:
    with pytest.raises(RuntimeError, match="second thoughts"):
        queue_and_think_again(john)

    assert not Mail.objects.exists()


def queue_and_think_again(user: User) -> None:
    with transaction.atomic():
        queue_mail(kind="welcome", address=user.email, user=user)
        raise RuntimeError("second thoughts")


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_can_be_written(john: User, kind: str, read_mail: ReadMail) -> None:
    john.set_password("learn-together")
    john.save()
    queue_mail(kind=kind, address=john.email, user=john)

    (mail,) = read_mail()

    assert mail.to == ["john@example.com"]
    assert "\n" not in str(mail.subject)
    name = "john_doe" if kind in {"welcome", "address_change"} else "John Doe"
    assert str(mail.body).startswith(f"Hello {name},\n\n")
    assert str(mail.body).endswith("\n\nPeer Learning\n")


@pytest.mark.parametrize("kind", ["welcome", "address_change"])
def test_nobody_writes_to_strangers_through_us(
    make_member: Callable[..., User], kind: str, read_mail: ReadMail
) -> None:
    """The address may be anybody's, and the names whatever one likes."""
    member = make_member("jane", first_name="You have won!", last_name="https://evil.example")
    queue_mail(kind=kind, address="victim@example.com", user=member)

    (mail,) = read_mail()

    assert "won" not in str(mail.body)
    assert "evil" not in str(mail.body)


@pytest.mark.parametrize("kind", sorted(set(WRITERS) - {"password_reset"}))
def test_no_kind_is_written_to_nobody(kind: str, read_mail: ReadMail) -> None:
    queue_mail(kind=kind, address="john@example.com", user=None)

    assert read_mail() == []
    assert Mail.objects.get().status == "dropped"


# --- The worker is woken ----------------------------------------------------------------------------------------


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The mails for which a task was put into the queue."""
    identifiers: list[int] = []
    monkeypatch.setattr(services, "send_mail", identifiers.append)
    return identifiers


def test_the_worker_is_woken_once_the_change_is_committed(
    john: User, woken: list[int], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queue_mail(kind="welcome", address=john.email, user=john)
        assert woken == []

    assert woken == [Mail.objects.get().pk]


def test_a_queue_that_is_down_costs_nothing_but_time(
    john: User,
    monkeypatch: pytest.MonkeyPatch,
    read_mail: ReadMail,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    def fail(mail_id: int) -> None:
        raise ConnectionError("no queue")

    monkeypatch.setattr(services, "send_mail", fail)

    with django_capture_on_commit_callbacks(execute=True):
        queue_mail(kind="welcome", address=john.email, user=john)

    assert len(read_mail()) == 1


@pytest.mark.django_db(transaction=True)
def test_the_task_that_wakes_the_worker_sends_the_mail(
    john: User, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in production, but that the task is run where it is enqueued."""
    monkeypatch.setattr(HUEY, "immediate", True)

    with transaction.atomic():
        queue_mail(kind="welcome", address=john.email, user=john)
        assert mailoutbox == []

    assert [mail.to for mail in mailoutbox] == [["john@example.com"]]
    assert Mail.objects.get().status == "sent"


# --- A server that is down --------------------------------------------------------------------------------------


def test_a_mail_that_was_not_taken_is_noted_with_the_reason(mail: Mail, server: Server) -> None:
    send_due_mail()

    reread(mail)
    assert (mail.status, mail.attempts, mail.sent_at) == ("failed", 1, None)
    assert mail.error == "SMTPServerDisconnected: Connection unexpectedly closed"
    assert mail.next_try_at == NOW + MINUTE


def test_it_is_tried_again_when_its_pause_is_over(
    mail: Mail, server: Server, mailoutbox: list[EmailMessage], clock: Any
) -> None:
    send_due_mail()
    server.down = False

    clock.shift(MINUTE - timedelta(seconds=1))
    assert send_due_mail() == 0
    send_one(mail.pk)
    assert mailoutbox == []
    clock.shift(timedelta(seconds=1))
    assert send_due_mail() == 1

    assert len(mailoutbox) == 1
    reread(mail)
    assert (mail.status, mail.error, mail.next_try_at, mail.sent_at) == ("sent", "", None, NOW + MINUTE)


def test_the_pauses_grow_until_it_is_given_up(mail: Mail, server: Server, clock: Any) -> None:
    pauses = []
    while True:
        send_due_mail()
        if reread(mail).next_try_at is None:
            break
        assert mail.next_try_at is not None
        pauses.append((mail.next_try_at - services.clock.now()) // MINUTE)
        clock.move_to(mail.next_try_at)

    assert pauses == [1, 2, 4, 8, 16, 32, 64]
    assert server.calls == mail.attempts == MOST_ATTEMPTS == 8
    assert mail.status == "failed"
    clock.shift(timedelta(days=30))
    assert send_due_mail() == 0


def test_a_server_that_does_not_answer_is_asked_once_a_sweep(john: User, server: Server, clock: Any) -> None:
    """Waiting for it once for each mail would keep the worker from everything else."""
    for _ in range(5):
        queue_mail(kind="welcome", address=john.email, user=john)

    assert [send_due_mail() for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]

    assert server.calls == 5
    server.down = False
    clock.shift(MINUTE)
    assert send_due_mail() == 5


def test_an_address_that_is_refused_does_not_hold_up_the_others(
    john: User, jane: User, server: Server, mailoutbox: list[EmailMessage]
) -> None:
    server.down = False
    server.refused = {john.email}
    for user in (john, jane):
        queue_mail(kind="welcome", address=user.email, user=user)

    assert send_due_mail() == 2

    assert [mail.to for mail in mailoutbox] == [["jane@example.com"]]


def test_one_that_cannot_be_written_does_not_hold_up_the_others(
    john: User, jane: User, server: Server, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.down = False
    monkeypatch.setitem(WRITERS, "broken", lambda mail: 1 / 0)  # type: ignore[arg-type, return-value]
    queue_mail(kind="broken", address=john.email, user=john)
    queue_mail(kind="no such kind", address=john.email, user=john)
    queue_mail(kind="welcome", address=jane.email, user=jane)

    send_due_mail()

    assert [mail.to for mail in mailoutbox] == [["jane@example.com"]]
    assert list(Mail.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "failed", "sent"]


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 1_000_000], ids=["NUL", "lone surrogate", "long"])
def test_any_reason_can_be_noted(mail: Mail, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def fail(mail: Mail) -> None:
        raise ValueError(text)

    monkeypatch.setitem(WRITERS, "welcome", fail)  # type: ignore[arg-type]

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

    def die(mail: Mail) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setitem(WRITERS, "welcome", die)  # type: ignore[arg-type]
        yield patch


def test_the_mail_of_a_dead_sender_is_found_again(
    mail: Mail, deadly: pytest.MonkeyPatch, mailoutbox: list[EmailMessage], clock: Any
) -> None:
    with pytest.raises(Killed):
        send_due_mail()
    deadly.undo()

    clock.shift(timedelta(minutes=5, seconds=-1))
    assert send_due_mail() == 0
    clock.shift(timedelta(seconds=1))
    assert send_due_mail() == 1

    assert len(mailoutbox) == 1
    assert (reread(mail).status, mail.attempts) == ("sent", 2)


def test_a_mail_that_kills_every_sender_is_given_up_too(mail: Mail, deadly: pytest.MonkeyPatch, clock: Any) -> None:
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Killed):
            send_due_mail()
        clock.shift(timedelta(hours=2))

    send_due_mail()

    reread(mail)
    assert (mail.status, mail.attempts, mail.next_try_at) == ("failed", MOST_ATTEMPTS, None)
    assert mail.error


def test_a_mail_that_nobody_was_woken_for_is_found(mail: Mail, mailoutbox: list[EmailMessage], clock: Any) -> None:
    """The process died between the commit and the queue."""
    clock.shift(timedelta(days=1))

    send_due_mail()

    assert len(mailoutbox) == 1


# --- Many at once -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_senders_of_one_mail_at_once_send_it_once(
    john: User, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import tasks

    monkeypatch.setattr(tasks, "send_mail", lambda mail_id: None)
    with transaction.atomic():
        queue_mail(kind="welcome", address=john.email, user=john)
    mail_id = Mail.objects.get().pk

    assert at_once(4, lambda: send_one(mail_id)) == [True] * 4

    assert len(mailoutbox) == 1
    assert Mail.objects.get().attempts == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_send_each_mail_once(
    john: User, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import tasks

    monkeypatch.setattr(tasks, "send_mail", lambda mail_id: None)
    with transaction.atomic():
        for number in range(10):
            queue_mail(kind="welcome", address=f"john{number}@example.com", user=john)

    results = at_once(4, send_due_mail)

    assert all(isinstance(result, int) for result in results), results
    assert sorted(mail.to[0] for mail in mailoutbox) == [f"john{number}@example.com" for number in range(10)]
    assert set(Mail.objects.values_list("status", "attempts")) == {("sent", 1)}


# --- What is kept -----------------------------------------------------------------------------------------------


def test_no_row_holds_what_was_written(john: User, read_mail: ReadMail) -> None:
    john.set_password("learn-together")
    john.save()
    for kind in ("password_reset", "address_change"):
        queue_mail(kind=kind, address=john.email, user=john)

    sent = read_mail()

    rows = str(list(Mail.objects.values()))
    assert len(sent) == 2
    for mail in sent:
        (link,) = [word for word in str(mail.body).split() if "token=" in word]
        assert link.split("token=")[1] not in rows


def test_rows_that_are_done_with_are_forgotten_after_thirty_days(
    mail: Mail, server: Server, john: User, clock: Any
) -> None:
    server.down = False
    send_due_mail()
    clock.shift(timedelta(days=30))
    assert forget_old_mail() == 0
    queue_mail(kind="welcome", address=john.email, user=john)
    clock.shift(timedelta(seconds=1))

    assert forget_old_mail() == 1
    assert Mail.objects.get().status == "queued"


def test_a_row_that_still_waits_is_never_forgotten(mail: Mail, clock: Any) -> None:
    clock.shift(timedelta(days=400))

    assert forget_old_mail() == 0
    assert Mail.objects.count() == 1
