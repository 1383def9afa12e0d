"""The panel of notifications and their mails on the portal's page of a session."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.conftest import Api
from tests.modules.notifications.conftest import News
from tests.modules.notifications.post import Post, about, cancelled, let_in
from tests.panels import html_of, panel_for
from tests.portal import grant, log_in

from core.accounts.models import User
from core.mail.models import Mail
from core.portal.panels import Panel
from modules.notifications.models import Notification
from modules.sessions.events import SessionApproved, SessionRejected

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def morgan(make_member: Callable[..., User]) -> User:
    """Moderates session 7."""
    return make_member("morgan", is_staff=True, timezone="Europe/Berlin")


@pytest.fixture
def postmaster(make_member: Callable[..., User]) -> User:
    """Moderates session 7, and may view the delivery log."""
    return grant(make_member("postmaster", is_staff=True, timezone="Europe/Berlin"), "view_mail")


@pytest.fixture
def auditor(make_member: Callable[..., User]) -> User:
    """May view notifications, and members."""
    return grant(make_member("auditor", is_staff=True), "view_notification", "view_user")


def panel(viewer: User, **options: Any) -> Panel:
    found = panel_for(viewer, "notifications", **options)
    assert found is not None
    return found


def page(viewer: User, **options: Any) -> str:
    return " ".join(html_of(panel(viewer, **options), viewer).split())


def mails(viewer: User) -> list[str]:
    """The state of each mail, the latest first."""
    return [shown["mail"] for shown in panel(viewer).context["notifications"]]


def approved(john: User, **changes: Any) -> SessionApproved:
    return SessionApproved(**{**about(john), **changes})


# --- Who ---------------------------------------------------------------------------------------------------------


def test_moderators_of_the_session_see_the_panel(morgan: User, john: User, news: News) -> None:
    news.publish(approved(john), by=morgan)
    shown = panel(morgan)
    assert (shown.key, shown.title, shown.rank, shown.count) == ("notifications", "Notifications", 50, 1)
    html = page(morgan)
    assert "Session approved: Knots" in html
    assert '<blockquote class="portal-quote">Your session Knots has been approved.</blockquote>' in html
    assert "Why" not in html, "she may not look at notifications elsewhere"
    assert "<a " not in html


def test_staff_with_view_permission_see_the_panel_and_the_link_to_why(auditor: User, john: User, news: News) -> None:
    news.publish(approved(john))
    html = page(auditor, can_moderate=False)
    why = reverse("admin:notifications_notification_why")
    whole = f"{why}?member=&amp;session=7"
    assert f'href="{whole}">Why, or why not?</a>' in html
    one = f"{why}?member=john_doe&amp;session=7"
    assert f'href="{one}">Why?</a>' in html
    assert f'href="/admin/core/user/{john.pk}/change/">John Doe</a>' in html
    client = log_in(auditor)
    assert "Told: by their preferences" in client.get(one.replace("&amp;", "&")).content.decode()
    assert client.get(whole.replace("&amp;", "&")).status_code == 200


def test_nobody_else_sees_them(make_member: Callable[..., User], john: User, news: News) -> None:
    news.publish(approved(john))
    for viewer in (make_member(is_staff=True), john):
        assert panel_for(viewer, "notifications", can_moderate=False) is None


# --- What it shows -----------------------------------------------------------------------------------------------


def test_the_panel_says_that_there_are_no_notifications(morgan: User, john: User, news: News) -> None:
    news.publish(approved(john, session_id=8))
    assert panel(morgan).count == 0
    assert "Nobody was told anything of it." in page(morgan)


def test_titles_and_messages_are_escaped(morgan: User, john: User, news: News) -> None:
    User.objects.filter(pk=john.pk).update(first_name=HOSTILE)
    news.publish(SessionRejected(**{**about(john), "title": HOSTILE}), by=morgan, reason=HOSTILE)
    assert HOSTILE not in page(morgan)
    assert page(morgan).count("&lt;script&gt;") == 4


def test_the_time_and_the_read_state_are_shown(morgan: User, john: User, news: News) -> None:
    news.publish(approved(john))
    news.clock.shift(timedelta(hours=2))
    html = page(morgan)
    assert "Told <time" in html
    assert "Sat 13 Jan 2024, 12:00" in html
    assert "2 hours ago" in html
    assert "not read yet" in html
    Api(john).post(f"/api/notifications/{Notification.objects.get().pk}/mark_as_read/")
    html = page(morgan)
    assert "read <time" in html
    assert "Sat 13 Jan 2024, 14:00" in html
    assert "1 shown in the app, of which 1 was read" in html


def test_muted_notifications_are_listed_as_such(morgan: User, john: User, news: News) -> None:
    Api(john).put("/api/notifications/preferences/", {"session_decision": {"mail": False, "in_app": False}})
    news.publish(approved(john))
    assert "not shown in the app" in page(morgan)
    assert mails(morgan) == ["No mail was wanted."]
    assert "1 notification: 0 shown in the app, of which 0 were read; 0 by mail." in page(morgan)


def test_the_state_of_each_mail_is_shown_with_permission_for_the_delivery_log(
    postmaster: User, john: User, jane: User, bob: User, news: News, post: Post, session: Any
) -> None:
    news.publish(approved(john))
    assert mails(postmaster) == [f"Mail {Mail.objects.get().pk} waits to be sent."]
    [mail] = post.after_the_delay()
    assert mail.to == [john.email]
    assert mails(postmaster) == [
        f"Mail {Mail.objects.get().pk} was sent to {john.email} on Saturday, 13 January 2024 at 12:02 (Europe/Berlin)."
    ]

    news.publish(let_in(john, jane), by=john)
    Mail.objects.filter(user=jane).update(status="failed", next_try_at=None, error=f"550 {HOSTILE}")
    news.publish(let_in(john, bob), by=john)
    Mail.objects.filter(user=bob).update(status="dropped", next_try_at=None)
    assert [each.split(":")[0].split(" ", 2)[2] for each in mails(postmaster)[:2]] == ["was dropped", "was given up"]
    html = page(postmaster)
    assert "3 by mail: 1 sent, 0 waiting, 1 failed, 1 dropped, 0 not in the delivery log." in html
    for mark in ("mail sent", "mail failed", "mail dropped"):
        assert f">{mark}</span>" in html
    assert HOSTILE not in html


def test_others_see_only_whether_a_mail_was_sent(
    morgan: User, auditor: User, john: User, jane: User, bob: User, news: News, post: Post, session: Any
) -> None:
    error = "550 relay-7.internal refused it"
    news.publish(approved(john))
    assert mails(morgan) == ["The mail waits to be sent."]
    post.after_the_delay()
    news.publish(let_in(john, jane), by=john)
    Mail.objects.filter(user=jane).update(status="failed", next_try_at=None, error=error)
    news.publish(let_in(john, bob), by=john)
    Mail.objects.filter(user=bob).update(status="failed", error=error)

    assert mails(morgan) == ["The mail waits to be sent.", "The mail was given up.", "The mail was sent."]
    assert mails(auditor) == mails(morgan)
    why = {"member": "jane_smith", "session": 7}
    client = log_in(auditor)
    asked = client.get(reverse("admin:notifications_notification_why"), why).content.decode()
    assert "The mail was given up." in asked
    for text in (page(morgan), page(auditor), asked):
        for secret in ("relay-7", *(member.email for member in (john, jane, bob))):
            assert secret not in text


def test_errors_of_mails_are_shown_with_permission_for_the_delivery_log(auditor: User, john: User, news: News) -> None:
    news.publish(approved(john))
    Mail.objects.update(status="failed", next_try_at=None, error="550 relay-7.internal refused it")
    grant(auditor, "view_mail")
    client = log_in(auditor)
    why = {"member": "john_doe", "session": 7}
    asked = client.get(reverse("admin:notifications_notification_why"), why).content.decode()
    assert "was given up: 550 relay-7.internal refused it" in asked


def test_a_mail_deleted_from_the_delivery_log_is_shown_as_such(
    postmaster: User, john: User, news: News, post: Post, session: Any
) -> None:
    news.publish(approved(john))
    post.after_the_delay()
    Mail.objects.all().delete()
    [sentence] = mails(postmaster)
    assert sentence.startswith("The delivery log has no mail of it")
    assert "1 by mail: 0 sent, 0 waiting, 0 failed, 0 dropped, 1 not in the delivery log." in page(postmaster)


def test_a_superseded_mail_counts_as_the_one_that_superseded_it(
    postmaster: User, john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(let_in(john, jane), by=john)
    first = Mail.objects.get()
    session["is_attended"] = False
    Mail.objects.update(status="failed", attempts=1)
    news.publish(cancelled(john, jane), by=john)
    post.at_once()
    assert Mail.objects.get(pk=first.pk).superseded_by is not None
    assert "2 by mail: 2 sent, 0 waiting, 0 failed" in page(postmaster)
    assert any("was joined by a later one" in sentence for sentence in mails(postmaster))


def test_of_very_many_the_latest_are_shown_with_a_way_to_all(
    morgan: User, auditor: User, john: User, make_member: Callable[..., User], news: News
) -> None:
    people = User.objects.bulk_create(User(username=f"m{number}", username_key=f"m{number}") for number in range(202))
    news.publish(cancelled(john, *people), by=john)
    news.publish(approved(john, session_id=8))
    shown = panel(auditor)
    assert (shown.count, len(shown.context["notifications"])) == (202, 200)
    assert "The latest 200 of 202 notifications" in page(auditor)
    assert "All notifications" not in page(morgan)
    link = shown.context["all_url"]
    assert f'href="{link}">All notifications</a>' in page(auditor)
    client = log_in(auditor)
    everything = client.get(link)
    assert everything.status_code == 200
    assert {each.session_id for each in everything.context["cl"].result_list} == {7}


def test_as_many_queries_for_many_as_for_few(
    auditor: User, john: User, make_member: Callable[..., User], news: News
) -> None:
    counts = []
    for size in (3, 30):
        people = [make_member() for _ in range(size)]
        news.publish(cancelled(john, *people))
        older = Mail.objects.order_by("pk").first()
        Mail.objects.exclude(pk=older.pk if older else 0).filter(user__in=people[:2]).update(superseded_by=older)
        viewer = User.objects.get(pk=auditor.pk)
        with CaptureQueriesContext(connection) as captured:
            html_of(panel(viewer), viewer)
        counts.append(len(captured))
    assert counts[0] == counts[1]
