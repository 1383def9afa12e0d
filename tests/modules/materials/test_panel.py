"""The panel of materials on the portal's page of a session."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from tests.modules.materials import samples
from tests.modules.materials.conftest import NOW, PATH, MaterialsApi, Sessions
from tests.panels import html_of, panel_for
from tests.portal import grant

from core.accounts.models import User
from core.portal.panels import Panel
from modules.materials.models import Material
from modules.materials.receivers.panels import EXCERPT_LENGTH, parse_host

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
NOTE = {"title": "What to bring", "type": "note", "content": "A pen."}


@pytest.fixture
def mia(moderator: MaterialsApi) -> User:
    """The moderator."""
    assert moderator.user is not None
    return moderator.user


def panel(viewer: User) -> Panel:
    found = panel_for(viewer, "materials")
    assert found is not None
    return found


def page(viewer: User) -> str:
    return " ".join(html_of(panel(viewer), viewer).split())


# --- Who ---------------------------------------------------------------------------------------------------------


def test_moderators_of_the_session_see_and_can_remove_materials(creator: MaterialsApi, mia: User) -> None:
    creator.post(PATH, NOTE)
    shown = panel(mia)
    assert (shown.key, shown.title, shown.rank, shown.count) == ("materials", "Materials", 40, 1)
    assert f'data-dialog="/admin/materials/material/{Material.objects.get().pk}/remove/"' in page(mia)
    assert 'data-dialog-values="back=%2Fadmin%2Fsomewhere%2F%3Fof%3D7"' in page(mia)


def test_staff_with_view_permission_see_materials_without_buttons(
    creator: MaterialsApi, make_member: Callable[..., User]
) -> None:
    creator.post(PATH, NOTE)
    viewer = grant(make_member(is_staff=True), "view_material")
    shown = panel_for(viewer, "materials", can_moderate=False)
    assert shown is not None
    assert "What to bring" in html_of(shown, viewer)
    assert "data-dialog=" not in html_of(shown, viewer)


def test_other_staff_do_not_see_the_panel(creator: MaterialsApi, make_member: Callable[..., User]) -> None:
    creator.post(PATH, NOTE)
    assert creator.user is not None
    for viewer in (make_member(is_staff=True), creator.user):
        assert panel_for(viewer, "materials", can_moderate=False) is None


def test_staff_who_may_view_members_get_links_to_them(creator: MaterialsApi, mia: User) -> None:
    creator.post(PATH, NOTE)
    assert creator.user is not None
    link = f'<a class="portal-link" href="/admin/core/user/{creator.user.pk}/change/">John Doe</a>'
    assert link not in page(mia)
    assert "John Doe" in page(mia)
    assert link in page(grant(mia, "view_user"))


# --- What it shows -----------------------------------------------------------------------------------------------


def test_the_panel_says_that_there_are_no_materials(mia: User, creator: MaterialsApi, sessions: Sessions) -> None:
    assert creator.user is not None
    sessions.let(creator.user, session=8, can_read=True, can_write=True)
    creator.post(PATH.replace("7", "8"), NOTE)
    assert panel(mia).count == 0
    assert "Nothing is shared." in page(mia)


def test_a_note_is_shown_as_text(creator: MaterialsApi, mia: User) -> None:
    creator.post(PATH, {**NOTE, "content": f"A pen.\n{HOSTILE}"})
    html = html_of(panel(mia), mia)
    assert "A pen.\n&quot;&gt;&lt;script&gt;" in html
    assert "<img" not in html
    assert "[…]" not in html


def test_a_long_note_is_truncated(creator: MaterialsApi, mia: User) -> None:
    creator.post(PATH, {**NOTE, "content": "a" * EXCERPT_LENGTH + "bcd"})
    html = page(mia)
    assert "a […]</blockquote>" in html
    assert "aab" not in html
    assert f"{EXCERPT_LENGTH + 3} characters" in html
    # The rest is on a page that not everybody may see.
    whole = f'href="/admin/materials/material/{Material.objects.get().pk}/change/"'
    assert whole not in html
    assert whole in page(grant(mia, "view_material"))


def test_a_link_is_shown_in_full_without_a_referrer(creator: MaterialsApi, mia: User) -> None:
    url = "https://docs.python.org/3/?a=1&b=<2>#" + "x" * 300
    creator.post(PATH, {"title": "Docs", "type": "link", "url": url})
    html = page(mia)
    shown = url.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    [tag] = re.findall(r'<a class="portal-link" href="https:[^>]*>', html)
    assert f'href="{shown}"' in tag
    assert 'rel="noopener noreferrer nofollow" target="_blank" referrerpolicy="no-referrer"' in tag
    assert f">{shown}</a>" in html
    assert "<strong>docs.python.org</strong>" in html
    for loading in ("src=", "srcset=", "<iframe", "<link", "prefetch", "ping="):
        assert loading not in html.replace('src="/static/portal/tabs.js"', "")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://docs.python.org:8080/3/", "docs.python.org"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        # The first letter is Cyrillic.
        ("https://\u0430pple.com/", "xn--pple-43d.com"),
        ("https://fuß.example/", "xn--fu-hia.example"),
        ("https://the_docs.example/", "the_docs.example"),
        ("https://☃.example/", ""),
        ("https://[broken/", ""),
        (f"https://{'x' * 70}.com/", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_link_is_shown_in_punycode(url: str, host: str) -> None:
    assert parse_host(url) == host


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_picture_is_shown_inline_by_its_signed_url(kind: str, creator: MaterialsApi, mia: User, clock: Any) -> None:
    creator.add_file(f"knot.{kind}", samples.ACCEPTED[kind][0])
    [source] = re.findall(
        r'<img class="portal-picture" src="([^"]*)" alt="The picture knot[^>]*loading="lazy"', page(mia)
    )
    assert source.startswith("http://testserver/api/files/")
    answer = Client().get(source)
    assert answer.status_code == 200
    assert "attachment" not in answer.headers.get("Content-Disposition", "")
    assert b"".join(answer) == samples.ACCEPTED[kind][0]
    clock.shift(601)
    assert Client().get(source).status_code == 403


@pytest.mark.parametrize("kind", sorted(samples.ACCEPTED))
def test_only_pictures_are_shown_inline(kind: str, creator: MaterialsApi, mia: User) -> None:
    content, content_type = samples.ACCEPTED[kind]
    assert creator.add_file(f"file.{kind}", content).status_code == 201
    html = page(mia)
    assert ("<img" in html) == content_type.startswith("image/")
    assert content_type in html
    [(address, rest)] = re.findall(r'<a class="portal-link" href="(http://testserver/api/files/[^"]*)"([^>]*)>', html)
    assert ("download" in rest) == (not content_type.startswith("image/"))
    served = Client().get(address)
    assert served.status_code == 200
    b"".join(served)
    if "<img" in html:
        assert not served.headers["Content-Disposition"].startswith("attachment")


def test_hostile_titles_and_file_names_are_escaped(creator: MaterialsApi, mia: User, make_member: Any) -> None:
    creator.add_file("<img src=x onerror=alert(1)>.txt", b"hello", title=HOSTILE)
    creator.add_file("<svg onload=alert(1)>.png", samples.png(), title=HOSTILE)
    User.objects.filter(pk=creator.user.pk if creator.user else 0).update(first_name=HOSTILE)
    html = page(mia)
    for element in ("<script>", "<img src=x", "<svg"):
        assert element not in html
    assert html.count("<img") == 1
    assert "&lt;svg onload=alert(1)&gt;.png" in html


def test_size_and_time_are_shown(creator: MaterialsApi, mia: User, clock: Any) -> None:
    creator.add_file("notes.txt", b"x" * 2048)
    User.objects.filter(pk=mia.pk).update(timezone="Europe/Berlin")
    mia.refresh_from_db()
    clock.shift(3600)
    html = page(mia)
    assert "2.0\xa0KB, text/plain; charset=utf-8" in html_of(panel(mia), mia)
    assert "Fri 12 Jan 2024, 11:00" in html
    assert "1 hour ago" in html


def test_only_the_latest_materials_are_shown_with_a_link_to_all(creator: MaterialsApi, mia: User) -> None:
    baker.make(
        Material,
        session_id=7,
        type="note",
        content="x",
        file=None,
        uploaded_by=creator.user,
        uploaded_at=NOW,
        title=iter(f"Note {number}" for number in range(203)),
        _quantity=203,
    )
    baker.make(Material, session_id=8, type="note", content="x", file=None, uploaded_by=creator.user)
    shown = panel(mia)
    assert (shown.count, len(shown.context["materials"])) == (203, 200)
    assert shown.context["materials"][0]["material"].title == "Note 202"
    assert "The latest 200 of 203." in page(mia)
    assert "All materials" not in page(mia), "she may not see the list"

    client = Client()
    mia.is_staff = True
    mia.save()
    client.force_login(grant(mia, "view_material"))
    link = panel(grant(mia, "view_material")).context["all_url"]
    assert f'href="{link}"' in page(grant(mia, "view_material"))
    everything = client.get(link)
    assert everything.status_code == 200
    assert {each.session_id for each in everything.context["cl"].result_list} == {7}


def test_the_number_of_queries_is_constant(creator: MaterialsApi, mia: User) -> None:
    counts = []
    viewer = grant(mia, "view_user")
    for size in (3, 30):
        for number in range(size):
            creator.add_file(f"{number}.png", samples.png())
            creator.post(PATH, NOTE)
            creator.post(PATH, {"title": "Docs", "type": "link", "url": "https://docs.python.org/"})
        viewer = User.objects.get(pk=viewer.pk)
        with CaptureQueriesContext(connection) as captured:
            html_of(panel(viewer), viewer)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_long_notes_are_not_loaded_as_a_whole(creator: MaterialsApi, mia: User) -> None:
    creator.post(PATH, {**NOTE, "content": "x" * 50_000})
    assert len(html_of(panel(mia), mia)) < 10_000


# --- The virus scanner -------------------------------------------------------------------------------------------


def test_a_file_that_waits_for_the_virus_scanner_is_not_shown(creator: MaterialsApi, mia: User, settings: Any) -> None:
    creator.add_file("photo.png", samples.png())
    assert "<img" in page(mia)
    settings.CLAMAV_URL = "tcp://127.0.0.1:3310"
    html = page(mia)
    assert "photo.png" in html
    assert "image/png. Not yet available: it waits for the virus scanner." in html
    for loading in ("<img", "/api/files/"):
        assert loading not in html


@pytest.mark.parametrize("place", ["cloudinary", "s3"], indirect=True)
def test_a_picture_in_a_remote_storage_is_shown_from_there(place: str, creator: MaterialsApi, mia: User) -> None:
    address = creator.add_file("photo.png", samples.png()).json()["file"].partition("?")[0]
    assert f'<img class="portal-picture" src="{address}' in page(mia)
