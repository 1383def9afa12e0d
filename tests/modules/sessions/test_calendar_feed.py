"""A member's sessions as their calendar program reads them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.core import signing
from django.db import DatabaseError, connection
from django.db.models.query import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar
from tests.conftest import Api
from tests.core.threads import at_once
from tests.modules.sessions.conftest import NOW, STATES, error_of, facts, last_fact, path, z

from core.facts.models import FactRecord
from modules.sessions import calendar_feeds
from modules.sessions.models import CalendarFeed, Session

LINK = "/api/sessions/calendar/"
FEED = "/api/sessions/calendar.ics"
NOTHING = {"url": None, "created_at": None, "last_used_at": None}


def made(member: Any) -> str:
    """The address that a member gives to their calendar program."""
    response = Api(member).post(LINK)
    assert response.status_code == 201
    return str(response.json()["url"])


def read(url: str, **headers: str) -> Any:
    """What a calendar program gets, which has nothing but the address."""
    parts = urlsplit(url)
    return Client().get(f"{parts.path}?{parts.query}", headers=headers)


def events(member: Any) -> dict[str, Any]:
    """The events in the calendar of a member, by their titles."""
    response = read(made(member))
    assert response.status_code == 200
    found = Calendar.from_ical(response.content).walk("VEVENT")
    assert len({str(each["summary"]) for each in found}) == len(found)
    return {str(each["summary"]): each for each in found}


# --- The link ---------------------------------------------------------------------------------------------------


def test_at_first_there_is_no_link(john: Any) -> None:
    response = Api(john).get(LINK)

    assert (response.status_code, response.json()) == (200, NOTHING)


def test_a_link_is_made_and_shown_again(john: Any, jane: Any) -> None:
    response = Api(john).post(LINK)

    assert response.status_code == 201
    token = parse_qs(urlsplit(response.json()["url"]).query)["token"][0]
    assert response.json() == {
        "url": f"http://testserver{FEED}?token={token}",
        "created_at": z(NOW),
        "last_used_at": None,
    }
    assert Api(john).get(LINK).json() == response.json()
    assert Api(jane).get(LINK).json() == NOTHING
    record = last_fact()
    assert (record.name, record.member_id, record.actor) == ("sessions.CalendarFeedMade", john.pk, john)
    assert record.payload == {"member_id": john.pk, "replaced": False}


def test_a_new_link_takes_the_place_of_the_one_before(john: Any, clock: Any) -> None:
    before = made(john)
    assert read(before).status_code == 200
    clock.shift(timedelta(days=1))

    after = Api(john).post(LINK).json()

    assert after == {"url": after["url"], "created_at": z(NOW + timedelta(days=1)), "last_used_at": None}
    assert after["url"] != before
    error_of(read(before), 404)
    assert read(after["url"]).status_code == 200
    assert CalendarFeed.objects.count() == 1
    assert facts() == ["CalendarFeedMade", "CalendarFeedMade"]
    assert last_fact().payload == {"member_id": john.pk, "replaced": True}


def test_a_revoked_link_works_no_longer_and_revoking_twice_is_fine(john: Any, jane: Any) -> None:
    url, of_jane = made(john), made(jane)

    for _ in range(2):
        response = Api(john).delete(LINK)
        assert (response.status_code, response.content) == (204, b"")

    error_of(read(url), 404)
    assert Api(john).get(LINK).json() == NOTHING
    assert read(of_jane).status_code == 200
    assert facts() == ["CalendarFeedMade", "CalendarFeedMade", "CalendarFeedRevoked"]
    record = last_fact()
    assert (record.member_id, record.actor, record.payload) == (john.pk, john, {"member_id": john.pk})


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_only_members_have_links(db: None, method: str) -> None:
    error_of(getattr(Api(), method)(LINK), 401)
    assert not CalendarFeed.objects.exists()


def test_no_token_rests_in_the_database_or_the_record(john: Any) -> None:
    url = made(john)
    token = parse_qs(urlsplit(url).query)["token"][0]

    rows = [*CalendarFeed.objects.values(), *FactRecord.objects.values()]
    assert token not in str(rows)
    key = CalendarFeed.objects.get().key
    assert key not in str(list(FactRecord.objects.values()))
    # Who has read the key cannot make an address of it, not even with a key of their own to sign with.
    for forged in (key, f"{key}.", f"{key}.{'A' * 43}", signing.Signer(key="x" * 50, sep=".").sign(key)):
        error_of(Client().get(FEED, {"token": forged}), 404)
    # Nor does a signature of ours that was made for something else help.
    for other in (signing.Signer(sep=".").sign(key), signing.dumps(key), signing.TimestampSigner(sep=".").sign(key)):
        error_of(Client().get(FEED, {"token": other}), 404)


# --- What is in it ----------------------------------------------------------------------------------------------


def test_the_file_says_what_it_is(john: Any) -> None:
    response = read(made(john))

    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["ETag"].startswith('W/"')
    assert not response.cookies
    calendar = Calendar.from_ical(response.content)
    assert (str(calendar["method"]), str(calendar["x-wr-calname"])) == ("PUBLISH", "Peer Learning")
    assert calendar.events == []


def test_an_event_in_full(john: Any, jane: Any, make_session: Any) -> None:
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
def test_a_session_of_ones_own_is_there_in_every_state(john: Any, make_session: Any, state: str) -> None:
    make_session(state, title="Mine")

    status = {"pending_approval": "TENTATIVE", "cancelled": "CANCELLED", "expired": "CANCELLED"}.get(state, "CONFIRMED")
    ((title, event),) = events(john).items()
    # Several programs look at no status.
    assert title == ("Cancelled: Mine" if status == "CANCELLED" else "Mine")
    assert str(event["status"]) == status
    assert str(event["transp"]) == ("TRANSPARENT" if status == "CANCELLED" else "OPAQUE")


def test_only_what_one_offers_or_is_in_is_there(john: Any, jane: Any, bob: Any, make_session: Any) -> None:
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


def test_a_moderator_has_no_more_than_anybody(alice: Any, make_session: Any) -> None:
    make_session("pending_approval")
    make_session("scheduled")

    assert events(alice) == {}


def test_a_hidden_session_stays_with_those_who_are_in_it(john: Any, jane: Any, bob: Any, make_session: Any) -> None:
    make_session("scheduled", title="Hidden", participants=[jane], requests={bob: "pending"}, hidden_at=NOW)

    assert set(events(john)) == {"Hidden"}
    assert set(events(jane)) == {"Hidden"}
    assert events(bob) == {}


def test_who_leaves_has_it_no_longer(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", title="Left", participants=[jane])
    assert set(events(jane)) == {"Left"}

    Api(jane).post(path(session, "leave/"))

    assert events(jane) == {}
    assert set(events(john)) == {"Left"}


def test_what_ended_more_than_a_year_ago_is_left_out_and_all_that_is_to_come_is_there(
    john: Any, make_session: Any
) -> None:
    year, duration = timedelta(days=365), timedelta(minutes=90)
    make_session(
        "completed", title="A year ago", date=NOW.replace(microsecond=0) + timedelta(seconds=1) - year - duration
    )
    make_session("completed", title="Longer ago", date=NOW.replace(microsecond=0) - year - duration)
    make_session("approved", title="Far away", date=NOW + timedelta(days=3650))

    assert set(events(john)) == {"A year ago", "Far away"}


def test_there_is_an_end_to_how_much_is_read(john: Any, make_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_feeds, "MAX_EVENTS", 3)
    for number in range(5):
        make_session("approved", title=f"Number {number}", date=NOW + timedelta(days=number + 1))

    assert set(events(john)) == {"Number 2", "Number 3", "Number 4"}


def test_no_address_of_anybody_is_in_it(john: Any, jane: Any, bob: Any, alice: Any, make_session: Any) -> None:
    make_session("scheduled", title="Joined", participants=[jane, bob])
    make_session("scheduled", title="Own", creator=jane, participants=[john, alice])

    content = read(made(jane)).content.decode().replace("\r\n ", "")

    assert "@example.com" not in content
    assert content.count("@") == content.count("noreply@localhost") == 2


def test_titles_and_texts_come_whole(john: Any, make_session: Any) -> None:
    text = "Zwei Meter Seil; zwei Hände, 🪢\nBEGIN:VEVENT\r\nATTENDEE:mailto:victim@example.com\\n" * 50
    title = "C:\\Notes, ropes; and \\ 🪢"
    make_session("approved", title=title, description=text)

    found = events(john)

    assert str(found[title]["description"]).rpartition("\n\n")[0] == text.replace("\r\n", "\n")


# --- Who is refused ---------------------------------------------------------------------------------------------


def test_whatever_is_wrong_the_answer_is_the_same(john: Any, jane: Any) -> None:
    url, of_jane = made(john), made(jane)
    revoked = made(john)
    Api(john).delete(LINK)
    jane.is_active = False
    jane.save()

    queries = [
        "",
        "?token=",
        "?token=x",
        "?token=.",
        "?token=%00",
        "?token=%ff",
        "?token=%ed%a0%80",
        f"?token={'x' * 4000}",
    ]
    answers = [read(address) for address in (url, revoked, of_jane, *(f"{FEED}{query}" for query in queries))]

    bodies = set()
    for response in answers:
        error_of(response, 404)
        assert "WWW-Authenticate" not in response
        bodies.add(response.content)
    assert len(bodies) == 1


def test_a_member_who_is_active_again_has_the_same_link(john: Any) -> None:
    url = made(john)
    for is_active, status in ((False, 404), (True, 200)):
        john.is_active = is_active
        john.save()
        assert read(url).status_code == status


def test_the_token_alone_opens_it(john: Any, jane: Any, make_session: Any) -> None:
    make_session("approved", title="John's")
    made(john)

    error_of(Api(john).get(FEED), 404)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_it_is_only_read(john: Any, method: str) -> None:
    url = urlsplit(made(john))

    response = getattr(Client(), method)(f"{url.path}?{url.query}")

    error_of(response, 405)
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD"}


def test_the_path_has_no_slash_at_its_end(john: Any) -> None:
    assert error_of(Client().get(f"{FEED}/"), 404) == "There is nothing at this path."
    assert error_of(Client().get("/api/sessions/calendar"), 404) == f"Paths end in a slash here: {LINK}"


# --- Asking again -----------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_sent_again(john: Any, make_session: Any, clock: Any) -> None:
    make_session("approved")
    url = made(john)
    tag = read(url)["ETag"]
    clock.shift(timedelta(minutes=30))

    for condition in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        response = read(url, if_none_match=condition)
        assert (response.status_code, response.content) == (304, b"")
        assert (response["ETag"], response["Cache-Control"]) == (tag, "private, no-cache")
    assert read(url, if_none_match='"other"').status_code == 200


CHANGES: dict[str, Callable[[Any, Session], object]] = {
    "a new title": lambda john, session: Api(john).put(path(session), {"title": "New"}),
    "a new time": lambda john, session: Api(john).put(path(session), {"date": "2024-02-01T12:00:00Z"}),
    "a cancellation": lambda john, session: Api(john).post(path(session, "cancel/")),
    "a deletion": lambda john, session: Api(john).delete(path(session)),
    "another session": lambda john, session: Session.objects.create(
        title="Another",
        description="x",
        subject="x",
        level="beginner",
        date=NOW + timedelta(days=9),
        duration=30,
        max_participants=2,
        creator=john,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_sent_again(john: Any, make_session: Any, change: str) -> None:
    session = make_session("approved")
    url = made(john)
    before = read(url)

    CHANGES[change](john, session)

    after = read(url, if_none_match=before["ETag"])
    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]
    assert after.content != before.content


def test_the_organizers_new_name_is_sent_too(john: Any, jane: Any, make_session: Any) -> None:
    make_session("scheduled", participants=[jane])
    url = made(jane)
    tag = read(url)["ETag"]

    Api(john).patch("/api/auth/me/", {"first_name": "Johnny"})

    response = read(url, if_none_match=tag)
    assert response.status_code == 200
    assert b"Johnny Doe" in response.content


def test_a_program_may_look_without_reading(john: Any, make_session: Any) -> None:
    make_session("approved")
    url = urlsplit(made(john))
    read_whole = Client().get(f"{url.path}?{url.query}")

    response = Client().head(f"{url.path}?{url.query}")

    assert (response.status_code, response.content) == (200, b"")
    for header in ("Content-Type", "ETag", "Cache-Control", "Content-Length"):
        assert response[header] == read_whole[header]
    assert Client().head(FEED).status_code == 404


def test_the_queries_are_as_many_for_one_session_as_for_many(
    john: Any, jane: Any, bob: Any, make_session: Any, clock: Any
) -> None:
    url = made(john)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert read(url).status_code == 200
        return len([query for query in captured.captured_queries if query["sql"].startswith("SELECT")])

    make_session("approved")
    make_session("scheduled", creator=jane, participants=[john])
    for_two = queries()
    for number in range(6):
        make_session("approved", title=f"Own {number}")
        make_session("scheduled", creator=(jane, bob)[number % 2], participants=[john])

    assert queries() == for_two == 4


# --- When it was read last --------------------------------------------------------------------------------------


def last_used(member: Any) -> str | None:
    found: str | None = Api(member).get(LINK).json()["last_used_at"]
    return found


def test_when_it_was_read_is_noted_at_most_once_an_hour(john: Any, jane: Any, clock: Any) -> None:
    url = made(john)
    made(jane)
    assert last_used(john) is None

    read(url)
    assert last_used(john) == z(NOW)
    for _ in range(3):
        clock.shift(timedelta(minutes=19))
        with CaptureQueriesContext(connection) as captured:
            assert read(url).status_code == 200
        assert [query["sql"] for query in captured.captured_queries if not query["sql"].startswith("SELECT")] == []
    assert last_used(john) == z(NOW)

    clock.shift(timedelta(minutes=3))
    read(url)
    assert last_used(john) == z(NOW + timedelta(hours=1))
    assert last_used(jane) is None


def test_a_read_that_changes_nothing_is_noted_too(john: Any, clock: Any) -> None:
    url = made(john)
    tag = read(url)["ETag"]
    clock.shift(timedelta(hours=2))

    assert read(url, if_none_match=tag).status_code == 304

    assert last_used(john) == z(NOW + timedelta(hours=2))


def test_a_read_that_cannot_be_noted_is_answered_all_the_same(
    john: Any, make_session: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_session("approved", title="Knots")
    url = made(john)

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "update", fail)
        response = read(url)

    assert response.status_code == 200
    assert b"SUMMARY:Knots" in response.content
    assert last_used(john) is None
    assert [record.levelname for record in caplog.records if "Could not record the use" in record.getMessage()] == [
        "WARNING"
    ]


# --- All at once ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("had_one", [False, True])
def test_links_made_at_once_leave_one_that_works(john: Any, *, had_one: bool) -> None:
    if had_one:
        made(john)
    api = Api(john)

    urls = at_once(6, lambda: Client().post(LINK, headers=api.headers).json()["url"])

    assert len(set(urls)) == 6
    assert CalendarFeed.objects.count() == 1
    assert sorted(read(url).status_code for url in urls) == [200, 404, 404, 404, 404, 404]
    assert Api(john).get(LINK).json()["url"] in urls
    payloads = FactRecord.objects.filter(name="sessions.CalendarFeedMade").values_list("payload", flat=True)
    assert sum(not payload["replaced"] for payload in payloads) == 1
