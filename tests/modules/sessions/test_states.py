"""The states of a session: every edge, by everyone, through PUT and through `cancel/`, `start/` and `end/`."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    FINAL,
    NOW,
    STATES,
    error_of,
    facts,
    fields_of,
    last_fact,
    nothing_changes,
    path,
    z,
)

from modules.sessions.models import Session

# From the contract, by who may take them; nothing else is an edge.
CREATOR_EDGES = {
    ("pending_approval", "cancelled"),
    ("approved", "scheduled"),
    ("approved", "cancelled"),
    ("scheduled", "ongoing"),
    ("scheduled", "cancelled"),
    ("ongoing", "completed"),
    ("ongoing", "cancelled"),
}
MODERATOR_EDGES = {
    ("pending_approval", "approved"),
    ("pending_approval", "cancelled"),
    ("approved", "cancelled"),
    ("scheduled", "cancelled"),
    ("ongoing", "cancelled"),
}
EDGES_OF = {
    "creator": CREATOR_EDGES,
    "moderator": MODERATOR_EDGES,
    # Nobody moderates a session of their own, but a superuser.
    "moderator who is its creator": CREATOR_EDGES,
    "superuser who is its creator": CREATOR_EDGES | MODERATOR_EDGES,
    "participant": set(),
    "outsider": set(),
}
# Clients send whole objects back: an approved session may have gone on.
HAS_GONE_ON = {("scheduled", "approved"), ("ongoing", "approved")}
NEVER_APPROVED = "pending_approval"

FACT_OF = {
    "approved": "SessionApproved",
    "scheduled": "SessionScheduled",
    "ongoing": "SessionStarted",
    "completed": "SessionCompleted",
    "cancelled": "SessionCancelled",
}
ACTIONS = {"cancel/": "cancelled", "start/": "ongoing", "end/": "completed"}


@pytest.fixture
def scene(*, make_session: Any, john: Any, jane: Any, alice: Any, root: Any, mallory: Any) -> Any:
    """A session in a state, about to start where it can, Jane in it as far as anybody can be; and who is asking."""

    def make(state: str, viewer: str) -> tuple[Session, Api]:
        creator = {"moderator who is its creator": alice, "superuser who is its creator": root}.get(viewer, john)
        others: dict[str, Any] = {}
        if state == "scheduled":
            others["date"] = (NOW + timedelta(minutes=10)).replace(microsecond=0)
        if state in {"scheduled", "ongoing", "completed", "cancelled"}:
            others["participants"] = [jane]
        elif state in {"approved", "expired"}:
            others["requests"] = {jane: "pending" if state == "approved" else "rejected"}
        session = make_session(state, creator=creator, **others)
        asking = {"participant": jane, "outsider": mallory, "moderator": alice}.get(viewer, creator)
        return session, Api(asking)

    return make


def expected(source: str, target: str, viewer: str) -> Any:
    """What the contract says: a status, or `moves`, or `stays`."""
    if viewer in {"participant", "outsider"}:
        return 404 if source == NEVER_APPROVED else 403
    if source == target or (source, target) in HAS_GONE_ON:
        return "stays"
    if (source, target) in EDGES_OF[viewer]:
        return "moves"
    return 403 if (source, target) in CREATOR_EDGES | MODERATOR_EDGES else 400


def is_rejection(source: str, target: str, viewer: str) -> bool:
    return viewer == "moderator" and (source, target) == ("pending_approval", "cancelled")


def check_moved(response: Any, session: Session, *, source: str, target: str, viewer: str) -> None:
    assert response.status_code == 200, response.content
    assert response.json()["status"] == target
    assert response.json()["updated_at"] == z(NOW)
    session.refresh_from_db()
    assert session.status == target
    kind = "SessionRejected" if is_rejection(source, target, viewer) else FACT_OF[target]
    assert facts() == [kind]
    record = last_fact()
    assert record.changes == {"status": [source, target]}
    assert (record.session_id, record.request_id) == (session.pk, response["X-Request-ID"])
    assert record.actor is not None


def check_refused(response: Any, *, source: str, target: str, status: int) -> None:
    message = error_of(response, status)
    if status == 400:
        assert source in message
        assert target in message


# --- The matrix -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewer", EDGES_OF)
@pytest.mark.parametrize("target", STATES)
@pytest.mark.parametrize("source", STATES)
def test_a_put_moves_a_session_along_its_edges_only(scene: Any, source: str, target: str, viewer: str) -> None:
    session, api = scene(source, viewer)
    outcome = expected(source, target, viewer)
    change = {"status": target, "reason": "So it has to be"}

    if outcome == "moves":
        response = api.put(path(session), change)
        check_moved(response, session, source=source, target=target, viewer=viewer)
        assert (last_fact().reason, last_fact().actor) == ("So it has to be", api.user)
        return
    with nothing_changes():
        response = api.put(path(session), change)
    if outcome == "stays":
        assert response.status_code == 200
        assert response.json()["status"] == source
    else:
        check_refused(response, source=source, target=target, status=outcome)


@pytest.mark.parametrize("viewer", EDGES_OF)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("source", STATES)
def test_the_actions_are_the_same_as_a_put(scene: Any, source: str, action: str, viewer: str) -> None:
    session, api = scene(source, viewer)
    target = ACTIONS[action]
    outcome = expected(source, target, viewer)
    body = {"reason": "So it has to be"} if action == "cancel/" else None

    if outcome == "moves":
        response = api.post(path(session, action), body)
        check_moved(response, session, source=source, target=target, viewer=viewer)
        return
    with nothing_changes():
        response = api.post(path(session, action), body)
    # An action, unlike an object sent back, says that something shall happen.
    check_refused(response, source=source, target=target, status=400 if outcome == "stays" else outcome)


@pytest.mark.parametrize("status", ["Approved", "open", "", "deleted", None, True, 1, [], {}])
def test_an_unknown_status_is_refused_by_name(john: Any, make_session: Any, status: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        assert list(fields_of(Api(john).put(path(session), {"status": status}))) == ["status"]


# --- Whole objects sent back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_a_whole_object_sent_back_by_its_creator_changes_nothing(john: Any, scene: Any, state: str) -> None:
    session, api = scene(state, "creator")
    shown = api.get(path(session)).json()

    with nothing_changes():
        response = api.put(path(session), {**shown, "timezone_offset": 300})

    assert response.status_code == 200
    assert response.json() == shown


@pytest.mark.parametrize("state", STATES)
def test_a_form_sent_back_by_its_creator_changes_nothing(john: Any, scene: Any, state: str) -> None:
    session, api = scene(state, "creator")
    shown = api.get(path(session)).json()
    fields = ["title", "description", "subject", "level", "duration", "max_participants"]
    form = {name: shown[name] for name in fields} | {"date": shown["date"][:16], "timezone_offset": -60}

    with nothing_changes():
        response = api.put(path(session), form)

    assert response.status_code == 200
    assert response.json() == shown


@pytest.mark.parametrize("state", STATES)
def test_a_whole_object_sent_back_by_a_moderator_changes_nothing(scene: Any, state: str) -> None:
    session, api = scene(state, "moderator")
    shown = api.get(path(session)).json()

    with nothing_changes():
        assert api.put(path(session), shown).json() == shown


@pytest.mark.parametrize("state", ["scheduled", "ongoing"])
def test_an_object_from_before_the_session_went_on_can_still_be_sent_back(scene: Any, state: str) -> None:
    session, api = scene(state, "creator")
    shown = api.get(path(session)).json() | {"status": "approved"}

    with nothing_changes():
        assert api.put(path(session), shown).json()["status"] == state


@pytest.mark.parametrize("state", FINAL)
def test_approved_is_no_state_that_a_final_session_goes_to(scene: Any, state: str) -> None:
    session, api = scene(state, "creator")

    with nothing_changes():
        message = error_of(api.put(path(session), {"status": "approved"}), 400)
    assert state in message
    assert "approved" in message


# --- Starting and ending ----------------------------------------------------------------------------------------


def test_the_creator_starts_from_15_minutes_before(john: Any, jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[jane], date="2024-01-10T12:00:00Z")

    clock.move_to("2024-01-10T11:44:59Z", tick=False)
    with nothing_changes():
        assert "15 minutes" in error_of(Api(john).post(path(session, "start/")), 400)

    clock.move_to("2024-01-10T11:45:00Z", tick=False)
    response = Api(john).post(path(session, "start/"))
    assert (response.status_code, response.json()["status"]) == (200, "ongoing")
    assert response.json() == Api(john).get(path(session)).json()


@pytest.mark.parametrize("send", ["start/", "PUT"])
def test_nobody_starts_a_session_that_nobody_is_in(john: Any, make_session: Any, send: str) -> None:
    session = make_session("scheduled", participants=[], date="2024-01-10T10:10:00Z")

    with nothing_changes():
        if send == "PUT":
            response = Api(john).put(path(session), {"status": "ongoing"})
        else:
            response = Api(john).post(path(session, send))
        assert "Nobody" in error_of(response, 400)


def test_starting_early_moves_neither_date_nor_end(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], date="2024-01-10T10:10:00Z")

    response = Api(john).post(path(session, "start/"))

    assert response.json()["date"] == "2024-01-10T10:10:00Z"
    session.refresh_from_db()
    assert session.ends_at.isoformat() == "2024-01-10T11:40:00+00:00"


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1), timedelta(minutes=89)])
def test_starting_at_the_time_is_fine_where_the_worker_is_late(
    john: Any, jane: Any, make_session: Any, clock: Any, late: timedelta
) -> None:
    session = make_session("scheduled", participants=[jane], date="2024-01-10T12:00:00Z")
    clock.move_to(session.date + late, tick=False)

    response = Api(john).post(path(session, "start/"))

    assert (response.status_code, response.json()["status"]) == (200, "ongoing")
    assert facts() == ["SessionStarted"]


def test_ending_after_the_time_is_fine_where_the_worker_is_late(
    john: Any, jane: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("ongoing", participants=[jane], date="2024-01-10T09:30:00Z")
    clock.move_to(session.ends_at, tick=False)

    response = Api(john).post(path(session, "end/"))

    assert (response.status_code, response.json()["status"]) == (200, "completed")
    assert facts() == ["SessionCompleted"]


def test_nobody_but_the_creator_starts_late_either(
    jane: Any, alice: Any, mallory: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date="2024-01-10T12:00:00Z")
    clock.move_to(session.date, tick=False)

    for member in (jane, mallory):
        with nothing_changes():
            error_of(Api(member).post(path(session, "start/")), 403)
    with nothing_changes():
        assert Api(alice).post(path(session, "start/")).status_code in {400, 403}


def test_ending_early_is_the_creator_s_word(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("ongoing", participants=[jane])

    response = Api(john).post(path(session, "end/"))

    assert response.json() == Api(john).get(path(session)).json()
    assert [row["user"]["id"] for row in response.json()["participants"]] == [jane.pk]


# --- Cancelling, and why ----------------------------------------------------------------------------------------


def test_cancelling_answers_the_detail_and_records_the_reason(
    john: Any, jane: Any, bob: Any, make_session: Any
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})

    response = Api(john).post(path(session, "cancel/"), {"reason": "  The room is taken.\n"})

    assert response.status_code == 200
    assert response.json() == Api(john).get(path(session)).json()
    record = last_fact()
    assert (record.name, record.reason, record.actor_id) == ("sessions.SessionCancelled", "The room is taken.", john.pk)
    assert record.payload["participant_ids"] == [jane.pk]
    assert record.payload["requester_ids"] == [bob.pk]


@pytest.mark.parametrize("body", [None, {}, {"reason": None}, {"reason": ""}])
def test_a_creator_cancels_without_a_reason(john: Any, make_session: Any, body: Any) -> None:
    for state in ["pending_approval", "approved", "scheduled", "ongoing"]:
        session = make_session(state)
        assert Api(john).post(path(session, "cancel/"), body).json()["status"] == "cancelled"
        assert last_fact().reason == ""


@pytest.mark.parametrize("reason", [..., None, "", " \n "])
@pytest.mark.parametrize("send", ["cancel/", "PUT"])
def test_a_moderator_rejects_a_pending_session_with_a_reason_only(
    alice: Any, make_session: Any, send: str, reason: Any
) -> None:
    session = make_session("pending_approval")
    body = {} if reason is ... else {"reason": reason}

    with nothing_changes():
        if send == "PUT":
            response = Api(alice).put(path(session), {"status": "cancelled", **body})
        else:
            response = Api(alice).post(path(session, send), body)
        assert list(fields_of(response)) == ["reason"]


@pytest.mark.parametrize("kind", ["", "application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_the_body_of_a_cancellation_is_optional_whatever_it_is_called(john: Any, make_session: Any, kind: str) -> None:
    # axios names JSON even where it sends nothing, curl a form.
    session = make_session("approved")
    api = Api(john)

    response = api.client.generic("POST", path(session, "cancel/"), headers=api.headers | {"Content-Type": kind})

    assert (response.status_code, response.json()["status"]) == (200, "cancelled")


def test_a_moderator_cancels_what_was_approved_without_a_reason(alice: Any, make_session: Any) -> None:
    for state in ["approved", "scheduled", "ongoing"]:
        session = make_session(state)
        assert Api(alice).post(path(session, "cancel/")).json()["status"] == "cancelled"


@pytest.mark.parametrize("reason", ["x" * 1001, "\x00", 5, [], True])
def test_a_reason_that_breaks_a_rule_is_refused_by_name(john: Any, make_session: Any, reason: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        assert list(fields_of(Api(john).post(path(session, "cancel/"), {"reason": reason}))) == ["reason"]
        response = Api(john).put(path(session), {"status": "cancelled", "reason": reason})
        assert list(fields_of(response)) == ["reason"]


def test_a_cancellation_by_put_is_told_with_its_reason(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    Api(john).put(path(session), {"status": "cancelled", "reason": "I am ill."})

    assert last_fact().reason == "I am ill."


def test_a_null_reason_in_a_put_is_none(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    assert Api(john).put(path(session), {"status": "cancelled", "reason": None}).json()["status"] == "cancelled"


# --- Approving --------------------------------------------------------------------------------------------------


def test_an_approval_is_noted_on_the_row(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    Api(alice).put(path(session), {"status": "approved"})

    session.refresh_from_db()
    assert (session.approved_at, session.decided_at, session.decided_by) == (NOW, NOW, alice)


def test_a_rejection_is_noted_on_the_row(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")

    Api(alice).post(path(session, "cancel/"), {"reason": "No course."})

    session.refresh_from_db()
    assert (session.approved_at, session.decided_at, session.decided_by) == (None, NOW, alice)


def test_the_creator_settles_a_session_that_nobody_is_in_yet(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    response = Api(john).put(path(session), {"status": "scheduled"})

    assert (response.json()["status"], response.json()["participant_count"]) == ("scheduled", 0)
