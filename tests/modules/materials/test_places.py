"""Files behave alike in the local storage, in Cloudinary and in S3."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.test import Client
from tests.cloudinary_server import CloudinaryServer, Failure
from tests.modules.materials.conftest import ORIGIN, PATH, MaterialsApi
from tests.modules.materials.samples import ACCEPTED
from tests.s3_server import S3Server

from modules.materials import services
from modules.materials.files import stored_files
from modules.materials.models import Material, StoredFile

Agree = Callable[[], dict[str, int]]

NOT_STORED = {"error": "The file could not be stored just now, and nothing was kept. Try again later."}
PNG = ACCEPTED["png"][0]


def read(address: str) -> bytes:
    """Reads a URL like a browser without a login."""
    if address.startswith(ORIGIN):
        response = Client().get(address)
        assert response.status_code == 200
        return bytes(response.getvalue())  # type: ignore[attr-defined]
    answer = requests.get(address, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.fixture
def cloudinary(set_up: Callable[[str], Any], settings: Any, cloudinary_server: CloudinaryServer) -> CloudinaryServer:
    """Set up, with new files going there."""
    set_up("cloudinary")
    settings.MATERIALS_STORAGE = "cloudinary"
    return cloudinary_server


@pytest.fixture
def s3(set_up: Callable[[str], Any], settings: Any, s3_server: S3Server) -> S3Server:
    set_up("s3")
    settings.MATERIALS_STORAGE = "s3"
    return s3_server


# --- The same everywhere ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "pdf", "mp4", "mp3 with tags", "zip", "docx"])
def test_a_file_is_served_at_its_url(kind: str, place: str, creator: MaterialsApi, agree: Agree) -> None:
    content, _ = ACCEPTED[kind]
    added = creator.add_file(f"a.{kind}", content)
    assert added.status_code == 201, added.json()
    assert StoredFile.objects.get().place == place
    assert read(added.json()["file"]) == content
    assert read(creator.get(PATH).json()[0]["file"]) == content
    assert agree()[place] == 1


def test_a_replaced_or_deleted_file_is_deleted_from_the_storage(
    place: str, creator: MaterialsApi, agree: Agree
) -> None:
    path = f"{PATH}{creator.add_file('a.png', PNG).json()['id']}/"
    changed = creator.put_form(path, {"file": SimpleUploadedFile("b.txt", b"other")}).json()
    stored_files.delete_due_files()
    assert agree()[place] == 1
    assert read(changed["file"]) == b"other"
    assert creator.delete(path).status_code == 204
    stored_files.delete_due_files()
    assert agree()[place] == 0


def test_deleting_a_session_deletes_its_files(place: str, creator: MaterialsApi, agree: Agree) -> None:
    creator.add_file("a.png", PNG)
    creator.add_file("b.txt", b"hello")
    services.delete_materials_of_session(session_id=7)
    stored_files.delete_due_files()
    assert agree()[place] == 0
    assert not Material.objects.exists()


def test_an_upload_whose_row_is_refused_leaves_nothing(
    place: str, creator: MaterialsApi, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("No.")

    monkeypatch.setattr(services, "publish", fail)
    assert creator.add_file("a.png", PNG).status_code == 500
    assert agree()[place] == 0
    assert not StoredFile.objects.exists()


def test_storage_names_contain_no_user_input(place: str, creator: MaterialsApi) -> None:
    creator.add_file("../../secret plans.png", PNG)
    assert "secret" not in StoredFile.objects.get().name
    assert Material.objects.get().file_name == "secret plans.png"


def test_listing_queries_only_the_database(
    place: str, creator: MaterialsApi, request: pytest.FixtureRequest, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        creator.add_file("a.txt", f"text {number}".encode())
    server = None if place == "local" else request.getfixturevalue(f"{place}_server")
    if server:
        server.requests.clear()
    with django_assert_num_queries(3):
        rows = creator.get(PATH).json()
    assert len({row["file"] for row in rows}) == 3
    assert server is None or server.requests == []


def test_new_files_go_to_the_default_storage_and_old_ones_stay(
    creator: MaterialsApi, set_up: Callable[[str], Any], settings: Any, agree: Agree
) -> None:
    for place in ("local", "cloudinary", "s3"):
        set_up(place)
        settings.MATERIALS_STORAGE = place
        creator.add_file("a.txt", place.encode())
    rows = creator.get(PATH).json()
    assert [read(row["file"]) for row in rows] == [b"local", b"cloudinary", b"s3"]
    assert agree() == {"local": 1, "cloudinary": 1, "s3": 1}


# --- Cloudinary -------------------------------------------------------------------------------------------------


def test_a_file_in_cloudinary_has_a_signed_url_on_the_delivery_host(
    creator: MaterialsApi, cloudinary: CloudinaryServer
) -> None:
    added = creator.add_file("photo.png", PNG).json()
    name = StoredFile.objects.get().name
    path = urlsplit(added["file"]).path
    assert added["file"].startswith(f"{cloudinary.url}/school/image/authenticated/s--")
    assert path.endswith(f"--/v1/materials/{name.removeprefix('image/').replace('.', '_')}")
    assert requests.get(added["file"].replace("s--", "s--x"), timeout=5).status_code == 401
    assert {key[:2] for key in cloudinary.stored} == {("image", "authenticated")}


@pytest.mark.parametrize(
    ("kind", "resource"), [("pdf", "raw"), ("zip", "raw"), ("mp4", "video"), ("mp3 with tags", "video")]
)
def test_cloudinary_stores_documents_as_raw_and_audio_as_video(
    kind: str, resource: str, creator: MaterialsApi, cloudinary: CloudinaryServer
) -> None:
    creator.add_file("a", ACCEPTED[kind][0])
    assert {key[:2] for key in cloudinary.stored} == {(resource, "authenticated")}


def test_deleting_in_cloudinary_invalidates_its_caches(creator: MaterialsApi, cloudinary: CloudinaryServer) -> None:
    creator.delete(f"{PATH}{creator.add_file('photo.png', PNG).json()['id']}/")
    stored_files.delete_due_files()
    [asked] = cloudinary.list_requests("destroy")
    assert asked.form["invalidate"] in {"1", "true", "True"}
    assert cloudinary.stored == {}


def test_a_picture_that_cloudinary_refuses_is_refused_with_its_message(
    creator: MaterialsApi, cloudinary: CloudinaryServer, agree: Agree, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloudinary, "misreports", {})
    monkeypatch.setattr("modules.materials.services.validate_and_sanitize", _lying_inspection)
    response = creator.add_file("photo.png", b"no picture at all")
    assert response.status_code == 400
    sentence = "The storage cannot read this file: Invalid image file"
    assert response.json() == {"error": f"file: {sentence}", "fields": {"file": [sentence]}}
    clock.shift(stored_files.RETRY_DELAY)
    stored_files.delete_due_files()
    assert agree()["cloudinary"] == 0
    assert not StoredFile.objects.exists()


def _lying_inspection(content: Any) -> Any:
    from dataclasses import replace

    from modules.materials.uploads import validate_and_sanitize

    return replace(validate_and_sanitize(content), content_type="image/png")


@pytest.mark.parametrize("failure", [Failure.ERROR, Failure.GARBAGE, Failure.SILENCE, Failure.RESET, Failure.LOST])
def test_a_failed_upload_to_cloudinary_leaves_nothing(
    failure: Failure,
    creator: MaterialsApi,
    cloudinary: CloudinaryServer,
    settings: Any,
    agree: Agree,
    clock: Any,
) -> None:
    patient = settings.STORAGES
    if failure is Failure.SILENCE:
        backend = patient["materials_cloudinary"]
        options = {**backend["OPTIONS"], "timeout": 0.3}
        settings.STORAGES = {**patient, "materials_cloudinary": {**backend, "OPTIONS": options}}
    cloudinary.fail("upload", failure)
    response = creator.add_file("notes.txt", b"hello")
    settings.STORAGES = patient
    assert (response.status_code, response.json()) == (503, NOT_STORED)
    assert not Material.objects.exists()
    # The row stays: the bytes may still be stored after the timeout.
    assert StoredFile.objects.get().released_at is not None
    stored_files.delete_due_files()
    assert StoredFile.objects.exists()
    clock.shift(stored_files.RETRY_DELAY)
    stored_files.delete_due_files()
    assert agree() == {"local": 0, "cloudinary": 0}
    assert creator.add_file("notes.txt", b"hello").status_code == 201


def test_a_failed_deletion_in_cloudinary_is_retried(
    creator: MaterialsApi, cloudinary: CloudinaryServer, agree: Agree, clock: Any
) -> None:
    added = creator.add_file("notes.txt", b"hello").json()
    cloudinary.fail("destroy", Failure.ERROR)
    assert creator.delete(f"{PATH}{added['id']}/").status_code == 204
    stored_files.delete_due_files()
    assert agree()["cloudinary"] == 1
    clock.shift(stored_files.RETRY_DELAY)
    stored_files.delete_due_files()
    assert agree()["cloudinary"] == 0


def test_a_storage_that_is_down_does_not_block_deletions_in_another(
    creator: MaterialsApi, cloudinary: CloudinaryServer, settings: Any
) -> None:
    for number in range(6):
        creator.add_file("notes.txt", f"hello {number}".encode())
    settings.MATERIALS_STORAGE = "local"
    creator.add_file("notes.txt", b"here")
    services.delete_materials_of_session(session_id=7)
    cloudinary.fail("destroy", Failure.ERROR, times=6)
    stored_files.delete_due_files()
    assert len(cloudinary.list_requests("destroy")) == stored_files.MAX_FAILURES
    assert set(StoredFile.objects.values_list("place", flat=True)) == {"cloudinary"}


# --- S3 ---------------------------------------------------------------------------------------------------------


def test_a_file_in_s3_has_a_presigned_url_with_its_content_type(
    creator: MaterialsApi, s3: S3Server, clock: Any
) -> None:
    added = creator.add_file("Übung.pdf", ACCEPTED["pdf"][0]).json()
    query = parse_qs(urlsplit(added["file"]).query)
    assert query["X-Amz-Expires"] == ["600"]
    assert query["response-content-type"] == ["application/pdf"]
    assert query["response-content-disposition"] == ["attachment; filename*=utf-8''%C3%9Cbung.pdf"]
    assert requests.get(added["file"], timeout=5).headers["Content-Type"] == "application/pdf"
    clock.shift(timedelta(seconds=601))
    assert requests.get(added["file"], timeout=5).status_code == 403


def test_s3_stores_the_detected_content_type(creator: MaterialsApi, s3: S3Server) -> None:
    file = SimpleUploadedFile("notes.txt", b"hello", content_type="text/html")
    creator.upload(PATH, {"title": "Notes", "type": "file", "file": file})
    stored = s3.client.head_object(Bucket=s3.bucket_name, Key=f"materials/{StoredFile.objects.get().name}")
    assert stored["ContentType"] == "text/plain; charset=utf-8"


def test_a_busy_bucket_is_a_503_and_leaves_nothing(
    creator: MaterialsApi, s3: S3Server, agree: Agree, clock: Any
) -> None:
    s3.is_busy = True
    response = creator.add_file("notes.txt", b"hello")
    assert (response.status_code, response.json()) == (503, NOT_STORED)
    s3.is_busy = False
    clock.shift(stored_files.RETRY_DELAY)
    stored_files.delete_due_files()
    assert agree() == {"local": 0, "s3": 0}
    assert not StoredFile.objects.exists()


# --- Files that lie elsewhere than their address says -----------------------------------------------------------


def test_a_url_from_before_a_move_redirects_to_the_new_storage(
    creator: MaterialsApi, cloudinary: CloudinaryServer, settings: Any
) -> None:
    settings.MATERIALS_STORAGE = "local"
    added = creator.add_file("notes.txt", b"hello").json()
    from modules.materials.files.transfer import move_file

    assert move_file(StoredFile.objects.get(), to="cloudinary")
    response = Client().get(added["file"])
    assert response.status_code == 302
    assert response["Cache-Control"] == "no-store"
    assert read(response["Location"]) == b"hello"


def test_a_storage_that_is_no_longer_configured_affects_only_its_files(
    creator: MaterialsApi, cloudinary: CloudinaryServer, settings: Any
) -> None:
    creator.add_file("a.txt", b"far away")
    settings.MATERIALS_STORAGE = "local"
    creator.add_file("b.txt", b"here")
    settings.STORAGES = {key: value for key, value in settings.STORAGES.items() if key != "materials_cloudinary"}
    far, near = creator.get(PATH).json()
    response = Client(raise_request_exception=False).get(far["file"])
    assert response.status_code == 503
    assert response.json() == {"error": "This file cannot be read just now. Try again later."}
    assert read(near["file"]) == b"here"


def test_a_bucket_without_credentials_affects_only_its_files(
    creator: MaterialsApi, s3: S3Server, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator.add_file("a.txt", b"far away")
    s3_backend = settings.STORAGES["materials_s3"]
    options = {**s3_backend["OPTIONS"], "access_key": None, "secret_key": None}
    settings.STORAGES = {**settings.STORAGES, "materials_s3": {**s3_backend, "OPTIONS": options}}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    response = creator.get(PATH)
    assert response.status_code == 200
    [row] = response.json()
    assert Client(raise_request_exception=False).get(row["file"]).status_code == 503
