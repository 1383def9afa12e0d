"""Why a member was notified, or was not."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.modules.notifications.conftest import NOW, News
from tests.modules.notifications.post import about
from tests.portal import log_in

from core.accounts.models import User
from core.facts.base import Fact
from core.facts.models import FailedDelivery
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from modules.notifications.events import StillHolds
from modules.notifications.models import Notification
from modules.sessions.events import (
    BookingRequestApproved,
    BookingRequested,
    SessionApproved,
    SessionCancelled,
    SessionCompleted,
)

pytestmark = pytest.mark.django_db


def asked(creator: User, member: User, at: Any) -> BookingRequested:
    return BookingRequested(**about(creator), request_id=1, member_id=member.pk, requested_at=at)


def why(member: User) -> Any:
    told = Notification.objects.filter(user=member).latest("pk")
    return Api(member).get(f"/api/notifications/{told.pk}/why/")


# --- For members ------------------------------------------------------------------------------------------------


def test_the_explanation_names_the_fact_and_the_preference(john: User, morgan: User, news: News) -> None:
    john.timezone = "Europe/Berlin"
    john.save()
    news.publish(SessionApproved(**about(john)), by=morgan)

    response = why(john)

    assert response.status_code == 200
    assert response.json() == {
        "why": (
            "You were told because a moderator approved Knots on Saturday, 13 January 2024 at 12:00 (Europe/Berlin), "
            "and by your preferences “Moderators' decisions on your sessions” is shown in the app and sent by mail, "
            "which is the default."
        ),
        "kind": "session_decision",
        "in_app": True,
        "mail": True,
        "occurred_at": "2024-01-13T11:00:00Z",
    }


def test_members_whom_the_notification_mentions_are_named(john: User, jane: User, news: News) -> None:
    news.publish(asked(john, jane, NOW), by=jane)

    assert why(john).json()["why"].startswith("You were told because Jane Smith asked to join Knots on ")


def test_moderators_are_not_named(john: User, jane: User, morgan: User, news: News) -> None:
    news.publish(BookingRequestApproved(**about(john), request_id=1, member_id=jane.pk), by=morgan)

    sentence = why(jane).json()["why"]
    assert "because a moderator approved the request of Jane Smith to join Knots" in sentence
    assert "Morgan" not in sentence


def test_a_chosen_preference_is_called_chosen(john: User, news: News) -> None:
    Api(john).put("/api/notifications/preferences/", {"session_decision": {"mail": False}})
    news.publish(SessionApproved(**about(john)))

    answer = why(john).json()
    assert "is shown in the app alone, as you chose." in answer["why"]
    assert (answer["in_app"], answer["mail"]) == (True, False)


def test_the_preference_at_that_time_is_shown(john: User, news: News) -> None:
    news.publish(SessionApproved(**about(john)))
    Api(john).put("/api/notifications/preferences/", {"session_decision": {"mail": False}})

    assert why(john).json()["mail"] is True


def test_braces_and_markup_in_a_title_are_escaped(john: User, morgan: User, news: News) -> None:
    news.publish(SessionApproved(**{**about(john), "title": "{actor} <b>{0}</b> %s"}), by=morgan)

    assert "because a moderator approved {actor} <b>{0}</b> %s on " in why(john).json()["why"]


def test_somebody_elses_notification_is_a_404(john: User, jane: User, news: News) -> None:
    news.publish(SessionApproved(**about(john)))
    told = Notification.objects.get()

    response = Api(jane).get(f"/api/notifications/{told.pk}/why/")
    assert (response.status_code, response.json()) == (404, {"error": "There is no such notification."})
    assert Api().get(f"/api/notifications/{told.pk}/why/").status_code == 401
    assert Api(john).get("/api/notifications/999999/why/").status_code == 404


def test_every_fact_has_an_explanation() -> None:
    ours = ("sessions.", "materials.", "accounts.", "notifications.")
    kinds = [kind for name, kind in Fact.kinds.items() if name.startswith(ours)]

    assert len(kinds) > 30
    assert [kind.name for kind in kinds if not kind.summary_template] == []


# --- For whoever looks into a question --------------------------------------------------------------------------


PATH = "/admin/notifications/notification/why/"


def answers_for(client: Client, member: str, session: int | str = 7) -> list[tuple[str, str]]:
    response = client.get(PATH, {"member": member, "session": session})
    assert response.status_code == 200
    return [(each.what, each.answer) for each in response.context["explanations"]]


def test_a_notification_that_was_mailed_is_explained(
    john: User, morgan: User, news: News, admin: Client, answer: Any
) -> None:
    answer(StillHolds, lambda question: True)
    news.publish(SessionApproved(**about(john)), by=morgan)
    preference = "by their preferences “Moderators' decisions on your sessions” is shown in the app and sent by mail"
    mail = Mail.objects.get().pk

    assert answers_for(admin, "john_doe") == [
        (
            "Morgan Reed approved Knots",
            f"Told: {preference}, which is the default. Mail {mail} waits to be sent.",
        )
    ]
    news.clock.shift(timedelta(minutes=2))
    send_due_mail()
    assert answers_for(admin, "john@example.com")[0][1].endswith(
        f"Mail {mail} was sent to john@example.com on Saturday, 13 January 2024 at 11:02 (UTC)."
    )


@pytest.mark.parametrize(
    ("values", "ending"),
    [
        (
            {"status": "dropped", "next_try_at": None},
            "was dropped: what it was to say held no longer, or they had unsubscribed.",
        ),
        ({"status": "failed", "next_try_at": None, "error": "550 no such user"}, "was given up: 550 no such user"),
    ],
)
def test_the_state_of_the_mail_is_described(
    john: User, news: News, admin: Client, values: dict[str, Any], ending: str
) -> None:
    news.publish(SessionApproved(**about(john)))
    Mail.objects.update(**values)

    assert answers_for(admin, "john_doe")[0][1].endswith(ending)


def test_a_retrying_mail_has_its_next_attempt(john: User, news: News, admin: Client) -> None:
    news.publish(SessionApproved(**about(john)))
    Mail.objects.update(status="failed", error="server is down")

    assert answers_for(admin, "john_doe")[0][1].endswith(
        "failed, and is tried again on Saturday, 13 January 2024 at 11:02 (UTC): server is down"
    )


def test_a_superseded_mail_refers_to_the_later_one(john: User, news: News, admin: Client) -> None:
    news.publish(SessionApproved(**about(john)))
    later = Mail.objects.create(kind="news", address=john.email, user=john)
    old = Mail.objects.exclude(pk=later.pk).get()
    Mail.objects.filter(pk=old.pk).update(status="dropped", next_try_at=None, superseded_by=later)

    assert answers_for(admin, "john_doe")[0][1].endswith(
        f"Mail {old.pk} was joined by a later one. Mail {later.pk} waits to be sent."
    )


def test_a_muted_kind_is_explained(john: User, news: News, admin: Client) -> None:
    Api(john).put("/api/notifications/preferences/", {"session_decision": {"in_app": False, "mail": False}})
    news.publish(SessionApproved(**about(john)))

    assert answers_for(admin, "john_doe")[0][1].endswith(
        "is neither shown in the app nor sent by mail, as they chose. No mail was wanted."
    )


def test_a_missing_address_is_explained(john: User, news: News, admin: Client) -> None:
    User.objects.filter(pk=john.pk).update(email="", email_key=None)
    news.publish(SessionApproved(**about(john)))

    assert "they had no address" in answers_for(admin, "john_doe")[0][1]


def test_the_actor_was_not_notified(john: User, jane: User, news: News, admin: Client) -> None:
    news.publish(SessionCancelled(**about(john), participant_ids=(jane.pk,), requester_ids=()), by=john)

    assert answers_for(admin, "john_doe") == [("John Doe cancelled Knots", "Not told: they caused it themselves.")]
    assert answers_for(admin, "jane_smith")[0][1].startswith("Told: ")


def test_members_who_are_not_concerned_were_not_notified(john: User, bob: User, news: News, admin: Client) -> None:
    news.publish(SessionApproved(**about(john)))

    assert answers_for(admin, "bob_wilson")[0][1].startswith("Not told: it did not concern them")


def test_facts_without_a_rule_are_explained(john: User, news: News, admin: Client) -> None:
    news.publish(SessionCompleted(**about(john)))

    assert answers_for(admin, "john_doe") == [("Knots ended", "Not told: nobody is told of this.")]


def test_a_failed_delivery_has_its_next_attempt(john: User, news: News, admin: Client) -> None:
    news.publish_while_broken("tell_of_session_approval", SessionApproved(**about(john)))

    assert answers_for(admin, "john_doe")[0][1] == (
        "Not told yet: telling them failed, and is tried again on Saturday, 13 January 2024 at 11:01 (UTC)."
    )
    FailedDelivery.objects.update(next_try_at=None)
    assert answers_for(admin, "john_doe")[0][1].startswith("Not told: telling them failed, and was given up")


def test_a_failure_that_was_retried_successfully_is_not_shown(
    john: User, news: News, admin: Client, answer: Any
) -> None:
    answer(StillHolds, lambda question: True)
    news.publish_while_broken("tell_of_session_approval", SessionApproved(**about(john)))
    news.serve_again()

    assert answers_for(admin, "john_doe")[0][1].startswith("Told: ")


def test_facts_of_the_session_are_shown_latest_first(john: User, news: News, admin: Client) -> None:
    news.publish(SessionApproved(**about(john)))
    news.publish(SessionCompleted(**about(john)))
    news.publish(SessionCompleted(**{**about(john), "session_id": 8}))

    assert [what for what, _ in answers_for(admin, "john_doe")] == ["Knots ended", "the clock approved Knots"]


def test_the_number_of_queries_does_not_grow(john: User, jane: User, news: News, admin: Client) -> None:
    def queries(times: int) -> int:
        for _ in range(times):
            news.publish(BookingRequestApproved(**about(john), request_id=1, member_id=jane.pk), by=john)
        with CaptureQueriesContext(connection) as captured:
            answers_for(admin, "jane_smith")
        return len(captured)

    assert queries(2) == queries(20)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"member": "nobody", "session": "7"},
        {"member": "john_doe", "session": "seven"},
        {"member": "john_doe", "session": "0"},
        {"member": "john_doe", "session": str(2**70)},
        {"member": "john_doe\x00", "session": "7"},
        {"member": "x" * 300, "session": "7"},
    ],
)
def test_invalid_input_shows_the_form_again(john: User, admin: Client, query: dict[str, str]) -> None:
    response = admin.get(PATH, query)

    assert response.status_code == 200
    assert response.context["explanations"] is None


def test_a_session_in_which_nothing_happened_says_so(john: User, admin: Client) -> None:
    assert answers_for(admin, "john_doe", 12345) == []
    page = admin.get(PATH, {"member": "john_doe", "session": 12345}).content.decode()
    assert "Nothing has happened in a session with this id." in page


def test_a_title_is_escaped(john: User, news: News, admin: Client) -> None:
    news.publish(SessionApproved(**{**about(john), "title": "<script>alert(1)</script>"}))

    page = admin.get(PATH, {"member": "john_doe", "session": 7}).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_page_needs_view_permission(john: User, morgan: User, make_member: Any) -> None:
    staff = make_member(is_staff=True)
    for member in (john, staff):
        client = log_in(member)
        assert client.get(PATH, {"member": "john_doe", "session": 7}).status_code in {302, 403}
    assert Client().get(PATH).status_code == 302


def test_the_list_of_notifications_links_to_the_page(admin: Client) -> None:
    assert PATH in admin.get("/admin/notifications/notification/").content.decode()
