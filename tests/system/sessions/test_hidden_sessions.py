"""Notifications and calendars of a hidden session have its last visible title, and no later text."""

from datetime import timedelta
from typing import Any

import icalendar
import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import error_of, last_fact, nothing_changes, path

from core.mail.sending import send_due_mail
from modules.sessions.models import Session
from modules.sessions.services import moderation
from modules.sessions.services.reminders import remind_due_sessions

TITLE = "Knots That Hold"
INSULT = "Morgan Is A Liar"


@pytest.fixture
def hidden(*, john: Any, alice: Any, jane: Any, bob: Any, make_session: Any) -> Any:
    """John's, with Jane in it and Bob waiting; hidden, and edited since."""
    session = make_session("scheduled", title=TITLE, participants=[jane], requests={bob: "pending"})
    moderation.hide_session(session_id=session.pk, by=alice, reason="Reported")
    edited = Api(john).put(path(session), {"title": INSULT, "description": f"{INSULT}!"})
    assert edited.json()["title"] == INSULT
    return session


def told(member: Any) -> list[tuple[str, str]]:
    """What a member was told, in the app; and nothing else is in the answers about it."""
    api = Api(member)
    rows = api.get("/api/notifications/").json()
    for row in rows:
        assert INSULT not in api.get(f"/api/notifications/{row['id']}/why/").json()["why"]
    return [(row["title"], row["message"]) for row in rows]


def mailed(outbox: Any, clock: Any) -> str:
    """All that leaves by mail, calendar files included."""
    clock.shift(600)
    send_due_mail()
    parts = [part for mail in outbox for part in mail.message().walk() if not part.is_multipart()]
    texts = [part.get_payload(decode=True).decode().replace("\r\n ", "") for part in parts]
    return "\n".join([*(mail.subject for mail in outbox), *texts])


# --- What its creator does to it --------------------------------------------------------------------------------


def test_a_cancellation_by_the_creator_is_notified_with_the_last_visible_title_and_no_reason(
    *, hidden: Any, john: Any, jane: Any, bob: Any, mailoutbox: Any, clock: Any
) -> None:
    Api(john).post(path(hidden, "cancel/"), {"reason": INSULT})

    for member in (jane, bob):
        assert told(member) == [(f"Session cancelled: {TITLE}", f"{TITLE} has been cancelled.")]
    assert INSULT not in mailed(mailoutbox, clock)
    assert {mail.to[0] for mail in mailoutbox} == {"jane@example.com", "bob@example.com"}
    # Moderators find it in the record.
    assert last_fact().reason == INSULT


def test_a_cancellation_by_put_is_notified_with_the_last_visible_title_and_no_reason(
    hidden: Any, john: Any, jane: Any
) -> None:
    Api(john).put(path(hidden), {"status": "cancelled", "reason": INSULT, "title": f"{INSULT} Indeed"})

    assert told(jane) == [(f"Session cancelled: {TITLE}", f"{TITLE} has been cancelled.")]


def test_the_reason_of_a_moderator_is_notified(hidden: Any, alice: Any, jane: Any) -> None:
    Api(alice).post(path(hidden, "cancel/"), {"reason": "Against the rules."})

    message = f"{TITLE} has been cancelled. Reason: Against the rules."
    assert told(jane) == [(f"Session cancelled: {TITLE}", message)]


def test_the_reason_of_a_moderator_for_their_own_hidden_session_is_not_notified(
    alice: Any, root: Any, jane: Any, make_session: Any
) -> None:
    session = make_session("scheduled", title=TITLE, creator=alice, participants=[jane])
    moderation.hide_session(session_id=session.pk, by=root, reason="Reported")

    Api(alice).post(path(session, "cancel/"), {"reason": INSULT})

    assert told(jane) == [(f"Session cancelled: {TITLE}", f"{TITLE} has been cancelled.")]


def test_the_reason_of_a_creator_for_a_visible_session_is_notified(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", title=TITLE, participants=[jane])

    Api(john).post(path(session, "cancel/"), {"reason": "I am ill."})

    assert told(jane) == [(f"Session cancelled: {TITLE}", f"{TITLE} has been cancelled. Reason: I am ill.")]


@pytest.mark.parametrize("what", ["moved", "reminded", "removed", "turned down", "left"])
def test_other_notifications_have_the_last_visible_title(
    *, hidden: Any, john: Any, jane: Any, bob: Any, what: str, mailoutbox: Any, clock: Any
) -> None:
    api = Api(john)
    if what == "moved":
        api.put(path(hidden), {"date": "2024-02-01T10:00:00Z"})
    if what == "reminded":
        clock.move_to(hidden.date - timedelta(hours=24), tick=False)
        remind_due_sessions()
    if what == "removed":
        api.delete(path(hidden, f"participants/{jane.pk}/"))
    if what == "turned down":
        api.post(path(hidden, "reject_request/"), {"user_id": bob.pk})
    if what == "left":
        Api(jane).post(path(hidden, "leave/"))

    reader = {"turned down": bob, "left": john}.get(what, jane)
    [(title, message)] = told(reader)
    assert TITLE in title
    assert INSULT not in title + message
    assert INSULT not in mailed(mailoutbox, clock)


def test_requesters_are_notified_of_a_deletion_with_the_last_visible_title(
    *, john: Any, alice: Any, bob: Any, make_session: Any, mailoutbox: Any, clock: Any
) -> None:
    session = make_session("approved", title=TITLE, requests={bob: "pending"})
    moderation.hide_session(session_id=session.pk, by=alice, reason="Reported")
    Api(john).put(path(session), {"title": INSULT, "description": INSULT})

    Api(john).delete(path(session))

    assert told(bob) == [(f"Session cancelled: {TITLE}", f"{TITLE} has been cancelled.")]
    assert INSULT not in mailed(mailoutbox, clock)


def test_an_added_material_is_notified_without_its_title(
    *, hidden: Any, john: Any, jane: Any, mailoutbox: Any, clock: Any
) -> None:
    Api(jane).put("/api/notifications/preferences/", {"material_added": {"in_app": True, "mail": True}})
    note = {"title": INSULT, "type": "note", "content": INSULT}
    assert Api(john).post(path(hidden, "materials/"), note).status_code == 201

    assert told(jane) == [(f"New material for {TITLE}", "John Doe has added a material.")]
    assert INSULT not in mailed(mailoutbox, clock)
    assert len(mailoutbox) == 1


def test_a_removed_material_is_notified_without_its_title(hidden: Any, john: Any, jane: Any) -> None:
    hidden.booking_requests.filter(user=jane).update(role="tutor")
    material = Api(jane).post(path(hidden, "materials/"), {"title": "Rope", "type": "note", "content": "!"}).json()
    Api(john).put(path(hidden, f"materials/{material['id']}/"), {"title": INSULT})

    Api(john).delete(path(hidden, f"materials/{material['id']}/"))

    assert told(jane) == [(f"Material removed for {TITLE}", "A material of yours has been removed.")]


# --- What can be read of it -------------------------------------------------------------------------------------


def test_calendar_feeds_have_the_last_visible_title_and_no_description(hidden: Any, jane: Any) -> None:
    link = Api(jane).post("/api/sessions/calendar/").json()["url"]
    feed = Api(jane).client.get(link.removeprefix("http://testserver"))

    [event] = icalendar.Calendar.from_ical(feed.content).walk("VEVENT")
    assert str(event["SUMMARY"]) == TITLE
    assert INSULT not in feed.content.decode().replace("\r\n ", "")


def test_participants_read_the_current_title(hidden: Any, jane: Any) -> None:
    assert Api(jane).get(path(hidden)).json()["title"] == INSULT


def test_a_session_that_is_shown_again_is_notified_with_its_current_title(
    hidden: Any, alice: Any, john: Any, jane: Any
) -> None:
    sequence = Session.objects.get(pk=hidden.pk).calendar_sequence
    session = moderation.show_session(session_id=hidden.pk, by=alice)
    assert (session.visible_title, session.calendar_sequence) == ("", sequence + 1)

    Api(john).post(path(hidden, "cancel/"), {"reason": "Enough"})

    [row] = Api(jane).get("/api/notifications/").json()
    assert (row["title"], row["message"]) == (
        f"Session cancelled: {INSULT}",
        f"{INSULT} has been cancelled. Reason: Enough",
    )


# --- Nobody is let in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["john", "alice"])
@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_no_request_is_approved_while_the_session_is_hidden(
    *, hidden: Any, john: Any, alice: Any, bob: Any, who: str, status: str
) -> None:
    hidden.booking_requests.filter(user=bob).update(status=status)
    with nothing_changes():
        answer = Api({"john": john, "alice": alice}[who]).post(path(hidden, "approve_request/"), {"user_id": bob.pk})

    sentence = "A moderator has hidden this session: nobody is let in until it is shown again."
    assert error_of(answer, 400) == sentence


def test_participants_stay_in_a_hidden_session(hidden: Any, john: Any, jane: Any) -> None:
    with nothing_changes():
        answer = Api(john).post(path(hidden, "approve_request/"), {"user_id": jane.pk})

    assert (answer.status_code, answer.json()["status"]) == (200, "approved")


def test_requests_are_approved_once_the_session_is_shown_again(hidden: Any, john: Any, alice: Any, bob: Any) -> None:
    moderation.show_session(session_id=hidden.pk, by=alice)

    assert Api(john).post(path(hidden, "approve_request/"), {"user_id": bob.pk}).status_code == 200
