"""A list as a file: its columns, the rows that it finds, for whoever may see it."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib import admin as django_admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from model_bakery import baker
from openpyxl import load_workbook
from tests.core.portal.conftest import NOW, export_of, list_of
from tests.core.portal.rows import fact, mail, member, rows_of
from tests.core.portal.test_query_counts import LABELS, model_admin_of

from core.accounts.models import Login, User
from core.facts.delivery import load_fact
from core.facts.models import FactRecord
from core.mail.models import Mail
from core.portal import exporting, spreadsheets
from core.portal.events import ListExported

MAILS, USERS = "core.mail", "core.user"


def read_csv(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200, response
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def read_xlsx(response: Any) -> list[list[Any]]:
    assert response.status_code == 200, response
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


@pytest.fixture
def staff(make_member: Callable[..., User]) -> Callable[..., Client]:
    """Somebody of the staff with these permissions alone."""

    def make(*permissions: str) -> Client:
        user = make_member("staff", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return make


# --- What is in it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", LABELS)
def test_every_list_is_exported_with_its_columns_and_all_its_rows(admin: Client, label: str) -> None:
    rows_of(label).make(3)
    change_list = admin.get(list_of(label)).context["cl"]

    rows = read_csv(admin.post(export_of(label, "csv")))
    sheet = read_xlsx(admin.post(export_of(label, "xlsx")))

    model_admin = model_admin_of(label)
    columns = [column for column in change_list.list_display if column != "action_checkbox"]
    titles = [column.title for column in exporting.list_columns(model_admin, columns)]
    assert len(titles) >= len(columns)
    assert [re.sub(r" \(Europe/Berlin\)$", "", title) for title in rows[0]] == titles
    assert sheet[0] == list(rows[0])
    # That it was exported is a row of the record, too.
    others = [[row for row in each if ListExported.name not in row] for each in (map(dict.values, rows), sheet[1:])]
    assert len(others[0]) == len(others[1]) == len(change_list.result_list)
    assert not any(re.search(r"<\w+[ >]", cell or "") for row in rows for cell in row.values())


def test_what_the_list_shows_as_signs_and_links_is_text(admin: Client) -> None:
    user = member(is_active=False, first_name="Zoë")
    first = baker.make(Mail, user=user, kind="news", status="sent", next_try_at=None)
    last = baker.make(Mail, user=user, kind="welcome", status="dropped", next_try_at=None, superseded_by=first)

    [*_, people] = read_csv(admin.post(export_of(USERS, "csv", q=user.username)))
    [mails, *_] = read_csv(admin.post(export_of(MAILS, "csv", q=user.username)))

    assert "no" in people.values()
    assert "dropped: nothing to say any more" in mails.values()
    assert user.username in mails.values()
    assert str(first.pk) in mails.values()
    assert last.address in mails.values()


def test_times_are_those_of_the_moderators_clock_and_the_header_says_which(admin: Client) -> None:
    baker.make(Login, user=member(), created_at=NOW, ended_at=None)

    [row] = read_csv(admin.post(export_of("core.login", "csv")))
    header, [_, created, *_] = read_xlsx(admin.post(export_of("core.login", "xlsx")))

    assert row["Created at (Europe/Berlin)"] == "2024-01-10T11:00:00+01:00"
    assert row["Ended at (Europe/Berlin)"] == ""
    assert header[1] == "Created at (Europe/Berlin)"
    assert created.isoformat() == "2024-01-10T11:00:00"


def test_the_file_is_named_after_the_list_and_the_moderators_day(admin: Client, boss: User) -> None:
    User.objects.filter(pk=boss.pk).update(timezone="Pacific/Kiritimati")

    csv_file, xlsx_file = admin.post(export_of(MAILS, "csv")), admin.post(export_of(MAILS, "xlsx"))

    assert csv_file["Content-Disposition"] == 'attachment; filename="mails-2024-01-11.csv"'
    assert xlsx_file["Content-Disposition"] == 'attachment; filename="mails-2024-01-11.xlsx"'
    assert "no-store" in csv_file["Cache-Control"]
    b"".join(csv_file.streaming_content)
    b"".join(xlsx_file.streaming_content)


def test_a_list_without_rows_is_its_header(admin: Client) -> None:
    [header] = read_xlsx(admin.post(export_of("core.login", "xlsx")))

    assert header[0] == "User"
    assert read_csv(admin.post(export_of("core.login", "csv"))) == []


def test_what_members_wrote_is_no_formula(admin: Client) -> None:
    fact(reason="=HYPERLINK(A1)")

    rows = read_csv(admin.post(export_of("core.factrecord", "csv")))

    assert "'=HYPERLINK(A1)" in [row["Reason"] for row in rows]


def test_no_secret_leaves(admin: Client, boss: User) -> None:
    boss.set_password("learn-together")
    boss.save()
    admin.force_login(boss)
    user = member(password="pbkdf2_sha256$secret")

    for kind in ("csv", "xlsx"):
        sent = b"".join(admin.post(export_of(USERS, kind)).streaming_content)
        text = sent.decode("utf-8-sig") if kind == "csv" else str(read_cells(sent))
        assert user.username in text
        assert "pbkdf2" not in text
        assert "token" not in text.lower()


def read_cells(sent: bytes) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(sent)).active.iter_rows()]


# --- Which rows -------------------------------------------------------------------------------------------------


def test_filters_search_and_order_hold_and_pages_do_not(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_admin_of(MAILS), "list_per_page", 2)
    user = member()
    mine = [
        baker.make(Mail, user=user, kind="news", status="failed", queued_at=NOW + timedelta(minutes=number))
        for number in range(5)
    ]
    baker.make(Mail, user=user, kind="news", status="sent", next_try_at=None)
    baker.make(Mail, user=user, kind="welcome", status="failed")
    mail()
    asked = {"status__exact": "failed", "kind": "news", "q": user.username}

    newest_first = read_csv(admin.post(export_of(MAILS, "csv", **asked)))
    oldest_first = read_csv(admin.post(export_of(MAILS, "csv", **asked, o="1", p="2")))

    assert [row["Message-ID"].split(".")[0] for row in newest_first] == [f"<{each.pk}" for each in reversed(mine)]
    assert newest_first == oldest_first[::-1]


def test_what_is_ticked_is_exported_alone(admin: Client) -> None:
    rows_of("core.login").make(4)
    chosen = Login.objects.order_by("-pk")[1:3]
    body = {"action": "export_csv", "index": 0, "_selected_action": [login.pk for login in chosen]}

    rows = read_csv(admin.post(list_of("core.login"), body))
    everything = read_csv(admin.post(list_of("core.login"), {**body, "select_across": 1}))

    assert [row["User"] for row in rows] == [login.user.username for login in chosen]
    assert len(everything) == 4


def test_what_is_ticked_can_be_a_sheet(admin: Client) -> None:
    rows_of("core.login").make(2)
    body = {"action": "export_xlsx", "index": 0, "_selected_action": [Login.objects.first().pk]}  # type: ignore[union-attr]

    assert len(read_xlsx(admin.post(list_of("core.login"), body))) == 2


def test_a_filter_that_makes_no_sense_leads_back_to_the_list(admin: Client) -> None:
    response = admin.post(export_of(MAILS, "csv", status__exact="failed", id__exact="x"))

    assert response.status_code == 302
    assert response["Location"] == list_of(MAILS, e=1)


# --- How much ---------------------------------------------------------------------------------------------------


def test_rows_are_looked_up_part_by_part(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    rows_of("core.login").make(5)
    response = admin.post(export_of("core.login", "csv"))
    seen: list[int] = []
    monkeypatch.setattr(model_admin_of("core.login"), "prepare_rows", lambda rows: seen.append(len(rows)))

    rows = read_csv(response)

    assert len(rows) == 5
    # The first were looked up for the header, before anything was sent.
    assert seen == [2, 1]


def test_an_asynchronous_server_sends_part_by_part(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    rows_of("core.login").make(5)
    response: Any = admin.post(export_of("core.login", "csv"))

    async def receive() -> list[bytes]:
        return [part async for part in response]

    parts = async_to_sync(receive)()

    assert [part.count(b"\r\n") for part in parts] == [3, 2, 1]


def test_more_than_a_sheet_holds_is_told_rather_than_cut_off(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 3)
    rows_of("core.login").make(4)

    sheet = admin.post(export_of("core.login", "xlsx", q="carol"))

    assert (sheet.status_code, sheet["Location"]) == (302, list_of("core.login", q="carol"))
    assert [str(message) for message in get_messages(sheet.wsgi_request)] == [
        "A sheet of XLSX holds 3 rows at most. Narrow the list, or export it as CSV."
    ]
    assert len(read_csv(admin.post(export_of("core.login", "csv")))) == 4


def test_as_much_as_a_sheet_holds_is_exported(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 4)
    rows_of("core.login").make(4)

    assert len(read_xlsx(admin.post(export_of("core.login", "xlsx")))) == 5


# --- For whom ---------------------------------------------------------------------------------------------------


def test_who_may_see_a_list_may_export_it(staff: Callable[..., Client]) -> None:
    mail()
    client = staff("view_mail")

    assert len(read_csv(client.post(export_of(MAILS, "csv")))) == 2
    assert client.post(export_of(USERS, "csv")).status_code == 403


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("label", LABELS)
def test_who_may_not_see_a_list_may_not_export_it(staff: Callable[..., Client], label: str, kind: str) -> None:
    client = staff()
    rows_of(label).make(3)
    ticked = {"action": f"export_{kind}", "index": 0, "_selected_action": ["1"], "select_across": 1}

    assert client.post(export_of(label, kind)).status_code == 403
    assert client.post(list_of(label), ticked).status_code == 403


def test_a_member_and_a_stranger_are_sent_to_the_login(make_member: Callable[..., User]) -> None:
    mail()
    stranger, jane = Client(), Client()
    jane.force_login(make_member("jane"))

    for client in (stranger, jane):
        response = client.post(export_of(MAILS, "csv"))
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("admin:login"))


def test_no_link_sets_it_off(admin: Client) -> None:
    assert admin.get(export_of(MAILS, "csv")).status_code == 405


def test_no_page_of_somebody_else_sets_it_off(boss: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(boss)
    mail()
    page = client.get(list_of(MAILS)).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token

    assert client.post(export_of(MAILS, "csv")).status_code == 403
    assert len(read_csv(client.post(export_of(MAILS, "csv"), {"csrfmiddlewaretoken": token[1]}))) == 2


@pytest.mark.parametrize("kind", ["json", "CSV", "xls"])
def test_there_are_no_other_kinds(admin: Client, kind: str) -> None:
    assert admin.post(export_of(MAILS, kind)).status_code == 404


def exports() -> list[FactRecord]:
    return list(FactRecord.objects.filter(name=ListExported.name).order_by("pk"))


def test_an_export_is_recorded_with_who_it_was_which_list_and_what_was_asked_for(admin: Client, boss: User) -> None:
    mail()

    response = admin.post(export_of(MAILS, "csv", status__exact="failed", q="carol"))

    # Before anything is sent.
    [record] = exports()
    read_csv(response)
    assert [each.pk for each in exports()] == [record.pk]
    assert (record.actor, record.session_id, record.member_id) == (boss, None, None)
    assert record.payload == {
        "label": MAILS,
        "list_name": "mails",
        "kind": "csv",
        "query": "status__exact=failed&q=carol",
        "ticked": [],
    }
    assert load_fact(record).summarize(actor="Bea") == "Bea exported the list of mails"
    assert not LogEntry.objects.exists()


def test_of_ticked_rows_the_record_has_which_they_were(admin: Client) -> None:
    rows_of("core.login").make(3)
    ticked = [str(login.pk) for login in Login.objects.order_by("-pk")[:2]]
    body = {"action": "export_xlsx", "index": 0, "_selected_action": ticked}

    read_xlsx(admin.post(list_of("core.login"), body))
    read_xlsx(admin.post(list_of("core.login"), {**body, "select_across": 1}))

    assert [record.payload["ticked"] for record in exports()] == [ticked, []]
    assert {record.payload["kind"] for record in exports()} == {"xlsx"}


def test_what_is_not_exported_is_not_recorded(
    admin: Client, staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, unlogged: None
) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 1)
    rows_of("core.login").make(2)

    admin.post(export_of("core.login", "xlsx"))
    admin.post(export_of(MAILS, "csv", id__exact="x"))
    admin.post(export_of(MAILS, "csv", member_version__exact="1"))
    admin.get(export_of(MAILS, "csv"))
    staff().post(export_of(MAILS, "csv"))

    assert exports() == []


def test_only_superusers_take_all_addresses_along(admin: Client, staff: Callable[..., Client]) -> None:
    user = member()
    moderator = staff("view_user")

    for address in (export_of(USERS, "csv"), export_of(USERS, "xlsx")):
        assert "Email" in str(_everything(admin.post(address)))
        theirs = str(_everything(moderator.post(address)))
        assert user.username in theirs
        assert "@" not in theirs

    ticked = {"action": "export_csv", "index": 0, "_selected_action": [user.pk]}
    [row] = read_csv(moderator.post(list_of(USERS), ticked))
    assert row["Username"] == user.username
    assert "@" not in str(row)


def _everything(response: Any) -> Any:
    return read_xlsx(response) if "sheet" in response["Content-Type"] else read_csv(response)


# --- Where it is asked for --------------------------------------------------------------------------------------


def test_the_list_has_a_button_for_each_kind_that_keeps_what_is_found(admin: Client) -> None:
    mail()
    page = admin.get(list_of(MAILS, q="carol", p=1)).content.decode()

    form = re.search(r'<form method="post" id="export-kinds".*?</form>', page, re.DOTALL)
    assert form
    assert strip_tags(form[0]).split() == ["CSV", "XLSX"]
    assert re.findall('formaction="([^"]*)"', form[0]) == [
        export_of(MAILS, "csv", q="carol"),
        export_of(MAILS, "xlsx", q="carol"),
    ]


def test_a_window_in_which_a_row_is_picked_has_none(admin: Client) -> None:
    mail()

    assert "export-kinds" not in admin.get(list_of(MAILS, _popup=1)).content.decode()


def test_ticked_rows_can_be_exported_whatever_else_the_list_offers(admin: Client) -> None:
    for model, model_admin in django_admin.site._registry.items():
        rows_of(model._meta.label_lower).make(1)
        names = [name for _, name, _ in model_admin._get_base_actions()]
        assert names[-2:] == ["export_csv", "export_xlsx"], model


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_rows_are_read_part_by_part_each_by_a_query_of_its_own(
    admin: Client, monkeypatch: pytest.MonkeyPatch, queries_of: Any, kind: str
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    members = [member() for _ in range(5)]

    sqls, _ = queries_of(lambda: b"".join(admin.post(export_of(USERS, kind, q="carol")).streaming_content))

    reading = [sql for sql in sqls if '"core_user"."username"' in sql.partition(" FROM ")[0] and " IN (" in sql]
    assert len(reading) == 3
    assert sum(str(each.pk) in sql for each in members for sql in reading) >= 5


def test_what_is_deleted_while_the_file_is_sent_is_left_out(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 1)
    members = [member() for _ in range(3)]
    answer = admin.post(export_of(USERS, "csv", q="carol"))
    User.objects.filter(pk=members[0].pk).delete()

    names = [row["Username"] for row in read_csv(answer)]

    assert names == [members[2].username, members[1].username]
