"""Queries of materials, as rows with the documented keys in the documented order."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, takewhile
from typing import Any, TypedDict, cast

from django.db.models import Case, Count, F, QuerySet, Sum, TextField, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Left

from core.accounts.models import User
from core.accounts.presentation import USER_FIELDS, EmailAudience, UserRow, present_user_values
from core.database.functions import Octets
from core.errors import NotFound, Unavailable
from core.http.json import MAX_RESPONSE_BYTES, encode
from core.text.limits import NOTE_EXCERPT_LENGTH
from modules.materials import policy
from modules.materials.files.download_urls import FileToken, build_url, is_available, parse_token
from modules.materials.models import Material, StoredFile


class MaterialRow(TypedDict):
    id: int
    title: str
    type: str
    url: str
    file: str
    file_name: str
    content: str
    uploaded_by: UserRow
    uploaded_at: datetime


FILE_FIELDS = ("place", "name", "content_type", "scan_at")
# The size of a row's keys and fixed values as JSON.
MIN_ROW_BYTES = 220
# The limit for the materials of one session in a response, which has room for the session itself, too.
MAX_ROWS_BYTES = MAX_RESPONSE_BYTES - 512 * 1024
FIELDS = (
    "id",
    "session_id",
    "title",
    "type",
    "url",
    "file_id",
    "file_name",
    "uploaded_at",
    *(f"file__{name}" for name in FILE_FIELDS),
    *(f"uploaded_by__{name}" for name in USER_FIELDS),
)


def list_materials(*, session_id: int, viewer: User, origin: str) -> list[MaterialRow]:
    """List the materials of a session, the oldest first. Raises `NotFound` and `Forbidden`."""
    access = policy.get_access(session_id=session_id, member=viewer)
    policy.require_reading(access)
    return load_rows_by_session({session_id: access.audience}, origin=origin)[session_id]


def get_material(*, session_id: int, material_id: int, viewer: User, origin: str) -> MaterialRow:
    """Return one material, if the viewer may read it. Raises `NotFound` and `Forbidden`."""
    access = policy.get_access(session_id=session_id, member=viewer)
    policy.require_reading(access)
    return get_material_row(session_id=session_id, material_id=material_id, audience=access.audience, origin=origin)


def get_material_row(*, session_id: int, material_id: int, audience: EmailAudience, origin: str) -> MaterialRow:
    """Return one material, without checking who may read it. Raises `NotFound`."""
    values = Material.objects.filter(pk=material_id, session_id=session_id).values(*FIELDS, "content").first()
    if values is None:
        raise NotFound("There is no such material in this session.")
    return _build_row(values, values["content"], audience, origin)


def load_rows_by_session(
    audiences: Mapping[int, EmailAudience], *, origin: str, note_characters: int | None = None
) -> dict[int, list[MaterialRow]]:
    """Load the materials of several sessions, the oldest first, without checking who may read them; two queries.

    The result has an entry for each session. `note_characters` truncates each note, in one query. If the materials of a
    session exceed `MAX_ROWS_BYTES`, the last notes are truncated, and if that is not enough, the last materials are
    omitted. Omitted text is not loaded.
    """
    found = Material.objects.filter(session_id__in=list(audiences)).order_by("uploaded_at", "id")
    content: Combinable = _select_content(note_characters)
    if note_characters is None:
        omitted, truncated = _split_oversized(found)
        found = found.exclude(pk__in=omitted)
        content = Case(When(pk__in=truncated, then=_select_content(NOTE_EXCERPT_LENGTH)), default=content)
    rows: dict[int, list[MaterialRow]] = {session_id: [] for session_id in audiences}
    for values in found.annotate(shown=content).values(*FIELDS, "shown"):
        session_id = values["session_id"]
        rows[session_id].append(_build_row(values, values["shown"], audiences[session_id], origin))
    return {session_id: _truncate_to_fit(session_rows) for session_id, session_rows in rows.items()}


def _split_oversized(materials: "QuerySet[Material]") -> tuple[list[int], list[int]]:
    """Return the ids of materials to omit, and of those whose note to truncate, by their estimated sizes; one query."""
    sizes: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    found = materials.annotate(short=_measure_texts(NOTE_EXCERPT_LENGTH), whole=_measure_texts(None))
    for session_id, pk, short, whole in found.values_list("session_id", "pk", "short", "whole"):
        sizes[session_id].append((pk, short + MIN_ROW_BYTES, whole + MIN_ROW_BYTES))
    omitted: list[int] = []
    truncated: list[int] = []
    for session_rows in sizes.values():
        shown, whole = _count_fitting([each[1:] for each in session_rows])
        omitted += [pk for pk, _, _ in session_rows[shown:]]
        truncated += [pk for pk, _, _ in session_rows[whole:shown]]
    return omitted, truncated


def _truncate_to_fit(rows: list[MaterialRow]) -> list[MaterialRow]:
    """Truncate and omit again, by the actual sizes as JSON."""
    if len(encode(rows)) <= MAX_ROWS_BYTES:
        return rows
    truncated = [cast(MaterialRow, {**row, "content": row["content"][:NOTE_EXCERPT_LENGTH]}) for row in rows]
    sizes = [(len(encode(short)) + 1, len(encode(row)) + 1) for short, row in zip(truncated, rows, strict=True)]
    shown, whole = _count_fitting(sizes)
    return [*rows[:whole], *truncated[whole:shown]]


def _count_fitting(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return how many rows fit, and how many of these untruncated; `sizes` has each row's size truncated and whole."""
    shown = sum(1 for _ in takewhile(_has_room, accumulate(short for short, _ in sizes)))
    least = sum(short for short, _ in sizes[:shown])
    totals = accumulate((whole - short for short, whole in sizes[:shown]), initial=least)
    return shown, sum(1 for _ in takewhile(_has_room, totals)) - 1


def _has_room(size: int) -> bool:
    return size <= MAX_ROWS_BYTES


def estimate_sizes_by_session(session_ids: Collection[int], *, note_characters: int | None = None) -> dict[int, int]:
    """Estimate the minimal size in bytes of each session's rows as JSON, if it has any; one query."""
    found = Material.objects.filter(session_id__in=session_ids).order_by().values("session_id")
    sizes = found.annotate(size=Sum(_measure_texts(note_characters)), count=Count("pk")).values_list(
        "session_id", "size", "count"
    )
    return {session_id: size + count * MIN_ROW_BYTES for session_id, size, count in sizes}


def _measure_texts(note_characters: int | None) -> Combinable:
    """Build an expression for the size of a row's texts in bytes."""
    texts = [Octets(name) for name in ("title", "url", "file_name", "uploaded_by__username")]
    return sum(texts, Octets(_select_content(note_characters)))


def _select_content(note_characters: int | None) -> Left | F:
    return F("content") if note_characters is None else Left("content", note_characters, output_field=TextField())


def get_uploader_id(*, session_id: int, material_id: int) -> int:
    """Return the id of the member who added a material. Raises `NotFound`."""
    uploader = Material.objects.filter(pk=material_id, session_id=session_id).values_list("uploaded_by", flat=True)
    for identifier in uploader:
        return identifier
    raise NotFound("There is no such material in this session.")


def get_file_by_token(token: str) -> tuple[StoredFile, FileToken]:
    """Return the file of a signed URL, with its material. Raises `NotFound`, `Forbidden` and `Unavailable`."""
    file_token = parse_token(token)
    file = StoredFile.objects.select_related("material").filter(pk=file_token.file_id, material__isnull=False).first()
    if file is None:
        raise NotFound("This file is no longer there.")
    if not is_available(file):
        raise Unavailable("This file is not yet available: it waits for the virus scanner. Try again later.")
    return file, file_token


def _build_row(values: Mapping[str, Any], content: str, audience: EmailAudience, origin: str) -> MaterialRow:
    return {
        "id": values["id"],
        "title": values["title"],
        "type": values["type"],
        "url": values["url"],
        "file": _build_file_url(values, origin),
        "file_name": values["file_name"],
        "content": content,
        "uploaded_by": present_user_values(values, "uploaded_by__", audience),
        "uploaded_at": values["uploaded_at"],
    }


def _build_file_url(values: Mapping[str, Any], origin: str) -> str:
    if values["file_id"] is None:
        return ""
    file = StoredFile(pk=values["file_id"], **{name: values[f"file__{name}"] for name in FILE_FIELDS})
    return build_url(file, file_name=values["file_name"], origin=origin)
