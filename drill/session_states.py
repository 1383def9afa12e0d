"""Rows compared with the facts, transitions by time with their due times, and members' actions with their facts."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from drill.history import FINAL, History
from drill.records import Fact, Records

# The facts that an action publishes if it changes anything.
FACTS_BY_ACTION = {
    "offer": ("SessionOffered",),
    "approve_session": ("SessionApproved",),
    "reject_session": ("SessionRejected",),
    "edit": ("SessionEdited",),
    "reschedule": ("SessionEdited", "SessionRescheduled"),
    "cancel": ("SessionCancelled",),
    "start": ("SessionStarted",),
    "end": ("SessionCompleted",),
    "delete": ("SessionDeleted",),
    "request_booking": ("BookingRequested",),
    "approve_request": ("BookingRequestApproved",),
    "reject_request": ("BookingRequestRejected",),
    "leave": ("SeatLeft", "BookingRequestWithdrawn"),
    "remove_participant": ("ParticipantRemoved",),
}
# Actions that change nothing if another member, or a transition by time, has done the same just before.
MAY_CHANGE_NOTHING = frozenset({"start", "end", "reject_request"})
ONE_FACT_OF_TWO = frozenset({"leave"})

FACTS_ABOUT_A_MEMBER = frozenset(
    {
        "BookingRequested",
        "BookingRequestApproved",
        "BookingRequestRejected",
        "BookingRequestWithdrawn",
        "SeatLeft",
        "ParticipantRemoved",
    }
)
CAUSED_BY_ACTIONS = frozenset(name for names in FACTS_BY_ACTION.values() for name in names)


@dataclass
class StateCounts:
    # Sessions whose row, or number of participants, is not what their facts say.
    wrong: list[str] = field(default_factory=list)
    # Transitions that are due at the end, or came after something else that was decided after they were due.
    late: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    # Facts that the model does not allow after those before, or that no action caused.
    impossible: list[str] = field(default_factory=list)
    requests_wrong: list[str] = field(default_factory=list)
    requests_pending: list[str] = field(default_factory=list)
    actions_without_fact: list[str] = field(default_factory=list)
    actions_crashed: list[str] = field(default_factory=list)
    latest: timedelta = timedelta(0)


def count_states(records: Records, histories: dict[int, History]) -> StateCounts:
    counts = StateCounts()
    for history in histories.values():
        counts.impossible += history.impossible
        counts.early += history.early
        counts.late += history.late
        counts.latest = max([counts.latest, *history.delays])
        if history.due_at is not None and history.due_at <= records.ended_at - records.slack:
            counts.late.append(f"session {history.session_id}: still {history.status}, due at {history.due_at}")
    _compare_sessions(records, histories, counts)
    _compare_requests(records, histories, counts)
    _compare_actions(records, counts)
    return counts


def _compare_sessions(records: Records, histories: dict[int, History], counts: StateCounts) -> None:
    rows = {row.id: row for row in records.sessions}
    for history in histories.values():
        row = rows.pop(history.session_id, None)
        found = (row.status, row.date, row.participant_count) if row else ("deleted",)
        expected = (history.status, history.date, len(history.participants))
        if found != (expected if history.status != "deleted" else ("deleted",)):
            counts.wrong.append(f"session {history.session_id} is {found}, expected {expected}")
    counts.wrong += [f"session {row} has no facts" for row in rows]


def _compare_requests(records: Records, histories: dict[int, History], counts: StateCounts) -> None:
    found = {(row.session_id, row.user_id): row.status for row in records.requests}
    expected = {
        (history.session_id, member): status
        for history in histories.values()
        if history.status != "deleted"
        for member, status in history.requests.items()
    }
    for key in sorted(found.keys() | expected.keys()):
        session, member = key
        description = (
            f"request of member {member} for session {session}: {found.get(key)}, expected {expected.get(key)}"
        )
        status = histories[session].status if session in histories else "unknown"
        if found.get(key) == "pending" and status in FINAL | {"ongoing"}:
            counts.requests_pending.append(description)
        elif found.get(key) != expected.get(key):
            counts.requests_wrong.append(description)


def _compare_actions(records: Records, counts: StateCounts) -> None:
    caused = Counter(_build_key(fact) for fact in records.facts if fact.session_id is not None)
    for action in records.actions:
        if action.outcome == "crashed":
            counts.actions_crashed.append(f"{action.name} of session {action.session_id}: {action.error}")
        if action.outcome != "done" or action.name not in FACTS_BY_ACTION:
            continue
        member = action.target_id if action.target_id is not None else action.actor_id
        keys = [
            (name, action.session_id, action.actor_id, member if name in FACTS_ABOUT_A_MEMBER else None)
            for name in FACTS_BY_ACTION[action.name]
        ]
        found = [key for key in keys if caused[key] > 0]
        for key in found[:1] if action.name in ONE_FACT_OF_TWO else found:
            caused[key] -= 1
        wanted = 1 if action.name in ONE_FACT_OF_TWO else len(keys)
        if len(found) < wanted and action.name not in MAY_CHANGE_NOTHING:
            counts.actions_without_fact.append(
                f"{action.name} of session {action.session_id} by {action.actor_id} at {action.after}"
            )
    for (name, session_id, actor_id, _), times in caused.items():
        if times > 0 and actor_id is not None and name in CAUSED_BY_ACTIONS:
            counts.impossible.append(f"session {session_id}: {name} by {actor_id}, without an action")


def _build_key(fact: Fact) -> tuple[str, int | None, int | None, int | None]:
    return fact.name, fact.session_id, fact.actor_id, fact.member_id if fact.name in FACTS_ABOUT_A_MEMBER else None
