"""Export of an admin list as a file, with its columns, filters, search and order."""

import html
import re
from array import array
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db.models import DateTimeField, Field, ForeignKey, IntegerField, Model, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.text import capfirst, slugify

from core.portal.spreadsheets import Cell, read_blocks, write_csv, write_xlsx
from core.time import clock

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# How many rows are read, and held in memory, at a time.
CHUNK_SIZE = 500

TAG = re.compile(r"<[^>]*>")


class ChunkedResponse(StreamingHttpResponse):
    """Sends each chunk when it is ready; under ASGI, Django's class reads a synchronous iterator to its end first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = iter(cast(Iterator[bytes], self.streaming_content))
        read_next = sync_to_async(partial(next, chunks, b""))
        while chunk := await read_next():
            yield chunk


@dataclass(frozen=True)
class Column:
    """One column of the file: its title, and the function that reads its value from a row."""

    title: str
    value: Callable[[Any], Any]
    is_instant: bool = False

    def read_cell(self, row: Model) -> Cell:
        try:
            return format_cell(self.value(row))
        except ObjectDoesNotExist:
            return None


def build_export_response(
    *, model_admin: Any, names: Iterable[str], rows: "QuerySet[Any]", kind: str
) -> StreamingHttpResponse:
    """Export the rows as `csv` or `xlsx`. They are read in chunks, while the file is sent (CSV) or before (XLSX)."""
    columns = list_columns(model_admin, names)
    zone = timezone.get_current_timezone()
    chunks = _read_chunks(model_admin, columns, rows)
    first = next(chunks, [])
    header = [_append_zone(column, [row[index] for row in first]) for index, column in enumerate(columns)]
    title = str(model_admin.opts.verbose_name_plural)
    file_name = f"{slugify(title)}-{timezone.localdate(clock.now(), zone).isoformat()}.{kind}"
    all_chunks = chain([first], chunks)
    if kind == "csv":
        response = ChunkedResponse(write_csv(header, all_chunks), content_type=CONTENT_TYPES[kind])
    else:
        file = write_xlsx(capfirst(title), header, all_chunks)
        response = ChunkedResponse(read_blocks(file), content_type=CONTENT_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["Cache-Control"] = "no-store"
    return response


def list_columns(model_admin: Any, names: Iterable[str]) -> list[Column]:
    """Build the columns of the file for those of the list, which `exported_columns` may replace."""
    replaced: dict[str, tuple[str, ...]] = model_admin.exported_columns
    exported = chain.from_iterable(replaced.get(name, (name,)) for name in names if name != "action_checkbox")
    # Without duplicates.
    return [_build_column(model_admin, name) for name in dict.fromkeys(exported)]


def format_cell(value: Any) -> Cell:
    """Convert a value for a file: text for what the list shows as icons, labels and links."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return timezone.localtime(value) if timezone.is_aware(value) else value
    if value is None or isinstance(value, int | float | Decimal | date):
        return value
    if isinstance(value, list | tuple):
        cells = (format_cell(each) for each in value if not isinstance(each, dict))
        return ", ".join(str(cell) for cell in cells if cell not in {None, ""})
    if isinstance(value, dict) and "title" in value:
        # Unfold shows it as a dropdown.
        value = value["title"]
    return _strip_html(str(value)) if hasattr(value, "__html__") else str(value)


def _strip_html(text: str) -> str:
    return " ".join(html.unescape(TAG.sub(" ", text)).split())


def _build_column(model_admin: Any, name: Any) -> Column:
    title = capfirst(_strip_html(str(label_for_field(name, model_admin.model, model_admin))))
    try:
        field = model_admin.opts.get_field(name)
    except FieldDoesNotExist:
        return Column(title, _read_computed(model_admin, name))
    if not isinstance(field, Field) or name != field.name:
        return Column(title, lambda row: lookup_field(name, row, model_admin)[2])
    if isinstance(field, ForeignKey):
        return Column(title, lambda row: _read_text(getattr(row, field.name)))
    if field.flatchoices:
        names = dict(field.flatchoices)
        return Column(title, lambda row: names.get(value := getattr(row, field.attname), value))
    return Column(title, lambda row: getattr(row, field.attname), is_instant=isinstance(field, DateTimeField))


def _read_text(row: Model | None) -> str | None:
    return None if row is None else str(row)


def _read_computed(model_admin: Any, name: Any) -> Callable[[Any], Any]:
    """Return the function that reads the value of a column that is a method, as the list shows it."""
    function = name if callable(name) else getattr(model_admin, name, None)
    if function is None or name == "__str__":
        return lambda row: lookup_field(name, row, model_admin)[2]
    empty = getattr(function, "empty_value_display", model_admin.get_empty_value_display())
    label, header = getattr(function, "label", None), getattr(function, "header", False)

    def value(row: Any) -> Any:
        shown = function(row)
        if isinstance(label, dict) and isinstance(shown, tuple):
            # A value that selects the colour, and a text.
            shown = shown[1] if shown[0] in label else shown[0]
        elif header:
            # Two lines of text, and a picture.
            shown = tuple(shown)[:2]
        return None if shown == empty else shown

    return value


def _read_chunks(model_admin: Any, columns: list[Column], rows: "QuerySet[Any]") -> Iterator[list[list[Cell]]]:
    # The response is sent after the middleware has reset the time zone.
    zone = timezone.get_current_timezone()
    keys = _read_keys(rows)
    for start in range(0, len(keys), CHUNK_SIZE):
        chunk = _read_rows(rows, keys[start : start + CHUNK_SIZE])
        if chunk:
            with timezone.override(zone):
                model_admin.prepare_rows(chunk)
                cells = [[column.read_cell(row) for column in columns] for row in chunk]
            yield cells


def _read_keys(rows: "QuerySet[Any]") -> Sequence[Any]:
    """Read the primary keys of all rows in order, eight bytes each.

    So no query is open while the file is sent, however long that takes.
    """
    found = rows.values_list("pk", flat=True).iterator(chunk_size=CHUNK_SIZE)
    return array("q", found) if isinstance(rows.model._meta.pk, IntegerField) else list(found)


def _read_rows(rows: "QuerySet[Any]", keys: Sequence[Any]) -> list[Any]:
    """Read the rows that still exist, in the order of the keys."""
    found = {row.pk: row for row in rows.order_by().filter(pk__in=list(keys))}
    return [found[key] for key in keys if key in found]


def _append_zone(column: Column, cells: list[Cell]) -> str:
    if column.is_instant or any(isinstance(cell, datetime) for cell in cells):
        return f"{column.title} ({timezone.get_current_timezone_name()})"
    return column.title
