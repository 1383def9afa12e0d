"""Whether the rows are what the facts say, the clock has moved what it had to, and every deed has its fact."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from drill.history import FINAL, History, slack_of
from drill.records import Fact, Records

# What a deed publishes, where it changes anything.
FACTS_OF_DEEDS = {
    "offer": ("SessionOffered",),
    "approve_session": ("SessionApproved",),
    "reject_session": ("SessionRejected",),
    "edit": ("SessionEdited",),
    "move": ("SessionEdited", "SessionRescheduled"),
    "cancel": ("SessionCancelled",),
    "start": ("SessionStarted",),
    "end": ("SessionCompleted",),
    "delete": ("SessionDeleted",),
    "ask": ("BookingRequested",),
    "admit": ("BookingRequestApproved",),
    "turn_down": ("BookingRequestRejected",),
    "leave": ("SeatLeft", "BookingRequestWithdrawn"),
    "remove": ("ParticipantRemoved",),
}
# These are right, too, where somebody else, or the clock, has done the same just before.
MAY_BE_SO_ALREADY = frozenset({"start", "end", "turn_down"})
ONE_OF_TWO = frozenset({"leave"})


@dataclass
class States:
    # A session's row, or its number of places, that is not what its facts say.
    wrong: list[str] = field(default_factory=list)
    # At the end, past its time, or something else was done with it after that.
    late: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    # Facts that cannot follow from those before, or that nobody caused.
    impossible: list[str] = field(default_factory=list)
    requests_wrong: list[str] = field(default_factory=list)
    requests_left: list[str] = field(default_factory=list)
    deeds_lost: list[str] = field(default_factory=list)
    deeds_broken: list[str] = field(default_factory=list)
    latest: timedelta = timedelta(0)


def count_states(records: Records, histories: dict[int, History]) -> States:
    counted = States()
    for history in histories.values():
        counted.impossible += history.impossible
        counted.early += history.early
        counted.late += history.late
        counted.latest = max([counted.latest, *history.delays])
        if history.due_at is not None and history.due_at <= records.ended_at - slack_of(records):
            counted.late.append(f"session {history.session_id}: still {history.status}, due at {history.due_at}")
    _compare_sessions(records, histories, counted)
    _compare_requests(records, histories, counted)
    _compare_deeds(records, counted)
    return counted


def _compare_sessions(records: Records, histories: dict[int, History], counted: States) -> None:
    rows = {row.id: row for row in records.sessions}
    for history in histories.values():
        row = rows.pop(history.session_id, None)
        found = (row.status, row.date, row.participant_count) if row else ("gone",)
        told = (history.status, history.date, len(history.participants))
        if found != (told if history.status != "gone" else ("gone",)):
            counted.wrong.append(f"session {history.session_id} is {found}, and by its facts {told}")
    counted.wrong += [f"session {row} has no facts" for row in rows]


def _compare_requests(records: Records, histories: dict[int, History], counted: States) -> None:
    found = {(row.session_id, row.user_id): row.status for row in records.requests}
    told = {
        (history.session_id, member): status
        for history in histories.values()
        if history.status != "gone"
        for member, status in history.requests.items()
    }
    for key in sorted(found.keys() | told.keys()):
        session, member = key
        words = f"request of member {member} for session {session}: {found.get(key)}, and by the facts {told.get(key)}"
        status = histories[session].status if session in histories else "unknown"
        if found.get(key) == "pending" and status in FINAL | {"ongoing"}:
            counted.requests_left.append(words)
        elif found.get(key) != told.get(key):
            counted.requests_wrong.append(words)


def _compare_deeds(records: Records, counted: States) -> None:
    caused = Counter(_key(fact) for fact in records.facts if fact.session_id is not None)
    for deed in records.deeds:
        if deed.outcome == "broke":
            counted.deeds_broken.append(f"{deed.action} of session {deed.session_id}: {deed.why}")
        if deed.outcome != "done" or deed.action not in FACTS_OF_DEEDS:
            continue
        whom = deed.whom_id if deed.whom_id is not None else deed.by_id
        keys = [
            (name, deed.session_id, deed.by_id, whom if name in ABOUT_A_MEMBER else None)
            for name in FACTS_OF_DEEDS[deed.action]
        ]
        there = [key for key in keys if caused[key] > 0]
        for key in there[:1] if deed.action in ONE_OF_TWO else there:
            caused[key] -= 1
        wanted = 1 if deed.action in ONE_OF_TWO else len(keys)
        if len(there) < wanted and deed.action not in MAY_BE_SO_ALREADY:
            counted.deeds_lost.append(f"{deed.action} of session {deed.session_id} by {deed.by_id} at {deed.after}")
    for (name, session_id, actor_id, _), times in caused.items():
        if times > 0 and actor_id is not None and name in OF_DEEDS:
            counted.impossible.append(f"session {session_id}: {name} by {actor_id}, who did no such thing")


ABOUT_A_MEMBER = frozenset(
    {
        "BookingRequested",
        "BookingRequestApproved",
        "BookingRequestRejected",
        "BookingRequestWithdrawn",
        "SeatLeft",
        "ParticipantRemoved",
    }
)
OF_DEEDS = frozenset(name for names in FACTS_OF_DEEDS.values() for name in names)


def _key(fact: Fact) -> tuple[str, int | None, int | None, int | None]:
    return fact.name, fact.session_id, fact.actor_id, fact.member_id if fact.name in ABOUT_A_MEMBER else None
