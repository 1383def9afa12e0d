"""How much may be shared: by the files of one session, and by all files of one member."""

from django.conf import settings
from django.db.models import QuerySet, Sum

from core import sizes
from core.accounts.models import User
from core.errors import Invalid
from modules.materials.models import Material, StoredFile


def require_room(
    *, session_id: int, member_id: int, size: int, asked_by: User, instead_of: StoredFile | None = None
) -> None:
    """Raises `Invalid` for `file` where `size` more bytes are too many for the session or for the member.

    `instead_of` is the file that goes away for it: one that is no larger always finds room. What this says holds until
    the end of a transaction in which the session is locked, and the member by `lock_member`.
    """
    less = instead_of.size if instead_of else 0
    if size <= less:
        return
    in_session = _used(Material.objects.filter(session_id=session_id)) - less
    most = settings.MATERIALS_MAX_BYTES_PER_SESSION
    if in_session + size > most:
        raise _invalid(f"The files of a session may have {_told(most, used=in_session, size=size)}")
    of_member = _used(Material.objects.filter(uploaded_by=member_id)) - less
    most = settings.MATERIALS_MAX_BYTES_PER_MEMBER
    if of_member + size > most:
        if asked_by.pk != member_id:
            # How much somebody shares elsewhere is theirs to know.
            raise _invalid("Who added this material has no room left for a file of this size.")
        raise _invalid(f"All files that a member shares may have {_told(most, used=of_member, size=size)}")


def lock_member(member_id: int) -> None:
    """Let nobody else add to what the member shares until the end of the transaction."""
    User.objects.select_for_update(no_key=True).filter(pk=member_id).first()


def _used(materials: "QuerySet[Material]") -> int:
    return materials.filter(file__isnull=False).aggregate(used=Sum("file__size"))["used"] or 0


def _told(most: int, *, used: int, size: int) -> str:
    left = sizes.in_words(max(most - used, 0))
    return (
        f"{sizes.in_words(most)} together, of which {sizes.in_words(used)} are used and {left} left;"
        f" this file has {sizes.in_words(size, up=True)}."
    )


def _invalid(message: str) -> Invalid:
    return Invalid({"file": [message]})
