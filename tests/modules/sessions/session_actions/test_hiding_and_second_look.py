"""Hiding a session, showing it, and the second look."""

from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import MakeSession, facts, nothing_changes, path
from tests.modules.sessions.session_actions.conftest import (
    HX,
    address,
    confirm,
    fields_of,
    open_dialog,
    told_after,
    with_step,
)

from core.accounts.models import User
from modules.sessions.models import Session


def test_a_hidden_session_is_invisible_until_it_is_shown(
    moderator: Client, session: Session, mallory: User, api_of: Any
) -> None:
    with_step(session, "hide")
    assert api_of(mallory).get(path(session)).status_code == 200
    assert told_after(moderator, confirm(moderator, session, "hide")) == ["Knots is hidden."]
    assert api_of(mallory).get(path(session)).status_code == 404
    assert told_after(moderator, confirm(moderator, session, "show")) == ["Knots can be seen again."]
    assert api_of(mallory).get(path(session)).status_code == 200
    assert facts(session) == ["SessionHidden", "SessionShown"]


@pytest.fixture
def edited(make_session: MakeSession, api_of: Any, john: User) -> Session:
    """Its creator has changed the title of an approved session."""
    session = make_session("approved", title="Knots")
    assert api_of(john).put(path(session), {"title": "Bends"}).status_code == 200
    session.refresh_from_db()
    return session


def test_edits_are_shown_and_accepted(moderator: Client, edited: Session) -> None:
    dialog = open_dialog(moderator, edited, "second-look").content.decode()
    assert '<del class="portal-before">Knots</del>' in dialog
    assert '<ins class="portal-after">Bends</ins>' in dialog
    assert told_after(moderator, confirm(moderator, edited, "second-look")) == ["The edits of Bends stand."]
    edited.refresh_from_db()
    assert edited.second_look_since is None
    assert facts(edited) == ["SessionEdited", "SecondLookTaken"]


def test_edits_made_meanwhile_are_shown_and_not_accepted(
    moderator: Client, edited: Session, api_of: Any, john: User
) -> None:
    fields = {**fields_of(open_dialog(moderator, edited, "second-look")), "reason": "Fine."}
    api_of(john).put(path(edited), {"title": "Guaranteed wins"})
    with nothing_changes():
        again = moderator.post(address(edited, "second-look"), fields, headers=HX)
    assert again.status_code == 200
    [difference] = again.context["changes"]
    assert (difference.before, difference.after) == ("Bends", "Guaranteed wins")
    html = again.content.decode()
    assert 'role="alert"' in html
    assert "Fine." in html
    # All that was changed since the approval, too.
    [whole] = again.context["differences"]
    assert (whole.before, whole.after) == ("Knots", "Guaranteed wins")

    answer = moderator.post(address(edited, "second-look"), {**fields_of(again), "reason": "Fine."}, headers=HX)
    assert told_after(moderator, answer) == ["The edits of Guaranteed wins stand."]


@pytest.mark.parametrize("version", [None, "", "x", "-1", "0"])
def test_edits_are_accepted_only_for_the_version_that_was_read(
    version: str | None, moderator: Client, edited: Session
) -> None:
    fields = {"confirming": "yes", **({} if version is None else {"content_version": version})}
    with nothing_changes():
        answer = moderator.post(address(edited, "second-look"), fields, headers=HX)
    assert answer.status_code == 200


def test_reverted_edits_are_not_shown(moderator: Client, edited: Session, api_of: Any, john: User) -> None:
    api_of(john).put(path(edited), {"title": "Knots"})
    assert "has been changed back" in open_dialog(moderator, edited, "second-look").content.decode()
