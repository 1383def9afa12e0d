"""What moderators do to a session on its page: dialogs that say what comes of it, and what they carry out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession, facts, last_fact, nothing_changes, path
from tests.modules.sessions.portal import LIST, admin_of, messages_of, page

from core.accounts.models import User
from modules.sessions.events import Notice, NoticeAsked
from modules.sessions.models import BookingRequest, Session
from modules.sessions.services import running
from modules.sessions.services.moderation import hide_session
from modules.sessions.services.running import cancel_session

HX = {"HX-Request": "true"}
REASON = "The room was flooded."
STEPS = ("cancel", "hide", "show", "second-look", "remove")


def address(session: Session, step: str, member: User | None = None) -> str:
    if step == "remove":
        participant = member or BookingRequest.objects.filter(session=session, status="approved").latest("pk").user
        return f"{LIST}{session.pk}/participants/{participant.pk}/remove/"
    return f"{LIST}{session.pk}/{step}/"


def open_dialog(client: Client, session: Session, step: str) -> Any:
    return client.post(address(session, step), headers=HX)


def fields_of(dialog: Any) -> dict[str, str]:
    """What the form would send beside the reason."""
    fields = {"confirming": "yes"}
    if "content_version" in dialog.content.decode():
        fields["content_version"] = str(dialog.context["session"].content_version)
    return fields


def confirm(client: Client, session: Session, step: str, reason: str = REASON) -> Any:
    """Open the dialog and send it."""
    dialog = open_dialog(client, session, step)
    assert dialog.status_code == 200, dialog.content
    return client.post(address(session, step), {**fields_of(dialog), "reason": reason}, headers=HX)


def told_after(client: Client, answer: Any) -> list[str]:
    """The messages on the page that a dialog leads back to."""
    assert answer.status_code == 204, answer.content
    return messages_of(client.get(answer["HX-Redirect"]))


@pytest.fixture
def moderator(alice: User) -> Client:
    alice.is_staff = True
    alice.save()
    return admin_of(alice)


@pytest.fixture
def session(make_session: MakeSession, jane: User, bob: User) -> Session:
    """Everything can be done to it: it takes place, somebody is in, it is hidden, and was edited."""
    return make_session(
        "scheduled",
        title="Knots",
        participants=[jane],
        requests={bob: "pending"},
        hidden_at=NOW,
        second_look_since=NOW,
    )


def with_step(session: Session, step: str) -> Session:
    """The session as that step finds it: one that is to be hidden is not hidden yet."""
    if step == "hide":
        session.hidden_at = None
        session.save()
    return session


# --- Buttons -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "marks", "labels"),
    [
        ("pending_approval", {}, []),
        ("approved", {}, ["Hide", "Cancel"]),
        ("scheduled", {}, ["Hide", "Cancel"]),
        ("ongoing", {"hidden_at": NOW}, ["Show again", "Cancel"]),
        ("completed", {}, ["Hide"]),
        ("cancelled", {"approved_at": NOW}, ["Hide"]),
        ("cancelled", {}, []),
        ("expired", {}, []),
        ("approved", {"second_look_since": NOW, "hidden_at": NOW}, ["Let the edits stand", "Show again", "Cancel"]),
    ],
)
def test_the_buttons_are_those_of_the_state(
    status: str, marks: dict[str, Any], labels: list[str], moderator: Client, make_session: MakeSession
) -> None:
    answer = moderator.get(page(make_session(status, **marks)))
    assert [action["label"] for action in answer.context["actions"]] == labels
    for action in answer.context["actions"]:
        assert f'data-dialog="{action["url"]}"' in answer.content.decode()


# --- Who ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_a_dialog_is_no_link(step: str, moderator: Client, session: Session) -> None:
    with nothing_changes():
        assert moderator.get(address(session, step)).status_code == 405


@pytest.mark.parametrize("step", STEPS)
def test_strangers_and_members_are_sent_to_log_in(step: str, session: Session, john: User) -> None:
    with nothing_changes():
        for client in (Client(), admin_of(john)):
            answer = client.post(address(session, step), {"confirming": "yes", "reason": REASON})
            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("rights", [[], ["view_session", "view_bookingrequest"]], ids=["no rights", "may view"])
def test_staff_who_do_not_moderate_are_refused(
    rights: list[str], step: str, session: Session, make_member: Callable[..., User]
) -> None:
    staff = make_member("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=rights))
    with_step(session, step)
    with nothing_changes():
        for fields in ({}, {"previewing": "yes"}, {"confirming": "yes", "reason": REASON, "content_version": "0"}):
            answer = admin_of(staff).post(address(session, step), fields, headers=HX)
            assert answer.status_code == 403
            assert "Knots" not in answer.content.decode()


@pytest.mark.parametrize("step", STEPS)
def test_nobody_moderates_their_own_session(
    step: str, moderator: Client, alice: User, make_session: MakeSession, jane: User
) -> None:
    own = make_session("scheduled", creator=alice, participants=[jane], hidden_at=NOW, second_look_since=NOW)
    with_step(own, step)
    with nothing_changes():
        for fields in ({}, {"confirming": "yes", "reason": REASON, "content_version": "0"}):
            assert moderator.post(address(own, step), fields, headers=HX).status_code == 403


@pytest.mark.parametrize("step", STEPS)
def test_a_superuser_does_moderate_their_own(step: str, root: User, make_session: MakeSession, jane: User) -> None:
    own = make_session("scheduled", creator=root, participants=[jane], hidden_at=NOW, second_look_since=NOW)
    assert confirm(admin_of(root), with_step(own, step), step).status_code == 204
    assert last_fact().actor == root


@pytest.mark.parametrize("step", STEPS)
def test_a_session_that_is_not_there_is_not_found_by_moderators_alone(
    step: str, moderator: Client, make_member: Callable[..., User]
) -> None:
    tail = "participants/1/remove/" if step == "remove" else f"{step}/"
    for key in (999999, 10**30):
        assert moderator.post(f"{LIST}{key}/{tail}", headers=HX).status_code == 404
        assert admin_of(make_member(is_staff=True)).post(f"{LIST}{key}/{tail}", headers=HX).status_code == 403


# --- Every dialog ------------------------------------------------------------------------------------------------


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
def test_without_a_reason_it_is_not_done(reason: str, step: str, moderator: Client, session: Session) -> None:
    with_step(session, step)
    with nothing_changes():
        answer = confirm(moderator, session, step, reason)
    assert answer.status_code == 200
    assert answer.context["form"].errors["reason"]
    assert 'aria-invalid="true"' in answer.content.decode()
    assert reason.strip() in answer.content.decode(), "what was written is not lost"


@pytest.mark.parametrize("step", ["show", "second-look"])
def test_what_takes_nothing_from_anybody_needs_no_reason(step: str, moderator: Client, session: Session) -> None:
    assert confirm(moderator, session, step, "").status_code == 204


@pytest.mark.parametrize("step", STEPS)
def test_the_reason_is_recorded_with_who_gave_it(step: str, moderator: Client, alice: User, session: Session) -> None:
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
def test_what_was_done_meanwhile_is_told_instead_of_done_again(
    step: str, state: dict[str, Any], sentence: str, moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("approved", title="Knots", hidden_at=NOW, second_look_since=NOW, reminder_due_at=None)
    Session.objects.filter(pk=session.pk).update(**state)
    with nothing_changes():
        for fields in ({}, {"confirming": "yes", "reason": REASON, "content_version": "0"}):
            answer = moderator.post(address(session, step), fields, headers=HX)
            assert told_after(moderator, answer) == [sentence]


def test_who_was_first_is_told_to_who_comes_too_late(
    moderator: Client, victor: User, make_session: MakeSession
) -> None:
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
def test_what_happens_between_the_look_and_the_change_is_told(
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
def test_what_is_only_to_be_shown_changes_nothing_whatever_comes_with_it(
    step: str, moderator: Client, session: Session
) -> None:
    with_step(session, step)
    fields = {"confirming": "yes", "previewing": "yes", "reason": REASON, "content_version": "0"}
    with nothing_changes():
        assert moderator.post(address(session, step), fields, headers=HX).status_code == 200


def test_nobody_of_an_endless_number_is_removed(moderator: Client, session: Session) -> None:
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
def test_the_page_on_which_a_dialog_was_opened_is_loaded_anew_with_its_open_tab(
    here: str, way: str, moderator: Client, session: Session
) -> None:
    headers = {**HX, "HX-Current-URL": "http://testserver" + here.format(page=page(session))}
    answer = moderator.post(address(session, "show"), {"confirming": "yes"}, headers=headers)
    assert answer.status_code == 204
    assert {name: answer.get(name) for name in ("HX-Refresh", "HX-Redirect") if name in answer} == {
        way: "true" if way == "HX-Refresh" else page(session)
    }


def test_without_scripts_a_form_leads_back_to_the_page(moderator: Client, session: Session) -> None:
    answer = moderator.post(address(session, "show"), {"confirming": "yes"})
    assert (answer.status_code, answer["Location"]) == (302, page(session))


# --- Cancelling --------------------------------------------------------------------------------------------------


def test_cancelling_closes_the_session_and_its_requests(moderator: Client, session: Session, bob: User) -> None:
    answer = confirm(moderator, session, "cancel")
    assert told_after(moderator, answer) == ["Knots was cancelled."]
    session.refresh_from_db()
    assert session.status == "cancelled"
    assert facts(session) == ["SessionCancelled"]
    assert BookingRequest.objects.get(user=bob).status == "rejected"


def test_it_says_how_many_will_be_told(
    moderator: Client, alice: User, session: Session, make_session: MakeSession, jane: User
) -> None:
    dialog = open_dialog(moderator, session, "cancel").content.decode()
    assert "3 people will be told: its creator, 1 participant and 1 member who asked to join." in dialog
    alone = make_session("approved")
    assert "1 person will be told: its creator." in open_dialog(moderator, alone, "cancel").content.decode()
    with_me = make_session("scheduled", participants=[alice, jane])
    dialog = open_dialog(moderator, with_me, "cancel").content.decode()
    assert "2 people will be told: its creator and 1 participant." in dialog


def test_of_what_concerns_nobody_else_nobody_is_told(root: User, make_session: MakeSession) -> None:
    dialog = open_dialog(admin_of(root), make_session(creator=root), "cancel").content.decode()
    assert "Nobody else will be told" in dialog


def test_one_that_waits_is_rejected_rather_than_cancelled(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", title="Knots")
    with nothing_changes():
        answer = moderator.post(address(session, "cancel"), {"confirming": "yes", "reason": REASON}, headers=HX)
    assert told_after(moderator, answer) == ["Knots: This session waits for a decision: reject it instead."]


def test_one_that_is_over_by_the_clock_is_not_cancelled(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("ongoing", title="Knots", date=NOW - timedelta(hours=3))
    with nothing_changes():
        answer = confirm(moderator, session, "cancel")
    assert told_after(moderator, answer) == ["Knots: A session cannot go from completed to cancelled."]


@pytest.mark.parametrize("step", ["cancel", "remove"])
def test_what_people_will_read_is_shown_while_the_reason_is_written(
    step: str, moderator: Client, session: Session, answer: Any, john: User, jane: User
) -> None:
    asked: list[NoticeAsked] = []

    def tell(question: NoticeAsked) -> Notice:
        asked.append(question)
        return Notice(title="Of <Knots>", message=f"Because: {question.reason}")

    answer(NoticeAsked, tell)
    with nothing_changes():
        assert "Of &lt;Knots&gt;" in open_dialog(moderator, session, step).content.decode()
        fields = {"confirming": "yes", "previewing": "yes", "reason": "Too <wet>"}
        preview = moderator.post(address(session, step), fields, headers=HX).content.decode()
    assert "Because: Too &lt;wet&gt;" in preview
    assert "<form" not in preview
    reader = {"cancel": john, "remove": jane}[step]
    kind = {"cancel": "SessionCancelled", "remove": "ParticipantRemoved"}[step]
    assert [(type(each.fact).__name__, each.reason, each.person_id) for each in asked] == [
        (kind, "", reader.pk),
        (kind, "Too <wet>", reader.pk),
    ]


@pytest.mark.parametrize("is_muted", [True, False])
def test_somebody_who_has_switched_such_news_off_is_not_said_to_read_it(
    is_muted: bool, moderator: Client, session: Session, answer: Any
) -> None:
    answer(NoticeAsked, lambda question: Notice(title="Of knots", message="Because.", is_muted=is_muted))
    dialog = open_dialog(moderator, session, "cancel").content.decode()
    assert ("They have switched off news of this kind" in dialog) is is_muted


# --- Hiding ------------------------------------------------------------------------------------------------------


def test_hidden_it_is_seen_by_nobody_else_until_it_is_shown_again(
    moderator: Client, session: Session, mallory: User, api_of: Any
) -> None:
    with_step(session, "hide")
    assert api_of(mallory).get(path(session)).status_code == 200
    assert told_after(moderator, confirm(moderator, session, "hide")) == ["Knots is hidden."]
    assert api_of(mallory).get(path(session)).status_code == 404
    assert told_after(moderator, confirm(moderator, session, "show")) == ["Knots can be seen again."]
    assert api_of(mallory).get(path(session)).status_code == 200
    assert facts(session) == ["SessionHidden", "SessionShown"]


# --- The second look ---------------------------------------------------------------------------------------------


@pytest.fixture
def edited(make_session: MakeSession, api_of: Any, john: User) -> Session:
    """Its creator has changed the title of an approved session."""
    session = make_session("approved", title="Knots")
    assert api_of(john).put(path(session), {"title": "Bends"}).status_code == 200
    session.refresh_from_db()
    return session


def test_what_was_changed_is_shown_and_let_stand(moderator: Client, edited: Session) -> None:
    dialog = open_dialog(moderator, edited, "second-look").content.decode()
    assert '<del class="portal-before">Knots</del>' in dialog
    assert '<ins class="portal-after">Bends</ins>' in dialog
    assert told_after(moderator, confirm(moderator, edited, "second-look")) == ["The edits of Bends stand."]
    edited.refresh_from_db()
    assert edited.second_look_since is None
    assert facts(edited) == ["SessionEdited", "SecondLookTaken"]


def test_what_was_changed_while_it_was_read_is_shown_and_not_let_stand(
    moderator: Client, edited: Session, api_of: Any, john: User
) -> None:
    fields = {**fields_of(open_dialog(moderator, edited, "second-look")), "reason": "Fine."}
    api_of(john).put(path(edited), {"title": "Guaranteed wins"})
    with nothing_changes():
        again = moderator.post(address(edited, "second-look"), fields, headers=HX)
    assert again.status_code == 200
    [difference] = again.context["changed"]
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
def test_edits_are_let_stand_only_for_the_content_that_was_read(
    version: str | None, moderator: Client, edited: Session
) -> None:
    fields = {"confirming": "yes", **({} if version is None else {"content_version": version})}
    with nothing_changes():
        answer = moderator.post(address(edited, "second-look"), fields, headers=HX)
    assert answer.status_code == 200


def test_what_was_changed_back_is_said_to_be_nothing(
    moderator: Client, edited: Session, api_of: Any, john: User
) -> None:
    api_of(john).put(path(edited), {"title": "Knots"})
    assert "has been changed back" in open_dialog(moderator, edited, "second-look").content.decode()


# --- Removing a participant --------------------------------------------------------------------------------------


def test_a_removed_participant_gives_back_the_place(moderator: Client, session: Session, jane: User) -> None:
    answer = confirm(moderator, session, "remove")
    assert answer["HX-Redirect"] == f"{page(session)}#participants"
    assert told_after(moderator, answer) == ["Jane Smith was removed from Knots."]
    session.refresh_from_db()
    assert session.participant_count == 0
    assert not BookingRequest.objects.filter(user=jane).exists()
    assert (facts(session), last_fact().member_id) == (["ParticipantRemoved"], jane.pk)


@pytest.mark.parametrize("who", ["bob", "mallory", "john"])
def test_only_who_is_in_can_be_removed(
    who: str, moderator: Client, session: Session, request: pytest.FixtureRequest
) -> None:
    member = request.getfixturevalue(who)
    with nothing_changes():
        for fields in ({}, {"confirming": "yes", "reason": REASON}):
            answer = moderator.post(address(session, "remove", member), fields, headers=HX)
            assert told_after(moderator, answer) == ["This member is not in Knots any more."]


@pytest.mark.parametrize(
    ("status", "date"),
    [
        ("ongoing", NOW - timedelta(minutes=1)),
        ("completed", NOW - timedelta(days=1)),
        ("cancelled", NOW + timedelta(days=1)),
        # The worker is late.
        ("scheduled", NOW),
    ],
)
def test_from_the_start_on_nobody_is_removed(
    status: str, date: Any, moderator: Client, make_session: MakeSession, jane: User
) -> None:
    session = make_session(status, title="Knots", participants=[jane], date=date, reminder_due_at=None)
    with nothing_changes():
        for fields in ({}, {"confirming": "yes", "reason": REASON}):
            answer = moderator.post(address(session, "remove", jane), fields, headers=HX)
            assert told_after(moderator, answer) == ["Participants of Knots can be removed only before its start."]
