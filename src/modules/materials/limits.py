"""How much may be shared: in one session, by its files and its notes, and by all files of one member."""

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.db.models.functions import Length

from core.accounts.models import User
from core.errors import Invalid, StateForbids
from core.text.sizes import format_size
from core.text.usage import format_usage
from modules.materials.models import Material, StoredFile


def require_room(
    *, session_id: int, member_id: int, size: int, asked_by: User, instead_of: StoredFile | None = None
) -> None:
    """Raises `Invalid` for `file` where `size` more bytes are too many for the session or for the member.

    `instead_of` is the file that goes away for it: one that is no larger always finds room. What this says holds until
    the end of a transaction in which the session is locked, and the member by `core.accounts.locking`.
    """
    less = instead_of.size if instead_of else 0
    if size <= less:
        return
    in_session = _sum_sizes(Material.objects.filter(session_id=session_id)) - less
    most = settings.MATERIALS_MAX_BYTES_PER_SESSION
    if in_session + size > most:
        raise _build_error(f"The files of a session may have {_format_room(most, used=in_session, size=size)}")
    of_member = _sum_sizes(Material.objects.filter(uploaded_by=member_id)) - less
    most = settings.MATERIALS_MAX_BYTES_PER_MEMBER
    if of_member + size > most:
        if asked_by.pk != member_id:
            # How much somebody shares elsewhere is theirs to know.
            raise _build_error("Who added this material has no room left for a file of this size.")
        raise _build_error(f"All files that a member shares may have {_format_room(most, used=of_member, size=size)}")


def require_room_for_another(*, session_id: int) -> None:
    """Raises `StateForbids` where a session has as many materials as it may; holds as long as the session is locked."""
    most = settings.MATERIALS_MAX_PER_SESSION
    used = Material.objects.filter(session_id=session_id).count()
    if used >= most:
        raise StateForbids(f"A session may have {most:,} materials, {format_usage(most, used)}: delete one first.")


def require_room_for_note(*, session_id: int, content: str, instead_of: str = "") -> None:
    """Raises `Invalid` for `content` where the notes of a session would have too many characters together.

    `instead_of` is the content that goes away for it: one that is no longer always finds room. Holds as long as the
    session is locked.
    """
    if len(content) <= len(instead_of):
        return
    most = settings.MATERIALS_MAX_NOTE_CHARACTERS_PER_SESSION
    notes = Material.objects.filter(session_id=session_id, type=Material.Type.NOTE)
    used = (notes.aggregate(used=Sum(Length("content")))["used"] or 0) - len(instead_of)
    if used + len(content) > most:
        message = (
            f"The notes of a session may have {most:,} characters together, {format_usage(most, used)};"
            f" this note has {len(content):,}."
        )
        raise Invalid({"content": [message]})


def _sum_sizes(materials: "QuerySet[Material]") -> int:
    return materials.filter(file__isnull=False).aggregate(used=Sum("file__size"))["used"] or 0


def _format_room(most: int, *, used: int, size: int) -> str:
    usage = format_usage(most, used, format_amount=format_size)
    return f"{format_size(most)} together, {usage}; this file has {format_size(size, round_up=True)}."


def _build_error(message: str) -> Invalid:
    return Invalid({"file": [message]})
