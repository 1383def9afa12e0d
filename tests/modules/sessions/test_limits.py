"""The limits of open sessions of a member, and of pending requests in a session."""

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


def test_the_number_of_open_sessions_of_a_member_is_limited(john: Any, make_session: Any) -> None:
    for _ in range(2):
        make_session("approved")

    assert offer(john).status_code == 201
    with nothing_changes():
        response = offer(john)
    assert response.status_code == 400
    assert response.json() == {"error": OPEN_OF_THREE.format(used=3)}


@pytest.mark.parametrize("state", STATES)
def test_sessions_that_count_as_open(john: Any, make_session: Any, state: str) -> None:
    for _ in range(3):
        make_session(state)

    is_open = state in {"pending_approval", "approved", "scheduled", "ongoing"}
    assert offer(john).status_code == (400 if is_open else 201)


def test_sessions_of_others_do_not_count(john: Any, jane: Any, make_session: Any) -> None:
    for _ in range(4):
        make_session("scheduled", creator=jane, participants=[john])

    assert offer(john).status_code == 201


def test_sessions_that_are_over_by_time_do_not_count(john: Any, make_session: Any, clock: Any) -> None:
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
def test_cancelling_a_session_frees_its_slot(john: Any, make_session: Any, action: str) -> None:
    session, _, _ = (make_session("approved") for _ in range(3))

    gone = Api(john).post(path(session, action)) if action else Api(john).delete(path(session))

    assert gone.status_code in {200, 204}
    assert offer(john).status_code == 201


def test_a_limit_below_the_current_number_only_refuses_new_sessions(
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
    """`can_join`, which is the same in detail and list."""
    shown: bool = Api(member).get(path(session)).json()["can_join"]
    [listed] = [row["can_join"] for row in Api(member).get(SESSIONS).json()["results"] if row["id"] == session.pk]
    assert shown is listed
    return shown


def test_the_number_of_pending_requests_is_limited(jane: Any, bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("approved")

    for member in (jane, bob):
        assert promised(member, session) is True
        assert ask(member, session).status_code == 201
    assert promised(mallory, session) is False
    with nothing_changes():
        response = ask(mallory, session)
    assert response.status_code == 400
    assert response.json() == {"error": WAITING_OF_TWO.format(used=2)}


def test_approved_and_rejected_requests_do_not_count(
    *, jane: Any, bob: Any, mallory: Any, make_member: Any, make_session: Any
) -> None:
    session = make_session(
        "scheduled", participants=[jane, make_member()], requests={bob: "rejected", make_member(): "rejected"}
    )

    assert promised(mallory, session) is True
    assert ask(mallory, session).status_code == 201


def test_a_rejected_requester_can_ask_again_within_the_limit(
    *, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("approved", requests={mallory: "rejected", jane: "pending", bob: "pending"})

    assert promised(mallory, session) is False
    assert error_of(ask(mallory, session), 400) == WAITING_OF_TWO.format(used=2)
    assert Api(jane).post(path(session, "leave/")).status_code == 200
    assert promised(mallory, session) is True
    assert ask(mallory, session).status_code == 201


@pytest.mark.parametrize("how", ["approve_request/", "reject_request/", "leave/", "deactivation"])
def test_deciding_or_withdrawing_frees_a_pending_request(
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


def test_waiting_count_is_always_the_number_of_pending_requests(
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


def test_requests_can_be_approved_at_the_limit(
    *, john: Any, jane: Any, bob: Any, mallory: Any, make_session: Any
) -> None:
    session = make_session("approved", requests={jane: "pending", bob: "pending", mallory: "rejected"})

    # That of one who was turned down, too: nobody waits for it.
    for member in (mallory, jane):
        assert Api(john).post(path(session, "approve_request/"), {"user_id": member.pk}).status_code == 200


def test_the_default_limit_is_200_pending_requests(mallory: Any, make_session: Any, settings: Any) -> None:
    settings.SESSIONS_MAX_WAITING_REQUESTS = 200
    session = make_session("approved")
    names = [f"waits_{number}" for number in range(199)]
    members = User.objects.bulk_create(User(username=name, username_key=name) for name in names)
    BookingRequest.objects.bulk_create(BookingRequest(session=session, user=each) for each in members)
    Session.objects.filter(pk=session.pk).update(waiting_count=199)

    assert promised(mallory, session) is True
    assert ask(mallory, session).status_code == 201
    assert promised(User.objects.create(username="late"), session) is False
