"""Fixtures for all tests. Tests use the product as its clients do: over HTTP, by facts, by commands."""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.test.client import ClientHandler
from pytest_django import Settings
from tests.cloudinary_server import CloudinaryServer
from tests.mail_server import MailServer
from tests.portal import log_in
from tests.s3_server import S3Server
from tests.sets import SQLITE_ONLY, WALKS, gives_same_answer_on_any_database
from xdist.scheduler import LoadGroupScheduling

from core.accounts.models import Login, User
from core.accounts.tokens import AccessToken, make_token
from core.facts import Question

PASSWORD = "learn-together"

# One for all clients: each of its own would build every middleware anew, and look for every static file.
HANDLER = ClientHandler(enforce_csrf_checks=False)


class Api:
    """An API client of a member: sends JSON and an access token."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client(raise_request_exception=False)
        self.client.handler = HANDLER
        self.user = user
        self.headers: dict[str, str] = {}
        if user is not None:
            login = Login.objects.create(user=user)
            self.headers["Authorization"] = f"Bearer {make_token(AccessToken, login, user)}"

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        return self.client.get(path, query, headers=self.headers)

    def post(self, path: str, body: Any = None) -> Any:
        return self._send("post", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        return self._send("put", path, body)

    def patch(self, path: str, body: Any = None) -> Any:
        return self._send("patch", path, body)

    def delete(self, path: str) -> Any:
        return self.client.delete(path, headers=self.headers)

    def upload(self, path: str, form: dict[str, Any]) -> Any:
        """Post a multipart form, as the documented client does."""
        return self.client.post(path, form, headers=self.headers)

    def _send(self, method: str, path: str, body: Any) -> Any:
        if body is None:
            # Without a body and a content type, as curl and fetch do it; the client's own `post` would send a form.
            return self.client.generic(method.upper(), path, headers=self.headers)
        send = getattr(self.client, method)
        return send(path, body, content_type="application/json", headers=self.headers)


# These start processes of their own. They take the longest and come first, so that no process is left alone with one in
# the end.
FIRST = (
    "tests/system/test_modules_are_removable.py",
    "tests/system/test_supervisor.py",
    "tests/system/drill/test_counters.py",
    "tests/system/drill/test_drill.py",
)


SEEN_TESTS = pytest.StashKey[set[tuple[str, str]]]()


def is_further_case(item: pytest.Item, seen: set[tuple[str, str]]) -> bool:
    """Whether a case of the same parametrized test is among `seen`, to which it is added."""
    if not isinstance(item, pytest.Function) or item.parent is None or not hasattr(item, "callspec"):
        return False
    test = (item.parent.nodeid, item.originalname)
    if test in seen:
        return True
    seen.add(test)
    return False


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    if gives_same_answer_on_any_database(item.nodeid.partition("::")[0]):
        item.add_marker(pytest.mark.any_database)
    if item.nodeid.startswith(SQLITE_ONLY):
        item.add_marker(pytest.mark.sqlite_only)
    if item.nodeid.startswith(WALKS):
        item.add_marker(pytest.mark.system)
    if is_further_case(item, item.session.stash.setdefault(SEEN_TESTS, set())):
        item.add_marker(pytest.mark.further_case)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    first = [str(config.rootpath / file) for file in FIRST]
    items.sort(key=lambda item: first.index(str(item.path)) if str(item.path) in first else len(first))


class OneProcessForSome(LoadGroupScheduling):  # type: ignore[misc]
    """Hands out tests one by one, but those of some files and folders together.

    They share a run, or are several processes each.
    """

    TOGETHER = (
        "tests/browser/test_accessibility.py",
        "tests/demo/test_load_demo_data.py",
        "tests/system/drill/",
        "tests/system/test_supervisor.py",
    )

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        return next((each for each in self.TOGETHER if file.startswith(each)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneProcessForSome:
    return OneProcessForSome(config, log)


@pytest.fixture(scope="session", autouse=True)
def speed_up() -> None:
    """Speed tests up: fast password hashes, no search for static files, and no waiting for the disk."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SERVESTATIC_USE_FINDERS = False
    os.fsync = lambda descriptor: None


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Put SQLite into a file, since threads cannot share a database in memory."""
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        file = tmp_path_factory.mktemp("database") / "database.sqlite3"
        settings.DATABASES["default"]["TEST"]["NAME"] = str(file)


@pytest.fixture(autouse=True)
def migrated_rows(django_db_serialized_rollback: None) -> None:
    """Restore the rows of migrations after tests that commit (`transaction=True`), which truncate all tables."""


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Clear the cache before each test."""
    cache.clear()


@pytest.fixture
def make_member(db: None) -> Callable[..., User]:
    """Makes members with the given values, and names for what is not given."""

    def make(username: str = "", **values: Any) -> User:
        username = username or f"member_{User.objects.count() + 1}"
        values.setdefault("email", f"{username}@example.com")
        values.setdefault("password", make_password(None))
        # Without model-bakery, which takes twice as long: the suite makes tens of thousands.
        return User.objects.create(username=username, **values)

    return make


@pytest.fixture
def unlogged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Disable logging: pytest-xdist cannot send invalid Unicode in logs between processes."""
    with caplog.at_level(logging.CRITICAL + 1):
        yield


@pytest.fixture
def api_of() -> Callable[[User | None], Api]:
    """Builds the API client of a member; for `None`, one without a login."""
    return Api


@pytest.fixture
def john(make_member: Callable[..., User]) -> User:
    return make_member("john_doe", first_name="John", last_name="Doe", email="john@example.com")


@pytest.fixture
def jane(make_member: Callable[..., User]) -> User:
    return make_member("jane_smith", first_name="Jane", last_name="Smith", email="jane@example.com")


@pytest.fixture
def bob(make_member: Callable[..., User]) -> User:
    return make_member("bob_wilson", first_name="Bob", last_name="Wilson", email="bob@example.com")


@pytest.fixture
def morgan(make_member: Callable[..., User]) -> User:
    """A moderator: staff, and in the group."""
    member = make_member("morgan", first_name="Morgan", last_name="Reed", is_staff=True)
    member.groups.add(Group.objects.get(name="Moderators"))
    return member


@pytest.fixture
def root(make_member: Callable[..., User]) -> User:
    """A superuser."""
    return make_member("root", is_staff=True, is_superuser=True)


@pytest.fixture
def moderator(morgan: User) -> Client:
    """A moderator in the portal."""
    return log_in(morgan)


@pytest.fixture
def admin(root: User) -> Client:
    """A superuser in the portal."""
    return log_in(root)


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """A running SMTP server, to which mail is sent."""
    # It logs every line that it receives.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    server = MailServer()
    server.start()
    settings.EMAIL_BACKEND = "core.mail.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.port
    yield server
    server.stop()


@pytest.fixture
def cloudinary_server() -> Iterator[CloudinaryServer]:
    """A running Cloudinary without assets."""
    server = CloudinaryServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def running_s3_server() -> Iterator[S3Server]:
    """One for all tests of a process: it takes seconds to start."""
    server = S3Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3_server(running_s3_server: S3Server) -> S3Server:
    """A running S3 with an empty bucket."""
    running_s3_server.reset()
    return running_s3_server


@pytest.fixture
def answer() -> Iterator[Callable[[type[Question[Any]], Callable[[Any], Any]], None]]:
    """Replaces the function that answers a question."""
    replaced: list[tuple[Any, list[Any]]] = []

    def use(kind: type[Question[Any]], function: Callable[[Any], Any]) -> None:
        replaced.append((kind.signal, kind.signal.receivers))
        kind.signal.receivers = []
        kind.signal.sender_receivers_cache.clear()
        kind.signal.connect(lambda question, **_: function(question), weak=False)

    yield use
    for signal, receivers in reversed(replaced):
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()
