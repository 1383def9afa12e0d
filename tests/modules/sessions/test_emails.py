"""Whose e-mail address is shown to whom: anyone can register, so that addresses must not be harvested."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, body_of, path, user_row

VIEWERS = ["creator", "moderator", "superuser", "participant", "tutor", "requester", "turned down", "staff", "outsider"]
RUN_IT = {"creator", "moderator", "superuser"}
ARE_IN = {"participant", "tutor"}


@pytest.fixture
def people(*, john: Any, alice: Any, root: Any, jane: Any, bob: Any, mallory: Any, make_member: Any) -> dict[str, Any]:
    return {
        "creator": john,
        "moderator": alice,
        "superuser": root,
        "participant": jane,
        "tutor": bob,
        "requester": make_member("rita"),
        "turned down": make_member("rex"),
        "staff": make_member("staff", is_staff=True),
        "outsider": mallory,
    }


@pytest.fixture
def session(make_session: Any, people: dict[str, Any]) -> Any:
    session = make_session(
        "scheduled",
        participants=[people["participant"], people["tutor"]],
        requests={people["requester"]: "pending", people["turned down"]: "rejected"},
    )
    session.booking_requests.filter(user=people["tutor"]).update(role="tutor")
    return session


def shown_emails(user_rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["username"]: row["email"] for row in user_rows}


def emails_for(viewer: Any, users: list[Any], *, readable: bool) -> dict[str, str]:
    return {user.username: user.email if readable or user == viewer else "" for user in users}


@pytest.mark.parametrize("who", VIEWERS)
def test_the_creator_s_address_is_shown_to_participants_and_moderators(
    session: Any, people: dict[str, Any], who: str
) -> None:
    api = Api(people[who])
    expected = user_row(people["creator"], email=who in RUN_IT | ARE_IN)

    assert api.get(path(session)).json()["creator"] == expected
    [listed] = api.get(SESSIONS).json()["results"]
    assert listed["creator"] == expected
    mine = api.get(f"{SESSIONS}my_sessions/").json()
    assert [row["creator"] for row in [*mine["created"], *mine["joined"]]] == (
        [expected] if who in {"creator"} | ARE_IN else []
    )


@pytest.mark.parametrize("who", VIEWERS)
def test_a_participant_s_address_is_shown_to_the_creator_and_moderators(
    session: Any, people: dict[str, Any], who: str
) -> None:
    viewer = people[who]
    shown = Api(viewer).get(path(session)).json()["participants"]

    assert shown_emails([row["user"] for row in shown]) == emails_for(
        viewer, [people["participant"], people["tutor"]], readable=who in RUN_IT
    )


@pytest.mark.parametrize("who", VIEWERS)
def test_a_requester_s_address_is_shown_to_the_creator_and_moderators(
    session: Any, people: dict[str, Any], who: str
) -> None:
    viewer = people[who]
    shown = Api(viewer).get(path(session)).json()["booking_requests"]
    asked = [people[each] for each in ("participant", "tutor", "requester", "turned down")]

    assert shown_emails([row["user"] for row in shown]) == emails_for(
        viewer, asked if who in RUN_IT else [user for user in asked if user == viewer], readable=who in RUN_IT
    )


@pytest.mark.parametrize("state", ["ongoing", "completed", "cancelled"])
def test_participants_of_a_finished_session_still_see_the_creators_address(
    john: Any, jane: Any, make_session: Any, state: str
) -> None:
    session = make_session(state, participants=[jane])

    assert Api(jane).get(path(session)).json()["creator"]["email"] == "john@example.com"


def test_leaving_hides_the_creators_address_at_once(john: Any, jane: Any, bob: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane, bob])

    left = Api(jane).post(path(session, "leave/")).json()

    assert left["creator"] == user_row(john, email=False)
    assert [row["user"] for row in left["participants"]] == [user_row(bob, email=False)]
    assert left["booking_requests"] == []


def test_participation_does_not_reveal_addresses_of_other_sessions(john: Any, jane: Any, make_session: Any) -> None:
    joined = make_session("scheduled", participants=[jane])
    other = make_session("approved", requests={jane: "pending"})
    strange = make_session("approved")

    shown = {row["id"]: row["creator"]["email"] for row in Api(jane).get(SESSIONS).json()["results"]}

    assert shown == {joined.pk: "john@example.com", other.pk: "", strange.pk: ""}


def test_offering_and_asking_return_the_members_own_address(john: Any, bob: Any, make_session: Any) -> None:
    offered = Api(john).post(SESSIONS, body_of()).json()
    assert offered["creator"] == user_row(john, email=True)

    asked = Api(bob).post(path(make_session("approved"), "join/")).json()
    assert asked["user"] == user_row(bob, email=True)


@pytest.mark.parametrize("who", ["creator", "moderator"])
@pytest.mark.parametrize("action", ["approve_request/", "reject_request/"])
def test_deciding_returns_the_requesters_address(
    *, john: Any, alice: Any, bob: Any, make_session: Any, action: str, who: str
) -> None:
    session = make_session("approved", requests={bob: "pending"})
    api = Api(john if who == "creator" else alice)

    assert api.post(path(session, action), {"user_id": bob.pk}).json()["user"] == user_row(bob, email=True)


def test_changing_a_role_returns_the_participants_address(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])

    changed = Api(john).post(path(session, f"participants/{jane.pk}/role/"), {"role": "tutor"}).json()

    assert changed["user"] == user_row(jane, email=True)


def test_outsiders_see_no_addresses(*, session: Any, mallory: Any, people: dict[str, Any], make_session: Any) -> None:
    make_session("approved", requests={people["requester"]: "pending"}, date=NOW)
    api = Api(mallory)

    for address in [SESSIONS, f"{SESSIONS}?creator={people['creator'].pk}", path(session)]:
        text = api.get(address).content.decode()
        assert "@" not in text
