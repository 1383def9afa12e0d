"""CSV and XLSX files, written in chunks and safe from formula injection.

XLSX is written by openpyxl in its write-only mode. Tablib, and so django-import-export, holds the whole list in memory:
350 MB for 100,000 rows of eight columns, against 15 here. XlsxWriter needs half the time, but writes a text between
`<r>` and `</r>` as XML, and with it a formula.
"""

import math
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

# A `datetime` is in the time zone that the header names.
Cell = str | int | float | Decimal | date | None

# The limit of XLSX is 1,048,576 rows, one of which is the header.
MAX_ROWS = 1_048_575
MAX_CELL_LENGTH = 32_767
# Programs round integers from here on.
MAX_EXACT_INTEGER = 10**15
# Programs count days wrongly before, since they take 1900 for a leap year.
FIRST_DATE = date(1900, 3, 1)
WIDTH = 22
BLOCK = 64 * 1024

# Invalid in XML: control characters and noncharacters. They are removed from bytes, a hundred times as fast as by a
# regular expression.
CONTROL_CHARACTERS = bytes(each for each in range(0x20) if each not in b"\t\n\r")
NONCHARACTERS = ("\ufffe".encode(), "\uffff".encode())
# The beginning of XLSX's escape for a character, which a text may contain literally.
ESCAPE_START = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# Programs see a formula at the start of a cell, after whitespace and quotes, and after full-width signs too. Where the
# list separator is a semicolon, they split our cells at semicolons and line breaks.
SKIPPED = "[\\s\"'`\u00ab\u00bb\u2018-\u201f\u200b-\u200f\u2060\ufeff]*"
FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212"
FORMULA_START = re.compile(f"{SKIPPED}[{re.escape(FORMULA_SIGNS)}]|[\t\r]")
# Matches skipped characters once for several cell starts: linear time.
CELL_STARTS = re.compile(f"[;\t\r\n]{SKIPPED}")
CELL_START = re.compile("([;\t\r\n])")
# A fast check that excludes most texts.
MAY_HAVE_FORMULA = re.compile(f"[;\t\r\n](?:{SKIPPED[:-1]}{{0,8}}[{re.escape(FORMULA_SIGNS)}]|{SKIPPED[:-1]}{{9}})")
QUOTE = "'"
QUOTES = '""'
FORMULA_SIGN_SET = frozenset(FORMULA_SIGNS)
# Texts that a program would convert when the cell is edited: formulas and error values.
SPECIAL = re.compile(f"{FORMULA_START.pattern}|[;\n]{SKIPPED}[{re.escape(FORMULA_SIGNS)}]|#")


def write_csv(header: Sequence[str], rows: Iterable[Iterable[Sequence[Cell]]]) -> Iterator[bytes]:
    """Write CSV in UTF-8, a chunk for each chunk of rows. Instants are written in ISO 8601."""
    # Excel recognizes UTF-8 by the byte order mark.
    lines = [f"\ufeff{_write_csv_line(header)}"]
    for chunk in rows:
        lines += [_write_csv_line(row) for row in chunk]
        yield "".join(lines).encode()
        lines = []
    if lines:
        yield "".join(lines).encode()


def write_xlsx(title: str, header: Sequence[str], rows: Iterable[Iterable[Sequence[Cell]]]) -> IO[bytes]:
    """Write XLSX to a temporary file, which is open for reading; the caller closes it. At most `MAX_ROWS` rows."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31])
    # Both are written before the first row.
    sheet.freeze_panes = "A2"
    for column in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = WIDTH
    bold = Font(bold=True)
    header_cells = [_write_text_cell(sheet, _escape_xlsx(text)) for text in header]
    for cell in header_cells:
        cell.font = bold
    sheet.append(header_cells)
    for chunk in rows:
        for row in chunk:
            sheet.append([_write_xlsx_cell(sheet, value) for value in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115
    book.save(file)
    file.seek(0)
    return file


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Read the file block by block, and close it."""
    with file:
        while block := file.read(BLOCK):
            yield block


def _write_csv_line(cells: Iterable[Cell]) -> str:
    # An empty line would be skipped. Ten times as fast as the `csv` module.
    return f"{','.join(_write_csv_cell(cell) for cell in cells) or QUOTES}\r\n"


def _write_csv_cell(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    if not isinstance(cell, str):
        return "" if cell is None else cell.isoformat() if isinstance(cell, date) else str(cell)
    text = _escape_formulas(cell)
    if not any(each in text for each in '",\r\n'):
        return text
    doubled = text.replace('"', QUOTES)
    return f'"{doubled}"'


def _escape_formulas(text: str) -> str:
    """Put an apostrophe before every formula, at the start and at each cell start within the text."""
    text = _remove_invalid_characters(text)
    start = QUOTE if FORMULA_START.match(text) else ""
    if not MAY_HAVE_FORMULA.search(text):
        return f"{start}{text}"

    def escape(match: re.Match[str]) -> str:
        starts = match[0]
        if text[match.end() : match.end() + 1] not in FORMULA_SIGN_SET:
            return starts
        return starts + QUOTE if len(starts) == 1 else CELL_START.sub(r"\1'", starts)

    return f"{start}{CELL_STARTS.sub(escape, text)}"


def _remove_invalid_characters(text: str) -> str:
    """Remove characters that are invalid in XML or UTF-8."""
    written = text.encode(errors="ignore").translate(None, CONTROL_CHARACTERS)
    for each in NONCHARACTERS:
        written = written.replace(each, b"")
    return written.decode()


def _write_xlsx_cell(sheet: Any, cell: Cell) -> object:
    if isinstance(cell, datetime):
        cell = cell.replace(tzinfo=None, microsecond=0) if cell.date() >= FIRST_DATE else cell.isoformat()
    elif isinstance(cell, date):
        cell = cell if cell >= FIRST_DATE else cell.isoformat()
    elif isinstance(cell, int | float | Decimal) and not _is_exact(cell):
        cell = str(cell)
    if not isinstance(cell, str):
        return cell
    text = _escape_xlsx(cell)
    return _write_text_cell(sheet, text, is_special=SPECIAL.match(text) is not None)


def _is_exact(number: int | float | Decimal) -> bool:
    if isinstance(number, float):
        return math.isfinite(number)
    return math.isfinite(number) and -MAX_EXACT_INTEGER < number < MAX_EXACT_INTEGER


def _write_text_cell(sheet: Any, text: str, *, is_special: bool = True) -> SheetCell:
    """Write a text, whatever it looks like; a special one is marked, so that editing the cell does not convert it."""
    cell: SheetCell = WriteOnlyCell(sheet)
    # Not by the setter, which is slow and converts some texts to formulas.
    cell._value = text  # type: ignore[attr-defined]
    cell.data_type = "s"
    cell.quotePrefix = is_special
    return cell


def _escape_xlsx(text: str) -> str:
    text = ESCAPE_START.sub("_x005F_", _remove_invalid_characters(text)[: MAX_CELL_LENGTH + 1])
    return text if len(text) <= MAX_CELL_LENGTH else f"{text[: MAX_CELL_LENGTH - 1]}…"
