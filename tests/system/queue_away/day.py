"""A scenario with each operation that writes, and its results."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from huey.contrib.djhuey import HUEY
from tests.conftest import PASSWORD, Api
from tests.system.scenario import OFFER, read_deactivation_form

from core.accounts.models import User
from core.accounts.services import make_address_change_token
from core.jobs.task_queue.enqueueing import BREAKER_PAUSE
from modules.materials.models import StoredFile
from modules.notifications.models import Notification

NEW_PASSWORD = "correct horse battery staple"
# Values that differ in each run.
RANDOM = {
    # In rows, and in the payload of facts.
    *("password", "request_id", "calendar_uid", "key", "session_key", "session_data"),
    # In responses.
    *("access", "refresh", "url", "file"),
}
# Apps whose tables no request writes to.
READ_ONLY_APPS = {"contenttypes", "auth"}


@dataclass
class Step:
    """One request: its operation, response, number of enqueued tasks, and log records."""

    operation: str
    status: int
    body: Any
    enqueued: int
    logged: list[tuple[str, str]]


@dataclass
class Day:
    """The requests, the rows after them (evening) and after the worker ran (night), and the mails."""

    steps: list[Step] = field(default_factory=list)
    evening: dict[str, Any] = field(default_factory=dict)
    night: dict[str, Any] = field(default_factory=dict)
    mails: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def answers(self) -> list[tuple[str, int, Any]]:
        return [(step.operation, step.status, step.body) for step in self.steps]


def replace_random(value: Any, names: set[str] = RANDOM) -> Any:
    """Replace the values that differ in each run."""
    if isinstance(value, dict):
        return {name: "…" if name in names and each else replace_random(each, names) for name, each in value.items()}
    return [replace_random(each, names) for each in value] if isinstance(value, list) else value


def list_rows() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    return {
        model._meta.label: [
            replace_random(row, RANDOM | ({"name"} if model is StoredFile else set()))
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label not in READ_ONLY_APPS
    }


def find_differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> list[tuple[str, Any, Any]]:
    """Return the table and both rows where the rows differ."""
    assert one.keys() == other.keys()
    return [
        (table, mine, theirs)
        for table in one
        for mine, theirs in zip_longest(one[table], other[table])
        if mine != theirs
    ]


class Listener(logging.Handler):
    """Records log records from level WARNING on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append((record.name, record.getMessage()))


class World:
    """Members and their requests."""

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
        # So that each request tries a hanging queue again.
        self.clock.shift(BREAKER_PAUSE + timedelta(seconds=1))
        self.listener.records.clear()
        before = count_enqueued()
        answer = send()
        body = (
            replace_random(json.loads(answer.content)) if answer["Content-Type"].startswith("application/json") else ""
        )
        step = Step(operation, answer.status_code, body, count_enqueued() - before, list(self.listener.records))
        self.day.steps.append(step)
        return answer

    def api(self, operation: str, who: str, method: str, path: str, body: Any = None) -> Any:
        """Make a request that must succeed; return the body of its response."""
        api = self.apis[who] if who else Api()
        upload = method == "upload"
        sent = {**body, "file": SimpleUploadedFile(*body["file"])} if upload else body
        answer = self.do(operation, lambda: getattr(api, method)(f"/api/{path}", *([] if sent is None else [sent])))
        assert 200 <= answer.status_code < 300, (operation, answer.content)
        return json.loads(answer.content) if answer.content else None


def count_enqueued() -> int:
    """The number of tasks in the queue, 0 for one that is unavailable."""
    return int(HUEY.storage.queue_size()) if getattr(HUEY.storage, "is_well", False) else 0


def run_scenario(world: World) -> None:
    """Do every operation that writes at least once."""
    accounts(world)
    session = sessions(world)
    materials(world, session)
    notifications(world)
    endings(world)


def accounts(world: World) -> None:
    nina = {"username": "nina", "email": "nina@example.com", "password": NEW_PASSWORD}
    world.api("register", "", "post", "auth/register/", nina)
    # The address is taken: its owner gets a mail, and the response does not tell.
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
    token = make_address_change_token(user=world.users["dora"], new_email="dora@example.org")
    world.api("confirm_address_change", "", "post", "auth/email/change/confirm/", {"token": token})
    passwords = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    world.api("change_password", "dora", "post", "auth/password/change/", passwords)


def create_session(world: World, who: str = "john", **values: Any) -> str:
    """Create an approved session; return its path."""
    made = world.api("create_session", who, "post", "sessions/", OFFER | values)
    path = f"sessions/{made['id']}/"
    world.api("update_session", "morgan", "put", path, {"status": "approved"})
    return path


def join_and_approve(world: World, who: str, path: str) -> None:
    world.api("join_session", who, "post", f"{path}join/", {"message": "Please"})
    world.api("approve_request", "john", "post", f"{path}approve_request/", {"user_id": world.users[who].pk})


def sessions(world: World) -> str:
    """Bookings of all kinds; returns the path of a session that has a tutor."""
    jane, bob = world.users["jane"].pk, world.users["bob"].pk
    path = create_session(world)
    join_and_approve(world, "jane", path)
    world.api("change_role", "john", "post", f"{path}participants/{jane}/role/", {"role": "tutor"})
    world.api("join_session", "bob", "post", f"{path}join/")
    world.api("reject_request", "john", "post", f"{path}reject_request/", {"user_id": bob})
    world.api("update_session", "john", "put", path, {"date": "2024-01-16T19:00:00Z"})
    join_and_approve(world, "bob", path)
    world.api("remove_participant", "john", "delete", f"{path}participants/{bob}/")
    join_and_approve(world, "bob", path)
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
    # Has a file, which is deleted, too.
    empty = create_session(world, title="Nobody Comes")
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
    """End and cancel sessions, and deactivate a member in the portal."""
    path = create_session(world, title="Starts Soon", date="2024-01-10T10:12:00Z")
    join_and_approve(world, "jane", path)
    world.api("start_session", "john", "post", f"{path}start/")
    world.api("end_session", "john", "post", f"{path}end/")
    path = create_session(world, title="Falls Through")
    join_and_approve(world, "jane", path)
    world.api("join_session", "bob", "post", f"{path}join/")
    world.api("cancel_session", "john", "post", f"{path}cancel/", {"reason": "Ill"})
    path = create_session(world, "bob", title="Goes With Bob")
    world.api("join_session", "jane", "post", f"{path}join/")
    world.api("log_out_everywhere", "jane", "post", "auth/logout/everywhere/")
    portal = Client(raise_request_exception=False)
    portal.force_login(world.users["morgan"])
    url = reverse("admin:core_user_deactivate", args=[world.users["bob"].pk])
    dialog = portal.post(url).content.decode()
    values = read_deactivation_form(dialog, reason="Spam", told="Bob has left.")
    assert world.do("deactivate in the portal", lambda: portal.post(url, values)).status_code == 302


def run_worker(clock: Any) -> None:
    """Run the enqueued tasks and the periodic jobs, twice within ten minutes."""
    while count_enqueued():
        HUEY.execute(HUEY.dequeue())
    for _ in range(2):
        for task in HUEY.read_periodic(None):
            HUEY.execute(task)
        clock.shift(timedelta(minutes=10))
