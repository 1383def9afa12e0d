"""The mails that bring news: one for all that has happened about a session, and what holds when it leaves."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage as ParsedMessage
from typing import Any

import icalendar
import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.modules.notifications.conftest import NOW, News

from core.accounts.models import User
from core.calendars import CalendarEvent
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from modules.notifications.events import SessionNow, SessionNowAsked, StillHolds
from modules.notifications.letters import news_of
from modules.notifications.models import Notification
from modules.sessions.events import (
    BookingRequestApproved,
    BookingRequested,
    BookingRequestRejected,
    ParticipantRemoved,
    ReminderDue,
    RequestsUndecided,
    SessionApproved,
    SessionCancelled,
    SessionDeleted,
    SessionRejected,
    SessionRescheduled,
    SessionsWaiting,
    WaitingSession,
)

pytestmark = pytest.mark.django_db

START = datetime(2024, 1, 15, 19, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DELAY = timedelta(minutes=2)
PREFERENCES = "/api/notifications/preferences/"


class Post:
    """Lets the worker send what is due, and reads what came."""

    def __init__(self, clock: Any, outbox: list[EmailMessage]) -> None:
        self.clock = clock
        self.outbox = outbox

    def at_once(self) -> list[EmailMessage]:
        send_due_mail()
        came = list(self.outbox)
        self.outbox.clear()
        return came

    def after_the_delay(self) -> list[EmailMessage]:
        self.clock.shift(DELAY)
        return self.at_once()


@pytest.fixture
def post(news: News, time_machine: Any, mailoutbox: list[EmailMessage]) -> Post:
    return Post(time_machine, mailoutbox)


@pytest.fixture
def everything_holds(answer: Any) -> None:
    answer(StillHolds, lambda question: True)


@pytest.fixture
def session(answer: Any, everything_holds: None) -> dict[str, Any]:
    """What holds of session 7 for everybody; a test may change it."""
    state: dict[str, Any] = {
        "title": "Knots",
        "status": "scheduled",
        "starts_at": START,
        "is_attended": True,
        "in_calendars": True,
        "is_visible": True,
    }

    def tell(question: SessionNowAsked) -> SessionNow | None:
        if question.session_id != 7:
            return None
        event = CalendarEvent(
            uid="uid-of-7",
            sequence=3,
            starts_at=state["starts_at"],
            ends_at=state["starts_at"] + timedelta(minutes=90),
            summary=state["title"],
            description="Five knots.",
            url="http://localhost:3000/sessions/7",
            organizer="John Doe",
            changed_at=NOW,
            is_cancelled=not state["is_attended"],
        )
        return SessionNow(
            title=state["title"],
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            status=state["status"],
            event=event if state["in_calendars"] else None,
            is_attended=state["is_attended"],
            is_visible=state["is_visible"],
        )

    answer(SessionNowAsked, tell)
    return state


def about(creator: User) -> dict[str, Any]:
    return {"session_id": 7, "title": "Knots", "creator_id": creator.pk}


def requested(creator: User, member: User) -> BookingRequested:
    return BookingRequested(**about(creator), request_id=1, member_id=member.pk, requested_at=NOW)


def let_in(creator: User, member: User) -> BookingRequestApproved:
    return BookingRequestApproved(**about(creator), request_id=1, member_id=member.pk)


def moved(creator: User, date: datetime, *people: User) -> SessionRescheduled:
    return SessionRescheduled(
        **about(creator),
        date=date,
        previous_date=START,
        participant_ids=tuple(person.pk for person in people),
        requester_ids=(),
    )


def cancelled(creator: User, *people: User) -> SessionCancelled:
    return SessionCancelled(**about(creator), participant_ids=tuple(person.pk for person in people), requester_ids=())


def removed(creator: User, member: User) -> ParticipantRemoved:
    return ParticipantRemoved(**about(creator), request_id=1, member_id=member.pk)


def reminder(creator: User, *people: User) -> ReminderDue:
    return ReminderDue(
        **about(creator),
        date=START,
        minutes_before=1440,
        minutes_left=1440,
        person_ids=tuple(person.pk for person in people),
    )


def body(mail: EmailMessage) -> str:
    return str(mail.body)


def calendar_of(mail: EmailMessage) -> Any:
    """The calendar file of a mail as it would be on the wire, with the method of its content type; `None` for none."""
    parts = [part for part in mail.message().walk() if part.get_content_type() == "text/calendar"]
    if not parts:
        return None
    (part,) = parts
    calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
    assert part.get_param("method") == calendar["METHOD"]
    return calendar


def event_of(mail: EmailMessage) -> Any:
    (event,) = calendar_of(mail).walk("VEVENT")
    return event


# --- What it says -----------------------------------------------------------------------------------------------


def test_a_mail_says_what_happened_and_what_holds(
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


def test_each_reader_reads_their_own_zone(make_member: Any, john: User, news: News, post: Post, session: Any) -> None:
    people = [make_member(timezone=zone) for zone in ("America/New_York", "Asia/Kolkata")]
    news.publish(cancelled(john, *people), by=john)

    assert [line for mail in post.at_once() for line in body(mail).splitlines() if line.startswith("When")] == [
        "When: Monday, 15 January 2024, 14:00 to 15:30 (America/New_York)",
        "When: Tuesday, 16 January 2024, 00:30 to 02:00 (Asia/Kolkata)",
    ]


def test_an_end_on_another_day_names_it(make_member: Any, john: User, news: News, post: Post, session: Any) -> None:
    session["starts_at"] = datetime(2024, 1, 15, 23, 0, tzinfo=UTC)
    news.publish(reminder(john, make_member()), by=None)

    (mail,) = post.at_once()
    assert "When: Monday, 15 January 2024, 23:00 to Tuesday, 16 January 2024 at 00:30 (UTC)" in body(mail)


def test_a_rejection_says_why(john: User, make_member: Any, news: News, post: Post, session: Any) -> None:
    session["in_calendars"] = False
    news.publish(SessionRejected(**about(john)), by=make_member(), reason="Too short a description.")

    (mail,) = post.after_the_delay()

    assert mail.subject == "Session rejected: Knots"
    assert "Your session Knots has been rejected. Reason: Too short a description." in body(mail)


def test_a_reason_of_many_lines_leaves_no_gaps(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(cancelled(john, jane), by=john, reason="I am ill.\r\n\r\n\r\nSorry.")

    (mail,) = post.at_once()
    assert "Reason: I am ill.\n\nSorry.\n\nSession: Knots" in body(mail)


def test_whoever_caused_it_gets_no_mail(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(cancelled(john, jane), by=john)

    assert [mail.to for mail in post.at_once()] == [["jane@example.com"]]


def test_without_anybody_to_ask_the_news_stands_alone(john: User, news: News, post: Post, answer: Any) -> None:
    answer(StillHolds, lambda question: None)
    answer(SessionNowAsked, lambda question: None)
    news.publish(SessionApproved(**about(john)))

    (mail,) = post.after_the_delay()

    assert "Your session Knots has been approved." in body(mail)
    assert "When:" not in body(mail)
    assert calendar_of(mail) is None


def test_it_goes_to_where_the_member_is_now(john: User, news: News, post: Post, session: Any) -> None:
    news.publish(SessionApproved(**about(john)))
    john.email = "new@example.com"
    john.save()

    assert [mail.to for mail in post.after_the_delay()] == [["new@example.com"]]


@pytest.mark.parametrize("values", [{"email": ""}, {"is_active": False}])
def test_who_cannot_be_written_to_any_more_is_not(
    john: User, news: News, post: Post, session: Any, values: dict[str, Any]
) -> None:
    news.publish(SessionApproved(**about(john)))
    User.objects.filter(pk=john.pk).update(**values)

    assert post.after_the_delay() == []
    assert Mail.objects.get().status == "dropped"


# --- The link that ends them ------------------------------------------------------------------------------------


def test_each_mail_can_be_ended_with_one_click(
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


def test_who_unsubscribes_while_a_mail_waits_does_not_get_it(john: User, news: News, post: Post, session: Any) -> None:
    news.publish(SessionApproved(**about(john)))
    Api(john).put(PREFERENCES, {"session_decision": {"mail": False}})

    assert post.after_the_delay() == []
    assert Mail.objects.get().status == "dropped"


# --- No storm ---------------------------------------------------------------------------------------------------


def test_news_waits_for_more_of_its_session(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(moved(john, START + MINUTE, jane), by=john)
    post.clock.shift(DELAY - timedelta(seconds=1))
    assert post.at_once() == []

    post.clock.shift(timedelta(seconds=1))
    assert len(post.at_once()) == 1


def test_several_changes_within_a_short_time_become_one_mail(
    john: User, jane: User, bob: User, news: News, post: Post, answer: Any, session: Any
) -> None:
    dates = [START + MINUTE * number for number in range(5)]
    for date in dates:
        news.publish(moved(john, date, jane, bob), by=john)
        post.clock.shift(timedelta(seconds=20))
        assert post.at_once() == []
    answer(StillHolds, lambda question: question.fact.date == dates[-1])

    mails = post.after_the_delay()

    assert sorted(mail.to[0] for mail in mails) == ["bob@example.com", "jane@example.com"]
    for mail in mails:
        assert mail.subject == "Session rescheduled: Knots"
        assert body(mail).count("has been moved to") == 1
        assert "Knots has been moved to Monday, 15 January 2024 at 19:04 (UTC)." in body(mail)
    assert post.after_the_delay() == []


def test_the_first_news_says_when_the_mail_leaves(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    """However much comes after it: nobody waits for ever."""
    for number in range(12):
        news.publish(moved(john, START + MINUTE * number, jane), by=john)
        post.clock.shift(timedelta(seconds=10))

    assert len(post.at_once()) == 1


def test_news_of_different_kinds_is_told_in_one_mail(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(let_in(john, jane), by=john)
    news.publish(moved(john, START + HOUR, jane), by=john)

    (mail,) = post.after_the_delay()

    assert mail.subject == "What is new: Knots"
    text = body(mail)
    assert text.index("has been approved") < text.index("has been moved to")
    assert "Decisions on your requests to join, New times of your sessions." in text


def test_different_sessions_make_different_mails(john: User, news: News, post: Post, session: Any) -> None:
    news.approve_sessions(john, times=2)

    assert len(post.after_the_delay()) == 2


def test_what_comes_later_makes_another_mail(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(let_in(john, jane), by=john)
    assert len(post.after_the_delay()) == 1
    news.publish(moved(john, START + HOUR, jane), by=john)
    (mail,) = post.after_the_delay()

    assert "has been approved" not in body(mail)


def test_a_cancellation_goes_at_once_and_takes_along_what_waits(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(let_in(john, jane), by=john)
    session.update(status="cancelled", is_attended=False)
    news.publish(cancelled(john, jane), by=john, reason="I am ill.")

    (mail,) = post.at_once()

    assert mail.subject == "Session cancelled: Knots"
    assert "Knots has been cancelled. Reason: I am ill." in body(mail)
    assert "has been approved" not in body(mail)
    assert post.after_the_delay() == []


def test_a_reminder_goes_at_once(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(reminder(john, jane))

    assert [mail.to for mail in post.at_once()] == [["jane@example.com"]]


def test_what_holds_no_longer_when_the_mail_leaves_is_not_said(
    john: User, jane: User, news: News, post: Post, session: Any, answer: Any
) -> None:
    news.publish(requested(john, jane), by=jane)
    answer(StillHolds, lambda question: False)

    assert post.after_the_delay() == []
    assert Mail.objects.get().status == "dropped"
    assert Notification.objects.count() == 1


def test_ten_requests_at_once_are_one_mail_to_the_creator(
    john: User, make_member: Any, news: News, post: Post, session: Any
) -> None:
    for number in range(10):
        member = make_member(first_name=f"Member{number}", last_name="M")
        news.publish(requested(john, member), by=member)

    (mail,) = post.after_the_delay()

    assert mail.subject == "New booking request for Knots"
    assert [f"Member{number} M wants to join your session." in body(mail) for number in range(10)] == [True] * 10


def test_a_reminder_that_waited_says_what_is_left(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    post.clock.move_to(START - timedelta(hours=24), tick=False)
    news.publish(reminder(john, jane))
    post.clock.shift(timedelta(hours=3))

    mail = next(mail for mail in post.at_once() if mail.to == [jane.email])
    assert "Knots starts in 21 hours." in body(mail)
    assert "24 hours" not in body(mail)


# --- Calendars --------------------------------------------------------------------------------------------------


def test_who_is_let_in_gets_an_invitation(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(let_in(john, jane), by=john)

    (mail,) = post.after_the_delay()

    assert calendar_of(mail)["METHOD"] == "REQUEST"
    event = event_of(mail)
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("uid-of-7", 3, "CONFIRMED")
    assert event["ATTENDEE"] == "mailto:jane@example.com"
    assert event["ORGANIZER"] == "mailto:noreply@localhost"


def test_a_new_time_comes_with_the_invitation_of_now(
    john: User, jane: User, bob: User, news: News, post: Post, session: Any
) -> None:
    session["starts_at"] = START + timedelta(days=1)
    news.publish(moved(john, START + HOUR, jane, bob), by=john)

    mails = post.after_the_delay()

    assert {(mail.to[0], event_of(mail)["ATTENDEE"]) for mail in mails} == {
        ("jane@example.com", "mailto:jane@example.com"),
        ("bob@example.com", "mailto:bob@example.com"),
    }
    assert {event_of(mail)["DTSTART"].dt for mail in mails} == {START + timedelta(days=1)}


@pytest.mark.parametrize("fact", [cancelled, removed])
def test_who_is_in_no_longer_gets_a_cancellation(
    john: User, jane: User, news: News, post: Post, session: Any, fact: Any
) -> None:
    session.update(status="cancelled", is_attended=False)
    news.publish(fact(john, jane), by=john)

    (mail,) = post.after_the_delay()

    assert calendar_of(mail)["METHOD"] == "CANCEL"
    assert event_of(mail)["STATUS"] == "CANCELLED"


def test_who_never_had_it_in_a_calendar_gets_no_file(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    session.update(in_calendars=False, is_attended=False)
    news.publish(BookingRequestRejected(**about(john), request_id=1, member_id=jane.pk), by=john)

    (mail,) = post.after_the_delay()
    assert calendar_of(mail) is None


def test_a_reminder_brings_no_file(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(reminder(john, jane))

    assert [calendar_of(mail) for mail in post.at_once()] == [None]


def test_a_deleted_session_is_taken_out_of_the_calendar_and_linked_nowhere(
    john: User, make_member: Any, news: News, post: Post, session: Any
) -> None:
    session.update(status="deleted", is_attended=False)
    news.publish(SessionDeleted(**about(john), requester_ids=()), by=make_member())

    (mail,) = post.at_once()

    assert mail.subject == "Session deleted: Knots"
    assert calendar_of(mail)["METHOD"] == "CANCEL"
    assert "/sessions/7" not in body(mail)


# --- Moderators and creators ------------------------------------------------------------------------------------


def waiting(number: int, creator: User, *, urgent: bool) -> WaitingSession:
    return WaitingSession(
        session_id=number, title=f"Session {number}", creator_id=creator.pk, date=START, urgent=urgent
    )


def test_moderators_read_what_waits_the_urgent_first(
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


def test_nobody_is_told_of_waiting_sessions_of_their_own(
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


def test_a_moderator_who_offers_much_is_told_of_what_the_others_offer(
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


# --- What is not said twice, nor for ever -----------------------------------------------------------------------


def test_a_start_that_is_moved_and_moved_back_is_no_news(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    later = START + timedelta(hours=1)
    news.publish(moved(john, later, jane), by=john)
    back = SessionRescheduled(
        **about(john), date=START, previous_date=later, participant_ids=(jane.pk,), requester_ids=()
    )
    news.publish(back, by=john)

    assert post.after_the_delay() == []
    assert Mail.objects.get().status == "dropped"
    assert len(news.told()["jane_smith"]) == 2


def test_of_several_reminders_that_waited_the_last_counts(
    john: User, jane: User, news: News, post: Post, session: Any
) -> None:
    news.publish(reminder(john, jane))
    news.publish(ReminderDue(**about(john), date=START, minutes_before=60, minutes_left=60, person_ids=(jane.pk,)))

    (mail,) = post.at_once()

    assert body(mail).count("Knots starts in") == 1
    assert "Knots starts in 1 hour." in body(mail)


def test_one_sentence_is_said_once(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    rejected = BookingRequestRejected(**about(john), request_id=1, member_id=jane.pk)
    for _ in range(2):
        news.publish(rejected, by=john)

    (mail,) = post.after_the_delay()

    assert body(mail).count("has been rejected") == 1


def test_however_much_has_happened_a_mail_stays_short(
    john: User, make_member: Any, news: News, post: Post, session: Any
) -> None:
    for number in range(30):
        member = make_member(first_name=f"Member{number}", last_name="M")
        news.publish(requested(john, member), by=member)

    (mail,) = post.after_the_delay()

    assert body(mail).count("wants to join your session.") == 20
    assert "And 10 more." in body(mail)


def test_writing_a_mail_takes_no_more_queries_however_many_notifications_there_are(
    john: User, make_member: Any, news: News, post: Post, session: Any
) -> None:
    def queries(number: int) -> int:
        for _ in range(number):
            member = make_member()
            news.publish(requested(john, member), by=member)
        with CaptureQueriesContext(connection) as captured:
            assert len(post.after_the_delay()) == 1
        return len(captured)

    assert queries(2) == queries(30)


def test_the_news_of_a_mail_is_found_through_an_index(john: User, news: News, session: Any) -> None:
    record = news.publish(SessionApproved(**about(john)))
    people = User.objects.bulk_create(User(username=f"m{number}", username_key=f"m{number}") for number in range(2000))
    Mail.objects.bulk_create(Mail(kind="news", address="m@example.com", user=person) for person in people)
    mails = Mail.objects.filter(user__in=people)
    Notification.objects.bulk_create(
        Notification(
            fact=record,
            user=mail.user,
            mail=mail,
            kind="reminder",
            type="general",
            title="",
            message="",
            created_at=NOW,
        )
        for mail in mails.select_related("user")
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    plan = news_of(mails.latest("pk")).explain()

    assert "Seq Scan on notifications_notification" not in plan
    assert "SCAN notifications_notification" not in plan


def test_a_new_start_that_is_near_is_told_at_once(john: User, jane: User, news: News, post: Post, session: Any) -> None:
    news.publish(moved(john, NOW + timedelta(minutes=50), jane), by=john)

    assert [mail.to for mail in post.at_once()] == [["jane@example.com"]]


# --- What one may not read any more -----------------------------------------------------------------------------


def test_what_has_become_of_a_session_that_was_hidden_is_not_told(
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
