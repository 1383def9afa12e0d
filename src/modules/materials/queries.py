"""Reading what sessions share: plain rows with the documented keys in the documented order."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import Count, F, Sum
from django.db.models.functions import Left

from core.accounts.models import User
from core.accounts.presentation import USER_FIELDS, EmailAudience, UserRow, present_user_values
from core.errors import NotFound, Unavailable
from core.octets import Octets
from modules.materials import policy
from modules.materials.files.addresses import Ticket, address_of, is_available, read_token
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
# What the keys and the fixed values of a row take as JSON.
LEAST_BYTES = 220
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
    """What a session shares, the oldest first. Raises `NotFound` and `Forbidden`."""
    access = policy.access_of(session_id=session_id, member=viewer)
    policy.require_reading(access)
    return rows_by_session({session_id: access.audience}, origin=origin)[session_id]


def get_material(*, session_id: int, material_id: int, viewer: User, origin: str) -> MaterialRow:
    """One of them. Raises `NotFound` and `Forbidden`."""
    access = policy.access_of(session_id=session_id, member=viewer)
    policy.require_reading(access)
    return material_row(session_id=session_id, material_id=material_id, audience=access.audience, origin=origin)


def material_row(*, session_id: int, material_id: int, audience: EmailAudience, origin: str) -> MaterialRow:
    """The row for somebody who may see it. Raises `NotFound`."""
    values = Material.objects.filter(pk=material_id, session_id=session_id).values(*FIELDS, "content").first()
    if values is None:
        raise NotFound("There is no such material in this session.")
    return _row(values, values["content"], audience, origin)


def rows_by_session(
    audiences: Mapping[int, EmailAudience], *, origin: str, note_characters: int | None = None
) -> dict[int, list[MaterialRow]]:
    """What these sessions share, for a viewer who may see it, the oldest first; one query, an entry for each.

    `note_characters` cuts each note to its first so many: the rest is not even read.
    """
    rows: dict[int, list[MaterialRow]] = {session_id: [] for session_id in audiences}
    found = Material.objects.filter(session_id__in=list(audiences)).order_by("uploaded_at", "id")
    for values in found.annotate(shown=_shown(note_characters)).values(*FIELDS, "shown"):
        session_id = values["session_id"]
        rows[session_id].append(_row(values, values["shown"], audiences[session_id], origin))
    return rows


def sizes_by_session(session_ids: Collection[int], *, note_characters: int | None = None) -> dict[int, int]:
    """How many bytes, at least, these rows have as JSON, of each session that shares something; one query."""
    texts = [Octets(name) for name in ("title", "url", "file_name", "uploaded_by__username")]
    size = sum(texts, Octets(_shown(note_characters)))
    found = Material.objects.filter(session_id__in=session_ids).order_by().values("session_id")
    sizes = found.annotate(size=Sum(size), count=Count("pk")).values_list("session_id", "size", "count")
    return {session_id: size + count * LEAST_BYTES for session_id, size, count in sizes}


def _shown(note_characters: int | None) -> Left | F:
    return F("content") if note_characters is None else Left("content", note_characters)


def uploader_of(*, session_id: int, material_id: int) -> int:
    """Who added a material. Raises `NotFound`."""
    uploader = Material.objects.filter(pk=material_id, session_id=session_id).values_list("uploaded_by", flat=True)
    for identifier in uploader:
        return identifier
    raise NotFound("There is no such material in this session.")


def file_of_token(token: str) -> tuple[StoredFile, Ticket]:
    """The file, with its material, whose address has this token. Raises `NotFound`, `Forbidden` and `Unavailable`."""
    ticket = read_token(token)
    file = StoredFile.objects.select_related("material").filter(pk=ticket.file_id, material__isnull=False).first()
    if file is None:
        raise NotFound("This file is no longer there.")
    if not is_available(file):
        raise Unavailable("This file is not yet available: it waits for the virus scanner. Try again later.")
    return file, ticket


def _row(values: Mapping[str, Any], content: str, audience: EmailAudience, origin: str) -> MaterialRow:
    return {
        "id": values["id"],
        "title": values["title"],
        "type": values["type"],
        "url": values["url"],
        "file": _address(values, origin),
        "file_name": values["file_name"],
        "content": content,
        "uploaded_by": present_user_values(values, "uploaded_by__", audience),
        "uploaded_at": values["uploaded_at"],
    }


def _address(values: Mapping[str, Any], origin: str) -> str:
    if values["file_id"] is None:
        return ""
    file = StoredFile(pk=values["file_id"], **{name: values[f"file__{name}"] for name in FILE_FIELDS})
    return address_of(file, file_name=values["file_name"], origin=origin)
