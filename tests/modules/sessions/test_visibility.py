"""Who sees which session: in the list, in a detail, in `my_sessions/` and in every action."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, STATES, error_of, nothing_changes, path

from modules.sessions.models import Session

NOBODY_S = 4711

# Kinds of sessions: status, approved at least once, hidden.
KINDS = {
    "waiting": ("pending_approval", False, False),
    "rejected": ("cancelled", False, False),
    "expired undecided": ("expired", False, False),
    "approved": ("approved", True, False),
    "scheduled": ("scheduled", True, False),
    "ongoing": ("ongoing", True, False),
    "completed": ("completed", True, False),
    "cancelled": ("cancelled", True, False),
    "expired": ("expired", True, False),
    "hidden": ("scheduled", True, True),
    "hidden, over": ("completed", True, True),
    "hidden, cancelled": ("cancelled", True, True),
}
ALWAYS = {"creator", "moderator", "superuser"}
EVERYBODY = ALWAYS | {"participant", "requester", "turned down", "staff", "outsider"}


def seen_by(kind: str) -> set[str]:
    _, ever_approved, hidden = KINDS[kind]
    if not ever_approved:
        return ALWAYS
    return ALWAYS | {"participant"} if hidden else EVERYBODY


@pytest.fixture
def people(*, john: Any, alice: Any, root: Any, jane: Any, bob: Any, mallory: Any, make_member: Any) -> dict[str, Any]:
    return {
        "creator": john,
        "moderator": alice,
        "superuser": root,
        "participant": jane,
        "requester": bob,
        "turned down": make_member("rex"),
        # Staff without the permission is nobody special.
        "staff": make_member("staff", is_staff=True),
        "outsider": mallory,
    }


@pytest.fixture
def make_kind(make_session: Any, people: dict[str, Any]) -> Any:
    def make(kind: str) -> Session:
        status, ever_approved, hidden = KINDS[kind]
        in_it: dict[str, Any] = {}
        if status in {"scheduled", "ongoing", "completed"} or (status == "cancelled" and ever_approved):
            in_it["participants"] = [people["participant"]]
        if ever_approved:
            waits = "pending" if status in {"approved", "scheduled"} else "rejected"
            in_it["requests"] = {people["requester"]: waits, people["turned down"]: "rejected"}
        return make_session(
            status, creator=people["creator"], ever_approved=ever_approved, hidden_at=NOW if hidden else None, **in_it
        )

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_visibility_in_list_and_detail(make_kind: Any, people: dict[str, Any], kind: str) -> None:
    session = make_kind(kind)

    for who, member in people.items():
        api = Api(member)
        listed = api.get(SESSIONS).json()
        shown = api.get(path(session))
        if who in seen_by(kind):
            assert (listed["count"], [row["id"] for row in listed["results"]]) == (1, [session.pk]), who
            assert (shown.status_code, shown.json()["id"]) == (200, session.pk), who
        else:
            assert (listed["count"], listed["results"]) == (0, []), who
            assert error_of(shown, 404), who


def test_sessions_need_authentication(make_kind: Any) -> None:
    session = make_kind("approved")

    for address in [SESSIONS, path(session), f"{SESSIONS}my_sessions/"]:
        error_of(Api(None).get(address), 401)


ACTIONS = [
    ("get", "", None),
    ("put", "", {}),
    ("put", "", {"title": "Mine now"}),
    ("put", "", {"status": "cancelled"}),
    ("delete", "", None),
    ("post", "cancel/", {"reason": "Because"}),
    ("post", "start/", None),
    ("post", "end/", None),
    ("post", "join/", {"message": "Let me in"}),
    ("post", "leave/", None),
    ("post", "approve_request/", {"user_id": 1}),
    ("post", "reject_request/", {"user_id": 1}),
    ("delete", "participants/1/", None),
    ("post", "participants/1/role/", {"role": "tutor"}),
]


def act(api: Api, method: str, address: str, body: Any) -> Any:
    return getattr(api, method)(address) if method in {"get", "delete"} else getattr(api, method)(address, body)


@pytest.mark.parametrize(("method", "action", "body"), ACTIONS, ids=str)
def test_an_invisible_session_is_a_404(
    *, make_kind: Any, people: dict[str, Any], method: str, action: str, body: Any
) -> None:
    sessions = {kind: make_kind(kind) for kind in ["waiting", "rejected", "expired undecided", "hidden"]}

    for who, member in people.items():
        api = Api(member)
        with nothing_changes():
            invisible = {
                kind: act(api, method, path(session, action), body)
                for kind, session in sessions.items()
                if who not in seen_by(kind)
            }
            nowhere = act(api, method, path(NOBODY_S, action), body)
        for kind, response in invisible.items():
            assert error_of(response, 404), (kind, who)
            assert response.json() == nowhere.json(), (kind, who)


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [each for each in ACTIONS if each[0] != "get" and each[1] not in {"join/", "leave/"}],
    ids=str,
)
def test_changing_a_visible_session_of_others_is_a_403(
    *, make_kind: Any, people: dict[str, Any], method: str, action: str, body: Any
) -> None:
    kinds = ["approved", "scheduled", "ongoing", "completed", "cancelled", "expired"]
    sessions = {kind: make_kind(kind) for kind in kinds}
    ours = action.replace("/1/", f"/{people['participant'].pk}/")

    for who in EVERYBODY - ALWAYS:
        api = Api(people[who])
        for kind, session in sessions.items():
            with nothing_changes():
                assert error_of(act(api, method, path(session, ours), body), 403), (kind, who)


@pytest.mark.parametrize("identifier", ["0", "00", "9223372036854775808", "99999999999999999999999999"])
def test_an_id_out_of_range_is_a_404(john: Any, identifier: str) -> None:
    api = Api(john)

    for method, action, body in ACTIONS:
        error_of(act(api, method, f"{SESSIONS}{identifier}/{action}", body), 404)


@pytest.mark.parametrize("identifier", ["-1", "x", "1.0", "1%00", "%E2%82%AC", "my_sessions/1"])
def test_an_invalid_id_is_a_404(john: Any, identifier: str) -> None:
    error_of(Api(john).get(f"{SESSIONS}{identifier}/"), 404)


def test_a_finished_session_stays_visible(john: Any, alice: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("pending_approval")
    error_of(Api(mallory).get(path(session)), 404)

    Api(alice).put(path(session), {"status": "approved"})
    assert Api(mallory).get(path(session)).status_code == 200

    Api(john).post(path(session, "cancel/"))
    assert Api(mallory).get(path(session)).status_code == 200


def test_a_hidden_session_is_invisible_to_former_participants(jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], hidden_at=NOW)

    assert Api(jane).post(path(session, "leave/")).status_code == 200
    error_of(Api(jane).get(path(session)), 404)


# --- The people and requests of a session -----------------------------------------------------------------------


def test_participants_are_visible_to_everybody(make_kind: Any, people: dict[str, Any]) -> None:
    session = make_kind("scheduled")

    for who, member in people.items():
        shown = Api(member).get(path(session)).json()["participants"]
        assert [(row["user"]["username"], row["status"]) for row in shown] == [("jane_smith", "approved")], who


def test_requests_are_shown_to_managers_and_to_their_requester(make_kind: Any, people: dict[str, Any]) -> None:
    session = make_kind("scheduled")
    everything = [("bob_wilson", "pending"), ("rex", "rejected"), ("jane_smith", "approved")]
    own = {"requester": everything[:1], "turned down": everything[1:2], "participant": everything[2:]}

    for who, member in people.items():
        shown = Api(member).get(path(session)).json()["booking_requests"]
        expected = everything if who in ALWAYS else own.get(who, [])
        assert [(row["user"]["username"], row["status"]) for row in shown] == expected, who


# --- My sessions ------------------------------------------------------------------------------------------------


def test_my_sessions_has_own_sessions_of_every_status(john: Any, bob: Any, make_session: Any) -> None:
    mine = [
        make_session(state, date=NOW + timedelta(days=days), hidden_at=NOW if days == 3 else None)
        for days, state in enumerate(STATES, start=1)
    ]
    make_session("approved", creator=bob)

    shown = Api(john).get(f"{SESSIONS}my_sessions/").json()

    assert [row["id"] for row in shown["created"]] == [session.pk for session in reversed(mine)]
    assert shown["joined"] == []


def test_joined_has_the_sessions_of_a_participant(john: Any, bob: Any, jane: Any, make_session: Any) -> None:
    late = make_session("scheduled", participants=[jane], date=NOW + timedelta(days=9))
    over = make_session("completed", participants=[jane])
    hidden = make_session("scheduled", participants=[jane, bob], hidden_at=NOW)
    cancelled = make_session("cancelled", participants=[bob, jane], date=NOW + timedelta(days=8))
    make_session("approved", requests={jane: "pending"})
    make_session("approved", requests={jane: "rejected"})
    make_session("scheduled", participants=[bob])

    shown = Api(jane).get(f"{SESSIONS}my_sessions/").json()

    assert [row["id"] for row in shown["joined"]] == [late.pk, cancelled.pk, hidden.pk, over.pk]
    assert shown["created"] == []


def test_sessions_with_the_same_start_are_ordered_newest_first(john: Any, make_session: Any) -> None:
    sessions = [make_session("approved") for _ in range(3)]

    shown = Api(john).get(f"{SESSIONS}my_sessions/").json()["created"]

    assert [row["id"] for row in shown] == [session.pk for session in reversed(sessions)]


def test_my_sessions_rows_equal_the_details(john: Any, jane: Any, bob: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})

    for member, part in [(john, "created"), (jane, "joined")]:
        shown = Api(member).get(f"{SESSIONS}my_sessions/").json()
        assert shown[part] == [Api(member).get(path(session)).json()]
    assert Api(bob).get(f"{SESSIONS}my_sessions/").json() == {"created": [], "joined": []}


def test_my_sessions_of_a_moderator_has_only_their_own(alice: Any, make_session: Any) -> None:
    make_session("approved")

    assert Api(alice).get(f"{SESSIONS}my_sessions/").json() == {"created": [], "joined": []}
