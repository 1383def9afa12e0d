"""The history on the portal's page of a session."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession, body_of, path
from tests.modules.sessions.portal import LIST, decide, page

from core.accounts.models import User
from core.portal.history import Entry
from modules.sessions.models import Session
from modules.sessions.services.life_cycle import advance_due_sessions

REASON = "The room was flooded."


def happened(client: Client, session: Session) -> list[Entry]:
    """The history on the page of the session, the latest first."""
    answer = client.get(page(session))
    [panel] = [panel for panel in answer.context["panels"] if panel.key == "history"]
    return list(panel.context["history"].entries)


def words(entry: Entry) -> str:
    """The sentence without its links."""
    return re.sub(r"<[^>]+>", "", entry.what)


def changed(entry: Entry) -> list[tuple[str, str, str]]:
    return [(each.label, each.before, each.after) for each in entry.changes]


def act(client: Client, session: Session, step: str, **values: str) -> None:
    """Confirm a dialog of the page."""
    fields = {"confirming": "yes", "content_version": str(Session.objects.get(pk=session.pk).content_version), **values}
    answer = client.post(f"{LIST}{session.pk}/{step}/", fields, headers={"HX-Request": "true"})
    assert answer.status_code == 204, answer.content


# --- The same, by the API and in the admin -----------------------------------------------------------------------


def approve_by_api(api: Any, _client: Client, session: Session, _jane: User) -> None:
    assert api.put(path(session), {"status": "approved"}).status_code == 200


def approve_in_admin(_api: Any, client: Client, session: Session, _jane: User) -> None:
    decide(client, "approve", session)


def reject_by_api(api: Any, _client: Client, session: Session, _jane: User) -> None:
    assert api.post(path(session, "cancel/"), {"reason": REASON}).status_code == 200


def reject_in_admin(_api: Any, client: Client, session: Session, _jane: User) -> None:
    decide(client, "reject", session, reason=REASON)


def cancel_by_api(api: Any, _client: Client, session: Session, _jane: User) -> None:
    assert api.post(path(session, "cancel/"), {"reason": REASON}).status_code == 200


def cancel_in_admin(_api: Any, client: Client, session: Session, _jane: User) -> None:
    act(client, session, "cancel", reason=REASON)


def remove_by_api(api: Any, _client: Client, session: Session, jane: User) -> None:
    assert api.delete(path(session, f"participants/{jane.pk}/")).status_code == 204


def remove_in_admin(_api: Any, client: Client, session: Session, jane: User) -> None:
    act(client, session, f"participants/{jane.pk}/remove", reason=REASON)


@pytest.mark.parametrize(
    ("status", "by_api", "in_admin", "what", "changes"),
    [
        (
            "pending_approval",
            approve_by_api,
            approve_in_admin,
            "Alice Jones approved Knots",
            [("Status", "waiting for approval", "approved")],
        ),
        (
            "pending_approval",
            reject_by_api,
            reject_in_admin,
            "Alice Jones rejected Knots",
            [("Status", "waiting for approval", "cancelled")],
        ),
        (
            "scheduled",
            cancel_by_api,
            cancel_in_admin,
            "Alice Jones cancelled Knots",
            [("Status", "scheduled", "cancelled")],
        ),
        ("scheduled", remove_by_api, remove_in_admin, "Alice Jones removed Jane Smith from Knots", []),
    ],
    ids=["approved", "rejected", "cancelled", "removed"],
)
def test_changes_by_api_and_admin_look_the_same(
    status: str,
    by_api: Callable[..., None],
    in_admin: Callable[..., None],
    what: str,
    changes: list[tuple[str, str, str]],
    moderator: Client,
    alice: User,
    jane: User,
    api_of: Any,
    make_session: MakeSession,
) -> None:
    told = []
    for carry_out in (by_api, in_admin):
        session = make_session(status, title="Knots", participants=[jane] if status == "scheduled" else [])
        carry_out(api_of(alice), moderator, session, jane)
        [entry] = happened(moderator, session)
        assert words(entry) == what
        assert changed(entry) == changes
        told.append((entry.what, entry.who, entry.names_actor, entry.changes, entry.occurred_at))
        # The API has no reason for a removal.
        assert entry.reason == ("" if carry_out in {remove_by_api, approve_by_api, approve_in_admin} else REASON)
    assert told[0] == told[1]


# --- All of it ---------------------------------------------------------------------------------------------------


@pytest.fixture
def expired_session(
    moderator: Client, api_of: Any, john: User, jane: User, bob: User, alice: User, clock: Any
) -> Session:
    """An expired session with a recorded fact of every kind."""
    creator, member, other = api_of(john), api_of(jane), api_of(bob)
    made = creator.post("/api/sessions/", body_of(title="Knots", date="2024-01-15T14:00:00Z")).json()
    session = Session.objects.get(pk=made["id"])
    decide(moderator, "approve", session)
    member.post(path(session, "join/"), {"message": "Please"})
    other.post(path(session, "join/"), {})
    creator.post(path(session, "approve_request/"), {"user_id": jane.pk})
    creator.post(path(session, "reject_request/"), {"user_id": bob.pk})
    creator.post(path(session, f"participants/{jane.pk}/role/"), {"role": "tutor"})
    creator.put(path(session), {"title": "Bends", "date": "2024-01-16T14:00:00Z", "max_participants": 20})
    act(moderator, session, "second-look", reason="Fine.")
    act(moderator, session, "hide", reason="Spam in the description")
    act(moderator, session, "show")
    member.post(path(session, "leave/"))
    clock.move_to(NOW + timedelta(days=7))
    advance_due_sessions()
    return session


def test_the_history_has_all_facts_in_their_order(moderator: Client, expired_session: Session) -> None:
    entries = happened(moderator, expired_session)[::-1]

    assert [(words(entry), entry.reason) for entry in entries] == [
        ("John Doe offered Knots", ""),
        ("Alice Jones approved Knots", ""),
        ("Jane Smith asked to join Knots", ""),
        ("Bob Wilson asked to join Knots", ""),
        ("John Doe approved the request of Jane Smith to join Knots", ""),
        ("Knots was scheduled", ""),
        ("John Doe rejected the request of Bob Wilson to join Knots", ""),
        ("John Doe made Jane Smith a tutor of Knots", ""),
        ("John Doe edited Bends", ""),
        ("John Doe moved Bends to another time", ""),
        ("Alice Jones let the edits of Bends stand", "Fine."),
        ("Alice Jones hid Bends", "Spam in the description"),
        ("Alice Jones showed Bends again", ""),
        ("Jane Smith left Bends", ""),
        ("The start of Bends was reached and it could not take place", ""),
    ]
    assert "the clock" in entries[-1].who
    assert {label: (before, after) for label, before, after in changed(entries[8])} == {
        "Title": ("Knots", "Bends"),
        "Start": ("Mon 15 Jan 2024, 14:00", "Tue 16 Jan 2024, 14:00"),
        "Places": ("15", "20"),
    }
    assert changed(entries[11]) == [("Hidden since", "nothing", "Wed 10 Jan 2024, 10:00")]


def test_an_edit_is_shown_by_field_with_word_differences(
    moderator: Client, api_of: Any, john: User, make_session: MakeSession
) -> None:
    long = "We tie five knots that hold, and learn when each of them is the right one to tie, whatever the rope."
    session = make_session("approved", title="Knots", description=long)
    api_of(john).put(
        path(session), {"title": "<b>Bends</b>", "description": long.replace("five", "six"), "level": "beginner"}
    )
    html = " ".join(moderator.get(page(session)).content.decode().split())
    history = html.partition('id="panel-history"')[2]
    for part in (
        '<del class="portal-before">Knots</del>',
        '<ins class="portal-after">&lt;b&gt;Bends&lt;/b&gt;</ins>',
        'We tie <del class="portal-before">five</del><ins class="portal-after">six</ins> knots',
        '<del class="portal-before">Advanced</del>',
        '<ins class="portal-after">Beginner</ins>',
    ):
        assert part in history, part
    assert "<b>Bends" not in html


def test_facts_of_other_sessions_are_not_shown(
    moderator: Client, api_of: Any, john: User, make_session: MakeSession
) -> None:
    session, other = make_session(), make_session()
    api_of(john).put(path(other), {"title": "Elsewhere"})
    assert happened(moderator, session) == []
    assert "Nothing has happened yet." in moderator.get(page(session)).content.decode()


def test_older_history_is_on_a_page_of_its_own(
    moderator: Client, api_of: Any, john: User, make_session: MakeSession
) -> None:
    session = make_session()
    for number in range(101):
        api_of(john).put(path(session), {"title": f"Knots {number}"})
    answer = moderator.get(page(session))
    [link] = re.findall(r'href="(/admin/[^"]*record/\?before=\d+)"', answer.content.decode())
    older = moderator.get(link)
    assert older.status_code == 200
    [entry] = older.context["history"].entries
    assert changed(entry)[0][1:] == ("Advanced Python Programming", "Knots 0")
    assert f'href="{page(session)}#history"' in older.content.decode()
    assert "?before=" not in older.content.decode()
