"""The events of a feed."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from icalendar import Calendar
from tests.conftest import Api
from tests.modules.sessions.calendar_feed.conftest import made, read
from tests.modules.sessions.conftest import NOW, STATES, path

from modules.sessions import calendar_feeds


def events(member: Any) -> dict[str, Any]:
    """The events in the calendar of a member, by their titles."""
    response = read(made(member))
    assert response.status_code == 200
    found = Calendar.from_ical(response.content).walk("VEVENT")
    assert len({str(each["summary"]) for each in found}) == len(found)
    return {str(each["summary"]): each for each in found}


def test_the_headers_and_properties_of_the_calendar(john: Any) -> None:
    response = read(made(john))

    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["ETag"].startswith('W/"')
    assert not response.cookies
    calendar = Calendar.from_ical(response.content)
    assert (str(calendar["method"]), str(calendar["x-wr-calname"])) == ("PUBLISH", "Peer Learning")
    assert calendar.events == []


def test_the_properties_of_an_event(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], calendar_sequence=4, title="Knots")

    event = events(jane)["Knots"]

    assert {name.lower(): event.decoded(name) for name in event} == {
        "uid": str(session.calendar_uid),
        "sequence": 4,
        "dtstamp": NOW.replace(microsecond=0),
        "last-modified": session.updated_at.replace(microsecond=0),
        "dtstart": session.date,
        "dtend": session.date + timedelta(minutes=90),
        "summary": "Knots",
        "description": f"Learn advanced Python concepts\n\n{settings.FRONTEND_URL}/sessions/{session.pk}",
        "url": f"{settings.FRONTEND_URL}/sessions/{session.pk}",
        "status": "CONFIRMED",
        "transp": "OPAQUE",
        "organizer": "mailto:noreply@localhost",
    }
    assert event["organizer"].params["CN"] == "John Doe"


@pytest.mark.parametrize("state", STATES)
def test_own_sessions_of_every_status_are_in_the_feed(john: Any, make_session: Any, state: str) -> None:
    make_session(state, title="Mine")

    status = {"pending_approval": "TENTATIVE", "cancelled": "CANCELLED", "expired": "CANCELLED"}.get(state, "CONFIRMED")
    ((title, event),) = events(john).items()
    # Several programs look at no status.
    assert title == ("Cancelled: Mine" if status == "CANCELLED" else "Mine")
    assert str(event["status"]) == status
    assert str(event["transp"]) == ("TRANSPARENT" if status == "CANCELLED" else "OPAQUE")


def test_only_offered_and_attended_sessions_are_in_the_feed(john: Any, jane: Any, bob: Any, make_session: Any) -> None:
    make_session("scheduled", title="Joined", participants=[jane, bob])
    make_session("cancelled", title="Called off", participants=[jane])
    make_session("scheduled", title="Own", creator=jane, participants=[bob])
    make_session("approved", title="Asked for", requests={jane: "pending"})
    make_session("approved", title="Turned down", requests={jane: "rejected"})
    make_session("approved", title="Anybody's")
    make_session("pending_approval", title="John's")

    found = events(jane)

    assert {title: str(event["status"]) for title, event in found.items()} == {
        "Joined": "CONFIRMED",
        "Cancelled: Called off": "CANCELLED",
        "Own": "CONFIRMED",
    }


def test_a_moderators_feed_has_only_their_own_sessions(alice: Any, make_session: Any) -> None:
    make_session("pending_approval")
    make_session("scheduled")

    assert events(alice) == {}


def test_a_hidden_session_stays_in_the_feeds_of_its_participants(
    john: Any, jane: Any, bob: Any, make_session: Any
) -> None:
    make_session("scheduled", title="Hidden", participants=[jane], requests={bob: "pending"}, hidden_at=NOW)

    assert set(events(john)) == {"Hidden"}
    assert set(events(jane)) == {"Hidden"}
    assert events(bob) == {}


def test_leaving_removes_a_session_from_the_feed(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", title="Left", participants=[jane])
    assert set(events(jane)) == {"Left"}

    Api(jane).post(path(session, "leave/"))

    assert events(jane) == {}
    assert set(events(john)) == {"Left"}


def test_sessions_that_ended_over_a_year_ago_are_omitted(john: Any, make_session: Any) -> None:
    year, duration = timedelta(days=365), timedelta(minutes=90)
    make_session(
        "completed", title="A year ago", date=NOW.replace(microsecond=0) + timedelta(seconds=1) - year - duration
    )
    make_session("completed", title="Longer ago", date=NOW.replace(microsecond=0) - year - duration)
    make_session("approved", title="Far away", date=NOW + timedelta(days=3650))

    assert set(events(john)) == {"A year ago", "Far away"}


def test_the_number_of_events_is_limited(john: Any, make_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_feeds, "MAX_EVENTS", 3)
    for number in range(5):
        make_session("approved", title=f"Number {number}", date=NOW + timedelta(days=number + 1))

    assert set(events(john)) == {"Number 2", "Number 3", "Number 4"}


def test_a_feed_contains_no_email_addresses(john: Any, jane: Any, bob: Any, alice: Any, make_session: Any) -> None:
    make_session("scheduled", title="Joined", participants=[jane, bob])
    make_session("scheduled", title="Own", creator=jane, participants=[john, alice])

    content = read(made(jane)).content.decode().replace("\r\n ", "")

    assert "@example.com" not in content
    assert content.count("@") == content.count("noreply@localhost") == 2


def test_texts_are_not_truncated(john: Any, make_session: Any) -> None:
    text = "Zwei Meter Seil; zwei Hände, 🪢\nBEGIN:VEVENT\r\nATTENDEE:mailto:victim@example.com\\n" * 50
    title = "C:\\Notes, ropes; and \\ 🪢"
    make_session("approved", title=title, description=text)

    found = events(john)

    assert str(found[title]["description"]).rpartition("\n\n")[0] == text.replace("\r\n", "\n")
