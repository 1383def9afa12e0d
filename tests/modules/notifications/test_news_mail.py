"""Mails with news: one for all news of a session, with its state when the mail is sent."""

from datetime import UTC, datetime
from email.message import EmailMessage as ParsedMessage
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.notifications.conftest import News
from tests.modules.notifications.post import (
    START,
    Post,
    about,
    body,
    calendar_of,
    cancelled,
    event_of,
    let_in,
    reminder,
    removed,
)

from core.accounts.models import User
from core.mail.models import Mail
from modules.notifications.events import SessionNowAsked, StillHolds
from modules.sessions.events import (
    RequestsUndecided,
    SessionApproved,
    SessionRejected,
    SessionsWaiting,
    WaitingSession,
)

pytestmark = pytest.mark.django_db

PREFERENCES = "/api/notifications/preferences/"

# --- What it says -----------------------------------------------------------------------------------------------


def test_a_mail_has_the_news_and_the_present_state(
    john: User, make_member: Any, news: News, post: Post, session: Any
) -> None:
    jane = make_member("jane_smith", first_name="Jane", last_name="Smith", timezone="Europe/Berlin")
    news.publish(let_in(john, jane), by=john)

    (mail,) = post.after_the_delay()

    assert mail.to == ["jane_smith@example.com"]
    assert mail.subject == "Booking request approved for Knots"
    assert body(mail).startswith("Hello Jane Smith,\n\nYour request to join Knots has been approved.\n")
    assert "Session: Knots" in body(mail)
    assert "When: Monday, 15 January 2024, 20:00 to 21:30 (Europe/Berlin)" in body(mail)
    assert "Now: scheduled" in body(mail)
    assert "http://localhost:3000/sessions/7" in body(mail)
    assert "You get mail about: Decisions on your requests to join." in body(mail)


def test_times_are_in_the_zone_of_the_reader(
    make_member: Any, john: User, news: News, post: Post, session: Any
) -> None:
    people = [make_member(timezone=zone) for zone in ("America/New_York", "Asia/Kolkata")]
    news.publish(cancelled(john, *people), by=john)

    assert [line for mail in post.at_once() for line in body(mail).splitlines() if line.startswith("When")] == [
        "When: Monday, 15 January 2024, 14:00 to 15:30 (America/New_York)",
        "When: Tuesday, 16 January 2024, 00:30 to 02:00 (Asia/Kolkata)",
    ]


def test_an_end_on_another_day_is_shown_with_its_date(
    make_member: Any, john: User, news: News, post: Post, session: Any
) -> None:
    session["starts_at"] = datetime(2024, 1, 15, 23, 0, tzinfo=UTC)
    news.publish(reminder(john, make_member()), by=None)

    (mail,) = post.at_once()
    assert "When: Monday, 15 January 2024, 23:00 to Tuesday, 16 January 2024 at 00:30 (UTC)" in body(mail)


def test_a_rejection_has_its_reason(john: User, make_member: Any, news: News, post: Post, session: Any) -> None:
    session["in_calendars"] = False
    news.publish(SessionRejected(**about(john)), by=make_member(), reason="Too short a description.")

    (mail,) = post.after_the_delay()

    assert mail.subject == "Session rejected: Knots"
    assert "Your session Knots has been rejected. Reason: Too short a description." in body(mail)


def test_blank_lines_of_a_reason_are_omitted(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(cancelled(john, jane), by=john, reason="I am ill.\r\n\r\n\r\nSorry.")

    (mail,) = post.at_once()
    assert "Reason: I am ill.\n\nSorry.\n\nSession: Knots" in body(mail)


def test_the_actor_gets_no_mail(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(cancelled(john, jane), by=john)

    assert [mail.to for mail in post.at_once()] == [["jane@example.com"]]


def test_without_an_answer_a_mail_has_the_news_only(john: User, news: News, post: Post, answer: Any) -> None:
    answer(StillHolds, lambda question: None)
    answer(SessionNowAsked, lambda question: None)
    news.publish(SessionApproved(**about(john)))

    (mail,) = post.after_the_delay()

    assert "Your session Knots has been approved." in body(mail)
    assert "When:" not in body(mail)
    assert calendar_of(mail) is None


def test_a_mail_goes_to_the_current_address(john: User, news: News, post: Post, session: Any) -> None:
    news.publish(SessionApproved(**about(john)))
    john.email = "new@example.com"
    john.save()

    assert [mail.to for mail in post.after_the_delay()] == [["new@example.com"]]


@pytest.mark.parametrize("values", [{"email": ""}, {"is_active": False}])
def test_members_without_address_or_deactivated_get_no_mail(
    john: User, news: News, post: Post, session: Any, values: dict[str, Any]
) -> None:
    news.publish(SessionApproved(**about(john)))
    User.objects.filter(pk=john.pk).update(**values)

    assert post.after_the_delay() == []
    assert Mail.objects.get().status == "dropped"


# --- The link that ends them ------------------------------------------------------------------------------------


def test_each_mail_has_one_click_unsubscribe(
    john: User, jane: User, news: News, post: Post, session: Any, client: Any
) -> None:
    news.publish(reminder(john, jane))
    mail = next(mail for mail in post.at_once() if mail.to == [jane.email])
    headers: ParsedMessage = mail.message()
    link = str(headers["List-Unsubscribe"]).strip("<>")

    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in body(mail)
    assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Api(jane).get(PREFERENCES).json()["reminder"] == {"in_app": True, "mail": False}
    assert Api(john).get(PREFERENCES).json()["reminder"] == {"in_app": True, "mail": True}


def test_unsubscribing_drops_waiting_mails(john: User, news: News, post: Post, session: Any) -> None:
    news.publish(SessionApproved(**about(john)))
    Api(john).put(PREFERENCES, {"session_decision": {"mail": False}})

    assert post.after_the_delay() == []
    assert Mail.objects.get().status == "dropped"


# --- Moderators and creators ------------------------------------------------------------------------------------


def waiting(number: int, creator: User, *, urgent: bool) -> WaitingSession:
    return WaitingSession(
        session_id=number, title=f"Session {number}", creator_id=creator.pk, date=START, urgent=urgent
    )


def test_the_digest_lists_waiting_sessions_urgent_first(
    john: User, make_member: Any, news: News, post: Post, everything_holds: None
) -> None:
    moderator = make_member("morgan", timezone="Europe/London")
    sessions = (waiting(1, john, urgent=True), waiting(2, john, urgent=False))
    news.publish(SessionsWaiting(moderator_ids=(moderator.pk,), waiting=3, sessions=sessions))

    (mail,) = post.at_once()

    assert mail.to == ["morgan@example.com"]
    assert mail.subject == "3 sessions wait for approval"
    text = body(mail)
    assert "3 sessions wait for approval; 1 of them starts within 48 hours." in text
    assert "Urgent: Session 1, Monday, 15 January 2024 at 19:00 (Europe/London)" in text
    assert text.index("Session 1") < text.index("Session 2") < text.index("And 1 more.")
    assert "http://localhost:8000/admin/" in text
    assert news.told()["morgan"][0][:2] == ("general", "3 sessions wait for approval")


def test_a_digest_omits_the_sessions_of_its_reader(
    john: User, make_member: Any, news: News, post: Post, everything_holds: None
) -> None:
    moderator, other = make_member("morgan"), make_member("other")
    sessions = (waiting(1, moderator, urgent=False),)
    news.publish(SessionsWaiting(moderator_ids=(moderator.pk, other.pk), waiting=1, sessions=sessions))

    assert [mail.to for mail in post.at_once()] == [["other@example.com"]]
    assert list(news.told()) == ["other"]


@pytest.mark.parametrize(("undecided", "waits"), [(1, "1 request to join it waits"), (3, "3 requests to join it wait")])
def test_a_creator_is_nudged_to_decide(
    john: User, news: News, post: Post, session: Any, undecided: int, waits: str
) -> None:
    news.publish(RequestsUndecided(**about(john), date=START, undecided=undecided))

    (mail,) = post.after_the_delay()

    sentence = f"Knots starts on Monday, 15 January 2024 at 19:00 (UTC), and {waits} for your decision."
    assert mail.subject == "Booking requests undecided for Knots"
    assert sentence in body(mail)
    assert news.told()["john_doe"] == [("booking_request", "Booking requests undecided for Knots", sentence, 7)]


def test_a_moderator_with_many_sessions_still_reads_those_of_others(
    john: User, make_member: Any, news: News, post: Post, everything_holds: None
) -> None:
    morgan = make_member("morgan")
    own = [waiting(number, morgan, urgent=False) for number in range(1, 21)]
    others = [waiting(number, john, urgent=False) for number in range(21, 24)]
    news.publish(SessionsWaiting(moderator_ids=(morgan.pk,), waiting=60, sessions=(*own, *others), own={morgan.pk: 35}))

    (mail,) = post.at_once()

    assert mail.subject == "25 sessions wait for approval"
    assert "Session 21," in body(mail)
    assert "Session 1," not in body(mail)
    assert "And 22 more." in body(mail)


# --- What one may not read any more -----------------------------------------------------------------------------


def test_the_state_of_a_hidden_session_is_not_mailed(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(removed(john, jane), by=john)
    session.update(title="A secret title", status="cancelled", is_attended=False, is_visible=False)

    (mail,) = post.after_the_delay()

    assert "You have been removed from Knots." in body(mail)
    assert "secret" not in str(mail.message())
    assert "When:" not in body(mail)
    assert "/sessions/7" not in body(mail)
    assert calendar_of(mail)["METHOD"] == "CANCEL"
    assert event_of(mail)["SUMMARY"] == "Knots"
