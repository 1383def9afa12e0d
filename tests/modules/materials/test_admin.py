"""The lists in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.modules.materials.conftest import PATH, MaterialsApi
from tests.portal import grant, log_in

from core.accounts.models import User
from modules.materials.models import Material, StoredFile


@pytest.fixture
def filled(creator: MaterialsApi) -> Material:
    creator.post(PATH, {"title": "Docs", "type": "link", "url": "https://example.com/"})
    creator.add_file("notes.txt", b"hello", title="Notes")
    return Material.objects.get(type="file")


def test_the_lists_show_materials_and_files(admin: Client, filled: Material) -> None:
    page = admin.get("/admin/materials/material/", {"q": "notes"})
    assert page.status_code == 200
    assert "Notes" in page.text
    assert "Docs" not in page.text
    assert filled.file is not None
    page = admin.get("/admin/materials/storedfile/")
    assert filled.file.name in page.text
    assert "kept" in page.text


def test_only_superusers_search_for_a_part_of_an_address(
    admin: Client, make_member: Callable[..., User], filled: Material
) -> None:
    client = log_in(grant(make_member("clerk", is_staff=True), "view_material"))
    address = filled.uploaded_by.email

    def found(by: Client, text: str) -> bool:
        return "Notes" in by.get("/admin/materials/material/", {"q": text}).text

    assert found(client, address.upper())
    for part in (address[:-1], address[1:], "@example"):
        assert not found(client, part)
        assert found(admin, part)


def test_the_pages_of_rows_work(admin: Client, filled: Material) -> None:
    assert filled.file is not None
    assert admin.get(f"/admin/materials/material/{filled.pk}/change/").status_code == 200
    assert admin.get(f"/admin/materials/storedfile/{filled.file.pk}/change/").status_code == 200


@pytest.mark.parametrize("model", ["material", "storedfile"])
def test_the_admin_is_read_only(model: str, admin: Client, filled: Material) -> None:
    row = filled if model == "material" else filled.file
    assert row is not None
    assert admin.get(f"/admin/materials/{model}/add/").status_code == 403
    assert admin.post(f"/admin/materials/{model}/{row.pk}/change/", {"title": "x"}).status_code == 403
    assert admin.post(f"/admin/materials/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert (Material.objects.count(), StoredFile.objects.count()) == (2, 1)


def test_the_list_of_files_shows_storage_and_state(admin: Client, filled: Material, settings: Any) -> None:
    page = admin.get("/admin/materials/storedfile/")
    assert "This machine" in page.text
    assert "waits for the virus scanner" not in page.text
    settings.CLAMAV_URL = "tcp://127.0.0.1:3310"
    assert "waits for the virus scanner" in admin.get("/admin/materials/storedfile/").text
    StoredFile.objects.update(scan_at=None)
    assert "waits for the virus scanner" not in admin.get("/admin/materials/storedfile/").text


def test_files_are_filtered_by_storage(admin: Client, filled: Material) -> None:
    assert filled.file is not None
    there = admin.get("/admin/materials/storedfile/", {"place__exact": "local"}).text
    elsewhere = admin.get("/admin/materials/storedfile/", {"place__exact": "s3"}).text
    assert filled.file.name in there
    assert filled.file.name not in elsewhere
