"""How much may be shared: by the files of one session, and by all files of one member."""

from django.conf import settings
from django.db.models import QuerySet, Sum

from core import sizes
from core.accounts.models import User
from core.errors import Invalid
from modules.materials.models import Material, StoredFile


def require_room(*, session_id: int, member_id: int, size: int, instead_of: StoredFile | None = None) -> None:
    """Raises `Invalid` for `file` where `size` more bytes are too many for the session or for the member.

    `instead_of` is the file that goes away for it. What this says holds until the end of a transaction in which the
    session is locked, and the member by `lock_member`.
    """
    less = instead_of.size if instead_of else 0
    _require(
        Material.objects.filter(session_id=session_id),
        most=settings.MATERIALS_MAX_BYTES_PER_SESSION,
        whose="The files of a session",
        size=size,
        less=less,
    )
    _require(
        Material.objects.filter(uploaded_by=member_id),
        most=settings.MATERIALS_MAX_BYTES_PER_MEMBER,
        whose="All files that a member shares",
        size=size,
        less=less,
    )


def lock_member(member_id: int) -> None:
    """Let nobody else add to what the member shares until the end of the transaction."""
    User.objects.select_for_update(no_key=True).filter(pk=member_id).first()


def _require(materials: "QuerySet[Material]", *, most: int, whose: str, size: int, less: int) -> None:
    used = (materials.filter(file__isnull=False).aggregate(used=Sum("file__size"))["used"] or 0) - less
    if used + size <= most:
        return
    left = max(most - used, 0)
    message = (
        f"{whose} may have {sizes.in_words(most)} together, of which {sizes.in_words(used)} are used and"
        f" {sizes.in_words(left)} left; this file has {sizes.in_words(size)}."
    )
    raise Invalid({"file": [message]})
