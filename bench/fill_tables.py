"""Filling every table that the admin has a list of, by SQL: as many rows as sessions, or a few times as many."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from bench.fill_sessions import AT_ONCE, DAY, HOUR, dialect
from core.time import clock

# Of a hundred sessions: over in one way or another, open and ahead, waiting for a moderator and ahead.
STATUS = """CASE
    WHEN i %% 100 < 80 THEN 'completed' WHEN i %% 100 < 86 THEN 'cancelled' WHEN i %% 100 < 90 THEN 'expired'
    WHEN i %% 100 < 98 THEN 'approved' ELSE 'pending_approval' END"""
# When they start, in seconds from now: spread over two years, and over sixty days.
START = f"(CASE WHEN i %% 100 < 90 THEN -{DAY} - i * 7919 %% {730 * DAY} ELSE {3 * HOUR} + i * 7919 %% {60 * DAY} END)"
OFFERED = f"{START} - {14 * DAY}"
DECIDED = f"{OFFERED} + {HOUR} + i * 131 %% {3 * DAY}"

FIRST_NAMES = "'Alice', 'Bob', 'Carol', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hana'"
SUBJECTS = "'Crafts', 'Languages', 'Mathematics', 'Music', 'Programming', 'Science', 'Cooking', 'History'"
KINDS = "'booking_request', 'booking_decision', 'session_decision', 'session_rescheduled', 'reminder'"
CONTENT_TYPES = "'application/pdf', 'image/png', 'text/plain', 'video/mp4'"


@dataclass(frozen=True)
class Table:
    """Rows of a table, `times` as many as sessions: what each column holds in the i-th of them."""

    name: str
    times: int
    columns: dict[str, str]


def one_of(values: str) -> str:
    """One of them, in turn."""
    each = values.split(", ")
    return f"CASE i %% {len(each)} {' '.join(f'WHEN {n} THEN {value}' for n, value in enumerate(each))} END"


def tables(total: int) -> Iterator[Table]:
    """In an order in which all that a row names is there. Rows of one session lie apart, as they do in life."""
    at, uuid = dialect()
    json = "'{{}}'::jsonb" if connection.vendor == "postgresql" else "'{{}}'"
    member, session = (f"{{{name}}} + i * 7 %% {total}" for name in ("core_user", "learning_sessions_session"))
    past = at(f"-(i * 631 %% {700 * DAY})")
    yield Table(
        "core_user",
        1,
        {
            **dict.fromkeys(("username", "username_key"), "'member_' || i"),
            **dict.fromkeys(("email", "email_key"), "'member_' || i || '@example.com'"),
            "first_name": one_of(FIRST_NAMES),
            "last_name": "'Number ' || i %% 997",
            "password": "'!'",
            "is_superuser": "i < 0",
            "is_staff": "i < 0",
            "is_active": "i %% 50 > 0",
            "timezone": "'UTC'",
            "token_version": "0",
            "date_joined": past,
        },
    )
    yield Table(
        "core_login",
        1,
        {"user_id": member, "created_at": past, "last_used_at": past, "user_agent": "'Firefox on a bicycle'"},
    )
    yield Table(
        "learning_sessions_session",
        1,
        {
            "title": f"{one_of(SUBJECTS)} || ' for everybody, part ' || i",
            "description": "'Of no importance.'",
            "subject": one_of(SUBJECTS),
            "subject_key": one_of(SUBJECTS.lower()),
            "level": one_of("'beginner', 'intermediate', 'advanced'"),
            "date": at(START),
            "duration": "60",
            "ends_at": at(f"{START} + {HOUR}"),
            "moves_at": f"CASE WHEN i %% 100 >= 90 THEN {at(START)} END",
            "max_participants": "5",
            "participant_count": "CASE WHEN i %% 100 < 98 THEN 1 ELSE 0 END",
            "creator_id": member,
            "status": STATUS,
            "created_at": at(OFFERED),
            "updated_at": at(OFFERED),
            **dict.fromkeys(("approved_at", "decided_at"), f"CASE WHEN i %% 100 < 98 THEN {at(DECIDED)} END"),
            "decided_by_id": "CASE WHEN i %% 100 < 98 THEN {moderator} END",
            "calendar_uid": uuid,
            "calendar_sequence": "0",
            "content_version": "0",
            "waiting_count": "CASE WHEN i %% 100 < 98 THEN 1 ELSE 2 END",
            "visible_title": "''",
            "second_look_since": f"CASE WHEN i %% 100 = 97 THEN {at(DECIDED)} END",
        },
    )
    yield Table(
        "learning_sessions_bookingrequest",
        2,
        {
            "session_id": f"{{learning_sessions_session}} + i %% {total}",
            "user_id": f"{{core_user}} + (i * 13 + i / {total} * 17) %% {total}",
            "message": "'I would like to learn this.'",
            "status": f"CASE WHEN i < {total} AND i %% 100 < 98 THEN 'approved' ELSE 'pending' END",
            "requested_at": past,
            "role": "'student'",
            "joined_at": f"CASE WHEN i < {total} AND i %% 100 < 98 THEN {past} END",
        },
    )
    yield Table(
        "learning_sessions_reminder",
        1,
        {
            "session_id": session,
            "user_id": member,
            "minutes_before": "60",
            "starts_at": past,
            "created_at": past,
        },
    )
    yield Table("learning_sessions_calendarfeed", 1, {"user_id": "{core_user} + i", "key": uuid, "created_at": past})
    yield Table(
        "core_factrecord",
        3,
        {
            "name": one_of("'sessions.SessionOffered', 'sessions.SessionApproved', 'sessions.BookingRequested'"),
            "session_id": session,
            "member_id": member,
            "actor_id": member,
            "occurred_at": past,
            "reason": "''",
            "request_id": "''",
            "payload": json,
            "changes": json,
        },
    )
    yield Table(
        "core_faileddelivery",
        1,
        {
            "fact_id": "{core_factrecord} + i",
            "receiver": "'modules.notifications.receivers.tell'",
            "error": "'ValueError: no ear for this'",
            "attempts": "3",
            "failed_at": past,
            "delivered_at": f"CASE WHEN i %% 100 > 0 THEN {past} END",
        },
    )
    yield Table(
        "core_mail",
        1,
        {
            "kind": one_of("'news', 'welcome', 'news', 'news', 'password_reset'"),
            "address": f"'member_' || (i * 7 %% {total}) || '@example.com'",
            "user_id": member,
            "topic": "'session:' || i",
            "status": "CASE WHEN i %% 1000 = 0 THEN 'failed' ELSE 'sent' END",
            "attempts": "1",
            "error": "CASE WHEN i %% 1000 = 0 THEN 'Connection refused' ELSE '' END",
            "queued_at": past,
            "sent_at": f"CASE WHEN i %% 1000 > 0 THEN {past} END",
        },
    )
    yield Table(
        "notifications_notification",
        2,
        {
            "user_id": member,
            "fact_id": "{core_factrecord} + i",
            "type": "'session_update'",
            "kind": one_of(KINDS),
            "in_app": "i %% 9 > 0",
            "by_mail": "i %% 3 > 0",
            "chosen": "i < 0",
            "title": "'News of part ' || i",
            "message": "'Something has changed.'",
            "session_id": session,
            "read_at": f"CASE WHEN i %% 4 > 0 THEN {past} END",
            "created_at": past,
        },
    )
    yield Table(
        "notifications_preference",
        1,
        {
            "user_id": "{core_user} + i",
            "kind": one_of(KINDS),
            "in_app": "i %% 2 > 0",
            "mail": "i %% 3 > 0",
            "changed_at": past,
        },
    )
    yield Table(
        "materials_storedfile",
        1,
        {
            "place": "'local'",
            "name": uuid,
            "size": "1 + i %% 99999",
            "content_type": one_of(CONTENT_TYPES),
            "sha256": "'' || i",
            "created_at": past,
        },
    )
    yield Table(
        "materials_material",
        1,
        {
            "session_id": session,
            "title": "'Sheet ' || i",
            "type": "'file'",
            "url": "''",
            "content": "''",
            "file_id": "{materials_storedfile} + i",
            "file_name": "'sheet-' || i || '.pdf'",
            "uploaded_by_id": member,
            "uploaded_at": past,
        },
    )


def fill_all(total: int, *, moderator_id: int) -> Iterator[str]:
    """Fill an empty database to so many sessions; yields the name of each table. Ends with up-to-date statistics."""
    first_ids: dict[str, Any] = {"moderator": moderator_id}
    with connection.cursor() as cursor:
        for table in tables(total):
            yield table.name
            cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}")  # noqa: S608
            first_ids[table.name] = int(cursor.fetchone()[0])
            for first in range(0, total * table.times, AT_ONCE):
                _insert(cursor, table, first_ids, first, min(first + AT_ONCE, total * table.times))
        cursor.execute("ANALYZE")


def _insert(cursor: Any, table: Table, first_ids: dict[str, Any], first: int, end: int) -> None:
    values = ", ".join(value.format(**first_ids) for value in table.columns.values())
    statement = (
        f"INSERT INTO {table.name} ({', '.join(table.columns)})"  # noqa: S608
        " WITH RECURSIVE n(i) AS (SELECT CAST(%(first)s AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %(end)s)"
        f" SELECT {values} FROM n"
    )
    now = clock.now().replace(microsecond=0).strftime("%Y-%m-%d %H:%M:%S")
    if connection.vendor == "postgresql":
        # A cast, since a parameter has no type of its own.
        statement = statement.replace("%(now)s", "%(now)s::timestamp")
    cursor.execute(statement, {"first": first, "end": end, "now": now})
