"""Quotas for the files, notes and materials of a session, and the files of a member."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from tests.modules.materials.conftest import PATH, MaterialsApi, Sessions

from modules.materials.models import Material

KIBIBYTE = 1024
OTHER_SESSION = "/api/sessions/8/materials/"


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.MATERIALS_MAX_BYTES_PER_SESSION = 100 * KIBIBYTE
    settings.MATERIALS_MAX_BYTES_PER_MEMBER = 150 * KIBIBYTE


def text(kibibytes: int) -> bytes:
    return b"x" * kibibytes * KIBIBYTE


def refusal(sentence: str) -> dict[str, Any]:
    return {"error": f"file: {sentence}", "fields": {"file": [sentence]}}


def test_the_files_of_a_session_have_a_quota(
    creator: MaterialsApi, tutor: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    assert creator.add_file("a.txt", text(60)).status_code == 201
    assert tutor.add_file("b.txt", text(30)).status_code == 201
    response = creator.add_file("c.txt", text(11))
    assert response.status_code == 400
    assert response.json() == refusal(
        "The files of a session may have 100 KiB together, of which 90 KiB are used and 10 KiB left;"
        " this file has 11 KiB."
    )
    assert len(stored()) == Material.objects.count() == 2


def test_the_quota_of_a_session_can_be_used_to_the_last_byte(creator: MaterialsApi) -> None:
    assert creator.add_file("a.txt", text(60)).status_code == 201
    assert creator.add_file("b.txt", text(40)).status_code == 201
    response = creator.add_file("c.txt", b"x")
    assert response.json() == refusal(
        "The files of a session may have 100 KiB together, of which 100 KiB are used and 0 bytes left;"
        " this file has 1 byte."
    )


def test_the_files_of_a_member_have_a_quota_across_sessions(
    creator: MaterialsApi, sessions: Sessions, stored: Callable[[], list[bytes]]
) -> None:
    assert creator.user is not None
    sessions.let(creator.user, session=8, can_read=True, can_write=True, can_manage=True)
    assert creator.add_file("a.txt", text(90)).status_code == 201
    response = creator.add_file("b.txt", text(61), path=OTHER_SESSION)
    assert response.status_code == 400
    assert response.json() == refusal(
        "All files that a member shares may have 150 KiB together, of which 90 KiB are used and 60 KiB left;"
        " this file has 61 KiB."
    )
    assert creator.add_file("b.txt", text(60), path=OTHER_SESSION).status_code == 201
    assert len(stored()) == 2


def test_files_of_others_in_other_sessions_do_not_count(
    creator: MaterialsApi, tutor: MaterialsApi, sessions: Sessions
) -> None:
    assert tutor.user is not None
    sessions.let(tutor.user, session=8, can_read=True, can_write=True)
    assert tutor.add_file("a.txt", text(100), path=OTHER_SESSION).status_code == 201
    assert creator.add_file("b.txt", text(100)).status_code == 201


def test_links_and_notes_do_not_count_towards_the_file_quota(creator: MaterialsApi) -> None:
    assert creator.add_file("a.txt", text(100)).status_code == 201
    assert creator.post(PATH, {"title": "N", "type": "note", "content": "x" * 50_000}).status_code == 201
    assert creator.post(PATH, {"title": "L", "type": "link", "url": "https://example.com/"}).status_code == 201


def test_deleting_a_file_frees_its_quota(creator: MaterialsApi) -> None:
    added = creator.add_file("a.txt", text(100)).json()
    assert creator.add_file("b.txt", text(50)).status_code == 400
    assert creator.delete(f"{PATH}{added['id']}/").status_code == 204
    assert creator.add_file("b.txt", text(50)).status_code == 201


def test_a_replacement_counts_only_by_the_difference_in_size(creator: MaterialsApi) -> None:
    added = creator.add_file("a.txt", text(80)).json()
    path = f"{PATH}{added['id']}/"
    assert creator.put_form(path, {"file": SimpleUploadedFile("b.txt", text(100))}).status_code == 200
    response = creator.put_form(path, {"file": SimpleUploadedFile("c.txt", text(101))})
    assert response.status_code == 400
    assert response.json() == refusal(
        "The files of a session may have 100 KiB together, of which 0 bytes are used and 100 KiB left;"
        " this file has 101 KiB."
    )


def test_a_replacement_by_somebody_else_counts_for_the_uploader(
    creator: MaterialsApi, tutor: MaterialsApi, sessions: Sessions
) -> None:
    assert tutor.user is not None
    sessions.let(tutor.user, session=8, can_read=True, can_write=True)
    added = tutor.add_file("a.txt", text(10)).json()
    assert tutor.add_file("b.txt", text(100), path=OTHER_SESSION).status_code == 201
    response = creator.put_form(f"{PATH}{added['id']}/", {"file": SimpleUploadedFile("c.txt", text(51))})
    assert response.status_code == 400
    # Usage in other sessions is not revealed to the creator of this one.
    assert response.json() == refusal("Who added this material has no room left for a file of this size.")


def test_a_quota_below_the_current_usage_can_be_set(creator: MaterialsApi, settings: Any) -> None:
    added = creator.add_file("a.txt", text(80)).json()
    settings.MATERIALS_MAX_BYTES_PER_SESSION = 50 * KIBIBYTE
    assert creator.add_file("b.txt", text(1)).json() == refusal(
        "The files of a session may have 50 KiB together, of which 80 KiB are used and 0 bytes left;"
        " this file has 1 KiB."
    )
    assert creator.put(f"{PATH}{added['id']}/", {"title": "Still mine"}).status_code == 200


def test_a_smaller_file_always_replaces_a_larger_one(creator: MaterialsApi, settings: Any) -> None:
    added = creator.add_file("a.txt", text(80)).json()
    settings.MATERIALS_MAX_BYTES_PER_SESSION = settings.MATERIALS_MAX_BYTES_PER_MEMBER = 50 * KIBIBYTE
    path = f"{PATH}{added['id']}/"
    assert creator.put_form(path, {"file": SimpleUploadedFile("b.txt", text(70))}).status_code == 200
    assert creator.put_form(path, {"file": SimpleUploadedFile("c.txt", text(71))}).status_code == 400


def test_rounding_never_shows_the_remaining_quota_as_sufficient(creator: MaterialsApi) -> None:
    assert creator.add_file("a.txt", text(90)).status_code == 201
    response = creator.add_file("b.txt", text(10) + b"x")
    assert response.json()["fields"]["file"][0].endswith("10 KiB left; this file has 10.01 KiB.")


def test_a_file_above_the_quota_is_not_sent_to_the_storage(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.storages.local import LocalStorage

    assert creator.add_file("a.txt", text(100)).status_code == 201
    sent: list[str] = []
    monkeypatch.setattr(LocalStorage, "_save", lambda self, name, content: sent.append(name))
    assert creator.add_file("b.txt", text(1)).status_code == 400
    assert sent == []


# --- How many materials, and how much in notes ------------------------------------------------------------------

NOTE = {"title": "N", "type": "note"}
LINK = {"title": "L", "type": "link", "url": "https://example.com/"}


def too_many(used: int) -> dict[str, Any]:
    return {
        "error": f"A session may have 3 materials, of which {used} are used and 0 left: delete one first.",
    }


def too_long(*, used: str, left: str, has: str) -> dict[str, Any]:
    sentence = (
        f"The notes of a session may have 1,000 characters together, of which {used} are used and {left} left;"
        f" this note has {has}."
    )
    return {"error": f"content: {sentence}", "fields": {"content": [sentence]}}


@pytest.fixture
def three(settings: Any) -> None:
    settings.MATERIALS_MAX_PER_SESSION = 3


@pytest.fixture
def thousand(settings: Any) -> None:
    settings.MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION = 1000


def test_the_number_of_materials_in_a_session_is_limited(
    *, creator: MaterialsApi, tutor: MaterialsApi, three: None, stored: Callable[[], list[bytes]]
) -> None:
    first = creator.add_file("a.txt", b"x").json()
    assert creator.post(PATH, LINK).status_code == 201
    assert tutor.post(PATH, {**NOTE, "content": "x"}).status_code == 201

    for response in (
        creator.post(PATH, LINK),
        tutor.post(PATH, {**NOTE, "content": "x"}),
        creator.add_file("b.txt", b"y"),
    ):
        assert response.status_code == 400
        assert response.json() == too_many(3)
    assert Material.objects.count() == 3
    assert stored() == [b"x"]
    assert creator.delete(f"{PATH}{first['id']}/").status_code == 204
    assert creator.post(PATH, LINK).status_code == 201


def test_materials_of_other_sessions_do_not_count(
    creator: MaterialsApi, sessions: Sessions, three: None, thousand: None
) -> None:
    assert creator.user is not None
    sessions.let(creator.user, session=8, can_read=True, can_write=True)
    for _ in range(3):
        assert creator.post(OTHER_SESSION, {**NOTE, "content": "x" * 333}).status_code == 201
    assert creator.post(PATH, {**NOTE, "content": "x" * 1000}).status_code == 201


def test_materials_of_a_session_at_its_limit_can_be_changed(creator: MaterialsApi, three: None, settings: Any) -> None:
    added = [creator.post(PATH, LINK).json() for _ in range(3)]
    settings.MATERIALS_MAX_PER_SESSION = 1
    assert creator.put(f"{PATH}{added[0]['id']}/", {"title": "Another"}).status_code == 200
    assert creator.post(PATH, LINK).json()["error"].startswith("A session may have 1 materials, of which 3 are used")


def test_a_file_above_the_number_of_materials_is_not_sent_to_the_storage(
    creator: MaterialsApi, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.storages.local import LocalStorage

    for _ in range(3):
        creator.post(PATH, LINK)
    sent: list[str] = []
    monkeypatch.setattr(LocalStorage, "_save", lambda self, name, content: sent.append(name))
    assert creator.add_file("a.txt", b"x").json() == too_many(3)
    assert sent == []


def test_the_notes_of_a_session_have_a_quota_of_characters(
    creator: MaterialsApi, tutor: MaterialsApi, thousand: None
) -> None:
    assert creator.post(PATH, {**NOTE, "content": "ä" * 600}).status_code == 201
    # Characters are counted, not bytes; CR LF counts as one.
    assert tutor.post(PATH, {**NOTE, "content": "\N{KNOT}\r\n" * 100}).status_code == 201
    response = creator.post(PATH, {**NOTE, "content": "x" * 201})
    assert response.status_code == 400
    assert response.json() == too_long(used="800", left="200", has="201")
    assert creator.post(PATH, {**NOTE, "content": "x" * 200}).status_code == 201
    assert creator.post(PATH, {**NOTE, "content": "x"}).json() == too_long(used="1,000", left="0", has="1")
    # Only notes count.
    assert creator.post(PATH, {**LINK, "content": "x" * 500}).status_code == 201


def test_a_longer_note_counts_only_by_the_difference_in_length(creator: MaterialsApi, thousand: None) -> None:
    creator.post(PATH, {**NOTE, "content": "x" * 300})
    added = creator.post(PATH, {**NOTE, "content": "x" * 500}).json()
    path = f"{PATH}{added['id']}/"
    assert creator.put(path, {"content": "y" * 700}).status_code == 200
    response = creator.put(path, {"title": "New", "content": "z" * 701})
    assert response.status_code == 400
    assert response.json() == too_long(used="300", left="700", has="701")
    assert (creator.get(path).json()["title"], creator.get(path).json()["content"]) == ("N", "y" * 700)
    # Sending the whole object back does not need more quota.
    assert creator.put(path, creator.get(path).json()).status_code == 200


def test_a_shorter_note_always_replaces_a_longer_one(creator: MaterialsApi, thousand: None, settings: Any) -> None:
    added = creator.post(PATH, {**NOTE, "content": "x" * 900}).json()
    settings.MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION = 100
    assert creator.put(f"{PATH}{added['id']}/", {"content": "y" * 899}).status_code == 200
    assert creator.put(f"{PATH}{added['id']}/", {"content": "y" * 900}).status_code == 400


@pytest.mark.parametrize(("change", "locks"), [({"content": "y"}, True), ({"title": "T"}, False)])
def test_the_session_is_locked_if_a_note_can_become_longer(
    creator: MaterialsApi, sessions: Sessions, change: dict[str, str], locks: bool
) -> None:
    added = creator.post(PATH, {**NOTE, "content": "x"}).json()
    sessions.asked_to_lock.clear()
    creator.put(f"{PATH}{added['id']}/", change)
    assert any(sessions.asked_to_lock) is locks


def test_the_default_limits_of_materials_and_note_characters(creator: MaterialsApi) -> None:
    member = creator.user
    Material.objects.bulk_create(
        Material(session_id=7, title="N", type="note", content="x" * 50_000, uploaded_by=member) for _ in range(10)
    )
    assert (
        creator.post(PATH, {**NOTE, "content": "x"})
        .json()["error"]
        .startswith(
            "content: The notes of a session may have 500,000 characters together, of which 500,000 are used and 0 left"
        )
    )
    Material.objects.bulk_create(
        Material(session_id=7, title="L", type="link", url="https://example.com/", uploaded_by=member)
        for _ in range(90)
    )
    assert creator.post(PATH, LINK).json() == {
        "error": "A session may have 100 materials, of which 100 are used and 0 left: delete one first."
    }


# --- At the same time -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_concurrent_uploads_do_not_exceed_the_quota(
    creator: MaterialsApi, sessions: Sessions, stored: Callable[[], list[bytes]]
) -> None:
    """The answers of this test lock no session, and so only the quota of the member is safe."""
    assert creator.user is not None
    for session in range(20, 26):
        sessions.let(creator.user, session=session, can_read=True, can_write=True)
    ready = threading.Barrier(6)
    found: list[int] = []

    def add(session: int) -> None:
        try:
            client = MaterialsApi(creator.user)
            ready.wait(timeout=30)
            path = f"/api/sessions/{session}/materials/"
            found.append(client.add_file("a.txt", text(40), path=path).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=add, args=[session]) for session in range(20, 26)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [201, 201, 201, 400, 400, 400]
    assert len(stored()) == 3
