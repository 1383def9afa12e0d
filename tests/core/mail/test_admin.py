"""The delivery log in the admin, and retrying mails there."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.core.conftest import NOW, ReadMail
from tests.portal import grant, log_in

from core.accounts.models import User
from core.mail.letters import LETTER_WRITERS
from core.mail.models import Mail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MINUTE = timedelta(minutes=1)
LIST = reverse("admin:core_mail_changelist")


@pytest.fixture
def log_in_with(make_member: Callable[..., User]) -> Callable[..., Client]:
    """Staff with this permission for mails."""

    def make_client(*codenames: str) -> Client:
        return log_in(grant(make_member(is_staff=True), *codenames))

    return make_client


@pytest.fixture
def admin(log_in_with: Callable[..., Client]) -> Client:
    return log_in_with("view_mail", "change_mail")


def make_mail(user: User | None, **values: Any) -> Mail:
    values = {"kind": "welcome", "status": "sent", "next_try_at": None, "attempts": 1, "queued_at": NOW, **values}
    return Mail.objects.create(user=user, **{"address": user.email if user else "", **values})


def make_given_up_mail(user: User, **values: Any) -> Mail:
    return make_mail(user, status="failed", error="SMTPRecipientsRefused: 550 No such mailbox", **values)


def retry_in_admin(admin: Client, *mails: Mail) -> str:
    """The messages after *Send again*."""
    form = {"action": "send_again", "_selected_action": [mail.pk for mail in mails]}
    return extract_text(admin.post(LIST, form, follow=True))


def extract_text(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def test_the_list_shows_the_status_of_each_mail(admin: Client, john: User) -> None:
    sent = make_mail(john, kind="news", topic="session 7")
    make_mail(john, kind="news", topic="session 7", status="dropped", superseded_by=sent)
    make_given_up_mail(john, attempts=24)

    page = extract_text(admin.get(LIST))

    for what in (
        "john_doe",
        "john@example.com",
        "session 7",
        "SMTPRecipientsRefused: 550 No such mailbox",
        "24",
        f"&lt;{sent.pk}.20240113110000000000@localhost&gt;",
    ):
        assert what in page
    assert reverse("admin:core_mail_change", args=[sent.pk]) in admin.get(LIST).content.decode()


def test_the_page_of_a_mail_shows_all_fields(admin: Client, john: User) -> None:
    mail = make_mail(john, kind="news", topic="session 7", sent_at=NOW, error="an old one")
    others = [make_mail(john, kind="news", topic="session 7", status="dropped", superseded_by=mail) for _ in range(2)]

    answer = admin.get(reverse("admin:core_mail_change", args=[mail.pk]))

    for what in ("news", "john_doe", "john@example.com", "session 7", "an old one", f"&lt;{mail.pk}.2024"):
        assert what in extract_text(answer)
    for other in others:
        assert reverse("admin:core_mail_change", args=[other.pk]) in answer.content.decode()


def test_mails_are_found_by_address_member_status_and_kind(admin: Client, john: User, jane: User) -> None:
    make_mail(john)
    make_mail(jane, address="jane@elsewhere.example", kind="news")
    make_given_up_mail(jane)

    def found(query: dict[str, str]) -> list[str]:
        mails = admin.get(LIST, query).context["cl"].queryset
        return sorted(f"{mail.kind} {mail.status} {mail.address}" for mail in mails)

    assert found({"q": "ELSEWHERE"}) == ["news sent jane@elsewhere.example"]
    assert found({"q": "john_doe"}) == ["welcome sent john@example.com"]
    assert found({"status__exact": "failed"}) == ["welcome failed jane@example.com"]
    assert found({"kind": "news"}) == ["news sent jane@elsewhere.example"]
    assert found({"q": "bob"}) == []


def test_the_filter_offers_the_kinds_that_have_a_letter(admin: Client, john: User) -> None:
    """Finding them in the delivery log would scan it for every page."""
    make_mail(john)

    with CaptureQueriesContext(connection) as queries:
        page = admin.get(LIST)

    (choices,) = [chosen for chosen in page.context["cl"].filter_specs if chosen.title == "kind"]
    assert [kind for kind, _ in choices.lookup_choices] == sorted(LETTER_WRITERS)
    assert not [query["sql"] for query in queries if "DISTINCT" in query["sql"]]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"kind": "welcome"}, "mail_by_kind"),
        ({"status__exact": "failed"}, "mail_by_status"),
        ({"o": "1"}, "mail_newest"),
        ({"o": "2"}, "mail_by_kind"),
        ({"o": "4"}, "mail_by_status"),
    ],
)
def test_a_long_delivery_log_is_read_through_an_index(
    admin: Client, john: User, query: dict[str, str], index: str
) -> None:
    make_mail(john, status="failed")
    Mail.objects.bulk_create(
        [
            Mail(
                kind="news", address="john@example.com", status="sent", next_try_at=None, queued_at=NOW + MINUTE * each
            )
            for each in range(5000)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_mail")

    page = admin.get(LIST, query).context["cl"]

    assert index in page.queryset[: page.list_per_page].explain()


def test_the_list_is_sorted_only_by_indexed_columns(admin: Client, john: User) -> None:
    make_mail(john)

    page = admin.get(LIST).content.decode()

    assert set(re.findall(r"[?&;]o=-?(\d+)", page)) == {"1", "2", "4"}


def test_the_list_needs_a_constant_number_of_queries(
    admin: Client, make_member: Callable[..., User], django_assert_max_num_queries: Any
) -> None:
    def make_two() -> None:
        first = make_mail(make_member(), topic="a")
        make_mail(make_member(), topic="a", status="dropped", superseded_by=first)

    make_two()
    with django_assert_max_num_queries(100) as few:
        admin.get(LIST)
    for _ in range(20):
        make_two()

    with django_assert_max_num_queries(len(few)):
        admin.get(LIST)


def test_given_up_mails_can_be_retried(admin: Client, john: User, jane: User, read_mail: ReadMail) -> None:
    mails = [make_given_up_mail(john, attempts=24), make_given_up_mail(jane)]

    assert "2 will be sent again." in retry_in_admin(admin, *mails)

    assert sorted(mail.to[0] for mail in read_mail()) == ["jane@example.com", "john@example.com"]
    assert set(Mail.objects.values_list("status", "attempts", "error")) == {("sent", 1, "")}


def test_mails_that_did_not_fail_are_not_retried(admin: Client, john: User, mailoutbox: list[EmailMessage]) -> None:
    told = retry_in_admin(admin, make_given_up_mail(john), make_mail(john), make_mail(john, status="dropped"))

    assert "1 will be sent again." in told
    assert "2 did not fail and stay as they are." in told
    assert sorted(Mail.objects.filter(next_try_at=None).values_list("status", flat=True)) == ["dropped", "sent"]


def test_retried_news_for_a_deactivated_member_is_dropped(admin: Client, john: User, read_mail: ReadMail) -> None:
    mail = make_given_up_mail(john, kind="news", topic="session 7")
    User.objects.filter(pk=john.pk).update(is_active=False)

    assert "1 will be sent again." in retry_in_admin(admin, mail)

    assert read_mail() == []
    mail.refresh_from_db()
    assert mail.status == "dropped"


def test_retrying_needs_permission(log_in_with: Callable[..., Client], john: User) -> None:
    client = log_in_with("view_mail")
    mail = make_given_up_mail(john)

    assert "Send again" not in extract_text(client.get(LIST))
    assert "will be sent again" not in retry_in_admin(client, mail)

    mail.refresh_from_db()
    assert (mail.status, mail.next_try_at) == ("failed", None)


def test_viewing_needs_permission(log_in_with: Callable[..., Client], john: User) -> None:
    mail = make_mail(john)
    client = log_in_with()

    assert client.get(LIST).status_code == 403
    assert client.get(reverse("admin:core_mail_change", args=[mail.pk])).status_code == 403
