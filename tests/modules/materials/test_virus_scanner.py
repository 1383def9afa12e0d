"""With a virus scanner, only files that it found clean are served."""

import io
import logging
import struct
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.clamd_server import EICAR, ClamdServer
from tests.modules.materials.conftest import PATH, MaterialsApi

from core.accounts.models import User
from core.facts.models import FactRecord
from core.portal.history import list_history
from modules.materials import scanning, tasks
from modules.materials.files import scanner, stored_files
from modules.materials.models import Material, StoredFile

FOUND = "The virus scanner has found Eicar-Test-Signature in this file."
NOT_YET = {"error": "This file is not yet available: it waits for the virus scanner. Try again later."}


@pytest.fixture
def clamd(settings: Any) -> Iterator[ClamdServer]:
    """A running scanner that is configured."""
    server = ClamdServer()
    server.start()
    settings.CLAMAV_URL = server.url
    yield server
    server.stop()


@pytest.fixture
def later(clock: Any) -> Callable[[], int]:
    """Lets the retry delay pass and the worker scan due files."""

    def scan() -> int:
        clock.shift(stored_files.RETRY_DELAY)
        return scanning.scan_due_files()

    return scan


def read(address: str) -> Any:
    return Client(raise_request_exception=False).get(address)


def test_a_clean_file_is_accepted(creator: MaterialsApi, clamd: ClamdServer) -> None:
    content = b"hello" * 50_000
    added = creator.add_file("notes.txt", content)
    assert added.status_code == 201
    assert clamd.scanned == [content]
    assert StoredFile.objects.get().scan_at is None
    assert read(added.json()["file"]).getvalue() == content


def test_a_file_with_a_virus_is_refused(
    creator: MaterialsApi, clamd: ClamdServer, nothing_left: Callable[[], bool]
) -> None:
    response = creator.add_file("notes.txt", EICAR)
    assert response.status_code == 400
    assert response.json() == {"error": f"file: {FOUND}", "fields": {"file": [FOUND]}}
    assert nothing_left()


def test_a_replacement_with_a_virus_keeps_the_file(
    creator: MaterialsApi, clamd: ClamdServer, stored: Callable[[], list[bytes]]
) -> None:
    added = creator.add_file("notes.txt", b"hello").json()
    response = creator.put_form(f"{PATH}{added['id']}/", {"file": SimpleUploadedFile("b.txt", EICAR)})
    assert response.status_code == 400
    assert stored() == [b"hello"]
    assert read(added["file"]).getvalue() == b"hello"


def test_links_and_notes_are_not_scanned(creator: MaterialsApi, clamd: ClamdServer) -> None:
    clamd.stop()
    assert creator.post(PATH, {"title": "N", "type": "note", "content": EICAR.decode()}).status_code == 201
    assert clamd.scanned == []


def test_the_scanner_is_reached_over_a_unix_socket(creator: MaterialsApi, settings: Any) -> None:
    # The paths of the tests' own folders are too long for one.
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    server = ClamdServer(folder / "C# what?")
    server.start()
    settings.CLAMAV_URL = server.url
    try:
        assert creator.add_file("notes.txt", EICAR).status_code == 400
        assert creator.add_file("notes.txt", b"hello").status_code == 201
    finally:
        server.stop()
        folder.rmdir()
    assert StoredFile.objects.get().scan_at is None


def test_without_a_scanner_files_are_available(creator: MaterialsApi) -> None:
    added = creator.add_file("notes.txt", EICAR).json()
    assert read(added["file"]).getvalue() == EICAR
    assert scanning.scan_due_files() == 0
    assert Material.objects.exists()


# --- While it is down -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["down", "hang up", "nonsense", "hang"])
def test_a_file_without_a_verdict_is_not_available(
    fault: str, creator: MaterialsApi, clamd: ClamdServer, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MATERIALS_TIMEOUT_SECONDS = 1 if fault == "hang" else 30
    if fault == "down":
        clamd.stop()
    clamd.fault = fault
    added = creator.add_file("notes.txt", EICAR)
    assert added.status_code == 201
    response = read(added.json()["file"])
    assert response.status_code == 503
    assert response.json() == NOT_YET
    assert response["Retry-After"]
    assert "A file waits for the virus scanner" in caplog.text


def test_a_range_of_an_unscanned_file_is_not_available(creator: MaterialsApi, clamd: ClamdServer) -> None:
    clamd.stop()
    added = creator.add_file("notes.txt", EICAR).json()
    assert Client().get(added["file"], headers={"range": "bytes=0-9"}).status_code == 503
    assert Client().head(added["file"]).status_code == 503


def test_an_unscanned_file_is_available_after_its_scan(
    creator: MaterialsApi, clamd: ClamdServer, later: Callable[[], int]
) -> None:
    clamd.stop()
    added = creator.add_file("notes.txt", b"hello").json()
    clamd.start()
    assert later() == 1
    assert clamd.scanned == [b"hello"]
    assert read(added["file"]).getvalue() == b"hello"
    assert later() == 0


def test_an_unscanned_file_with_a_virus_is_removed_and_its_uploader_notified(
    creator: MaterialsApi,
    clamd: ClamdServer,
    later: Callable[[], int],
    nothing_left: Callable[[], bool],
    make_member: Callable[..., User],
) -> None:
    superuser = make_member("root", is_staff=True, is_superuser=True)
    clamd.stop()
    added = creator.add_file("notes.txt", EICAR, title="My notes").json()
    clamd.start()
    assert later() == 1
    assert read(added["file"]).status_code == 404
    record = FactRecord.objects.get(name="materials.MaterialRemoved")
    assert record.actor is None
    assert record.reason == "The virus scanner has found Eicar-Test-Signature in it."
    assert record.payload == {
        "material_id": added["id"],
        "session_id": 7,
        "title": "My notes",
        "uploader_id": creator.user.pk if creator.user else 0,
    }
    [entry] = list_history(FactRecord.objects.filter(pk=record.pk), viewer=superuser).entries
    assert str(entry.what) == "The system removed the material My notes"
    stored_files.delete_due_files()
    assert nothing_left()


def test_files_from_before_the_scanner_wait_for_it(creator: MaterialsApi, settings: Any, clamd: ClamdServer) -> None:
    settings.CLAMAV_URL = ""
    added = creator.add_file("notes.txt", b"hello").json()
    assert read(added["file"]).getvalue() == b"hello"
    settings.CLAMAV_URL = clamd.url
    assert read(added["file"]).json() == NOT_YET
    assert scanning.scan_due_files() == 1
    assert read(added["file"]).getvalue() == b"hello"


def test_a_scanner_that_is_down_is_tried_once_in_each_run(
    creator: MaterialsApi, clamd: ClamdServer, later: Callable[[], int]
) -> None:
    clamd.stop()
    for number in range(3):
        creator.add_file("notes.txt", f"notes {number}".encode())
    with pytest.raises(scanner.ScannerUnavailable):
        later()
    clamd.start()
    # They were not tried in the last run, and so are due.
    assert scanning.scan_due_files() == 3
    assert not StoredFile.objects.exclude(scan_at=None).exists()


def test_a_file_on_which_the_scanner_hangs_does_not_block_the_others(
    creator: MaterialsApi, clamd: ClamdServer, later: Callable[[], int], settings: Any
) -> None:
    clamd.stop()
    clamd.hangs_on = b"bomb"
    for content in (b"bomb", b"one", b"two"):
        creator.add_file("notes.txt", content)
    clamd.start()
    settings.MATERIALS_TIMEOUT_SECONDS = 1
    assert later() == 2
    assert StoredFile.objects.filter(scan_at=None).count() == 2
    assert StoredFile.objects.get(scan_at__isnull=False).size == 4


def test_incomplete_files_are_not_scanned(
    creator: MaterialsApi, clamd: ClamdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.storages.local import LocalStorage

    clamd.stop()
    create_empty_file = LocalStorage._create_empty_file

    def scan_while_it_is_written(self: LocalStorage, name: str) -> Path:
        path = create_empty_file(self, name)
        clamd.start()
        scanning.scan_due_files()
        return path

    monkeypatch.setattr(LocalStorage, "_create_empty_file", scan_while_it_is_written)
    added = creator.add_file("notes.txt", EICAR)
    assert added.status_code == 201
    assert clamd.scanned == []
    assert read(added.json()["file"]).json() == NOT_YET


def test_changed_bytes_get_no_verdict(
    creator: MaterialsApi, clamd: ClamdServer, later: Callable[[], int], folder: Path
) -> None:
    clamd.stop()
    added = creator.add_file("notes.txt", b"hello").json()
    (folder / StoredFile.objects.get().name).write_bytes(b"hellO")
    clamd.start()
    assert later() == 0
    assert clamd.scanned == []
    assert read(added["file"]).json() == NOT_YET


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:99999", "tcp://a..b:3310"])
def test_an_invalid_scanner_url_counts_as_unavailable(url: str, creator: MaterialsApi, settings: Any) -> None:
    settings.CLAMAV_URL = url
    added = creator.add_file("notes.txt", b"hello")
    assert added.status_code == 201
    assert read(added.json()["file"]).json() == NOT_YET


def test_a_file_too_large_for_the_scanner_does_not_block_the_others(
    creator: MaterialsApi, clamd: ClamdServer, later: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    clamd.max_bytes = 1000
    long = creator.add_file("long.txt", b"x" * 300_000).json()
    clamd.stop()
    short = creator.add_file("short.txt", b"hello").json()
    clamd.start()
    assert later() == 1
    assert read(short["file"]).getvalue() == b"hello"
    assert read(long["file"]).json() == NOT_YET
    assert "size limit exceeded" in caplog.text


def test_unreadable_files_do_not_block_the_others(
    creator: MaterialsApi, clamd: ClamdServer, later: Callable[[], int], folder: Path
) -> None:
    clamd.stop()
    creator.add_file("lost.txt", b"lost")
    (folder / StoredFile.objects.get().name).unlink()
    other = creator.add_file("other.txt", b"hello").json()
    clamd.start()
    assert later() == 1
    assert read(other["file"]).getvalue() == b"hello"


def test_an_upload_in_progress_with_a_virus_stays_unavailable(
    creator: MaterialsApi,
    clamd: ClamdServer,
    later: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    nothing_left: Callable[[], bool],
) -> None:
    """The periodic job runs after the bytes were stored and before they are attached."""
    clamd.stop()
    write = stored_files._write

    def write_and_scan(file: StoredFile, upload: Any) -> None:
        write(file, upload)
        clamd.start()
        # Only attached files are known to be complete.
        assert scanning.scan_due_files() == 0

    monkeypatch.setattr(stored_files, "_write", write_and_scan)
    added = creator.add_file("notes.txt", EICAR).json()
    assert read(added["file"]).json() == NOT_YET
    assert later() == 1
    stored_files.delete_due_files()
    assert nothing_left()


def test_scanning_is_a_periodic_job(creator: MaterialsApi, clamd: ClamdServer, clock: Any) -> None:
    clamd.stop()
    creator.add_file("notes.txt", b"hello")
    clamd.start()
    clock.shift(timedelta(minutes=1))
    tasks.scan_files_for_viruses.call_local()
    assert StoredFile.objects.get().scan_at is None


def test_a_scanner_that_is_down_fails_the_periodic_job(
    creator: MaterialsApi, clamd: ClamdServer, caplog: pytest.LogCaptureFixture
) -> None:
    from core.jobs.models import Sweep

    clamd.stop()
    creator.add_file("notes.txt", b"hello")
    with caplog.at_level(logging.ERROR):
        tasks.scan_files_for_viruses.call_local()
    sweep = Sweep.objects.get(name="scan files for viruses")
    assert "The virus scanner cannot be reached" in sweep.error
    assert sweep.finished_at is None


# --- The protocol -----------------------------------------------------------------------------------------------


def test_the_whole_file_is_scanned_whatever_its_position(clamd: ClamdServer) -> None:
    content = io.BytesIO(b"x" * 70_000 + EICAR)
    content.seek(70_000)
    assert scanner.find_virus(content) == "Eicar-Test-Signature"
    content.read()
    clamd.viruses = {}
    assert scanner.find_virus(content) == ""
    assert clamd.scanned == [content.getvalue()] * 2


def test_an_unknown_reply_of_the_scanner_is_no_verdict(settings: Any) -> None:
    class OtherServer(ClamdServer):
        def answer(self, received: Any, answers: Any) -> None:
            received.read(10)
            while length := struct.unpack("!L", received.read(4))[0]:
                received.read(length)
            answers.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = OtherServer()
    server.start()
    settings.CLAMAV_URL = server.url
    try:
        with pytest.raises(scanner.NoVerdict):
            scanner.find_virus(io.BytesIO(b"hello"))
    finally:
        server.stop()
