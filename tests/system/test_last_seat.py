"""Many at once: never more participants than places, never two rows for one member, nothing told that is not so.

Each race is run over HTTP by threads that start together, each with a database connection of its own, and more than
once: a race that is lost now and then shall be lost here.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connections
from tests.conftest import Api

from core.accounts.models import User
from core.facts.models import FactRecord
from core.time import clock
from modules.sessions.models import BookingRequest, Reminder, Session
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import remind_due_sessions

pytestmark = pytest.mark.django_db(transaction=True)

SESSIONS = "/api/sessions/"
ROUNDS = range(4)


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Makes all the calls at the same moment, each in a thread; their results in the order of the calls."""
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            ready.wait(timeout=30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [result.result() for result in [threads.submit(run, call) for call in calls]]


def statuses(responses: Sequence[Any]) -> list[int]:
    found = [response.status_code for response in responses]
    assert not [status for status in found if status >= 500], [response.content for response in responses]
    return found


class Place:
    """A session that John offers, arranged over HTTP, and its people's clients, made before the race begins."""

    def __init__(self, creator: User, moderator: User, *, places: int, approved: bool) -> None:
        self.creator, self.moderator = Api(creator), Api(moderator)
        offered = self.creator.post(
            SESSIONS,
            {
                "title": "Advanced Python Programming",
                "description": "Learn advanced Python concepts",
                "subject": "Programming",
                "level": "advanced",
                "date": (clock.now() + timedelta(days=3)).isoformat(),
                "duration": 90,
                "max_participants": places,
            },
        )
        assert offered.status_code == 201, offered.content
        self.id: int = offered.json()["id"]
        self.path = f"{SESSIONS}{self.id}/"
        if approved:
            assert self.moderator.put(self.path, {"status": "approved"}).status_code == 200

    def join(self, member: Api) -> Any:
        return member.post(f"{self.path}join/", {"message": "Let me in"})

    def approve(self, by: Api, member: Api) -> Any:
        assert member.user
        return by.post(f"{self.path}approve_request/", {"user_id": member.user.pk})

    def reject(self, by: Api, member: Api) -> Any:
        assert member.user
        return by.post(f"{self.path}reject_request/", {"user_id": member.user.pk})

    def leave(self, member: Api) -> Any:
        return member.post(f"{self.path}leave/")

    def remove(self, by: Api, member: Api) -> Any:
        assert member.user
        return by.delete(f"{self.path}participants/{member.user.pk}/")

    def cancel(self, by: Api) -> Any:
        return by.post(f"{self.path}cancel/")

    def resize(self, places: int) -> Any:
        return self.creator.put(self.path, {"max_participants": places})

    def let_in(self, *members: Api) -> None:
        for member in members:
            assert self.join(member).status_code == 201
            assert self.approve(self.creator, member).status_code == 200

    def facts(self, *names: str) -> list[str]:
        records = FactRecord.objects.filter(session_id=self.id).order_by("pk")
        found = [record.name.removeprefix("sessions.") for record in records]
        return [name for name in found if name in names] if names else found

    def check(self) -> Session:
        """Holds rows to their promises, and the record of facts to the rows; returns the session."""
        session = Session.objects.get(pk=self.id)
        requests = list(BookingRequest.objects.filter(session=session))
        assert len({request.user_id for request in requests}) == len(requests)
        participants = [request for request in requests if request.status == "approved"]
        assert session.participant_count == len(participants) <= session.max_participants
        assert {request.user_id: request.status for request in requests} == self.requests_by_the_record()
        assert session.status == self.status_by_the_record()
        return session

    def requests_by_the_record(self) -> dict[int, str]:
        """What the facts, from the first to the last, say of the requests; each has to follow from those before."""
        follows = {
            "BookingRequested": ({None, "rejected"}, "pending"),
            "BookingRequestApproved": ({"pending", "rejected"}, "approved"),
            "BookingRequestRejected": ({"pending"}, "rejected"),
            "BookingRequestWithdrawn": ({"pending"}, None),
            "SeatLeft": ({"approved"}, None),
            "ParticipantRemoved": ({"approved"}, None),
        }
        told: dict[int, str | None] = {}
        for record in FactRecord.objects.filter(session_id=self.id).order_by("pk"):
            name = record.name.removeprefix("sessions.")
            if name in follows:
                allowed, becomes = follows[name]
                member_id = record.payload["member_id"]
                assert told.get(member_id) in allowed, (name, told.get(member_id))
                told[member_id] = becomes
            elif name in {"SessionCancelled", "SessionExpired", "SessionStarted"}:
                waiting = {member_id for member_id, status in told.items() if status == "pending"}
                assert set(record.payload["requester_ids"]) == waiting
                told.update(dict.fromkeys(waiting, "rejected"))
                if name == "SessionCancelled":
                    assert set(record.payload["participant_ids"]) == {
                        member_id for member_id, status in told.items() if status == "approved"
                    }
        return {member_id: status for member_id, status in told.items() if status}

    def status_by_the_record(self) -> str:
        status = "pending_approval"
        for record in FactRecord.objects.filter(session_id=self.id, changes__has_key="status").order_by("pk"):
            before, after = record.changes["status"]
            assert before == status
            status = after
        return status


@pytest.fixture
def moderator(make_member: Any) -> User:
    member: User = make_member("moderator")
    member.groups.add(Group.objects.get(name="Moderators"))
    return member


@pytest.fixture
def make_place(john: User, moderator: User) -> Callable[..., Place]:
    def make(places: int = 15, *, approved: bool = True) -> Place:
        return Place(john, moderator, places=places, approved=approved)

    return make


@pytest.fixture
def make_clients(make_member: Any) -> Callable[[int], list[Api]]:
    def make(number: int) -> list[Api]:
        return [Api(make_member()) for _ in range(number)]

    return make


# --- The last seats ---------------------------------------------------------------------------------------------


def test_of_twenty_approvals_at_once_as_many_hold_as_there_are_places(make_place: Any, make_clients: Any) -> None:
    place, members = make_place(5), make_clients(20)
    for member in members:
        place.join(member)

    answers = at_once(
        [
            partial(place.approve, by, member)
            for member, by in zip(members, [place.creator, place.moderator] * 10, strict=True)
        ]
    )

    assert sorted(statuses(answers)) == [200] * 5 + [400] * 15
    session = place.check()
    assert (session.participant_count, session.status) == (5, "scheduled")
    assert place.facts("BookingRequestApproved") == ["BookingRequestApproved"] * 5
    assert place.facts("SessionScheduled") == ["SessionScheduled"]


def test_twenty_who_join_and_are_approved_at_once_meet_the_last_seats(make_place: Any, make_clients: Any) -> None:
    place, members = make_place(3), make_clients(20)

    def go_for_it(member: Api) -> list[Any]:
        return [place.join(member), place.approve(place.creator, member)]

    answers = at_once([partial(go_for_it, member) for member in members])

    joined = statuses([joined for joined, _ in answers])
    approved = statuses([approved for _, approved in answers])
    assert set(joined) <= {201, 400}
    assert sorted(approved)[:3] == [200] * 3
    assert approved.count(200) == 3
    # Who came when it was full made no request: there was nothing to approve.
    assert approved.count(404) == joined.count(400)
    assert place.check().participant_count == 3


@pytest.mark.parametrize("round_", ROUNDS)
def test_places_taken_away_meanwhile_never_leave_too_few(make_place: Any, make_clients: Any, round_: int) -> None:
    place, members = make_place(10), make_clients(16)
    place.let_in(members[0])
    for member in members[1:]:
        place.join(member)

    calls: list[Callable[[], Any]] = [partial(place.approve, place.creator, member) for member in members[1:]]
    sizes = [8, 6, 4, 2, 3, 5]
    for position, size in enumerate(sizes):
        calls.insert((position + round_) * 2, partial(place.resize, size))
    answers = at_once(calls)

    assert set(statuses(answers)) <= {200, 400}
    session = place.check()
    approved = [answer for answer in answers if answer.status_code == 200 and "user" in answer.json()]
    assert session.participant_count == 1 + len(approved)


def test_a_seat_that_is_given_back_is_taken_once(make_place: Any, make_clients: Any) -> None:
    for _ in ROUNDS:
        place, (first, second, *waiting) = make_place(2), make_clients(16)
        for member in waiting:
            place.join(member)
        place.let_in(first, second)

        left, *approved = at_once(
            [
                partial(place.leave, first),
                *(partial(place.approve, place.creator, member) for member in waiting),
            ]
        )

        assert statuses([left]) == [200]
        assert statuses(approved).count(200) <= 1
        assert place.check().participant_count == 1 + statuses(approved).count(200)


# --- One member, many hands -------------------------------------------------------------------------------------


def test_one_member_who_joins_sixteen_times_at_once_has_one_request(make_place: Any, make_clients: Any) -> None:
    place, [member] = make_place(), make_clients(1)

    answers = at_once([partial(place.join, member)] * 16)

    assert sorted(statuses(answers)) == [201] + [400] * 15
    place.check()
    assert place.facts("BookingRequested") == ["BookingRequested"]


def test_one_requester_approved_sixteen_times_at_once_takes_one_place(make_place: Any, make_clients: Any) -> None:
    place, [member] = make_place(2), make_clients(1)
    place.join(member)

    answers = at_once([partial(place.approve, by, member) for by in [place.creator, place.moderator] * 8])

    assert statuses(answers) == [200] * 16
    assert place.check().participant_count == 1
    assert place.facts("BookingRequestApproved", "SessionScheduled") == ["BookingRequestApproved", "SessionScheduled"]


def test_one_requester_approved_and_rejected_at_once_is_in_the_end_what_the_record_says(
    make_place: Any, make_clients: Any
) -> None:
    for _ in ROUNDS:
        place, [member] = make_place(2), make_clients(1)
        place.join(member)

        answers = at_once(
            [partial(place.approve, place.creator, member), partial(place.reject, place.moderator, member)] * 8
        )

        approvals, rejections = statuses(answers[::2]), statuses(answers[1::2])
        # An approval holds before and after a rejection; a rejection before an approval alone.
        assert approvals == [200] * 8
        assert set(rejections) <= {200, 400}
        assert place.check().participant_count == 1
        assert len(place.facts("BookingRequestApproved")) == 1
        assert len(place.facts("BookingRequestRejected")) <= 1


def test_one_requester_who_withdraws_while_being_approved_is_out_or_was_never_in(
    make_place: Any, make_clients: Any
) -> None:
    for _ in ROUNDS:
        place, [member] = make_place(2), make_clients(1)
        place.join(member)

        answers = at_once([partial(place.leave, member), partial(place.approve, place.creator, member)] * 8)

        left, approved = statuses(answers[::2]), statuses(answers[1::2])
        assert left.count(200) == 1
        assert set(left) <= {200, 400}
        assert set(approved) <= {200, 404}
        assert place.check().participant_count == 0


def test_one_participant_removed_by_many_and_leaving_goes_once(make_place: Any, make_clients: Any) -> None:
    for _ in ROUNDS:
        place, [member] = make_place(2), make_clients(1)
        place.let_in(member)

        answers = at_once([partial(place.remove, place.creator, member), partial(place.leave, member)] * 8)

        gone = statuses(answers)
        assert gone.count(204) + gone.count(200) == 1
        assert set(gone) <= {200, 204, 400, 404}
        assert place.check().participant_count == 0
        assert len(place.facts("SeatLeft", "ParticipantRemoved")) == 1


# --- The session itself -----------------------------------------------------------------------------------------


def test_a_cancellation_meanwhile_leaves_nobody_waiting_and_tells_whom_it_concerns(
    make_place: Any, make_clients: Any
) -> None:
    for _ in ROUNDS:
        place, members = make_place(), make_clients(15)
        for member in members[:10]:
            place.join(member)

        cancelled, *others = at_once(
            [
                partial(place.cancel, place.creator),
                *(partial(place.approve, place.creator, member) for member in members[:10]),
                *(partial(place.join, member) for member in members[10:]),
            ]
        )

        assert statuses([cancelled]) == [200]
        assert set(statuses(others)) <= {200, 201, 400}
        session = place.check()
        assert session.status == "cancelled"
        assert session.participant_count == statuses(others).count(200)
        assert not BookingRequest.objects.filter(session=session, status="pending").exists()
        assert len(place.facts("SessionCancelled")) == 1


def test_one_session_cancelled_by_many_is_cancelled_once(make_place: Any, make_clients: Any) -> None:
    place, [member] = make_place(), make_clients(1)
    place.let_in(member)

    answers = at_once([partial(place.cancel, by) for by in [place.creator, place.moderator] * 8])

    assert sorted(statuses(answers)) == [200] + [400] * 15
    place.check()
    assert len(place.facts("SessionCancelled")) == 1


def test_one_session_approved_and_rejected_by_many_is_decided_once(make_place: Any) -> None:
    for _ in ROUNDS:
        place = make_place(approved=False)
        approve = partial(place.moderator.put, place.path, {"status": "approved"})
        reject = partial(place.moderator.put, place.path, {"status": "cancelled", "reason": "No"})

        answers = at_once([approve, reject] * 8)

        assert set(statuses(answers)) <= {200, 400}
        place.check()
        # Rejected at once, or approved and then cancelled; never both decided.
        assert place.facts()[1:] in (["SessionRejected"], ["SessionApproved", "SessionCancelled"])


def test_a_session_deleted_while_many_join_leaves_nothing_behind(make_place: Any, make_clients: Any) -> None:
    for _ in ROUNDS:
        place, members = make_place(), make_clients(15)

        deleted, *joined = at_once(
            [
                partial(place.creator.delete, place.path),
                *(partial(place.join, member) for member in members),
            ]
        )

        assert statuses([deleted]) == [204]
        assert set(statuses(joined)) <= {201, 404}
        assert not Session.objects.filter(pk=place.id).exists()
        assert not BookingRequest.objects.filter(session_id=place.id).exists()
        told = FactRecord.objects.get(session_id=place.id, name="sessions.SessionDeleted")
        assert len(told.payload["requester_ids"]) == statuses(joined).count(201)
        assert FactRecord.objects.filter(session_id=place.id).latest("pk") == told


# --- Workers ----------------------------------------------------------------------------------------------------


def test_any_number_of_workers_move_and_remind_once(make_place: Any, make_clients: Any, time_machine: Any) -> None:
    places, [member, waiting] = [make_place() for _ in range(3)], make_clients(2)
    for place in places[:2]:
        place.join(waiting)
        place.let_in(member)
    start = Session.objects.get(pk=places[0].id).date

    time_machine.move_to(start - timedelta(hours=1), tick=False)
    at_once([remind_due_sessions] * 16)
    assert Reminder.objects.count() == 5
    for place in places:
        assert len(place.facts("ReminderDue")) == 1

    time_machine.move_to(start + timedelta(seconds=1), tick=False)
    at_once([advance_due_sessions] * 16)
    advance_due_sessions()
    assert [place.check().status for place in places] == ["ongoing", "ongoing", "expired"]
    for place in places:
        assert len(place.facts("SessionStarted", "SessionExpired")) == 1


def test_a_worker_and_a_creator_who_start_at_once_start_once(
    make_place: Any, make_clients: Any, time_machine: Any, john: User
) -> None:
    for _ in ROUNDS:
        place, [member, waiting] = make_place(), make_clients(2)
        place.join(waiting)
        place.let_in(member)
        now = clock.now()
        time_machine.move_to(Session.objects.get(pk=place.id).date + timedelta(seconds=1), tick=False)
        creator = Api(john)

        at_once([partial(creator.post, f"{place.path}start/"), advance_due_sessions] * 8)
        advance_due_sessions()

        assert place.check().status == "ongoing"
        assert len(place.facts("SessionStarted")) == 1
        time_machine.move_to(now, tick=False)
