"""Helpers for tests of exports."""

import csv
import io
from typing import Any

from openpyxl import load_workbook

from core.facts.models import FactRecord
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


def read_cells(sent: bytes) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(sent)).active.iter_rows()]


def list_export_facts() -> list[FactRecord]:
    return list(FactRecord.objects.filter(name=ListExported.name).order_by("pk"))


def read_rows(response: Any) -> Any:
    return read_xlsx(response) if "sheet" in response["Content-Type"] else read_csv(response)
