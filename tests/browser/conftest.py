"""What tests in a real browser can ask for. They see the product as its moderators do, served by a thread of the test.

The server's clock is the real one: a browser has its own, and the two have to agree.
"""

import fcntl
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from model_bakery import baker
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from tests.browser.accessibility import assert_accessible
from tests.portal import log_in

from core.accounts.models import Login, User
from core.accounts.tokens import AccessToken, make_token
from core.time import clock
from modules.sessions.models import Session
from screenshots.chromium import launch

DESKTOP, PHONE = 1440, 390
HEIGHTS = {DESKTOP: 900, PHONE: 844}
PATIENCE_MS = 10_000
# Each look in the dark is one more by daylight in other colours: those are for `./just test --system`.
SCHEMES = ["light", pytest.param("dark", marks=pytest.mark.system)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They run by themselves (`-m browser`), beside tests that want no event loop."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """Chromium. What it is driven by leaves an event loop in this thread, which Django would not query beside."""
    migrated = connection._test_serialized_contents
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        # Within the loop it is another connection, which has to know as well what comes back after each test.
        connection._test_serialized_contents = migrated
        chromium = launch(playwright)
        yield chromium
        chromium.close()


class Watch:
    """Writes down what goes wrong in a context: errors in its console, and answers that no page should ask for."""

    def __init__(self, context: BrowserContext, *, expected: tuple[int, ...]) -> None:
        self.troubles: list[str] = []
        self.expected = expected
        context.on("console", self.hear)
        context.on("weberror", lambda error: self.troubles.append(f"{error.page and error.page.url}: {error.error}"))
        context.on("requestfailed", self.miss)
        context.on("response", self.read)

    def hear(self, message: ConsoleMessage) -> None:
        # What could not be loaded is told by its answer, and by htmx once more.
        if message.type == "error" and not message.text.startswith(
            ("Failed to load resource", "Response Status Error")
        ):
            self.troubles.append(f"{message.page and message.page.url}: {message.text}")

    def miss(self, request: Request) -> None:
        # Given up by the page or the browser, as when somebody leaves it.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"{request.method} {request.url}: {request.failure}")

    def read(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.troubles.append(f"{response.request.method} {response.url}: {response.status}")


ContextOf = Callable[..., BrowserContext]
PageOf = Callable[..., Page]


def wait_for_requests() -> None:
    """Wait for requests that pages send when they are closed, which need the database."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(PATIENCE_MS / 1000)


@pytest.fixture
def context_of(browser: Browser, live_server: LiveServer) -> Iterator[ContextOf]:
    """`context_of(moderator, scheme="dark", width=PHONE)`: a browser of a logged-in member, or a stranger.

    Paths are those of the live server. In the end, the test fails for any error in a console and any answer from 400
    on; `expected` names the statuses that the test provokes.
    """
    made: list[tuple[BrowserContext, Watch]] = []

    def make(
        member: User | None = None,
        *,
        scheme: str = "light",
        width: int = DESKTOP,
        expected: tuple[int, ...] = (),
        **options: Any,
    ) -> BrowserContext:
        context = browser.new_context(
            base_url=live_server.url,
            color_scheme=scheme,
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        made.append((context, Watch(context, expected=expected)))
        if member is not None:
            name = configured.SESSION_COOKIE_NAME
            value = log_in(member).cookies[name].value
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        return context

    yield make
    for context, _ in made:
        context.close()
    wait_for_requests()
    troubles = [trouble for _, watch in made for trouble in watch.troubles]
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def page_of(context_of: ContextOf) -> PageOf:
    """A page in such a context of its own: `page_of(moderator, scheme="dark").goto("/admin/")`."""

    def make(member: User | None = None, **options: Any) -> Page:
        return context_of(member, **options).new_page()

    return make


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """`accessible(page)`: axe-core finds nothing serious on it."""
    return assert_accessible


@pytest.fixture
def demo(transactional_db: None, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, User]:
    """The demo's members, by name, with all that is told of them: something to see on every page."""
    folder = tmp_path_factory.getbasetemp()
    # Loaded once for all processes, since that takes seconds.
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    use_materials(settings, folder / "materials")
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "demo.sqlite3").exists():
            load_demo(settings, shared)
    connection.ensure_connection()
    with closing(sqlite3.connect(shared / "demo.sqlite3")) as loaded:
        loaded.backup(connection.connection)
    shutil.copytree(shared / "demo_materials", folder / "materials", dirs_exist_ok=True)
    return {user.username: user for user in User.objects.all()}


def use_materials(settings: Settings, folder: Path) -> None:
    storage = {"BACKEND": "core.storages.local.LocalStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "materials_local": storage}


def load_demo(settings: Settings, folder: Path) -> None:
    """Load the demo, and keep its database and its files in a folder."""
    location = settings.STORAGES["materials_local"]["OPTIONS"]["location"]
    settings.DEBUG = True
    call_command("load_demo_data", verbosity=0)
    settings.DEBUG = False
    shutil.copytree(location, folder / "demo_materials", dirs_exist_ok=True)
    with closing(sqlite3.connect(folder / "demo.partial")) as kept:
        connection.ensure_connection()
        connection.connection.backup(kept)
    (folder / "demo.partial").rename(folder / "demo.sqlite3")


@pytest.fixture
def make_moderator(transactional_db: None, make_member: Callable[..., User]) -> Callable[..., User]:
    def make(username: str, **values: Any) -> User:
        member = make_member(username, is_staff=True, **values)
        member.groups.add(Group.objects.get(name="Moderators"))
        return member

    return make


@pytest.fixture
def alice(make_moderator: Callable[..., User]) -> User:
    return make_moderator("alice", first_name="Alice", last_name="Jones")


@pytest.fixture
def victor(make_moderator: Callable[..., User]) -> User:
    return make_moderator("victor", first_name="Victor", last_name="Vogel")


@pytest.fixture
def offer(transactional_db: None, john: User) -> Callable[..., Session]:
    """Offers sessions that wait, each a day later than the one before."""

    def make(title: str, **values: Any) -> Session:
        date = clock.now() + timedelta(days=2 + Session.objects.count())
        return baker.make(
            Session,
            **{"title": title, "description": "What it is about", "subject": "Art", "level": "beginner"} | values,
            date=date,
            duration=60,
            max_participants=5,
            creator=john,
            status="pending_approval",
        )

    return make


@pytest.fixture
def api_of(context_of: Callable[..., BrowserContext]) -> Callable[[User], Callable[..., Any]]:
    """`api_of(john)("GET", "notifications/")`: the answer of the API, over the wire."""

    def make(member: User) -> Callable[..., Any]:
        token = make_token(AccessToken, Login.objects.create(user=member), member)
        requests = context_of().request

        def ask(method: str, path: str, body: Any = None) -> Any:
            answer = requests.fetch(
                f"/api/{path}", method=method, data=body, headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.ok, answer.text()
            return answer.json()

        return ask

    return make
