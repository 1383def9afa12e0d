"""Fills every table that has a list in the portal by SQL, with one row or a few per session."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from bench.fill_sessions import BATCH_SIZE, DAY, HOUR, get_dialect
from core.time import clock

# Of a hundred sessions 90 are over, 8 are approved and 2 wait for approval.
STATUS = """CASE
    WHEN i %% 100 < 80 THEN 'completed' WHEN i %% 100 < 86 THEN 'cancelled' WHEN i %% 100 < 90 THEN 'expired'
    WHEN i %% 100 < 98 THEN 'approved' ELSE 'pending_approval' END"""
# Starts in seconds from now: within the last two years, or the next sixty days.
START = f"(CASE WHEN i %% 100 < 90 THEN -{DAY} - i * 7919 %% {730 * DAY} ELSE {3 * HOUR} + i * 7919 %% {60 * DAY} END)"
OFFERED = f"{START} - {14 * DAY}"
DECIDED = f"{OFFERED} + {HOUR} + i * 131 %% {3 * DAY}"

FIRST_NAMES = "'Alice', 'Bob', 'Carol', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hana'"
SUBJECTS = "'Crafts', 'Languages', 'Mathematics', 'Music', 'Programming', 'Science', 'Cooking', 'History'"
KINDS = "'booking_request', 'booking_decision', 'session_decision', 'session_rescheduled', 'reminder'"
CONTENT_TYPES = "'application/pdf', 'image/png', 'text/plain', 'video/mp4'"


@dataclass(frozen=True)
class Table:
    """`rows_per_session`, and by column an SQL expression for the i-th row.

    Expressions name the first id of another table in braces, such as `{core_user}`.
    """

    name: str
    rows_per_session: int
    columns: dict[str, str]


class Expressions:
    """SQL expressions that several tables share, for a number of sessions."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.at, self.uuid = get_dialect()
        self.empty_json = "'{{}}'::jsonb" if connection.vendor == "postgresql" else "'{{}}'"
        # Rows of one session are not adjacent, as in production.
        self.member = f"{{core_user}} + i * 7 %% {total}"
        self.session = f"{{learning_sessions_session}} + i * 7 %% {total}"
        self.past = self.at(f"-(i * 631 %% {700 * DAY})")


def choose(values: str) -> str:
    """Build an expression that takes each of the comma-separated values in turn."""
    each = values.split(", ")
    return f"CASE i %% {len(each)} {' '.join(f'WHEN {n} THEN {value}' for n, value in enumerate(each))} END"


def build_tables(total: int) -> Iterator[Table]:
    """Yield all tables, in an order that satisfies their foreign keys."""
    sql = Expressions(total)
    yield from _build_member_tables(sql)
    yield _build_session_table(sql)
    yield from _build_booking_tables(sql)
    yield from _build_fact_tables(sql)
    yield _build_mail_table(sql)
    yield from _build_notification_tables(sql)
    yield from _build_material_tables(sql)


def _build_member_tables(sql: Expressions) -> Iterator[Table]:
    yield Table(
        "core_user",
        1,
        {
            **dict.fromkeys(("username", "username_key"), "'member_' || i"),
            **dict.fromkeys(("email", "email_key"), "'member_' || i || '@example.com'"),
            "first_name": choose(FIRST_NAMES),
            "last_name": "'Number ' || i %% 997",
            "password": "'!'",
            "is_superuser": "i < 0",
            "is_staff": "i < 0",
            "is_active": "i %% 50 > 0",
            "timezone": "'UTC'",
            "token_version": "0",
            "date_joined": sql.past,
        },
    )
    yield Table(
        "core_login",
        1,
        {
            "user_id": sql.member,
            "created_at": sql.past,
            "last_used_at": sql.past,
            "user_agent": "'Mozilla/5.0'",
        },
    )


def _build_session_table(sql: Expressions) -> Table:
    return Table(
        "learning_sessions_session",
        1,
        {
            "title": f"{choose(SUBJECTS)} || ' for everybody, part ' || i",
            "description": "'Of no importance.'",
            "subject": choose(SUBJECTS),
            "subject_key": choose(SUBJECTS.lower()),
            "level": choose("'beginner', 'intermediate', 'advanced'"),
            "date": sql.at(START),
            "duration": "60",
            "ends_at": sql.at(f"{START} + {HOUR}"),
            "moves_at": f"CASE WHEN i %% 100 >= 90 THEN {sql.at(START)} END",
            "max_participants": "5",
            "participant_count": "CASE WHEN i %% 100 < 98 THEN 1 ELSE 0 END",
            "creator_id": sql.member,
            "status": STATUS,
            "created_at": sql.at(OFFERED),
            "updated_at": sql.at(OFFERED),
            **dict.fromkeys(("approved_at", "decided_at"), f"CASE WHEN i %% 100 < 98 THEN {sql.at(DECIDED)} END"),
            "decided_by_id": "CASE WHEN i %% 100 < 98 THEN {moderator} END",
            "calendar_uid": sql.uuid,
            "calendar_sequence": "0",
            "content_version": "0",
            "waiting_count": "CASE WHEN i %% 100 < 98 THEN 1 ELSE 2 END",
            "visible_title": "''",
            "second_look_since": f"CASE WHEN i %% 100 = 97 THEN {sql.at(DECIDED)} END",
        },
    )


def _build_booking_tables(sql: Expressions) -> Iterator[Table]:
    yield Table(
        "learning_sessions_bookingrequest",
        2,
        {
            "session_id": f"{{learning_sessions_session}} + i %% {sql.total}",
            "user_id": f"{{core_user}} + (i * 13 + i / {sql.total} * 17) %% {sql.total}",
            "message": "'I would like to learn this.'",
            "status": f"CASE WHEN i < {sql.total} AND i %% 100 < 98 THEN 'approved' ELSE 'pending' END",
            "requested_at": sql.past,
            "role": "'student'",
            "joined_at": f"CASE WHEN i < {sql.total} AND i %% 100 < 98 THEN {sql.past} END",
        },
    )
    yield Table(
        "learning_sessions_reminder",
        1,
        {
            "session_id": sql.session,
            "user_id": sql.member,
            "minutes_before": "60",
            "starts_at": sql.past,
            "created_at": sql.past,
        },
    )
    yield Table(
        "learning_sessions_calendarfeed", 1, {"user_id": "{core_user} + i", "key": sql.uuid, "created_at": sql.past}
    )


def _build_fact_tables(sql: Expressions) -> Iterator[Table]:
    yield Table(
        "core_factrecord",
        3,
        {
            "name": choose("'sessions.SessionOffered', 'sessions.SessionApproved', 'sessions.BookingRequested'"),
            "session_id": sql.session,
            "member_id": sql.member,
            "actor_id": sql.member,
            "occurred_at": sql.past,
            "reason": "''",
            "request_id": "''",
            "payload": sql.empty_json,
            "changes": sql.empty_json,
        },
    )
    yield Table(
        "core_faileddelivery",
        1,
        {
            "fact_id": "{core_factrecord} + i",
            "receiver": "'modules.notifications.receivers.tell'",
            "error": "'ValueError: something went wrong'",
            "attempts": "3",
            "failed_at": sql.past,
            "delivered_at": f"CASE WHEN i %% 100 > 0 THEN {sql.past} END",
        },
    )


def _build_mail_table(sql: Expressions) -> Table:
    return Table(
        "core_mail",
        1,
        {
            "kind": choose("'news', 'welcome', 'news', 'news', 'password_reset'"),
            "address": f"'member_' || (i * 7 %% {sql.total}) || '@example.com'",
            "user_id": sql.member,
            "topic": "'session:' || i",
            "status": "CASE WHEN i %% 1000 = 0 THEN 'failed' ELSE 'sent' END",
            "attempts": "1",
            "error": "CASE WHEN i %% 1000 = 0 THEN 'Connection refused' ELSE '' END",
            "queued_at": sql.past,
            "sent_at": f"CASE WHEN i %% 1000 > 0 THEN {sql.past} END",
        },
    )


def _build_notification_tables(sql: Expressions) -> Iterator[Table]:
    yield Table(
        "notifications_notification",
        2,
        {
            "user_id": sql.member,
            "fact_id": "{core_factrecord} + i",
            "type": "'session_update'",
            "kind": choose(KINDS),
            "in_app": "i %% 9 > 0",
            "by_mail": "i %% 3 > 0",
            "chosen": "i < 0",
            "title": "'News of part ' || i",
            "message": "'Something has changed.'",
            "session_id": sql.session,
            "read_at": f"CASE WHEN i %% 4 > 0 THEN {sql.past} END",
            "created_at": sql.past,
        },
    )
    yield Table(
        "notifications_preference",
        1,
        {
            "user_id": "{core_user} + i",
            "kind": choose(KINDS),
            "in_app": "i %% 2 > 0",
            "mail": "i %% 3 > 0",
            "changed_at": sql.past,
        },
    )


def _build_material_tables(sql: Expressions) -> Iterator[Table]:
    yield Table(
        "materials_storedfile",
        1,
        {
            "place": "'local'",
            "name": sql.uuid,
            "size": "1 + i %% 99999",
            "content_type": choose(CONTENT_TYPES),
            "sha256": "'' || i",
            "created_at": sql.past,
        },
    )
    yield Table(
        "materials_material",
        1,
        {
            "session_id": sql.session,
            "title": "'Sheet ' || i",
            "type": "'file'",
            "url": "''",
            "content": "''",
            "file_id": "{materials_storedfile} + i",
            "file_name": "'sheet-' || i || '.pdf'",
            "uploaded_by_id": sql.member,
            "uploaded_at": sql.past,
        },
    )


def fill_all(total: int, *, moderator_id: int) -> Iterator[str]:
    """Fill an empty database with this many sessions and update its statistics; yields the name of each table."""
    first_ids: dict[str, Any] = {"moderator": moderator_id}
    with connection.cursor() as cursor:
        for table in build_tables(total):
            yield table.name
            cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}")  # noqa: S608
            first_ids[table.name] = int(cursor.fetchone()[0])
            for first in range(0, total * table.rows_per_session, BATCH_SIZE):
                _insert(cursor, table, first_ids, first, min(first + BATCH_SIZE, total * table.rows_per_session))
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
        # PostgreSQL cannot infer the type of the parameter.
        statement = statement.replace("%(now)s", "%(now)s::timestamp")
    cursor.execute(statement, {"first": first, "end": end, "now": now})
