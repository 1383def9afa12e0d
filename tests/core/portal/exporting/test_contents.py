"""The contents of exported files."""

import re
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.messages import get_messages
from django.test import Client
from model_bakery import baker
from tests.core.portal.conftest import NOW, get_export_url, get_list_url
from tests.core.portal.exporting.arrangements import MAILS, USERS, read_cells, read_csv, read_xlsx
from tests.core.portal.rows import fact, get_rows, mail, member
from tests.core.portal.test_query_counts import LABELS, get_model_admin

from core.accounts.models import Login, User
from core.mail.models import Mail
from core.portal import exporting, spreadsheets
from core.portal.events import ListExported


@pytest.mark.parametrize("label", LABELS)
def test_all_lists_are_exported_with_their_columns_and_all_rows(admin: Client, label: str) -> None:
    get_rows(label).make(3)
    change_list = admin.get(get_list_url(label)).context["cl"]

    rows = read_csv(admin.post(get_export_url(label, "csv")))
    sheet = read_xlsx(admin.post(get_export_url(label, "xlsx")))

    model_admin = get_model_admin(label)
    columns = [column for column in change_list.list_display if column != "action_checkbox"]
    titles = [column.title for column in exporting.list_columns(model_admin, columns)]
    assert len(titles) >= len(columns)
    assert [re.sub(r" \(Europe/Berlin\)$", "", title) for title in rows[0]] == titles
    assert sheet[0] == list(rows[0])
    # The export itself is one more fact.
    others = [[row for row in each if ListExported.name not in row] for each in (map(dict.values, rows), sheet[1:])]
    assert len(others[0]) == len(others[1]) == len(change_list.result_list)
    assert not any(re.search(r"<\w+[ >]", cell or "") for row in rows for cell in row.values())


def test_icons_and_links_are_exported_as_text(admin: Client) -> None:
    user = member(is_active=False, first_name="Zoë")
    first = baker.make(Mail, user=user, kind="news", status="sent", next_try_at=None)
    last = baker.make(Mail, user=user, kind="welcome", status="dropped", next_try_at=None, superseded_by=first)

    [*_, people] = read_csv(admin.post(get_export_url(USERS, "csv", q=user.username)))
    [mails, *_] = read_csv(admin.post(get_export_url(MAILS, "csv", q=user.username)))

    assert "no" in people.values()
    assert "dropped: nothing to say any more" in mails.values()
    assert user.username in mails.values()
    assert str(first.pk) in mails.values()
    assert last.address in mails.values()


def test_instants_are_in_the_time_zone_that_the_header_names(admin: Client) -> None:
    baker.make(Login, user=member(), created_at=NOW, ended_at=None)

    [row] = read_csv(admin.post(get_export_url("core.login", "csv")))
    header, [_, created, *_] = read_xlsx(admin.post(get_export_url("core.login", "xlsx")))

    assert row["Created at (Europe/Berlin)"] == "2024-01-10T11:00:00+01:00"
    assert row["Ended at (Europe/Berlin)"] == ""
    assert header[1] == "Created at (Europe/Berlin)"
    assert created.isoformat() == "2024-01-10T11:00:00"


def test_the_file_name_has_the_list_and_the_local_date(admin: Client, root: User) -> None:
    User.objects.filter(pk=root.pk).update(timezone="Pacific/Kiritimati")

    csv_file, xlsx_file = admin.post(get_export_url(MAILS, "csv")), admin.post(get_export_url(MAILS, "xlsx"))

    assert csv_file["Content-Disposition"] == 'attachment; filename="mails-2024-01-11.csv"'
    assert xlsx_file["Content-Disposition"] == 'attachment; filename="mails-2024-01-11.xlsx"'
    assert "no-store" in csv_file["Cache-Control"]
    b"".join(csv_file.streaming_content)
    b"".join(xlsx_file.streaming_content)


def test_an_empty_list_exports_its_header(admin: Client) -> None:
    [header] = read_xlsx(admin.post(get_export_url("core.login", "xlsx")))

    assert header[0] == "User"
    assert read_csv(admin.post(get_export_url("core.login", "csv"))) == []


def test_texts_of_members_are_no_formulas(admin: Client) -> None:
    fact(reason="=HYPERLINK(A1)")

    rows = read_csv(admin.post(get_export_url("core.factrecord", "csv")))

    assert "'=HYPERLINK(A1)" in [row["Reason"] for row in rows]


def test_no_export_contains_a_secret(admin: Client, root: User) -> None:
    root.set_password("learn-together")
    root.save()
    admin.force_login(root)
    user = member(password="pbkdf2_sha256$secret")

    for kind in ("csv", "xlsx"):
        sent = b"".join(admin.post(get_export_url(USERS, kind)).streaming_content)
        text = sent.decode("utf-8-sig") if kind == "csv" else str(read_cells(sent))
        assert user.username in text
        assert "pbkdf2" not in text
        assert "token" not in text.lower()


def test_filters_search_and_order_apply_but_not_pagination(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_model_admin(MAILS), "list_per_page", 2)
    user = member()
    mine = [
        baker.make(Mail, user=user, kind="news", status="failed", queued_at=NOW + timedelta(minutes=number))
        for number in range(5)
    ]
    baker.make(Mail, user=user, kind="news", status="sent", next_try_at=None)
    baker.make(Mail, user=user, kind="welcome", status="failed")
    mail()
    asked = {"status__exact": "failed", "kind": "news", "q": user.username}

    newest_first = read_csv(admin.post(get_export_url(MAILS, "csv", **asked)))
    oldest_first = read_csv(admin.post(get_export_url(MAILS, "csv", **asked, o="1", p="2")))

    assert [row["Message-ID"].split(".")[0] for row in newest_first] == [f"<{each.pk}" for each in reversed(mine)]
    assert newest_first == oldest_first[::-1]


def test_only_selected_rows_are_exported(admin: Client) -> None:
    get_rows("core.login").make(4)
    chosen = Login.objects.order_by("-pk")[1:3]
    body = {"action": "export_csv", "index": 0, "_selected_action": [login.pk for login in chosen]}

    rows = read_csv(admin.post(get_list_url("core.login"), body))
    everything = read_csv(admin.post(get_list_url("core.login"), {**body, "select_across": 1}))

    assert [row["User"] for row in rows] == [login.user.username for login in chosen]
    assert len(everything) == 4


def test_selected_rows_can_be_exported_as_xlsx(admin: Client) -> None:
    get_rows("core.login").make(2)
    body = {"action": "export_xlsx", "index": 0, "_selected_action": [Login.objects.first().pk]}  # type: ignore[union-attr]

    assert len(read_xlsx(admin.post(get_list_url("core.login"), body))) == 2


def test_an_invalid_filter_redirects_to_the_list(admin: Client) -> None:
    response = admin.post(get_export_url(MAILS, "csv", status__exact="failed", id__exact="x"))

    assert response.status_code == 302
    assert response["Location"] == get_list_url(MAILS, e=1)


def test_related_rows_are_loaded_for_each_chunk(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CHUNK_SIZE", 2)
    get_rows("core.login").make(5)
    response = admin.post(get_export_url("core.login", "csv"))
    seen: list[int] = []
    monkeypatch.setattr(get_model_admin("core.login"), "prepare_rows", lambda rows: seen.append(len(rows)))

    rows = read_csv(response)

    assert len(rows) == 5
    # The first chunk was read for the header, before the response.
    assert seen == [2, 1]


def test_an_asgi_server_sends_chunks(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "CHUNK_SIZE", 2)
    get_rows("core.login").make(5)
    response: Any = admin.post(get_export_url("core.login", "csv"))

    async def receive() -> list[bytes]:
        return [part async for part in response]

    parts = async_to_sync(receive)()

    assert [part.count(b"\r\n") for part in parts] == [3, 2, 1]


def test_more_rows_than_a_sheet_holds_are_rejected(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 3)
    get_rows("core.login").make(4)

    sheet = admin.post(get_export_url("core.login", "xlsx", q="carol"))

    assert (sheet.status_code, sheet["Location"]) == (302, get_list_url("core.login", q="carol"))
    assert [str(message) for message in get_messages(sheet.wsgi_request)] == [
        "A sheet of XLSX holds 3 rows at most. Narrow the list, or export it as CSV."
    ]
    assert len(read_csv(admin.post(get_export_url("core.login", "csv")))) == 4


def test_as_many_rows_as_a_sheet_holds_are_exported(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 4)
    get_rows("core.login").make(4)

    assert len(read_xlsx(admin.post(get_export_url("core.login", "xlsx")))) == 5
