"""Files that spreadsheet programs open, written part by part, in which no text becomes a formula.

XLSX comes from openpyxl in its write-only mode. Tablib, and django-import-export on it, have openpyxl hold the whole
list in memory: 350 MB for 100,000 rows of eight columns, where this takes 15. XlsxWriter needs half the time, but lets
a text between `<r>` and `</r>` through as XML, and with it a formula.
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

# What XML cannot hold, and UTF-8 cannot write: control characters, halves of surrogate pairs, and the last two of all.
# Looked for in bytes, which takes a hundredth of the time that a pattern takes.
CONTROLS = bytes(each for each in range(0x20) if each not in b"\t\n\r")
NO_CHARACTERS = ("\ufffe".encode(), "\uffff".encode())
# How XLSX writes a character by its number: in a text it means itself.
ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# Where a program may see a formula begin: at the start of a cell, or of what it takes for one, since in many countries
# it looks for semicolons rather than commas, and then sees no quotes around a line break. Programs skip blanks and
# quotes, and take full-width signs for plain ones.
SKIPPED = "[\\s\"'`\u00ab\u00bb\u2018-\u201f\u200b-\u200f\u2060\ufeff]*"
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212"
BEGINNING = re.compile(f"{SKIPPED}[{re.escape(SIGNS)}]|[\t\r]")
# Each run of what is skipped is read once, however many cells may begin in it.
CELLS = re.compile(f"[;\t\r\n]{SKIPPED}")
CELL = re.compile("([;\t\r\n])")
# Where this is not in a text, which is soon known, none of its cells begins like a formula.
MAY_BEGIN = re.compile(f"[;\t\r\n](?:{SKIPPED[:-1]}{{0,8}}[{re.escape(SIGNS)}]|{SKIPPED[:-1]}{{9}})")
QUOTE = "'"
QUOTES = '""'
SIGNS_AFTER = frozenset(SIGNS)
# What openpyxl takes for more than text: formulas, and the names of errors.
SPECIAL = re.compile(f"{BEGINNING.pattern}|[;\n]{SKIPPED}[{re.escape(SIGNS)}]|#")


def write_csv(header: Sequence[str], rows: Iterable[Iterable[Sequence[Cell]]]) -> Iterator[bytes]:
    """The file, a part for each of the parts in which the rows come. Instants are written as ISO 8601."""
    # Without this mark Excel takes UTF-8 for something else.
    lines = [f"\ufeff{_write_csv_line(header)}"]
    for part in rows:
        lines += [_write_csv_line(row) for row in part]
        yield "".join(lines).encode()
        lines = []
    if lines:
        yield "".join(lines).encode()


def write_xlsx(title: str, header: Sequence[str], rows: Iterable[Iterable[Sequence[Cell]]]) -> IO[bytes]:
    """The file, open for reading; whoever asked for it closes it. Takes `MOST_ROWS` at most."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31])
    # Both have to be said before the first row.
    sheet.freeze_panes = "A2"
    for column in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = WIDTH
    bold = Font(bold=True)
    heads = [_write_text_cell(sheet, _escape_xlsx(text)) for text in header]
    for head in heads:
        head.font = bold
    sheet.append(heads)
    for part in rows:
        for row in part:
            sheet.append([_write_xlsx_cell(sheet, cell) for cell in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115
    book.save(file)
    file.seek(0)
    return file


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """What the file holds, and its end."""
    with file:
        while block := file.read(BLOCK):
            yield block


def _write_csv_line(cells: Iterable[Cell]) -> str:
    # An empty line would be no row. Python's own writer looks at each character by itself, ten times as long.
    return f"{','.join(_write_csv_cell(cell) for cell in cells) or QUOTES}\r\n"


def _write_csv_cell(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    if not isinstance(cell, str):
        return "" if cell is None else cell.isoformat() if isinstance(cell, date) else str(cell)
    text = _defuse_text(cell)
    if not any(each in text for each in '",\r\n'):
        return text
    doubled = text.replace('"', QUOTES)
    return f'"{doubled}"'


def _defuse_text(text: str) -> str:
    text = _make_writable(text)
    start = QUOTE if BEGINNING.match(text) else ""
    if not MAY_BEGIN.search(text):
        return f"{start}{text}"

    def defuse(cells: re.Match[str]) -> str:
        run = cells[0]
        if text[cells.end() : cells.end() + 1] not in SIGNS_AFTER:
            return run
        return run + QUOTE if len(run) == 1 else CELL.sub(r"\1'", run)

    return f"{start}{CELLS.sub(defuse, text)}"


def _make_writable(text: str) -> str:
    """The text without what no file can hold."""
    written = text.encode(errors="ignore").translate(None, CONTROLS)
    for each in NO_CHARACTERS:
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
    return math.isfinite(number) and -MOST_EXACT < number < MOST_EXACT


def _write_text_cell(sheet: Any, text: str, *, is_special: bool = True) -> SheetCell:
    """Text, whatever it looks like; what is special stays so when somebody edits the cell and changes nothing."""
    cell: SheetCell = WriteOnlyCell(sheet)
    # Past the setter, which looks at each character of it again, and takes some texts for formulas.
    cell._value = text  # type: ignore[attr-defined]
    cell.data_type = "s"
    cell.quotePrefix = is_special
    return cell


def _escape_xlsx(text: str) -> str:
    # What follows is cut off in any case.
    text = ESCAPE.sub("_x005F_", _make_writable(text)[: MOST_CHARACTERS + 1])
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
