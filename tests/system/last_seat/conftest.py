"""A session with its people and many concurrent clients, and checks of the result."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.threads import run_concurrently

from core.accounts.models import User
from core.facts.models import FactRecord
from core.time import clock
from modules.sessions.models import BookingRequest, Session
from modules.sessions.queries.consistency import find_mismatches

SESSIONS = "/api/sessions/"
ROUNDS = range(4)


def run_all(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make all calls at the same time; returns their results in order, or raises the first error."""
    results = run_concurrently(*calls)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def statuses(responses: Sequence[Any]) -> list[int]:
    found = [response.status_code for response in responses]
    assert not [status for status in found if status >= 500], [response.content for response in responses]
    return found


class Race:
    """A session that was offered over HTTP, and the clients of its creator and a moderator."""

    def __init__(self, creator: User, moderator: User, *, seats: int, approved: bool) -> None:
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
                "max_participants": seats,
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

    def resize(self, seats: int) -> Any:
        return self.creator.put(self.path, {"max_participants": seats})

    def let_in(self, *members: Api) -> None:
        for member in members:
            assert self.join(member).status_code == 201
            assert self.approve(self.creator, member).status_code == 200

    def facts(self, *names: str) -> list[str]:
        records = FactRecord.objects.filter(session_id=self.id).order_by("pk")
        found = [record.name.removeprefix("sessions.") for record in records]
        return [name for name in found if name in names] if names else found

    def check(self) -> Session:
        """Check the rows against each other and against the record of facts; returns the session."""
        session = Session.objects.get(pk=self.id)
        requests = list(BookingRequest.objects.filter(session=session))
        assert len({request.user_id for request in requests}) == len(requests)
        participants = [request for request in requests if request.status == "approved"]
        assert session.participant_count == len(participants) <= session.max_participants
        assert {request.user_id: request.status for request in requests} == self.replay_requests()
        assert session.status == self.replay_status()
        assert list(find_mismatches()) == []
        return session

    def replay_requests(self) -> dict[int, str]:
        """Replay the facts and check each of them; returns the final status of each request, by its member."""
        transitions = {
            "BookingRequested": ({None, "rejected"}, "pending"),
            "BookingRequestApproved": ({"pending", "rejected"}, "approved"),
            "BookingRequestRejected": ({"pending"}, "rejected"),
            "BookingRequestWithdrawn": ({"pending"}, None),
            "SeatLeft": ({"approved"}, None),
            "ParticipantRemoved": ({"approved"}, None),
        }
        statuses_by_member: dict[int, str | None] = {}
        for record in FactRecord.objects.filter(session_id=self.id).order_by("pk"):
            name = record.name.removeprefix("sessions.")
            if name in transitions:
                allowed, becomes = transitions[name]
                member_id = record.payload["member_id"]
                assert statuses_by_member.get(member_id) in allowed, (name, statuses_by_member.get(member_id))
                statuses_by_member[member_id] = becomes
            elif name in {"SessionCancelled", "SessionExpired", "SessionStarted"}:
                waiting = {member_id for member_id, status in statuses_by_member.items() if status == "pending"}
                assert set(record.payload["requester_ids"]) == waiting
                statuses_by_member.update(dict.fromkeys(waiting, "rejected"))
                if name == "SessionCancelled":
                    assert set(record.payload["participant_ids"]) == {
                        member_id for member_id, status in statuses_by_member.items() if status == "approved"
                    }
        return {member_id: status for member_id, status in statuses_by_member.items() if status}

    def replay_status(self) -> str:
        status = "pending_approval"
        for record in FactRecord.objects.filter(session_id=self.id, changes__has_key="status").order_by("pk"):
            before, after = record.changes["status"]
            assert before == status
            status = after
        return status


@pytest.fixture
def make_race(john: User, morgan: User) -> Callable[..., Race]:
    def make(seats: int = 15, *, approved: bool = True) -> Race:
        return Race(john, morgan, seats=seats, approved=approved)

    return make


@pytest.fixture
def make_clients(make_member: Any) -> Callable[[int], list[Api]]:
    def make(number: int) -> list[Api]:
        return [Api(make_member()) for _ in range(number)]

    return make
