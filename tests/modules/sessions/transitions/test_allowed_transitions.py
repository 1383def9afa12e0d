"""Every transition that is asked for by PUT or an action, for every status and role."""

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
        return session, apis.setdefault(asking, Api(asking))

    apis: dict[Any, Api] = {}
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
    assert facts(session) == [kind]
    record = last_fact()
    assert record.changes == {"status": [source, target]}
    assert (record.session_id, record.request_id) == (session.pk, response["X-Request-ID"])
    assert record.actor is not None


def check_refused(response: Any, *, source: str, target: str, status: int) -> None:
    message = error_of(response, status)
    if status == 400:
        assert source in message
        assert target in message


@pytest.mark.parametrize("viewer", EDGES_OF)
@pytest.mark.parametrize("source", STATES)
def test_a_put_makes_only_allowed_transitions(scene: Any, subtests: pytest.Subtests, source: str, viewer: str) -> None:
    for target in STATES:
        with subtests.test(target=target):
            session, api = scene(source, viewer)
            put_and_check(session, api, source=source, target=target, viewer=viewer)


def put_and_check(session: Session, api: Api, *, source: str, target: str, viewer: str) -> None:
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
@pytest.mark.parametrize("source", STATES)
def test_actions_are_equivalent_to_a_put(scene: Any, subtests: pytest.Subtests, source: str, viewer: str) -> None:
    for action in ACTIONS:
        with subtests.test(action=action):
            session, api = scene(source, viewer)
            act_and_check(session, api, source=source, action=action, viewer=viewer)


def act_and_check(session: Session, api: Api, *, source: str, action: str, viewer: str) -> None:
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
def test_an_object_with_an_earlier_status_can_be_sent_back(scene: Any, state: str) -> None:
    session, api = scene(state, "creator")
    shown = api.get(path(session)).json() | {"status": "approved"}

    with nothing_changes():
        assert api.put(path(session), shown).json()["status"] == state


@pytest.mark.parametrize("state", FINAL)
def test_a_final_session_cannot_become_approved(scene: Any, state: str) -> None:
    session, api = scene(state, "creator")

    with nothing_changes():
        message = error_of(api.put(path(session), {"status": "approved"}), 400)
    assert state in message
    assert "approved" in message
