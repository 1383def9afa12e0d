"""Processes that are killed, as by the system: at each statement, each commit and each block of bytes that they send.

What they have in hand is run again and again in a process of its own, which is killed one step later each time, until
it comes to its end. After each death the worker sweeps; then there are no bytes without a row, no row without bytes,
and what members see is either as it was before or as it should have become.
"""

import http.client
import os
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from tests.modules.materials.conftest import MaterialsApi

from core.storages.cloudinary import CloudinaryStorage
from core.storages.local import LocalStorage
from core.storages.s3 import S3Storage
from modules.materials import services
from modules.materials.files import stored_files, transfer
from modules.materials.models import Material, StoredFile

pytestmark = [
    pytest.mark.system,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="makes processes by fork"),
]

BEFORE, AFTER = b"before " * 20_000, b"after " * 25_000
# Far more than any of this takes.
MOST_STEPS = 200
Operation = Callable[[], object]

# What a place does is the same whatever the database is: on the other one, this machine and one more will do.
IS_SQLITE = connection.vendor == "sqlite"


def kill_at(fatal: int) -> None:
    """Let this process be killed at its step of that number."""
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += 1
        if taken == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(owner: Any, name: str, *, after: bool = False) -> None:
        original = getattr(owner, name)

        def stepping(*args: Any, **kwargs: Any) -> Any:
            step()
            result = original(*args, **kwargs)
            if after:
                step()
            return result

        setattr(owner, name, stepping)

    before(CursorWrapper, "execute")
    before(BaseDatabaseWrapper, "commit", after=True)
    # Everything that is sent to a storage over HTTP, block by block.
    before(http.client.HTTPConnection, "send")
    for storage in (LocalStorage, CloudinaryStorage, S3Storage):
        before(storage, "_save", after=True)
        before(storage, "delete", after=True)
    chunks = stored_files.TypedContent.chunks

    def stepping_chunks(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        for chunk in chunks(*args, **kwargs):
            step()
            yield chunk

    stored_files.TypedContent.chunks = stepping_chunks  # type: ignore[method-assign]


def is_killed(operation: Operation, *, fatal: int) -> bool:
    """Run it in a process of its own that is killed at a step; false where it came to its end before."""
    forget_connections()
    with warnings.catch_warnings():
        # Newer Pythons warn of threads: those that are here belong to servers, which the child has no part in.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        code = 1
        try:
            kill_at(fatal)
            operation()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def forget_connections() -> None:
    """Two processes must not speak over one."""
    connections.close_all()
    with suppress(AttributeError):
        connection.close_pool()  # type: ignore[attr-defined]
    for name in storages.backends:
        storage = storages[name] if name.startswith("materials_") else None
        if isinstance(storage, CloudinaryStorage):
            storage._client._http.clear()
        elif isinstance(storage, S3Storage):
            storage.connection.meta.client._endpoint.http_session._manager.clear()


class Trial:
    """A session with one file, and what may be seen of it after a death."""

    def __init__(self, creator: MaterialsApi, agree: Callable[[], dict[str, int]], clock: Any) -> None:
        assert creator.user is not None
        self.member = creator.user
        self.agree = agree
        self.clock = clock

    def add(self, content: bytes = BEFORE) -> Material:
        upload = SimpleUploadedFile("notes.txt", content)
        return services.add_material(session_id=7, by=self.member, title="A", type="file", upload=upload)

    def sweep(self) -> None:
        """As the worker does, until nothing has to be done any more."""
        self.clock.shift(stored_files.STAGING_TIMEOUT)
        stored_files.delete_due_files()

    def seen(self) -> list[bytes]:
        """The bytes of all materials; fails where rows and bytes do not fit each other."""
        assert sum(self.agree().values()) == StoredFile.objects.count() == Material.objects.count()
        assert not StoredFile.objects.exclude(sweep_at=None).exists()
        contents = []
        for file in StoredFile.objects.order_by("pk"):
            with stored_files.open_file(file) as content:
                contents.append(content.read())
        return contents

    def clear(self) -> None:
        services.delete_materials_of_session(session_id=7)
        self.sweep()
        assert self.seen() == []


def outlive(trial: Trial, prepare: Callable[[], Operation], *, before: list[bytes], after: list[bytes]) -> int:
    """Kill at every step; returns how many there are."""
    outcomes: list[list[bytes]] = []
    for fatal in range(1, MOST_STEPS):
        operation = prepare()
        killed = is_killed(operation, fatal=fatal)
        trial.sweep()
        seen = trial.seen()
        assert seen in ([before, after] if killed else [after]), fatal
        outcomes.append(seen)
        trial.clear()
        if not killed:
            break
    # Early deaths leave all as it was, late ones as it should be: once it is done, it stays done.
    done = outcomes.index(after)
    assert all(outcome == before for outcome in outcomes[:done])
    assert all(outcome == after for outcome in outcomes[done:])
    return len(outcomes)


@pytest.fixture
def trial(creator: MaterialsApi, agree: Callable[[], dict[str, int]], clock: Any) -> Trial:
    return Trial(creator, agree, clock)


@pytest.mark.parametrize("place", ["local", "cloudinary", "s3"] if IS_SQLITE else ["local"], indirect=True)
def test_a_process_killed_while_adding_leaves_nothing_behind(place: str, trial: Trial) -> None:
    steps = outlive(trial, lambda: trial.add, before=[], after=[BEFORE])
    assert steps > 12


@pytest.mark.parametrize("place", ["local", "cloudinary"] if IS_SQLITE else ["local"], indirect=True)
def test_a_process_killed_while_replacing_leaves_nothing_behind(place: str, trial: Trial) -> None:
    def prepare() -> Operation:
        material = trial.add()

        def replace() -> None:
            upload = SimpleUploadedFile("notes.txt", AFTER)
            services.change_material(session_id=7, material_id=material.pk, by=trial.member, upload=upload)

        return replace

    assert outlive(trial, prepare, before=[BEFORE], after=[AFTER]) > 14


@pytest.mark.parametrize("place", ["local", "s3"] if IS_SQLITE else ["local"], indirect=True)
def test_a_process_killed_while_deleting_leaves_nothing_behind(place: str, trial: Trial) -> None:
    def prepare() -> Operation:
        material = trial.add()
        return lambda: services.remove_material(session_id=7, material_id=material.pk, by=trial.member)

    assert outlive(trial, prepare, before=[BEFORE], after=[]) > 6


def test_a_process_killed_while_deleting_a_session_leaves_nothing_behind(trial: Trial) -> None:
    def prepare() -> Operation:
        trial.add()
        return lambda: services.delete_materials_of_session(session_id=7)

    assert outlive(trial, prepare, before=[BEFORE], after=[]) > 3


@pytest.mark.parametrize("place", ["cloudinary"], indirect=True)
def test_a_process_killed_in_the_periodic_job_leaves_nothing_behind(place: str, trial: Trial) -> None:
    def prepare() -> Operation:
        material = trial.add()
        Material.objects.filter(pk=material.pk).delete()
        stored_files.StoredFile.objects.update(released_at=material.uploaded_at, sweep_at=material.uploaded_at)
        return stored_files.delete_due_files

    assert outlive(trial, prepare, before=[], after=[]) > 2


@pytest.mark.parametrize(
    ("here", "there"), [("local", "cloudinary"), ("s3", "local")] if IS_SQLITE else [("local", "cloudinary")]
)
def test_a_process_killed_while_moving_leaves_nothing_behind(
    here: str, there: str, trial: Trial, set_up: Callable[[str], Any], settings: Any
) -> None:
    for place in (here, there):
        set_up(place)
    settings.MATERIALS_STORAGE = here

    def prepare() -> Operation:
        file = trial.add().file
        assert file is not None
        return lambda: transfer.move_file(file, to=there)

    assert outlive(trial, prepare, before=[BEFORE], after=[BEFORE]) > 15
