"""Who sees the e-mail address of a material's uploader: those who manage the session, while the uploader takes part."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import path, user_row
from tests.modules.sessions.test_emails import RUN_IT


@pytest.fixture
def former_tutor(session: Any, people: dict[str, Any]) -> Any:
    """Bob, who added a note as a tutor and is in the session no longer."""
    note = {"title": "Slides", "type": "note", "content": "Read them."}
    assert Api(people["tutor"]).post(path(session, "materials/"), note).status_code == 201
    return people["tutor"]


@pytest.mark.parametrize("who", ["creator", "moderator", "superuser", "participant"])
@pytest.mark.parametrize("how", ["leaves", "is removed", "is in it", "asks again"])
def test_the_address_of_an_uploader_is_shown_while_they_take_part(
    *, session: Any, people: dict[str, Any], former_tutor: Any, how: str, who: str
) -> None:
    if how in {"leaves", "asks again"}:
        assert Api(former_tutor).post(path(session, "leave/")).status_code == 200
    if how == "asks again":
        assert Api(former_tutor).post(path(session, "join/")).status_code == 201
    if how == "is removed":
        removed = Api(people["creator"]).delete(path(session, f"participants/{former_tutor.pk}/"))
        assert removed.status_code == 204
    api = Api(people[who])
    expected = user_row(former_tutor, email=who in RUN_IT and how in {"is in it", "asks again"})

    [material] = api.get(path(session, "materials/")).json()
    one = api.get(path(session, f"materials/{material['id']}/")).json()
    [detailed] = api.get(path(session)).json()["materials"]

    assert [row["uploaded_by"] for row in (material, one, detailed)] == [expected] * 3


def test_a_former_tutor_reads_only_their_own_address(session: Any, people: dict[str, Any], former_tutor: Any) -> None:
    Api(former_tutor).post(path(session, "leave/"))

    shown = Api(former_tutor).get(path(session)).json()

    assert shown["creator"] == user_row(people["creator"], email=False)
    assert [row["user"]["email"] for row in shown["participants"]] == [""]


def test_changing_a_material_of_a_former_tutor_does_not_show_their_address(
    session: Any, people: dict[str, Any], former_tutor: Any
) -> None:
    Api(former_tutor).post(path(session, "leave/"))
    creator = Api(people["creator"])
    [material] = creator.get(path(session, "materials/")).json()

    changed = creator.put(path(session, f"materials/{material['id']}/"), {"title": "Old slides"}).json()

    assert changed["title"] == "Old slides"
    assert changed["uploaded_by"] == user_row(former_tutor, email=False)
