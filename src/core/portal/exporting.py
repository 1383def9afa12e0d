"""A list of the admin as a file: the columns that it shows, and the rows that its filters, search and order give."""

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
# As many rows are looked up, and held, at once.
AT_ONCE = 500

TAG = re.compile(r"<[^>]*>")


class StreamedParts(StreamingHttpResponse):
    """Django's own takes all parts together before it sends any of them where the server is asynchronous."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(cast(Iterator[bytes], self.streaming_content))
        take = sync_to_async(partial(next, parts, b""))
        while part := await take():
            yield part


@dataclass(frozen=True)
class Column:
    """One column of a list: what stands above it, and what it shows of a row."""

    title: str
    value: Callable[[Any], Any]
    is_instant: bool = False

    def cell(self, row: Model) -> Cell:
        try:
            return format_cell(self.value(row))
        except ObjectDoesNotExist:
            return None


def export(*, model_admin: Any, names: Iterable[str], rows: "QuerySet[Any]", kind: str) -> StreamingHttpResponse:
    """The rows as a file of that kind. Reads them part by part, while it is sent (CSV) or before (XLSX)."""
    columns = list_columns(model_admin, names)
    zone = timezone.get_current_timezone()
    parts = _read_parts(model_admin, columns, rows)
    first = next(parts, [])
    header = [_append_zone(column, [row[index] for row in first]) for index, column in enumerate(columns)]
    title = str(model_admin.opts.verbose_name_plural)
    file_name = f"{slugify(title)}-{timezone.localdate(clock.now(), zone).isoformat()}.{kind}"
    every = chain([first], parts)
    if kind == "csv":
        response = StreamedParts(write_csv(header, every), content_type=CONTENT_TYPES[kind])
    else:
        file = write_xlsx(capfirst(title), header, every)
        response = StreamedParts(read_blocks(file), content_type=CONTENT_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["Cache-Control"] = "no-store"
    return response


def list_columns(model_admin: Any, names: Iterable[str]) -> list[Column]:
    """What the named columns of the list show; one that shows several things in one is taken apart again."""
    instead: dict[str, tuple[str, ...]] = model_admin.exported_columns
    plain = chain.from_iterable(instead.get(name, (name,)) for name in names if name != "action_checkbox")
    # What two columns show, the file has once.
    return [_build_column(model_admin, name) for name in dict.fromkeys(plain)]


def format_cell(value: Any) -> Cell:
    """A value as a file has it: text for what the list shows as icons, labels and links."""
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
        # What unfold makes a dropdown of.
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
    """What the list shows for a column that is no field."""
    function = name if callable(name) else getattr(model_admin, name, None)
    if function is None or name == "__str__":
        return lambda row: lookup_field(name, row, model_admin)[2]
    empty = getattr(function, "empty_value_display", model_admin.get_empty_value_display())
    label, header = getattr(function, "label", None), getattr(function, "header", False)

    def value(row: Any) -> Any:
        shown = function(row)
        if isinstance(label, dict) and isinstance(shown, tuple):
            # What chooses its colour, and what it says.
            shown = shown[1] if shown[0] in label else shown[0]
        elif header:
            # Two lines of text; what follows is a picture.
            shown = tuple(shown)[:2]
        return None if shown == empty else shown

    return value


def _read_parts(model_admin: Any, columns: list[Column], rows: "QuerySet[Any]") -> Iterator[list[list[Cell]]]:
    # The response is sent when the request, and with it the zone of whoever asked, is over.
    zone = timezone.get_current_timezone()
    keys = _read_keys(rows)
    for start in range(0, len(keys), AT_ONCE):
        part = _read_rows(rows, keys[start : start + AT_ONCE])
        if part:
            with timezone.override(zone):
                model_admin.prepare_rows(part)
                cells = [[column.cell(row) for column in columns] for row in part]
            yield cells


def _read_keys(rows: "QuerySet[Any]") -> Sequence[Any]:
    """The keys of all rows in their order, eight bytes each: so each query is a short one, however long it takes to
    send the file, and none is held open meanwhile."""
    found = rows.values_list("pk", flat=True).iterator(chunk_size=AT_ONCE)
    return array("q", found) if isinstance(rows.model._meta.pk, IntegerField) else list(found)


def _read_rows(rows: "QuerySet[Any]", keys: Sequence[Any]) -> list[Any]:
    """Those that are still there."""
    found = {row.pk: row for row in rows.order_by().filter(pk__in=list(keys))}
    return [found[key] for key in keys if key in found]


def _append_zone(column: Column, cells: list[Cell]) -> str:
    if column.is_instant or any(isinstance(cell, datetime) for cell in cells):
        return f"{column.title} ({timezone.get_current_timezone_name()})"
    return column.title
