"""The lists in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from tests.modules.materials.conftest import PATH, MaterialsApi

from core.accounts.models import User
from modules.materials.models import Material, StoredFile


@pytest.fixture
def superuser(make_member: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(make_member("root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def filled(creator: MaterialsApi) -> Material:
    creator.post(PATH, {"title": "Docs", "type": "link", "url": "https://example.com/"})
    creator.add_file("notes.txt", b"hello", title="Notes")
    return Material.objects.get(type="file")


def test_the_lists_show_what_there_is(superuser: Client, filled: Material) -> None:
    page = superuser.get("/admin/materials/material/", {"q": "notes"})
    assert page.status_code == 200
    assert "Notes" in page.text
    assert "Docs" not in page.text
    assert filled.file is not None
    page = superuser.get("/admin/materials/storedfile/")
    assert filled.file.name in page.text
    assert "kept" in page.text


def test_an_uploader_is_found_by_a_whole_address_alone_but_by_superusers(
    superuser: Client, make_member: Callable[..., User], filled: Material
) -> None:
    clerk = make_member("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_material"))
    client = Client()
    client.force_login(clerk)
    address = filled.uploaded_by.email

    def found(by: Client, text: str) -> bool:
        return "Notes" in by.get("/admin/materials/material/", {"q": text}).text

    assert found(client, address.upper())
    for part in (address[:-1], address[1:], "@example"):
        assert not found(client, part)
        assert found(superuser, part)


def test_a_row_can_be_looked_at(superuser: Client, filled: Material) -> None:
    assert filled.file is not None
    assert superuser.get(f"/admin/materials/material/{filled.pk}/change/").status_code == 200
    assert superuser.get(f"/admin/materials/storedfile/{filled.file.pk}/change/").status_code == 200


@pytest.mark.parametrize("model", ["material", "storedfile"])
def test_nothing_can_be_changed(model: str, superuser: Client, filled: Material) -> None:
    row = filled if model == "material" else filled.file
    assert row is not None
    assert superuser.get(f"/admin/materials/{model}/add/").status_code == 403
    assert superuser.post(f"/admin/materials/{model}/{row.pk}/change/", {"title": "x"}).status_code == 403
    assert superuser.post(f"/admin/materials/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert (Material.objects.count(), StoredFile.objects.count()) == (2, 1)


def test_the_list_of_files_says_where_each_is_and_what_it_waits_for(
    superuser: Client, filled: Material, settings: Any
) -> None:
    page = superuser.get("/admin/materials/storedfile/")
    assert "This machine" in page.text
    assert "waits for the virus scanner" not in page.text
    settings.CLAMAV_URL = "tcp://127.0.0.1:3310"
    assert "waits for the virus scanner" in superuser.get("/admin/materials/storedfile/").text
    StoredFile.objects.update(scan_at=None)
    assert "waits for the virus scanner" not in superuser.get("/admin/materials/storedfile/").text


def test_files_are_found_by_their_place(superuser: Client, filled: Material) -> None:
    assert filled.file is not None
    there = superuser.get("/admin/materials/storedfile/", {"place__exact": "local"}).text
    elsewhere = superuser.get("/admin/materials/storedfile/", {"place__exact": "s3"}).text
    assert filled.file.name in there
    assert filled.file.name not in elsewhere
