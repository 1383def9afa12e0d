"""The mails and calendar files of a session, sent to a real mail server."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import icalendar
import pytest
from django.contrib.auth.models import Group
from tests.conftest import Api
from tests.mail_server import MailServer
from tests.system.scenario import NOW, OFFER

from core.accounts.models import User
from core.mail.sending import send_due_mail
from modules.sessions.services.digest import publish_digest
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import nudge_creators, remind_due_sessions

pytestmark = pytest.mark.django_db

START = datetime(2024, 1, 15, 19, tzinfo=UTC)


class Scenario:
    """A session of John's that Jane and Bob join and Morgan moderates. The clock is frozen between calls of `wait`."""

    def __init__(self, clock: Any, server: MailServer, people: dict[str, User]) -> None:
        self.clock = clock
        self.server = server
        self.people = people
        self.ids = {name: user.pk for name, user in people.items()}
        self.path = ""

    def api(self, who: str) -> Api:
        """Build a client with a fresh token, since tokens expire while time passes."""
        return Api(self.people[who])

    def offer(self) -> None:
        self.path = f"/api/sessions/{self.api('john').post('/api/sessions/', OFFER).json()['id']}/"

    def put(self, who: str, **values: Any) -> None:
        assert self.api(who).put(self.path, values).status_code == 200

    def post(self, who: str, action: str, body: Any = None) -> None:
        assert self.api(who).post(f"{self.path}{action}", body).status_code in {200, 201}

    def book(self, who: str) -> None:
        self.post(who, "join/")
        self.post("john", "approve_request/", {"user_id": self.ids[who]})

    def wait(self, span: timedelta) -> None:
        self.clock.shift(span)

    def mails(self) -> dict[str, EmailMessage]:
        """Run the periodic jobs; returns the new mail of each reader, by name. Nobody gets two at once."""
        remind_due_sessions()
        nudge_creators()
        publish_digest()
        advance_due_sessions()
        send_due_mail()
        received = {
            addresses[0].split("@")[0]: mail
            for addresses, mail in zip(self.server.recipients, self.server.received, strict=True)
        }
        assert len(received) == len(self.server.received)
        self.server.received.clear()
        self.server.recipients.clear()
        return received

    def subjects(self) -> dict[str, str]:
        return {who: str(mail["Subject"]) for who, mail in self.mails().items()}


def read_calendar_file(mail: EmailMessage) -> tuple[str, Any]:
    """Return the method and the event of a mail's calendar file."""
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


@pytest.fixture
def scenario(
    mail_server: MailServer, time_machine: Any, make_member: Any, django_capture_on_commit_callbacks: Any
) -> Scenario:
    time_machine.move_to(NOW, tick=False)
    people = {
        "john": make_member("john", first_name="John", last_name="Doe", timezone="America/New_York"),
        "jane": make_member("jane", first_name="Jane", last_name="Smith", timezone="Europe/Berlin"),
        "bob": make_member("bob", first_name="Bob", last_name="Wilson"),
        "morgan": make_member("morgan", first_name="Morgan", last_name="Reed"),
    }
    people["morgan"].groups.add(Group.objects.get(name="Moderators"))
    return Scenario(time_machine, mail_server, people)


DEBOUNCE = timedelta(minutes=2)


def check_approval(scenario: Scenario) -> Any:
    """The moderator is told of the offer, and the creator of the approval; returns the creator's event."""
    scenario.offer()
    scenario.wait(timedelta(seconds=30))
    assert scenario.subjects() == {"morgan": "1 session waits for approval"}
    scenario.put("morgan", status="approved")
    assert scenario.mails() == {}
    scenario.wait(DEBOUNCE)
    mails = scenario.mails()
    assert {who: mail["Subject"] for who, mail in mails.items()} == {"john": "Session approved: Knots That Hold"}
    method, event = read_calendar_file(mails["john"])
    assert (method, event["DTSTART"].dt, event["ATTENDEE"]) == ("REQUEST", START, "mailto:john@example.com")
    return event


def check_booking(scenario: Scenario) -> Any:
    """The creator is told of the request, and the participant of its approval; returns the participant's event."""
    scenario.post("jane", "join/")
    scenario.wait(DEBOUNCE)
    assert scenario.subjects() == {"john": "New booking request for Knots That Hold"}
    scenario.post("john", "approve_request/", {"user_id": scenario.ids["jane"]})
    scenario.wait(DEBOUNCE)
    mails = scenario.mails()
    assert list(mails) == ["jane"]
    method, event = read_calendar_file(mails["jane"])
    assert (method, event["STATUS"]) == ("REQUEST", "CONFIRMED")
    return event


def check_rescheduling_twice(scenario: Scenario) -> Any:
    """The participant gets one mail with the second date; returns its event."""
    scenario.put("john", date="2024-01-16T19:00:00Z")
    scenario.wait(timedelta(seconds=50))
    scenario.put("john", date="2024-01-16T20:00:00Z")
    scenario.wait(DEBOUNCE)
    mails = scenario.mails()
    assert list(mails) == ["jane"]
    text = mails["jane"].get_body(("plain",)).get_content()
    assert "Knots That Hold has been moved to Tuesday, 16 January 2024 at 21:00 (Europe/Berlin)." in text
    assert "20:00 (Europe/Berlin)." not in text
    method, event = read_calendar_file(mails["jane"])
    assert method == "REQUEST"
    return event


def check_cancellation(scenario: Scenario, events: dict[str, Any]) -> None:
    """All are told the reason, and the file cancels the event that each of them has."""
    scenario.post("morgan", "cancel/", {"reason": "The room is flooded."})
    mails = scenario.mails()
    assert sorted(mails) == sorted(events)
    for who, before in events.items():
        assert mails[who]["Subject"] == "Session cancelled: Knots That Hold"
        assert "Reason: The room is flooded." in mails[who].get_body(("plain",)).get_content()
        method, event = read_calendar_file(mails[who])
        assert (method, event["UID"], event["STATUS"]) == ("CANCEL", before["UID"], "CANCELLED")
        assert event["SEQUENCE"] > before["SEQUENCE"]


def test_a_session_from_its_offer_to_its_cancellation(scenario: Scenario) -> None:
    creators = check_approval(scenario)
    booked = check_booking(scenario)
    moved = check_rescheduling_twice(scenario)

    assert creators["UID"] == booked["UID"] == moved["UID"]
    assert moved["SEQUENCE"] > booked["SEQUENCE"]

    scenario.clock.move_to(datetime(2024, 1, 15, 20, 0, 30, tzinfo=UTC), tick=False)
    assert scenario.subjects() == dict.fromkeys(["john", "jane"], "Reminder for Knots That Hold")

    check_cancellation(scenario, {"john": creators, "jane": moved})
    scenario.clock.move_to(datetime(2024, 1, 16, 19, 30, tzinfo=UTC), tick=False)
    assert scenario.mails() == {}


def test_a_removal_and_a_new_approval_reach_the_calendar_in_order(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.book("jane")
    scenario.wait(DEBOUNCE)
    _, first = read_calendar_file(scenario.mails()["jane"])

    assert scenario.api("john").delete(f"{scenario.path}participants/{scenario.ids['jane']}/").status_code == 204
    scenario.wait(DEBOUNCE)
    method, out = read_calendar_file(scenario.mails()["jane"])
    scenario.book("jane")
    scenario.wait(DEBOUNCE)
    again, back = read_calendar_file(scenario.mails()["jane"])

    assert (method, again) == ("CANCEL", "REQUEST")
    assert first["SEQUENCE"] < out["SEQUENCE"] < back["SEQUENCE"]
    assert {first["UID"], out["UID"], back["UID"]} == {first["UID"]}


def test_a_request_that_is_decided_within_the_debounce_is_not_mailed(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.wait(DEBOUNCE)
    scenario.mails()

    scenario.book("jane")
    scenario.wait(DEBOUNCE)

    assert scenario.subjects() == {"jane": "Booking request approved for Knots That Hold"}


def test_a_request_that_is_withdrawn_within_the_debounce_is_not_mailed(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.wait(DEBOUNCE)
    scenario.mails()

    scenario.post("jane", "join/")
    scenario.post("jane", "leave/")
    scenario.wait(DEBOUNCE)

    assert scenario.mails() == {}


def test_after_an_outage_each_reader_gets_one_mail_with_the_current_state(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.wait(DEBOUNCE)
    scenario.mails()
    scenario.server.stop()
    scenario.book("jane")
    for hour in (17, 18, 19, 20):
        scenario.put("john", date=f"2024-01-17T{hour}:00:00Z")
        scenario.wait(timedelta(minutes=20))
        assert scenario.mails() == {}

    scenario.server.start()
    scenario.wait(timedelta(hours=4))
    mails = scenario.mails()
    scenario.wait(timedelta(hours=5))

    assert scenario.mails() == {}
    assert list(mails) == ["jane"]
    text = mails["jane"].get_body(("plain",)).get_content()
    assert "Your request to join Knots That Hold has been approved." in text
    assert text.count("has been moved to") == 1
    assert "has been moved to Wednesday, 17 January 2024 at 21:00 (Europe/Berlin)." in text


def test_a_reminder_that_an_outage_delayed_past_the_start_is_dropped(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.book("jane")
    scenario.wait(DEBOUNCE)
    scenario.mails()
    scenario.server.stop()
    for hours in (24, 1):
        scenario.clock.move_to(START - timedelta(hours=hours) + timedelta(seconds=30), tick=False)
        assert scenario.mails() == {}

    scenario.clock.move_to(START + timedelta(minutes=5), tick=False)
    scenario.server.start()
    scenario.mails()
    scenario.wait(timedelta(hours=5))

    assert scenario.mails() == {}


def test_a_creator_who_has_not_decided_is_nudged_once(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.post("jane", "join/")
    scenario.wait(DEBOUNCE)
    scenario.mails()
    scenario.clock.move_to(START - timedelta(hours=24) + timedelta(seconds=5), tick=False)

    # The reminder that is due at the same time goes at once, and takes the nudge along.
    assert scenario.subjects() == {"john": "What is new: Knots That Hold"}
    for _ in range(5):
        scenario.wait(DEBOUNCE)
        assert scenario.mails() == {}


def test_a_removal_is_mailed_although_the_session_is_deleted(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.book("jane")
    scenario.wait(DEBOUNCE)
    scenario.mails()
    scenario.api("john").delete(f"{scenario.path}participants/{scenario.ids['jane']}/")
    assert scenario.api("john").delete(scenario.path).status_code == 204
    scenario.wait(DEBOUNCE)

    mails = scenario.mails()

    assert {who: mail["Subject"] for who, mail in mails.items()} == {"jane": "Participation ended for Knots That Hold"}
    assert read_calendar_file(mails["jane"])[0] == "CANCEL"


def test_a_cancellation_is_mailed_although_the_session_is_deleted(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.post("jane", "join/")
    scenario.wait(DEBOUNCE)
    scenario.mails()
    scenario.post("john", "cancel/", {"reason": "I am ill."})
    assert scenario.api("john").delete(scenario.path).status_code == 204

    assert scenario.subjects() == {"jane": "Session cancelled: Knots That Hold"}


def test_rescheduling_to_an_imminent_start_is_mailed_at_once(scenario: Scenario) -> None:
    scenario.offer()
    scenario.put("morgan", status="approved")
    scenario.book("jane")
    scenario.wait(DEBOUNCE)
    scenario.mails()

    soon = (NOW + timedelta(minutes=4)).isoformat()
    scenario.put("john", date=soon)

    assert scenario.subjects() == {"jane": "Session rescheduled: Knots That Hold"}
