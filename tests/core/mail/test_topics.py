"""Merging of mails about one topic, before sending and after an outage."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connections, transaction
from tests.core.conftest import NOW, ReadMail
from tests.mail_server import MailServer
from tests.threads import run_in_threads

from core.accounts.models import Login, User
from core.mail import services
from core.mail.claiming import CLAIM_TIMEOUT
from core.mail.letters import LETTER_WRITERS, Letter
from core.mail.models import Mail
from core.mail.rendering import build_message_id
from core.mail.sending import send_due_mail
from core.mail.services import enqueue_or_merge, retry_mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "news_letter")]

MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta(0)


@pytest.fixture
def news_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that lists the ids of its mail and of those that it supersedes."""

    def write(mail: Mail) -> Letter:
        mail_ids = [mail.pk, *mail.supersedes.order_by("pk").values_list("pk", flat=True)]
        return Letter(subject="News", reader="you", paragraphs=(f"News of {sorted(mail_ids)}.",))

    monkeypatch.setitem(LETTER_WRITERS, "news", write)
    # No worker runs here.
    monkeypatch.setattr(services, "wake_sender", lambda: None)


def enqueue_news(*users: User, topic: str = "session 7", delay: timedelta = 2 * MINUTE) -> dict[int, Mail]:
    with transaction.atomic():
        return enqueue_or_merge(kind="news", topic=topic, users=users, delay=delay)


def summarize_mails(mails: list[EmailMessage]) -> list[tuple[str, str]]:
    """The recipients and texts of sent mails."""
    return sorted((mail.to[0], str(mail.body).split("\n\n")[1]) for mail in mails)


# --- Debouncing ---------------------------------------------------------------------------------------------------


def test_news_is_delayed(john: User, read_mail: ReadMail, clock: Any) -> None:
    mail = enqueue_news(john)[john.pk]

    clock.shift(2 * MINUTE - timedelta(seconds=1))
    assert read_mail() == []
    clock.shift(timedelta(seconds=1))

    assert summarize_mails(read_mail()) == [("john@example.com", f"News of [{mail.pk}].")]


def test_news_joins_a_pending_mail(john: User, jane: User, clock: Any) -> None:
    first = enqueue_news(john)
    clock.shift(MINUTE)

    second = enqueue_news(john, jane)

    assert second[john.pk].pk == first[john.pk].pk
    # The first keeps its shorter delay.
    assert dict(Mail.objects.values_list("user_id", "next_try_at")) == {
        john.pk: NOW + 2 * MINUTE,
        jane.pk: NOW + 3 * MINUTE,
    }


def test_urgent_news_makes_a_pending_mail_due(john: User, read_mail: ReadMail) -> None:
    mail = enqueue_news(john)[john.pk]

    enqueue_news(john, delay=AT_ONCE)

    assert summarize_mails(read_mail()) == [("john@example.com", f"News of [{mail.pk}].")]


def test_news_about_another_topic_is_another_mail(john: User, read_mail: ReadMail) -> None:
    enqueue_news(john, topic="session 7", delay=AT_ONCE)
    enqueue_news(john, topic="session 8", delay=AT_ONCE)

    assert len(read_mail()) == 2


def test_news_after_a_mail_was_sent_is_another_mail(john: User, read_mail: ReadMail) -> None:
    enqueue_news(john, delay=AT_ONCE)
    assert len(read_mail()) == 1

    second = enqueue_news(john, delay=AT_ONCE)[john.pk]

    assert summarize_mails(read_mail()) == [("john@example.com", f"News of [{second.pk}].")]


def test_the_worker_is_woken_for_urgent_news(
    john: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    wake_ups: list[str] = []
    monkeypatch.setattr(services, "wake_sender", lambda: wake_ups.append("wake_ups"))

    with django_capture_on_commit_callbacks(execute=True):
        enqueue_news(john)
    assert wake_ups == []
    with django_capture_on_commit_callbacks(execute=True):
        enqueue_news(john, delay=AT_ONCE)

    assert wake_ups == ["wake_ups"]
    with django_capture_on_commit_callbacks(execute=True):
        enqueue_news(delay=AT_ONCE)
    assert wake_ups == ["wake_ups"]


@pytest.mark.parametrize("members", [1, 30])
def test_enqueueing_for_many_members_needs_a_constant_number_of_queries(
    make_member: Callable[..., User], django_assert_num_queries: Any, members: int
) -> None:
    users = [make_member() for _ in range(members)]

    # Savepoint, insert, lock, release of the savepoint.
    with transaction.atomic(), django_assert_num_queries(4):
        enqueue_or_merge(kind="news", topic="session 7", users=users, delay=2 * MINUTE)


# --- Recipients ---------------------------------------------------------------------------------------------------


def test_members_without_an_address_get_no_mail(john: User, make_member: Callable[..., User]) -> None:
    silent = make_member("silent", email="")

    assert list(enqueue_news(john, silent)) == [john.pk]
    assert list(enqueue_news(silent)) == []


def test_news_goes_to_the_current_address(john: User, read_mail: ReadMail) -> None:
    mail = enqueue_news(john, delay=AT_ONCE)[john.pk]
    User.objects.filter(pk=john.pk).update(email="new@example.com")

    assert [each.to for each in read_mail()] == [["new@example.com"]]
    mail.refresh_from_db()
    assert mail.address == "new@example.com"


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": "", "email_key": None}])
def test_news_for_deactivated_members_or_without_address_is_dropped(
    john: User, read_mail: ReadMail, change: dict[str, Any]
) -> None:
    mail = enqueue_news(john, delay=AT_ONCE)[john.pk]
    User.objects.filter(pk=john.pk).update(**change)

    assert read_mail() == []
    mail.refresh_from_db()
    assert (mail.status, mail.next_try_at) == ("dropped", None)


# --- Superseding --------------------------------------------------------------------------------------------------


def test_after_an_outage_one_mail_supersedes_the_others(john: User, server: MailServer, clock: Any) -> None:
    server.stop()
    mails = []
    for _ in range(4):
        mails.append(enqueue_news(john, delay=AT_ONCE)[john.pk])
        send_due_mail()
        clock.shift(timedelta(seconds=1))
    server.start()

    clock.shift(MINUTE)
    assert send_due_mail() == 1
    clock.shift(timedelta(days=3))
    assert send_due_mail() == 0

    *before, last = mails
    (message,) = server.received
    assert f"News of {[mail.pk for mail in mails]}." in message.as_string()
    states = Mail.objects.order_by("pk").values_list("pk", "status", "superseded_by", "next_try_at")
    assert list(states) == [
        *[(mail.pk, "dropped", last.pk, None) for mail in before],
        (last.pk, "sent", None, None),
    ]


def test_news_is_never_sent_under_the_message_id_of_a_tried_mail(john: User, server: MailServer, clock: Any) -> None:
    server.stop()
    first = enqueue_news(john, delay=AT_ONCE)[john.pk]
    send_due_mail()
    server.start()
    clock.shift(MINUTE)
    second = enqueue_news(john)[john.pk]

    assert send_due_mail() == 1

    assert list(Mail.objects.order_by("pk").values_list("pk", "status", "superseded_by")) == [
        (first.pk, "dropped", second.pk),
        (second.pk, "sent", None),
    ]
    assert f"News of {[first.pk, second.pk]}." in server.received[0].as_string()
    assert server.received[0]["Message-ID"] == build_message_id(second)


def test_an_untried_mail_supersedes_one_with_an_expired_claim(john: User, server: MailServer, clock: Any) -> None:
    first = enqueue_news(john, delay=AT_ONCE)[john.pk]
    Mail.objects.update(status="sending", attempts=1, next_try_at=NOW + CLAIM_TIMEOUT)
    second = enqueue_news(john)[john.pk]
    clock.shift(CLAIM_TIMEOUT)

    assert send_due_mail() == 1

    assert [message["Message-ID"] for message in server.received] == [build_message_id(second)]
    assert Mail.objects.get(pk=first.pk).superseded_by == second


def test_news_during_a_failed_attempt_is_sent_once(
    john: User, server: MailServer, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = LETTER_WRITERS["news"]

    def more_comes(mail: Mail) -> Letter | None:
        monkeypatch.setitem(LETTER_WRITERS, "news", write)
        assert enqueue_news(john)[john.pk].pk != mail.pk
        return write(mail)

    monkeypatch.setitem(LETTER_WRITERS, "news", more_comes)
    server.stop()
    enqueue_news(john, delay=AT_ONCE)
    send_due_mail()
    server.start()

    clock.shift(timedelta(days=1))
    assert send_due_mail() == 1

    assert len(server.received) == 1


def test_news_does_not_join_a_retried_mail(john: User, server: MailServer, clock: Any) -> None:
    server.stop()
    first = enqueue_news(john, delay=AT_ONCE)[john.pk]
    send_due_mail()
    server.start()
    retry_mail(mail_ids=[first.pk])
    second = enqueue_news(john)[john.pk]

    assert send_due_mail() == 1

    (message,) = server.received
    assert f"News of {[first.pk, second.pk]}." in message.as_string()
    assert message["Message-ID"] == build_message_id(second)


@pytest.mark.parametrize("status", ["failed", "sending"])
def test_a_tried_mail_is_sent_by_itself_without_an_untried_one(john: User, server: MailServer, status: str) -> None:
    """Each may have arrived: the second was claimed while another worker was sending the first."""
    first = enqueue_news(john, delay=AT_ONCE)[john.pk]
    Mail.objects.update(status=status, attempts=1)
    second = enqueue_news(john, delay=AT_ONCE)[john.pk]
    Mail.objects.update(status=status, attempts=1)

    assert send_due_mail() == 2

    assert [message["Message-ID"] for message in server.received] == [build_message_id(first), build_message_id(second)]
    for message, mail in zip(server.received, (first, second), strict=True):
        assert f"News of {[mail.pk]}." in message.as_string()


def test_a_given_up_mail_is_not_superseded(john: User, server: MailServer, clock: Any) -> None:
    server.rcpt_replies["john@example.com"] = "550 5.1.1 No such mailbox"
    first = enqueue_news(john, delay=AT_ONCE)[john.pk]
    send_due_mail()
    server.rcpt_replies.clear()

    second = enqueue_news(john, delay=AT_ONCE)[john.pk]
    send_due_mail()

    assert list(Mail.objects.order_by("pk").values_list("pk", "status", "superseded_by")) == [
        (first.pk, "failed", None),
        (second.pk, "sent", None),
    ]


def test_mails_of_different_members_are_not_merged(john: User, jane: User, server: MailServer, clock: Any) -> None:
    server.stop()
    enqueue_news(john, jane, delay=AT_ONCE)
    for _ in range(2):
        send_due_mail()
    server.start()
    second = enqueue_news(john, delay=AT_ONCE)[john.pk]
    clock.shift(MINUTE)

    assert send_due_mail() == 2

    assert server.list_recipients() == ["jane@example.com", "john@example.com"]
    assert Mail.objects.filter(superseded_by=second).count() + Mail.objects.filter(supersedes=second).count() == 1
    assert not Mail.objects.filter(user=jane, superseded_by__isnull=False).exists()


# --- Concurrency --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_concurrent_news_makes_one_mail_for_each_member(make_member: Callable[..., User]) -> None:
    """Each thread enqueues in another order."""
    users = [make_member() for _ in range(8)]
    orders = iter([users, users[::-1], users[4:] + users[:4], users[::2] + users[1::2]] * 2)

    results = run_in_threads(8, lambda: {mail.pk for mail in enqueue_news(*next(orders)).values()})

    assert all(isinstance(result, set) for result in results), results
    assert len(set.union(*results)) == 8
    assert Mail.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_no_news_is_lost_while_a_mail_is_being_claimed(john: User, jane: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece of news is a row that commits with it: here, a login that names its mail. A letter brings what it
    finds, and everything was brought by some letter in the end."""
    brought: set[int] = set()

    def write(mail: Mail) -> Letter:
        mail_ids = [mail.pk, *mail.supersedes.values_list("pk", flat=True)]
        brought.update(Login.objects.filter(user_agent__in=map(str, mail_ids)).values_list("pk", flat=True))
        return Letter(subject="News", reader="you", paragraphs=())

    monkeypatch.setitem(LETTER_WRITERS, "news", write)

    def publish() -> None:
        for _ in range(25):
            with transaction.atomic():
                mails = enqueue_or_merge(kind="news", topic="session 7", users=[jane, john], delay=AT_ONCE)
                for mail in mails.values():
                    Login.objects.create(user=mail.user, user_agent=str(mail.pk))

    def work() -> None:
        try:
            while not done.is_set():
                send_due_mail()
        finally:
            connections.close_all()

    done = threading.Event()
    worker = threading.Thread(target=work)
    worker.start()
    results = run_in_threads(3, publish)
    done.set()
    worker.join()
    send_due_mail()

    assert results == [None] * 3
    assert Login.objects.count() == 150
    assert brought == set(Login.objects.values_list("pk", flat=True))
    assert set(Mail.objects.values_list("status", flat=True)) <= {"sent", "dropped"}
