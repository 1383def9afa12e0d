"""Files that spreadsheet programs open, written part by part, in which no text becomes a formula.

XLSX comes from openpyxl in its write-only mode. Tablib, and django-import-export on it, have openpyxl hold the whole
list in memory: 350 MB for 100,000 rows of eight columns, where this takes 15. XlsxWriter needs half the time, but lets
a text between `<r>` and `</r>` through as XML, and with it a formula.
"""

import csv
import io
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

# What a cell may hold. An instant is of the zone that the column names.
Cell = str | int | float | Decimal | date | None

# A sheet has 1,048,576 rows, and one of them is the header.
MOST_ROWS = 1_048_575
MOST_CHARACTERS = 32_767
# Beyond it the programs round whole numbers.
MOST_EXACT = 10**15
# The first month in which the programs count the days as everybody does.
FIRST_DATE = date(1900, 3, 1)
WIDTH = 22
BLOCK = 64 * 1024

# What XML cannot hold, and UTF-8 cannot write.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# How XLSX writes a character by its number: in a text it means itself.
ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# Where a program may see a formula begin: at the start of a cell, or of what it takes for one, since in many countries
# it looks for semicolons rather than commas, and then sees no quotes around a line break. Programs skip blanks and
# quotes, and take full-width signs for plain ones.
FORMULA = re.compile(
    "(^|[;\t\r\n])(?=[\\s\"'`\u00ab\u00bb\u2018-\u201f\u200b-\u200f\u2060\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212])"
    "|^(?=[\t\r])"
)
# What openpyxl takes for more than text: formulas, and the names of errors.
SPECIAL = re.compile(f"{FORMULA.pattern}|#")


def csv_parts(header: Sequence[str], rows: Iterable[Iterable[Sequence[Cell]]]) -> Iterator[bytes]:
    """The file, a part for each of the parts in which the rows come. Instants are written as ISO 8601."""
    buffer = io.StringIO(newline="")
    write = csv.writer(buffer).writerow
    # Without this mark Excel takes UTF-8 for something else.
    buffer.write("\ufeff")
    write([_defused(title) for title in header])
    for part in rows:
        for row in part:
            write([_csv_cell(cell) for cell in row])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    if left := buffer.getvalue():
        yield left.encode()


def xlsx_file(title: str, header: Sequence[str], rows: Iterable[Iterable[Sequence[Cell]]]) -> IO[bytes]:
    """The file, open for reading; whoever asked for it closes it. Takes `MOST_ROWS` at most."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31])
    # Both have to be said before the first row.
    sheet.freeze_panes = "A2"
    for column in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = WIDTH
    bold = Font(bold=True)
    heads = [_text_cell(sheet, _xlsx_text(text)) for text in header]
    for head in heads:
        head.font = bold
    sheet.append(heads)
    for part in rows:
        for row in part:
            sheet.append([_xlsx_cell(sheet, cell) for cell in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115
    book.save(file)
    file.seek(0)
    return file


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """What the file holds, and its end."""
    with file:
        while block := file.read(BLOCK):
            yield block


def _csv_cell(cell: Cell) -> str | int | float | Decimal | None:
    if isinstance(cell, str):
        return _defused(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return cell.isoformat() if isinstance(cell, date) else cell


def _defused(text: str) -> str:
    return FORMULA.sub(r"\1'", FORBIDDEN.sub("", text))


def _xlsx_cell(sheet: Any, cell: Cell) -> object:
    if isinstance(cell, datetime):
        cell = cell.replace(tzinfo=None, microsecond=0) if cell.date() >= FIRST_DATE else cell.isoformat()
    elif isinstance(cell, date):
        cell = cell if cell >= FIRST_DATE else cell.isoformat()
    elif isinstance(cell, int | float | Decimal) and not _is_exact(cell):
        cell = str(cell)
    if not isinstance(cell, str):
        return cell
    text = _xlsx_text(cell)
    return _text_cell(sheet, text) if SPECIAL.match(text) else text


def _is_exact(number: int | float | Decimal) -> bool:
    if isinstance(number, float):
        return math.isfinite(number)
    return math.isfinite(number) and -MOST_EXACT < number < MOST_EXACT


def _text_cell(sheet: Any, text: str) -> SheetCell:
    """Text, whatever it looks like; it stays so when somebody edits the cell and changes nothing."""
    cell: SheetCell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def _xlsx_text(text: str) -> str:
    text = ESCAPE.sub("_x005F_", FORBIDDEN.sub("", text))
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
