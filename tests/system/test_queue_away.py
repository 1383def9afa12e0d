"""Whatever becomes of the queue, what is written is answered and kept as on a day when all is well."""

import json
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from huey.contrib.djhuey import HUEY
from tests import queue_server
from tests.conftest import PASSWORD, Api
from tests.queue_server import FullBacklog, QueueServer

from core.accounts.models import User
from core.accounts.services import address_change_token
from core.jobs.task_queue import enqueueing, storages
from core.jobs.task_queue.enqueueing import CIRCUIT_BREAKER, PAUSE
from core.jobs.task_queue.storages import RedisQueue, SqliteQueue
from modules.materials.models import StoredFile
from modules.notifications.models import Notification

NOW = datetime(2024, 1, 10, 10, tzinfo=UTC)
NEW_PASSWORD = "correct horse battery staple"
OFFER = {
    "title": "Knots That Hold",
    "description": "Five knots for every day.",
    "subject": "Crafts",
    "level": "beginner",
    "date": "2024-01-15T19:00:00Z",
    "duration": 90,
    "max_participants": 4,
}
# What no two days have in common.
RANDOM = {
    # In rows, and in the payload of facts.
    *("password", "request_id", "calendar_uid", "key", "session_key", "session_data"),
    # In answers.
    *("access", "refresh", "url", "file"),
}
# No request writes there.
FROM_THE_BEGINNING = {"contenttypes", "auth"}

pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True, serialized_rollback=True)


# --- A day --------------------------------------------------------------------------------------------------------


@dataclass
class Step:
    """One request: what was done, what was answered, how many wake-ups it left, and what was logged meanwhile."""

    operation: str
    status: int
    body: Any
    enqueued: int
    logged: list[tuple[str, str]]


@dataclass
class Day:
    """What was done, and what is left of it: the rows in the evening, and later, with the mails."""

    steps: list[Step] = field(default_factory=list)
    evening: dict[str, Any] = field(default_factory=dict)
    night: dict[str, Any] = field(default_factory=dict)
    mails: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def answers(self) -> list[tuple[str, int, Any]]:
        return [(step.operation, step.status, step.body) for step in self.steps]


def blanked(value: Any, names: set[str] = RANDOM) -> Any:
    """What was answered or kept, without what is another one each time."""
    if isinstance(value, dict):
        return {name: "…" if name in names and each else blanked(each, names) for name, each in value.items()}
    return [blanked(each, names) for each in value] if isinstance(value, list) else value


def rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {
        model._meta.label: [
            blanked(row, RANDOM | ({"name"} if model is StoredFile else set()))
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label not in FROM_THE_BEGINNING
    }


def differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> list[tuple[str, Any, Any]]:
    """The rows that are in one of them and not the same in the other."""
    assert one.keys() == other.keys()
    return [
        (table, mine, theirs)
        for table in one
        for mine, theirs in zip_longest(one[table], other[table])
        if mine != theirs
    ]


class Listener(logging.Handler):
    """Hears what is worth a line."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append((record.name, record.getMessage()))


class World:
    """Members, and what they do one after the other."""

    def __init__(self, clock: Any, listener: Listener) -> None:
        self.clock, self.listener, self.day = clock, listener, Day()
        self.users = {name: self._member(name) for name in ("john", "jane", "bob", "carol", "dora")}
        self.users["morgan"] = self._member("morgan", is_staff=True)
        self.users["morgan"].groups.add(Group.objects.get(name="Moderators"))
        self.apis = {name: Api(user) for name, user in self.users.items()}

    def _member(self, name: str, **values: Any) -> User:
        return User.objects.create(
            username=name, email=f"{name}@example.com", password=make_password(PASSWORD), first_name=name, **values
        )

    def do(self, operation: str, send: Callable[[], Any]) -> Any:
        # By the next request, whoever hangs is tried again.
        self.clock.shift(PAUSE + timedelta(seconds=1))
        self.listener.heard.clear()
        before = waiting()
        answer = send()
        body = blanked(json.loads(answer.content)) if answer["Content-Type"].startswith("application/json") else ""
        step = Step(operation, answer.status_code, body, waiting() - before, list(self.listener.heard))
        self.day.steps.append(step)
        return answer

    def api(self, operation: str, who: str, method: str, path: str, body: Any = None) -> Any:
        """Somebody's request to the API, which succeeds; returns what was answered."""
        api = self.apis[who] if who else Api()
        upload = method == "upload"
        sent = {**body, "file": SimpleUploadedFile(*body["file"])} if upload else body
        answer = self.do(operation, lambda: getattr(api, method)(f"/api/{path}", *([] if sent is None else [sent])))
        assert 200 <= answer.status_code < 300, (operation, answer.content)
        return json.loads(answer.content) if answer.content else None


def waiting() -> int:
    """How many wake-ups lie in the queue, where it is one that can be looked into."""
    return int(HUEY.storage.queue_size()) if getattr(HUEY.storage, "is_well", False) else 0


def live(world: World) -> None:
    """A day on which every operation that writes is done at least once."""
    accounts(world)
    session = sessions(world)
    materials(world, session)
    notifications(world)
    endings(world)


def accounts(world: World) -> None:
    nina = {"username": "nina", "email": "nina@example.com", "password": NEW_PASSWORD}
    world.api("register", "", "post", "auth/register/", nina)
    # Its owner is written to, and nobody else can tell.
    world.api("register", "", "post", "auth/register/", {**nina, "username": "nino"})
    pair = world.api("log_in", "", "post", "auth/token/", {"username": "nina", "password": NEW_PASSWORD})
    world.api("refresh_token", "", "post", "auth/token/refresh/", {"refresh": pair["refresh"]})
    world.api("log_out", "", "post", "auth/logout/", {"refresh": pair["refresh"]})
    world.api("change_profile", "john", "patch", "auth/me/", {"timezone": "Europe/Berlin"})
    world.api("ask_password_reset", "", "post", "auth/password/reset/", {"email": "carol@example.com"})
    carol = world.users["carol"]
    reset = {
        "uid": urlsafe_base64_encode(force_bytes(carol.pk)),
        "token": default_token_generator.make_token(carol),
        "new_password": NEW_PASSWORD,
    }
    world.api("reset_password", "", "post", "auth/password/reset/confirm/", reset)
    change = {"password": PASSWORD, "new_email": "dora@example.org"}
    world.api("ask_address_change", "dora", "post", "auth/email/change/", change)
    token = address_change_token(user=world.users["dora"], new_email="dora@example.org")
    world.api("confirm_address_change", "", "post", "auth/email/change/confirm/", {"token": token})
    passwords = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    world.api("change_password", "dora", "post", "auth/password/change/", passwords)


def offered(world: World, who: str = "john", **values: Any) -> str:
    """The path of a session that is approved."""
    made = world.api("create_session", who, "post", "sessions/", OFFER | values)
    path = f"sessions/{made['id']}/"
    world.api("update_session", "morgan", "put", path, {"status": "approved"})
    return path


def let_in(world: World, who: str, path: str) -> None:
    world.api("join_session", who, "post", f"{path}join/", {"message": "Please"})
    world.api("approve_request", "john", "post", f"{path}approve_request/", {"user_id": world.users[who].pk})


def sessions(world: World) -> str:
    """Bookings of all kinds; returns the path of a session that has a tutor."""
    jane, bob = world.users["jane"].pk, world.users["bob"].pk
    path = offered(world)
    let_in(world, "jane", path)
    world.api("change_role", "john", "post", f"{path}participants/{jane}/role/", {"role": "tutor"})
    world.api("join_session", "bob", "post", f"{path}join/")
    world.api("reject_request", "john", "post", f"{path}reject_request/", {"user_id": bob})
    world.api("update_session", "john", "put", path, {"date": "2024-01-16T19:00:00Z"})
    let_in(world, "bob", path)
    world.api("remove_participant", "john", "delete", f"{path}participants/{bob}/")
    let_in(world, "bob", path)
    world.api("leave_session", "bob", "post", f"{path}leave/")
    world.api("make_calendar_link", "jane", "post", "sessions/calendar/")
    world.api("revoke_calendar_link", "jane", "delete", "sessions/calendar/")
    return path


def materials(world: World, session: str) -> None:
    for name in ("one.txt", "two.txt"):
        form = {"title": name, "type": "file", "file": (name, name.encode())}
        made = world.api("add_material", "jane", "upload", f"{session}materials/", form)
    changed = {"title": "The second"}
    world.api("change_material", "jane", "put", f"{session}materials/{made['id']}/", changed)
    world.api("delete_material", "john", "delete", f"{session}materials/{made['id']}/")
    # With a file of its own, which goes along.
    empty = offered(world, title="Nobody Comes")
    world.api("join_session", "bob", "post", f"{empty}join/")
    form = {"title": "three.txt", "type": "file", "file": ("three.txt", b"three")}
    world.api("add_material", "john", "upload", f"{empty}materials/", form)
    world.api("delete_session", "john", "delete", empty)


def notifications(world: World) -> None:
    first = Notification.objects.filter(user=world.users["john"]).earliest("pk")
    world.api("mark_notification_as_read", "john", "post", f"notifications/{first.pk}/mark_as_read/")
    world.api("mark_all_notifications_as_read", "jane", "post", "notifications/mark_all_as_read/")
    chosen = {"reminder": {"in_app": True, "mail": False}}
    world.api("change_notification_preferences", "bob", "put", "notifications/preferences/", chosen)


def endings(world: World) -> None:
    """Sessions that end, and a member whose account does, in the portal."""
    path = offered(world, title="Starts Soon", date="2024-01-10T10:12:00Z")
    let_in(world, "jane", path)
    world.api("start_session", "john", "post", f"{path}start/")
    world.api("end_session", "john", "post", f"{path}end/")
    path = offered(world, title="Falls Through")
    let_in(world, "jane", path)
    world.api("join_session", "bob", "post", f"{path}join/")
    world.api("cancel_session", "john", "post", f"{path}cancel/", {"reason": "Ill"})
    path = offered(world, "bob", title="Goes With Bob")
    world.api("join_session", "jane", "post", f"{path}join/")
    world.api("log_out_everywhere", "jane", "post", "auth/logout/everywhere/")
    portal = Client(raise_request_exception=False)
    portal.force_login(world.users["morgan"])
    url = reverse("admin:core_user_deactivate", args=[world.users["bob"].pk])
    dialog = portal.post(url).content.decode()
    found = re.search(r'name="read" value="([^"]*)"', dialog)
    assert found
    values = {"confirming": "yes", "reason": "Spam", "told": "Bob has left.", "read": unescape(found[1])}
    assert world.do("deactivate in the portal", lambda: portal.post(url, values)).status_code == 302


def work(clock: Any) -> None:
    """What the worker does that evening, with what it was woken for and with its sweeps, and ten minutes later."""
    while waiting():
        HUEY.execute(HUEY.dequeue())
    for _ in range(2):
        for task in HUEY.read_periodic(None):
            HUEY.execute(task)
        clock.shift(timedelta(minutes=10))


# --- Queues -------------------------------------------------------------------------------------------------------


class WellSqlite(SqliteQueue):
    is_well = True


@contextmanager
def well(folder: Path) -> Iterator[SqliteQueue]:
    folder.mkdir(exist_ok=True)
    with closing(WellSqlite("well", filename=str(folder / "queue.sqlite3"), timeout=20)) as queue:
        yield queue


@contextmanager
def locked(folder: Path) -> Iterator[SqliteQueue]:
    file = folder / "queue.sqlite3"
    queue = SqliteQueue("locked", filename=str(file), timeout=20)
    queue.enqueue(b"")
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody:
        somebody.execute("BEGIN EXCLUSIVE")
        yield queue


@contextmanager
def without_a_folder(folder: Path) -> Iterator[SqliteQueue]:
    yield SqliteQueue("gone", filename=str(folder / "nowhere" / "queue.sqlite3"), timeout=20)


@contextmanager
def corrupt(folder: Path) -> Iterator[SqliteQueue]:
    (folder / "queue.sqlite3").write_bytes(b"nonsense" * 1000)
    yield SqliteQueue("corrupt", filename=str(folder / "queue.sqlite3"), timeout=20)


@contextmanager
def closed(_folder: Path) -> Iterator[RedisQueue]:
    yield RedisQueue("closed", url=queue_server.closed_port())


@contextmanager
def unreachable(_folder: Path) -> Iterator[RedisQueue]:
    server = FullBacklog()
    yield RedisQueue("unreachable", url=server.url)
    server.stop()


def answering(answer: bytes | None) -> Any:
    @contextmanager
    def serve(_folder: Path) -> Iterator[RedisQueue]:
        server = QueueServer(answer)
        yield RedisQueue("answering", url=server.url)
        server.stop()

    return serve


AWAY = {
    "SQLite, locked": locked,
    "SQLite, its folder gone": without_a_folder,
    "SQLite, no database": corrupt,
    "Redis, gone": closed,
    "Redis, out of reach": unreachable,
    "Redis, hangs": answering(None),
    "Redis, wants a password": answering(queue_server.NOAUTH),
    "Redis, out of memory": answering(queue_server.OOM),
}


# --- Days are compared --------------------------------------------------------------------------------------------


@pytest.fixture
def clock(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever enqueues, so that a day with a queue that hangs does not take a minute."""
    monkeypatch.setattr(storages, "ENQUEUE_SECONDS", 0.02)
    monkeypatch.setattr(enqueueing, "SLOW", 0.01)


@pytest.fixture
def spend(
    clock: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> Iterator[Callable[[str, Any], Day]]:
    """A day with that queue, and an evening with one that is back; the database is empty before."""
    listener = Listener()
    logging.getLogger().addHandler(listener)

    def spend(name: str, queue: Any) -> Day:
        clock.move_to(NOW, tick=False)
        CIRCUIT_BREAKER.close()
        mail.outbox.clear()
        folder = tmp_path / name
        folder.mkdir()
        options = {"location": str(folder / "materials")}
        materials = {"BACKEND": "core.storages.local.LocalStorage", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "materials_local": materials}
        world = World(clock, listener)
        with queue(folder) as storage, well(folder / "back") as back:
            monkeypatch.setattr(HUEY, "storage", storage)
            live(world)
            world.day.evening = rows()
            monkeypatch.setattr(HUEY, "storage", storage if queue is well else back)
            work(clock)
        world.day.night = rows()
        world.day.mails = [(each.subject, each.to, re.sub(r"token=\S+", "…", each.body)) for each in mail.outbox]
        files = [path for path in (folder / "materials").rglob("*") if path.is_file()]
        assert len(files) == StoredFile.objects.count() == 1
        return world.day

    yield spend
    logging.getLogger().removeHandler(listener)
    CIRCUIT_BREAKER.close()


# Of this process, and lived once.
_well: list[Day] = []


@pytest.fixture
def good_day(spend: Any) -> Day:
    if not _well:
        _well.append(spend("well", well))
        call_command(
            "flush",
            verbosity=0,
            interactive=False,
            reset_sequences=True,
            inhibit_post_migrate=True,
            allow_cascade=False,
        )
        connection.creation.deserialize_db_from_string(connection._test_serialized_contents)
    return _well[0]


def writing_operations() -> set[str]:
    document = Client().get("/api/openapi.json").json()
    return {
        spec["operationId"]
        for methods in document["paths"].values()
        for method, spec in methods.items()
        if method in {"post", "put", "patch", "delete"}
    }


def test_the_day_has_every_operation_that_writes(good_day: Day) -> None:
    """One that comes new is put into `live`."""
    assert {step.operation for step in good_day.steps} - {"deactivate in the portal"} == writing_operations()


def test_on_a_good_day_nothing_is_worth_a_line(good_day: Day) -> None:
    assert [step.logged for step in good_day.steps if step.logged] == []
    assert {step.operation for step in good_day.steps if step.enqueued} >= {
        *("register", "ask_password_reset", "reset_password", "ask_address_change", "change_password"),
        *("delete_material", "delete_session", "deactivate in the portal"),
    }


@pytest.mark.parametrize("away", AWAY)
def test_a_queue_that_is_away_changes_neither_answers_nor_rows_and_the_sweeps_find_them(
    good_day: Day, spend: Any, away: str
) -> None:
    day = spend("away", AWAY[away])

    assert day.answers == good_day.answers
    assert differences(day.evening, good_day.evening) == []
    assert differences(day.night, good_day.night) == []
    assert day.mails == good_day.mails
    # One line for each request that had something for the queue, and no other.
    told = [[name for name, _ in step.logged] for step in day.steps]
    assert told == [["core.jobs.task_queue.enqueueing"] if step.enqueued else [] for step in good_day.steps]
    assert not [text for step in day.steps for _, text in step.logged if "\n" in text]
