"""The common behaviour of all action dialogs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession, last_fact, nothing_changes
from tests.modules.sessions.portal import messages_of, page
from tests.modules.sessions.session_actions.conftest import (
    HX,
    REASON,
    STEPS,
    address,
    confirm,
    open_dialog,
    told_after,
    with_step,
)

from core.accounts.models import User
from modules.sessions.models import Session
from modules.sessions.services import running
from modules.sessions.services.moderation import hide_session
from modules.sessions.services.running import cancel_session


@pytest.mark.parametrize("step", STEPS)
def test_opening_a_dialog_changes_nothing(step: str, moderator: Client, session: Session) -> None:
    with_step(session, step)
    with nothing_changes():
        dialog = open_dialog(moderator, session, step)
    assert dialog.status_code == 200
    html = dialog.content.decode()
    assert "Knots" in html
    assert html.count("<form") == html.count("csrfmiddlewaretoken") == 1
    assert f'hx-post="{address(session, step)}"' in html


@pytest.mark.parametrize("step", ["cancel", "hide", "remove"])
@pytest.mark.parametrize("reason", ["", " \n ", "x" * 1001])
def test_actions_without_a_required_reason_are_refused(
    reason: str, step: str, moderator: Client, session: Session
) -> None:
    with_step(session, step)
    with nothing_changes():
        answer = confirm(moderator, session, step, reason)
    assert answer.status_code == 200
    assert answer.context["form"].errors["reason"]
    assert 'aria-invalid="true"' in answer.content.decode()
    assert reason.strip() in answer.content.decode(), "what was written is not lost"


@pytest.mark.parametrize("step", ["show", "second-look"])
def test_showing_and_second_looks_need_no_reason(step: str, moderator: Client, session: Session) -> None:
    assert confirm(moderator, session, step, "").status_code == 204


@pytest.mark.parametrize("step", STEPS)
def test_reason_and_actor_are_recorded(step: str, moderator: Client, alice: User, session: Session) -> None:
    confirm(moderator, with_step(session, step), step, f"  {REASON} ")
    assert (last_fact().actor, last_fact().reason) == (alice, REASON)


@pytest.mark.parametrize(
    ("step", "state", "sentence"),
    [
        (
            "cancel",
            {"status": "cancelled", "moves_at": None},
            "Knots: This session is cancelled: it cannot be cancelled.",
        ),
        ("hide", {"hidden_at": NOW}, "Knots: This session is hidden already."),
        ("show", {"hidden_at": None}, "Knots: This session is not hidden."),
        ("second-look", {"second_look_since": None}, "Knots: This session waits for no second look."),
    ],
)
def test_an_action_done_meanwhile_is_reported_and_not_repeated(
    step: str, state: dict[str, Any], sentence: str, moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("approved", title="Knots", hidden_at=NOW, second_look_since=NOW, reminder_due_at=None)
    Session.objects.filter(pk=session.pk).update(**state)
    with nothing_changes():
        for fields in ({}, {"confirming": "yes", "reason": REASON, "content_version": "0"}):
            answer = moderator.post(address(session, step), fields, headers=HX)
            assert told_after(moderator, answer) == [sentence]


def test_a_late_moderator_reads_who_acted_first(moderator: Client, victor: User, make_session: MakeSession) -> None:
    session = make_session("approved", title="Knots")
    hide_session(session_id=session.pk, by=victor, reason="Reported.")

    answer = moderator.post(address(session, "hide"), {"confirming": "yes", "reason": "Mine."}, headers=HX)
    assert told_after(moderator, answer) == [
        "Knots: This session is hidden already. Victor Vogel hid Knots, just now. The reason: Reported."
    ]
    cancel_session(session_id=session.pk, by=victor, reason="Enough.")
    answer = moderator.post(address(session, "cancel"), {"confirming": "yes", "reason": "Mine."}, headers=HX)
    (told,) = told_after(moderator, answer)
    assert told.startswith("Knots: This session is cancelled: it cannot be cancelled.")
    assert told.endswith(" Victor Vogel cancelled Knots, just now. The reason: Enough.")


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        (
            lambda session: cancel_session(session_id=session.pk, by=session.creator, reason="Ill."),
            (
                "Knots: This session is cancelled: it cannot be cancelled."
                " John Doe cancelled Knots, just now. The reason: Ill."
            ),
        ),
        (lambda session: session.delete(), "Knots: There is no such session."),
    ],
    ids=["cancelled", "deleted"],
)
def test_changes_between_opening_and_confirming_are_reported(
    meanwhile: Callable[[Session], object],
    told: str,
    moderator: Client,
    make_session: MakeSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = make_session("approved", title="Knots")

    def cancel(**values: Any) -> Session:
        meanwhile(Session.objects.get(pk=session.pk))
        return cancel_session(**values)

    monkeypatch.setattr(running, "cancel_session", cancel)
    answer = confirm(moderator, session, "cancel", "Mine.")
    assert answer.status_code == 204
    # Of one that is gone, the page leads on to the list.
    messages = messages_of(moderator.get(answer["HX-Redirect"], follow=True))
    assert told in messages


@pytest.mark.parametrize("step", STEPS)
def test_a_preview_changes_nothing(step: str, moderator: Client, session: Session) -> None:
    with_step(session, step)
    fields = {"confirming": "yes", "previewing": "yes", "reason": REASON, "content_version": "0"}
    with nothing_changes():
        assert moderator.post(address(session, step), fields, headers=HX).status_code == 200


def test_a_member_id_out_of_range_is_refused(moderator: Client, session: Session) -> None:
    url = address(session, "remove").rsplit("/", 3)[0]
    with nothing_changes():
        answer = moderator.post(f"{url}/{'9' * 30}/remove/", {"confirming": "yes", "reason": REASON}, headers=HX)
    assert told_after(moderator, answer) == ["This member is not in Knots any more."]


@pytest.mark.parametrize(
    ("here", "way"),
    [
        ("{page}#participants", "HX-Refresh"),
        # A list that a browser loads anew may have the ticks of before.
        ("{page}", "HX-Redirect"),
        ("{page}?of=1#participants", "HX-Redirect"),
        ("/admin/#details", "HX-Redirect"),
        ("", "HX-Redirect"),
    ],
)
def test_the_page_is_reloaded_with_its_open_tab(here: str, way: str, moderator: Client, session: Session) -> None:
    headers = {**HX, "HX-Current-URL": "http://testserver" + here.format(page=page(session))}
    answer = moderator.post(address(session, "show"), {"confirming": "yes"}, headers=headers)
    assert answer.status_code == 204
    assert {name: answer.get(name) for name in ("HX-Refresh", "HX-Redirect") if name in answer} == {
        way: "true" if way == "HX-Refresh" else page(session)
    }


def test_without_javascript_a_form_redirects_to_the_page(moderator: Client, session: Session) -> None:
    answer = moderator.post(address(session, "show"), {"confirming": "yes"})
    assert (answer.status_code, answer["Location"]) == (302, page(session))
