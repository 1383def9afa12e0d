"""Fills the table of sessions by SQL with what it has after years of use."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from core.accounts.models import User
from core.time import clock

HOUR, DAY = 3600, 24 * 3600

# Shares of the sessions for which nothing is due: over, approved and ahead, waiting for approval and ahead.
SHARES = {"over": 0.90, "ahead": 0.08, "waiting": 0.02}
STATUS = {
    "over": "completed",
    "ahead": "approved",
    "waiting": "pending_approval",
    "to move": "approved",
    "to remind": "scheduled",
    "to nudge": "approved",
}
BATCH_SIZE = 50_000

# The start of the i-th session, in seconds from now: within two years or sixty days, and so that nothing else becomes
# due during the measurement.
_AHEAD = f"{3 * HOUR} + i * 7919 %% {60 * DAY}"
STARTS = {
    "over": f"-{DAY} - i * 7919 %% {730 * DAY}",
    "ahead": f"CASE WHEN {_AHEAD} BETWEEN {23 * HOUR} AND {25 * HOUR} THEN {26 * HOUR} ELSE {_AHEAD} END",
    "waiting": _AHEAD,
    "to move": "-60",
    "to remind": f"{DAY} - 60",
    "to nudge": f"{DAY} - 60",
}

INSERT = """
INSERT INTO learning_sessions_session (
    title, description, subject, subject_key, level, date, duration, ends_at, moves_at, max_participants,
    participant_count, creator_id, status, created_at, updated_at, approved_at, reminder_due_at, nudge_due_at,
    calendar_uid, calendar_sequence, content_version, waiting_count, visible_title
)
WITH RECURSIVE
    n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %(end)s),
    s(i, start) AS (SELECT i, {start} FROM n)
SELECT
    %(kind)s, 'Of no importance.', 'Crafts', 'crafts', 'beginner', {date}, 60, {ends_at},
    CASE WHEN %(kind)s <> 'over' THEN {date} END,
    5, CASE WHEN %(kind)s = 'to remind' THEN 1 ELSE 0 END, %(creator)s, %(status)s, {created_at}, {created_at},
    CASE WHEN %(kind)s <> 'waiting' THEN {created_at} END,
    CASE
        WHEN %(kind)s = 'to remind' OR (%(kind)s = 'ahead' AND start > {day}) THEN {day_before}
        WHEN %(kind)s IN ('ahead', 'to nudge') THEN {hour_before}
    END,
    CASE WHEN %(kind)s = 'to nudge' OR (%(kind)s = 'ahead' AND start > {day}) THEN {day_before} END,
    {uuid}, 0, 0, CASE WHEN %(kind)s = 'to nudge' THEN 1 ELSE 0 END, ''
FROM s
"""

INSERT_REQUESTS = """
INSERT INTO learning_sessions_bookingrequest (message, status, requested_at, role, joined_at, session_id, user_id)
SELECT
    '', CASE WHEN title = 'to remind' THEN 'approved' ELSE 'pending' END, created_at, 'student',
    CASE WHEN title = 'to remind' THEN created_at END, id, %(member)s
FROM learning_sessions_session
WHERE title IN ('to remind', 'to nudge')
    AND id NOT IN (SELECT session_id FROM learning_sessions_bookingrequest)
"""


def fill(total: int, *, due: int = 200) -> Iterator[int]:
    """Add sessions up to `total`, `due` of them for each periodic job, and update the statistics of the database.

    Yields the number of sessions after each batch.
    """
    creator, member = (User.objects.get_or_create(username=name)[0] for name in ("creator", "member"))
    now = clock.now().replace(microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM learning_sessions_session")
        count = int(cursor.fetchone()[0])
        missing = max(total - count - 3 * due, 0)
        for kind, share in SHARES.items():
            left = round(missing * share)
            while left > 0:
                number = min(left, BATCH_SIZE)
                _insert(cursor, kind, first=count, number=number, creator=creator, now=now)
                count, left = count + number, left - number
                yield count
        for kind in ("to move", "to remind", "to nudge"):
            _insert(cursor, kind, first=count, number=due, creator=creator, now=now)
            count += due
        cursor.execute(INSERT_REQUESTS, {"member": member.pk})
        yield count
        cursor.execute("ANALYZE")


def _insert(cursor: Any, kind: str, *, first: int, number: int, creator: User, now: datetime) -> None:
    at, uuid = get_dialect()
    statement = INSERT.format(
        first="CAST(%(first)s AS bigint)",
        start=STARTS[kind],
        date=at("start"),
        ends_at=at(f"start + {HOUR}"),
        created_at=at(f"start - {365 * DAY}"),
        day_before=at(f"start - {DAY}"),
        hour_before=at(f"start - {HOUR}"),
        day=DAY,
        uuid=uuid,
    )
    values = {
        "kind": kind,
        "status": STATUS[kind],
        "first": first,
        "end": first + number,
        "creator": creator.pk,
        "now": now.strftime("%Y-%m-%d %H:%M:%S"),
    }
    if connection.vendor == "postgresql":
        # PostgreSQL cannot infer the types of these parameters.
        statement = statement.replace("%(kind)s", "%(kind)s::text").replace("%(now)s", "%(now)s::timestamp")
    cursor.execute(statement, values)


def get_dialect() -> tuple[Callable[[str], str], str]:
    """Return a builder of expressions for a time in seconds from now, and an expression for a new UUID."""
    if connection.vendor == "postgresql":
        return lambda seconds: f"(%(now)s AT TIME ZONE 'UTC' + ({seconds}) * interval '1 second')", "gen_random_uuid()"
    return lambda seconds: f"datetime(%(now)s, ({seconds}) || ' seconds')", "lower(hex(randomblob(16)))"
