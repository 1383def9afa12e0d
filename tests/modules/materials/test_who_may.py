"""Who may read, add, change and delete."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.materials.conftest import PATH, MaterialsApi, Sessions

from modules.materials.models import Material

LINK = {"title": "Documentation", "type": "link", "url": "https://docs.python.org/3/"}

People = Callable[[str], MaterialsApi]
Link = Callable[[MaterialsApi], str]
Outcome = tuple[int, str] | None

ONLY_READERS = "Only those who are in a session see its materials."
ONLY_WRITERS = "Only the creator and the tutors of a session add materials."
ONLY_CHANGERS = "Only who added a material, the creator of the session and moderators may do this."
NO_SUCH_SESSION = "There is no such session."


@pytest.fixture
def link_of() -> Link:
    """Adds a link and returns its path."""

    def add(member: MaterialsApi) -> str:
        response = member.post(PATH, LINK)
        assert response.status_code == 201
        return f"{PATH}{response.json()['id']}/"

    return add


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"] if response.status_code >= 400 else ""


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("creator", (200, "")),
        ("tutor", (200, "")),
        ("student", (200, "")),
        ("moderator", (200, "")),
        ("outsider", (403, ONLY_READERS)),
        ("unknowing", (404, NO_SUCH_SESSION)),
    ],
)
def test_who_may_read_materials(
    role: str, expected: tuple[int, str], people: People, creator: MaterialsApi, link_of: Link
) -> None:
    path = link_of(creator)
    assert outcome(people(role).get(PATH)) == expected
    assert outcome(people(role).get(path)) == expected


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("creator", (201, "")),
        ("tutor", (201, "")),
        ("student", (403, ONLY_WRITERS)),
        ("moderator", (403, ONLY_WRITERS)),
        ("outsider", (403, ONLY_WRITERS)),
        ("unknowing", (404, NO_SUCH_SESSION)),
    ],
)
@pytest.mark.parametrize("kind", ["link", "file"])
def test_who_may_add_materials(
    kind: str, role: str, expected: tuple[int, str], people: People, stored: Callable[[], list[bytes]]
) -> None:
    member = people(role)
    response = member.post(PATH, LINK) if kind == "link" else member.add_file("notes.txt", b"hello")
    assert outcome(response) == expected
    assert Material.objects.count() == (1 if expected[0] == 201 else 0)
    assert len(stored()) == (1 if expected[0] == 201 and kind == "file" else 0)


def test_the_body_of_a_forbidden_request_is_not_read(student: MaterialsApi) -> None:
    response = student.client.generic("POST", PATH, b"{no json", "application/json", headers=student.headers)
    assert outcome(response) == (403, ONLY_WRITERS)


CHANGERS = [
    ("creator", None),
    ("tutor", None),
    ("student", (403, ONLY_CHANGERS)),
    ("moderator", None),
    ("outsider", (403, ONLY_READERS)),
    ("unknowing", (404, NO_SUCH_SESSION)),
]


@pytest.mark.parametrize(("role", "refusal"), CHANGERS)
def test_who_may_change_a_material_of_a_tutor(
    role: str, refusal: Outcome, people: People, tutor: MaterialsApi, link_of: Link
) -> None:
    path = link_of(tutor)
    assert outcome(people(role).put(path, {"title": "Changed"})) == (refusal or (200, ""))
    assert Material.objects.get().title == ("Documentation" if refusal else "Changed")


@pytest.mark.parametrize(("role", "refusal"), CHANGERS)
def test_who_may_delete_a_material_of_a_tutor(
    role: str, refusal: Outcome, people: People, tutor: MaterialsApi, link_of: Link
) -> None:
    path = link_of(tutor)
    assert outcome(people(role).delete(path)) == (refusal or (204, ""))
    assert Material.objects.exists() == bool(refusal)


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_tutor_cannot_change_materials_of_others(
    method: str, tutor: MaterialsApi, creator: MaterialsApi, link_of: Link
) -> None:
    path = link_of(creator)
    response = tutor.put(path, {"title": "Mine"}) if method == "put" else tutor.delete(path)
    assert outcome(response) == (403, ONLY_CHANGERS)
    assert Material.objects.get().title == "Documentation"


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_former_tutor_cannot_change_materials(
    method: str, tutor: MaterialsApi, sessions: Sessions, link_of: Link
) -> None:
    path = link_of(tutor)
    assert tutor.user is not None
    sessions.let(tutor.user, can_read=True)
    response = tutor.put(path, {"title": "Mine"}) if method == "put" else tutor.delete(path)
    assert outcome(response) == (403, ONLY_CHANGERS)
    assert Material.objects.get().title == "Documentation"


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_anonymous_users_get_a_401(
    method: str, creator: MaterialsApi, link_of: Link, api_of: Callable[..., Api]
) -> None:
    path = link_of(creator)
    stranger = api_of(None)
    response = getattr(stranger, method)(PATH if method == "post" else path)
    assert response.status_code == 401
    assert Material.objects.get().title == "Documentation"


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_a_material_of_another_session_is_a_404(
    method: str, creator: MaterialsApi, sessions: Sessions, link_of: Link
) -> None:
    path = link_of(creator).replace("/7/", "/8/")
    assert creator.user is not None
    sessions.let(creator.user, session=8, can_read=True, can_write=True, can_manage=True)
    response = getattr(creator, method)(path)
    assert outcome(response) == (404, "There is no such material in this session.")
    assert Material.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_the_ids_of_materials_are_not_revealed_to_outsiders(
    method: str, outsider: MaterialsApi, creator: MaterialsApi, link_of: Link
) -> None:
    there, not_there = link_of(creator), f"{PATH}999999/"
    assert outcome(getattr(outsider, method)(there)) == outcome(getattr(outsider, method)(not_there))


@pytest.mark.parametrize("path", [f"{PATH}0/", f"{PATH}{2**63}/", f"/api/sessions/{2**63}/materials/", f"{PATH}x/"])
def test_an_id_out_of_range_is_a_404(path: str, creator: MaterialsApi) -> None:
    response = creator.get(path)
    assert response.status_code == 404
    assert list(response.json()) == ["error"]


# --- What the state of a session forbids ------------------------------------------------------------------------

CLOSED = "Nothing can be added to a session that is cancelled."


@pytest.mark.parametrize("kind", ["link", "file"])
def test_nothing_can_be_added_to_a_closed_session(
    kind: str, creator: MaterialsApi, sessions: Sessions, nothing_left: Callable[[], bool]
) -> None:
    sessions.closed_reason = CLOSED
    response = creator.post(PATH, LINK) if kind == "link" else creator.add_file("notes.txt", b"hello")
    assert outcome(response) == (400, CLOSED)
    assert nothing_left()


def test_files_cannot_be_replaced_in_a_closed_session(
    creator: MaterialsApi, sessions: Sessions, stored: Callable[[], list[bytes]]
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    path = f"{PATH}{creator.add_file('notes.txt', b'hello').json()['id']}/"
    sessions.closed_reason = CLOSED
    response = creator.put_form(path, {"file": SimpleUploadedFile("notes.txt", b"other")})
    assert outcome(response) == (400, CLOSED)
    assert stored() == [b"hello"]


def test_materials_of_a_closed_session_can_be_corrected_and_deleted(
    creator: MaterialsApi, sessions: Sessions, link_of: Link
) -> None:
    path = link_of(creator)
    sessions.closed_reason = CLOSED
    assert creator.put(path, {"title": "Corrected"}).json()["title"] == "Corrected"
    assert creator.delete(path).status_code == 204


def test_the_session_is_locked_while_a_material_is_added(creator: MaterialsApi, sessions: Sessions) -> None:
    creator.post(PATH, LINK)
    assert sessions.asked_to_lock == [False, True]


def test_an_upload_to_a_session_that_closes_meanwhile_leaves_nothing(
    creator: MaterialsApi,
    sessions: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    nothing_left: Callable[[], bool],
) -> None:
    from modules.materials import services

    validate = services.validate_and_sanitize

    def close_meanwhile(upload: Any) -> Any:
        sessions.closed_reason = CLOSED
        return validate(upload)

    monkeypatch.setattr(services, "validate_and_sanitize", close_meanwhile)
    assert outcome(creator.add_file("notes.txt", b"hello")) == (400, CLOSED)
    assert nothing_left()
