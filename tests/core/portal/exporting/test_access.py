"""Permissions, record and buttons of exports."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from tests.core.portal.conftest import get_export_url, get_list_url
from tests.core.portal.exporting.arrangements import MAILS, USERS, list_export_facts, read_csv, read_rows, read_xlsx
from tests.core.portal.rows import get_rows, mail, member
from tests.core.portal.test_query_counts import LABELS
from tests.portal import log_in

from core.accounts.models import Login, User
from core.facts.delivery import load_fact
from core.portal import exporting, spreadsheets


def test_members_who_may_view_a_list_may_export_it(staff: Callable[..., Client]) -> None:
    mail()
    client = staff("view_mail")

    assert len(read_csv(client.post(get_export_url(MAILS, "csv")))) == 2
    assert client.post(get_export_url(USERS, "csv")).status_code == 403


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("label", LABELS)
def test_exporting_needs_permission_to_view(staff: Callable[..., Client], label: str, kind: str) -> None:
    client = staff()
    get_rows(label).make(3)
    ticked = {"action": f"export_{kind}", "index": 0, "_selected_action": ["1"], "select_across": 1}

    assert client.post(get_export_url(label, kind)).status_code == 403
    assert client.post(get_list_url(label), ticked).status_code == 403


def test_members_without_staff_rights_are_redirected_to_the_login(make_member: Callable[..., User]) -> None:
    mail()
    for client in (Client(), log_in(make_member("jane"))):
        response = client.post(get_export_url(MAILS, "csv"))
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("admin:login"))


def test_get_requests_are_rejected(admin: Client) -> None:
    assert admin.get(get_export_url(MAILS, "csv")).status_code == 405


def test_requests_without_a_csrf_token_are_rejected(root: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    mail()
    page = client.get(get_list_url(MAILS)).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token

    assert client.post(get_export_url(MAILS, "csv")).status_code == 403
    assert len(read_csv(client.post(get_export_url(MAILS, "csv"), {"csrfmiddlewaretoken": token[1]}))) == 2


@pytest.mark.parametrize("kind", ["json", "CSV", "xls"])
def test_other_formats_are_not_found(admin: Client, kind: str) -> None:
    assert admin.post(get_export_url(MAILS, kind)).status_code == 404


def test_an_export_is_recorded_with_actor_list_and_query(admin: Client, root: User) -> None:
    mail()

    response = admin.post(get_export_url(MAILS, "csv", status__exact="failed", q="carol"))

    # The fact is published before the file is sent.
    [record] = list_export_facts()
    read_csv(response)
    assert [each.pk for each in list_export_facts()] == [record.pk]
    assert (record.actor, record.session_id, record.member_id) == (root, None, None)
    assert record.payload == {
        "label": MAILS,
        "list_name": "mails",
        "kind": "csv",
        "query": "status__exact=failed&q=carol",
        "ticked": [],
    }
    assert load_fact(record).summarize(actor="Bea") == "Bea exported the list of mails"
    assert not LogEntry.objects.exists()


def test_an_export_of_selected_rows_is_recorded_with_their_keys(admin: Client) -> None:
    get_rows("core.login").make(3)
    ticked = [str(login.pk) for login in Login.objects.order_by("-pk")[:2]]
    body = {"action": "export_xlsx", "index": 0, "_selected_action": ticked}

    read_xlsx(admin.post(get_list_url("core.login"), body))
    read_xlsx(admin.post(get_list_url("core.login"), {**body, "select_across": 1}))

    assert [record.payload["ticked"] for record in list_export_facts()] == [ticked, []]
    assert {record.payload["kind"] for record in list_export_facts()} == {"xlsx"}


def test_a_rejected_export_is_not_recorded(
    admin: Client, staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, unlogged: None
) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 1)
    get_rows("core.login").make(2)

    admin.post(get_export_url("core.login", "xlsx"))
    admin.post(get_export_url(MAILS, "csv", id__exact="x"))
    admin.post(get_export_url(MAILS, "csv", member_version__exact="1"))
    admin.get(get_export_url(MAILS, "csv"))
    staff().post(get_export_url(MAILS, "csv"))

    assert list_export_facts() == []


def test_only_superusers_export_addresses(admin: Client, staff: Callable[..., Client]) -> None:
    user = member()
    moderator = staff("view_user")

    for address in (get_export_url(USERS, "csv"), get_export_url(USERS, "xlsx")):
        assert "Email" in str(read_rows(admin.post(address)))
        theirs = str(read_rows(moderator.post(address)))
        assert user.username in theirs
        assert "@" not in theirs

    ticked = {"action": "export_csv", "index": 0, "_selected_action": [user.pk]}
    [row] = read_csv(moderator.post(get_list_url(USERS), ticked))
    assert row["Username"] == user.username
    assert "@" not in str(row)


def test_the_list_has_a_button_for_each_format_that_keeps_the_query(admin: Client) -> None:
    mail()
    page = admin.get(get_list_url(MAILS, q="carol", p=1)).content.decode()

    form = re.search(r'<form method="post" id="export-kinds".*?</form>', page, re.DOTALL)
    assert form
    assert strip_tags(form[0]).split() == ["CSV", "XLSX"]
    assert re.findall('formaction="([^"]*)"', form[0]) == [
        get_export_url(MAILS, "csv", q="carol"),
        get_export_url(MAILS, "xlsx", q="carol"),
    ]


def test_popups_have_no_export_button(admin: Client) -> None:
    mail()

    assert "export-kinds" not in admin.get(get_list_url(MAILS, _popup=1)).content.decode()


def test_selected_rows_can_be_exported_from_every_list(admin: Client) -> None:
    for model, model_admin in django_admin.site._registry.items():
        get_rows(model._meta.label_lower).make(1)
        names = [name for _, name, _ in model_admin._get_base_actions()]
        assert names[-2:] == ["export_csv", "export_xlsx"], model


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_rows_are_read_in_chunks(
    admin: Client, monkeypatch: pytest.MonkeyPatch, capture_queries: Any, kind: str
) -> None:
    monkeypatch.setattr(exporting, "CHUNK_SIZE", 2)
    members = [member() for _ in range(5)]

    sqls, _ = capture_queries(lambda: b"".join(admin.post(get_export_url(USERS, kind, q="carol")).streaming_content))

    reading = [sql for sql in sqls if '"core_user"."username"' in sql.partition(" FROM ")[0] and " IN (" in sql]
    assert len(reading) == 3
    assert sum(str(each.pk) in sql for each in members for sql in reading) >= 5


def test_rows_deleted_while_the_file_is_sent_are_skipped(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CHUNK_SIZE", 1)
    members = [member() for _ in range(3)]
    answer = admin.post(get_export_url(USERS, "csv", q="carol"))
    User.objects.filter(pk=members[0].pk).delete()

    names = [row["Username"] for row in read_csv(answer)]

    assert names == [members[2].username, members[1].username]
