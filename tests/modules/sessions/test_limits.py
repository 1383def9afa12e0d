"""How many sessions a member has open at once, and how many wait for an answer in one session."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import SESSIONS, STATES, body_of, error_of, nothing_changes, path

from core.accounts.models import User
from modules.sessions.models import BookingRequest, Session
from modules.sessions.services.deactivation import cascade_deactivation

OPEN_OF_THREE = (
    "A member may have 3 sessions open at once, of which {used} are used and 0 left:"
    " cancel one, or wait until one is over."
)
WAITING_OF_TWO = (
    "A session may have 2 requests waiting for an answer, of which {used} are used and 0 left: ask again later."
)


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.SESSIONS_MAX_OPEN_PER_MEMBER = 3
    settings.SESSIONS_MAX_WAITING_REQUESTS = 2


def offer(member: User) -> Any:
    return Api(member).post(SESSIONS, body_of())


def ask(member: User, session: Session) -> Any:
    return Api(member).post(path(session, "join/"))


# --- Open sessions of a member ----------------------------------------------------------------------------------


def test_a_member_offers_as_many_sessions_as_are_left(john: Any, make_session: Any) -> None:
    for _ in range(2):
        make_session("approved")

    assert offer(john).status_code == 201
    with nothing_changes():
        response = offer(john)
    assert response.status_code == 400
    assert response.json() == {"error": OPEN_OF_THREE.format(used=3)}


@pytest.mark.parametrize("state", STATES)
def test_open_is_what_waits_is_approved_scheduled_or_going_on(john: Any, make_session: Any, state: str) -> None:
    for _ in range(3):
        make_session(state)

    is_open = state in {"pending_approval", "approved", "scheduled", "ongoing"}
    assert offer(john).status_code == (400 if is_open else 201)


def test_what_others_offer_and_what_one_is_in_does_not_count(john: Any, jane: Any, make_session: Any) -> None:
    for _ in range(4):
        make_session("scheduled", creator=jane, participants=[john])

    assert offer(john).status_code == 201


def test_what_time_has_ended_does_not_count_though_no_worker_has_looked_yet(
    john: Any, make_session: Any, clock: Any
) -> None:
    make_session("approved", participants=[])
    make_session("pending_approval")
    make_session("scheduled")
    assert offer(john).status_code == 400

    clock.shift(timedelta(days=5, hours=2))

    # The one that somebody is in has been held by now.
    assert Api(john).post(SESSIONS, body_of(date="2024-02-01T10:00:00Z")).status_code == 201
    assert list(Session.objects.order_by("pk").values_list("status", flat=True)) == [
        *("approved", "pending_approval", "scheduled"),
        "pending_approval",
    ]


@pytest.mark.parametrize("action", ["cancel/", ""])
def test_calling_one_off_makes_room(john: Any, make_session: Any, action: str) -> None:
    session, _, _ = (make_session("approved") for _ in range(3))

    gone = Api(john).post(path(session, action)) if action else Api(john).delete(path(session))

    assert gone.status_code in {200, 204}
    assert offer(john).status_code == 201


def test_less_may_be_set_than_there_are_and_nothing_else_is_refused(
    john: Any, bob: Any, make_session: Any, settings: Any
) -> None:
    sessions = [make_session("approved", requests={bob: "pending"}) for _ in range(3)]
    settings.SESSIONS_MAX_OPEN_PER_MEMBER = 1

    assert Api(john).put(path(sessions[0]), {"title": "Another"}).status_code == 200
    assert Api(john).post(path(sessions[0], "approve_request/"), {"user_id": bob.pk}).status_code == 200
    assert error_of(offer(john), 400).startswith("A member may have 1 sessions open at once, of which 3 are used and 0")


def test_moderators_and_superusers_have_the_same_limit(alice: Any, root: Any, make_session: Any) -> None:
    for member in (alice, root):
        for _ in range(3):
            make_session("approved", creator=member)
        assert error_of(offer(member), 400) == OPEN_OF_THREE.format(used=3)


# --- Requests that wait -----------------------------------------------------------------------------------------


def promised(member: User, session: Session) -> bool:
    """What the detail and the list say alike."""
    shown: bool = Api(member).get(path(session)).json()["can_join"]
    [listed] = [row["can_join"] for row in Api(member).get(SESSIONS).json()["results"] if row["id"] == session.pk]
    assert shown is listed
    return shown


def test_as_many_wait_as_may(jane: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("approved")

    for member in (jane, bob):
        assert promised(member, session) is True
        assert ask(member, session).status_code == 201
    assert promised(mallory, session) is False
    with nothing_changes():
        response = ask(mallory, session)
    assert response.status_code == 400
    assert response.json() == {"error": WAITING_OF_TWO.format(used=2)}


def test_those_who_are_in_or_were_turned_down_do_not_wait(
    *, jane: Any, bob: Any, mallory: Any, make_member: Any, make_session: Any
) -> None:
    session = make_session(
        "scheduled", participants=[jane, make_member()], requests={bob: "rejected", make_member(): "rejected"}
    )

    assert promised(mallory, session) is True
    assert ask(mallory, session).status_code == 201


def test_one_who_was_turned_down_asks_again_where_there_is_room_alone(
    *, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("approved", requests={mallory: "rejected", jane: "pending", bob: "pending"})

    assert promised(mallory, session) is False
    assert error_of(ask(mallory, session), 400) == WAITING_OF_TWO.format(used=2)
    assert Api(jane).post(path(session, "leave/")).status_code == 200
    assert promised(mallory, session) is True
    assert ask(mallory, session).status_code == 201


@pytest.mark.parametrize("how", ["approve_request/", "reject_request/", "leave/", "deactivation"])
def test_an_answer_or_a_withdrawal_makes_room(
    *, john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any, how: str
) -> None:
    session = make_session("approved")
    for member in (jane, bob):
        ask(member, session)
    assert promised(mallory, session) is False

    if how == "leave/":
        assert Api(jane).post(path(session, how)).status_code == 200
    elif how == "deactivation":
        User.objects.filter(pk=jane.pk).update(is_active=False)
        assert cascade_deactivation(member_id=jane.pk) == 1
    else:
        assert Api(john).post(path(session, how), {"user_id": jane.pk}).status_code == 200

    assert promised(mallory, session) is True
    assert ask(mallory, session).status_code == 201


def test_the_number_on_the_row_is_how_many_wait_whatever_happens(
    *, john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any, settings: Any
) -> None:
    settings.SESSIONS_MAX_WAITING_REQUESTS = 200
    session = make_session("approved")

    def waiting() -> int:
        session.refresh_from_db()
        counted = BookingRequest.objects.filter(session=session, status="pending").count()
        assert session.waiting_count == counted
        return counted

    for number, member in enumerate((jane, bob, mallory), start=1):
        ask(member, session)
        assert waiting() == number
    Api(john).post(path(session, "reject_request/"), {"user_id": bob.pk})
    assert waiting() == 2
    # Nobody waits twice, and one who did not wait any more leaves no gap.
    Api(john).post(path(session, "reject_request/"), {"user_id": bob.pk})
    Api(john).post(path(session, "approve_request/"), {"user_id": bob.pk})
    assert waiting() == 2
    Api(bob).post(path(session, "leave/"))
    assert waiting() == 2
    Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk})
    assert waiting() == 1
    Api(john).post(path(session, "cancel/"))
    assert waiting() == 0


def test_a_request_may_be_approved_though_as_many_wait_as_may(
    *, john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("approved", requests={jane: "pending", bob: "pending", mallory: "rejected"})

    # That of one who was turned down, too: nobody waits for it.
    for member in (mallory, jane):
        assert Api(john).post(path(session, "approve_request/"), {"user_id": member.pk}).status_code == 200


def test_two_hundred_may_wait_unless_told_otherwise(mallory: Any, make_session: Any, settings: Any) -> None:
    settings.SESSIONS_MAX_WAITING_REQUESTS = 200
    session = make_session("approved")
    names = [f"waits_{number}" for number in range(199)]
    members = User.objects.bulk_create(User(username=name, username_key=name) for name in names)
    BookingRequest.objects.bulk_create(BookingRequest(session=session, user=each) for each in members)
    Session.objects.filter(pk=session.pk).update(waiting_count=199)

    assert promised(mallory, session) is True
    assert ask(mallory, session).status_code == 201
    assert promised(User.objects.create(username="late"), session) is False
