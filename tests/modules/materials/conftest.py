"""A session with people in every role, whose access the tests decide themselves, and a storage of the tests' own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from huey.contrib.djhuey import HUEY
from tests.conftest import Api

from core.accounts.models import User
from core.accounts.presentation import EmailAudience
from modules.materials import services
from modules.materials.events import SessionAccess, SessionAccessAsked
from modules.materials.files.storages import list_configured
from modules.materials.models import Material, StoredFile

NOW = datetime(2024, 1, 12, 10, 0, tzinfo=UTC)
SESSION = 7
PATH = f"/api/sessions/{SESSION}/materials/"
ORIGIN = "http://testserver"

JOINED = datetime(2024, 1, 1, tzinfo=UTC)

NothingLeft = Callable[[], bool]
Stored = Callable[[], list[bytes]]


class MaterialsApi(Api):
    """A member's client that also knows forms by PUT."""

    def put_form(self, path: str, form: dict[str, Any]) -> Any:
        body = encode_multipart(BOUNDARY, form)
        return self.client.generic("PUT", path, body, MULTIPART_CONTENT, headers=self.headers)

    def add_file(self, name: str, content: bytes, *, title: str = "A file", path: str = PATH) -> Any:
        return self.upload(path, {"title": title, "type": "file", "file": SimpleUploadedFile(name, content)})


def share_file(member: MaterialsApi, content: bytes = b"hello") -> Material:
    """Add a file without HTTP."""
    assert member.user is not None
    return services.add_material(
        session_id=7, by=member.user, title="A file", type="file", upload=SimpleUploadedFile("notes.txt", content)
    )


class Sessions:
    """Answers `SessionAccessAsked` in place of the module `sessions`."""

    def __init__(self) -> None:
        self.access: dict[tuple[int, int], SessionAccess] = {}
        self.closed_reason = ""
        self.asked_to_lock: list[bool] = []

    def let(self, member: User, *, session: int = SESSION, **access: Any) -> User:
        audience = access.pop("audience", EmailAudience(viewer_id=member.pk))
        may = {"can_read": False, "can_write": False, "can_manage": False, **access}
        self.access[session, member.pk] = SessionAccess(closed_reason="", audience=audience, **may)
        return member

    def answer(self, question: SessionAccessAsked) -> SessionAccess | None:
        self.asked_to_lock.append(question.lock_session)
        access = self.access.get((question.session_id, question.viewer.pk))
        if access is None:
            return None
        return SessionAccess(**{**vars(access), "closed_reason": self.closed_reason})


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sessions(answer: Any) -> Sessions:
    answers = Sessions()
    answer(SessionAccessAsked, answers.answer)
    return answers


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """The folder of the local storage."""
    location = tmp_path / "materials"
    settings.STORAGES = {
        **settings.STORAGES,
        "materials_local": {"BACKEND": "core.storages.local.LocalStorage", "OPTIONS": {"location": str(location)}},
    }
    return location


@pytest.fixture
def set_up(request: pytest.FixtureRequest, settings: Any) -> Callable[[str], Any]:
    """Configures another storage and returns it; new files still go to the default one."""

    def make(place: str) -> Any:
        backends = {"cloudinary": "core.storages.cloudinary.CloudinaryStorage", "s3": "core.storages.s3.S3Storage"}
        if place in backends:
            server = request.getfixturevalue(f"{place}_server")
            options = {"timeout": 5, **server.options}
            settings.STORAGES = {
                **settings.STORAGES,
                f"materials_{place}": {"BACKEND": backends[place], "OPTIONS": options},
            }
        return storages[f"materials_{place}"]

    return make


@pytest.fixture(params=["local", "cloudinary", "s3"])
def place(request: pytest.FixtureRequest, set_up: Callable[[str], Any], settings: Any) -> str:
    """Each storage, configured as the default one."""
    set_up(request.param)
    settings.MATERIALS_STORAGE = request.param
    return str(request.param)


@pytest.fixture
def agree(db: None, settings: Any) -> Callable[[], dict[str, int]]:
    """The number of files in each configured storage; fails if rows and bytes do not agree."""

    def check() -> dict[str, int]:
        counts = {}
        for place in list_configured():
            names = sorted(listed.name for listed in storages[f"materials_{place}"].walk())
            assert names == sorted(StoredFile.objects.filter(place=place).values_list("name", flat=True)), place
            counts[place] = len(names)
        return counts

    return check


@pytest.fixture(autouse=True)
def tasks_run_at_once() -> Iterator[None]:
    HUEY.immediate = True
    yield
    HUEY.immediate = False


@pytest.fixture
def stored(folder: Path, db: None) -> Callable[[], list[bytes]]:
    """The bytes in the storage; fails if rows and bytes do not agree."""

    def read() -> list[bytes]:
        paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        assert sorted(paths) == sorted(StoredFile.objects.values_list("name", flat=True))
        return sorted(path.read_bytes() for path in paths.values())

    return read


@pytest.fixture
def nothing_left(stored: Callable[[], list[bytes]]) -> Callable[[], bool]:
    """Whether there are no materials, files and bytes."""

    def check() -> bool:
        return not Material.objects.exists() and not StoredFile.objects.exists() and stored() == []

    return check


# --- The people -------------------------------------------------------------------------------------------------


@pytest.fixture
def creator(sessions: Sessions, make_member: Callable[..., User]) -> MaterialsApi:
    john = make_member("john_doe", first_name="John", last_name="Doe", email="john@example.com", date_joined=JOINED)
    return MaterialsApi(sessions.let(john, can_read=True, can_write=True, can_manage=True))


@pytest.fixture
def tutor(sessions: Sessions, make_member: Callable[..., User]) -> MaterialsApi:
    return MaterialsApi(sessions.let(make_member("tina_tutor"), can_read=True, can_write=True))


@pytest.fixture
def student(sessions: Sessions, make_member: Callable[..., User]) -> MaterialsApi:
    return MaterialsApi(sessions.let(make_member("sam_student"), can_read=True))


@pytest.fixture
def moderator(sessions: Sessions, make_member: Callable[..., User]) -> MaterialsApi:
    return MaterialsApi(sessions.let(make_member("mia_moderator"), can_read=True, can_manage=True))


@pytest.fixture
def outsider(sessions: Sessions, make_member: Callable[..., User]) -> MaterialsApi:
    """A member who sees the session, but is no participant."""
    return MaterialsApi(sessions.let(make_member("olga_outside")))


@pytest.fixture
def unknowing(sessions: Sessions, make_member: Callable[..., User]) -> MaterialsApi:
    """A member to whom the session is hidden."""
    return MaterialsApi(make_member("umberto_unknowing"))


@pytest.fixture
def people(request: pytest.FixtureRequest) -> Callable[[str], MaterialsApi]:
    """Everybody by their role."""
    return request.getfixturevalue
