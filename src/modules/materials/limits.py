"""Quotas: of one session, for its files, its notes and their number, and of one member, for all files."""

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.db.models.functions import Length

from core.accounts.models import User
from core.errors import Invalid, StateForbids
from core.text.sizes import format_size
from core.text.usage import format_usage
from modules.materials.models import Material, StoredFile


def require_room(*, session_id: int, member_id: int, size: int, by: User, replaced: StoredFile | None = None) -> None:
    """Raise `Invalid` for `file` if `size` more bytes exceed the quota of the session or of the member.

    `replaced` is the file that is deleted instead: a replacement that is no larger is always accepted. The result holds
    until the end of the transaction if the session and the member are locked.
    """
    freed = replaced.size if replaced else 0
    if size <= freed:
        return
    session_total = _sum_sizes(Material.objects.filter(session_id=session_id)) - freed
    limit = settings.MATERIALS_MAX_BYTES_PER_SESSION
    if session_total + size > limit:
        raise _build_error(f"The files of a session may have {_format_room(limit, used=session_total, size=size)}")
    member_total = _sum_sizes(Material.objects.filter(uploaded_by=member_id)) - freed
    limit = settings.MATERIALS_MAX_BYTES_PER_MEMBER
    if member_total + size > limit:
        if by.pk != member_id:
            # How much a member shares elsewhere is private.
            raise _build_error("Who added this material has no room left for a file of this size.")
        raise _build_error(
            f"All files that a member shares may have {_format_room(limit, used=member_total, size=size)}"
        )


def require_room_for_another(*, session_id: int) -> None:
    """Raise `StateForbids` if a session has the maximum number of materials; holds while the session is locked."""
    limit = settings.MATERIALS_MAX_PER_SESSION
    used = Material.objects.filter(session_id=session_id).count()
    if used >= limit:
        raise StateForbids(f"A session may have {limit:,} materials, {format_usage(limit, used)}: delete one first.")


def require_room_for_note(*, session_id: int, content: str, replaced: str = "") -> None:
    """Raise `Invalid` for `content` if the notes of a session would exceed their quota of characters.

    `replaced` is the former content: a replacement that is no longer is always accepted. Holds while the session is
    locked.
    """
    if len(content) <= len(replaced):
        return
    limit = settings.MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION
    notes = Material.objects.filter(session_id=session_id, type=Material.Type.NOTE)
    used = (notes.aggregate(used=Sum(Length("content")))["used"] or 0) - len(replaced)
    if used + len(content) > limit:
        message = (
            f"The notes of a session may have {limit:,} characters together, {format_usage(limit, used)};"
            f" this note has {len(content):,}."
        )
        raise Invalid({"content": [message]})


def _sum_sizes(materials: "QuerySet[Material]") -> int:
    return materials.filter(file__isnull=False).aggregate(used=Sum("file__size"))["used"] or 0


def _format_room(limit: int, *, used: int, size: int) -> str:
    usage = format_usage(limit, used, format_amount=format_size)
    return f"{format_size(limit)} together, {usage}; this file has {format_size(size, round_up=True)}."


def _build_error(message: str) -> Invalid:
    return Invalid({"file": [message]})
