"""Changes to what sessions share (docs/contract.md, "Materials")."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.core.files.base import File
from django.db import transaction

from core.accounts.locking import lock_member
from core.accounts.models import User
from core.database.connections import release_connection
from core.errors import Invalid, NotFound
from core.facts.publish import publish
from core.time import clock
from modules.materials import events, limits, policy
from modules.materials.files import scanner, stored_files
from modules.materials.links import validate_url
from modules.materials.models import Material, StoredFile
from modules.materials.notes import validate_note
from modules.materials.uploads import Upload, validate_and_sanitize

logger = logging.getLogger(__name__)

# The names of fields that have changed, each with its value before and after.
Changes = dict[str, tuple[Any, Any]]


def add_material(
    *,
    session_id: int,
    by: User,
    title: str,
    type: str,  # noqa: A002  (the contract's name)
    url: str = "",
    content: str = "",
    upload: "File[bytes] | None" = None,
) -> Material:
    """Share a file, a link or a note. What does not belong to the type is ignored, but for a file.

    Not for inside a transaction that may be rolled back: the bytes would stay.
    Raises `NotFound`, `Forbidden`, `StateForbids`, `Invalid` and `Unavailable`.
    """
    values = _clean_values(type, url=url, content=content, upload=upload, has_file=False)
    # Checked again once the session is locked; this check saves the upload to the storage.
    limits.require_room_for_another(session_id=session_id)
    with ExitStack() as stack:
        staged = _stage(stack, upload, session_id=session_id, member_id=by.pk, by=by)
        with transaction.atomic():
            policy.require_adding(policy.get_access(session_id=session_id, member=by, to_add=True))
            limits.require_room_for_another(session_id=session_id)
            limits.require_room_for_note(session_id=session_id, content=values.get("content", ""))
            material = Material(
                session_id=session_id, title=title, type=type, uploaded_by=by, uploaded_at=clock.now(), **values
            )
            if staged:
                _require_room(material, staged.file, by=by)
                material.file, material.file_name = staged.file, staged.name
                stored_files.attach(staged.file)
            material.save()
            _publish_added(material, by=by)
    return material


def change_material(
    *,
    session_id: int,
    material_id: int,
    by: User,
    title: str | None = None,
    type: str | None = None,  # noqa: A002  (the contract's name)
    url: str | None = None,
    content: str | None = None,
    upload: "File[bytes] | None" = None,
) -> Material:
    """Change what is given; `None` leaves a field as it is, and so does what does not belong to the type.

    A new file replaces the old one, whose bytes go. Texts can always be corrected; a new file is taken only where one
    could be added. Not for inside a transaction that may be rolled back: the bytes would stay.
    Raises `NotFound`, `Forbidden`, `StateForbids`, `Invalid` and `Unavailable`.
    """
    with ExitStack() as stack:
        staged = None
        if upload is not None:
            old = _get_material(session_id=session_id, material_id=material_id)
            staged = _stage(stack, upload, session_id=session_id, member_id=old.uploaded_by_id, by=by, old=old.file)
        with transaction.atomic():
            # The session is locked where room is taken, so that nobody else takes the same room.
            access = policy.get_access(session_id=session_id, member=by, to_add=upload is not None or bool(content))
            material = _lock_material(session_id=session_id, material_id=material_id, access=access, by=by)
            _require_type(material, type)
            values = _clean_values(material.type, url=url, content=content, upload=upload, has_file=True)
            values |= {} if title is None else {"title": title}
            if staged:
                policy.require_open(access)
                values["file_name"] = staged.name
            changes = _apply(material, values)
            if staged:
                _require_room(material, staged.file, by=by)
                changes |= _replace_file(material, staged.file)
            if changes:
                material.save()
                _publish_changed(material, changes, by=by)
    return material


def remove_material(*, session_id: int, material_id: int, by: User, reason: str = "") -> None:
    """Take a material back; its bytes go with it. Who added it reads the reason, where somebody else removes it.

    Raises `NotFound` and `Forbidden`.
    """
    with transaction.atomic():
        access = policy.get_access(session_id=session_id, member=by)
        material = _lock_material(session_id=session_id, material_id=material_id, access=access, by=by)
        _remove(material, by=by, reason=reason.strip())


def remove_material_of_file(*, file_id: int, reason: str) -> bool:
    """Take the material back that has a file which cannot be kept; who added it reads the reason. False for none."""
    with transaction.atomic():
        material = Material.objects.select_for_update().filter(file=file_id).first()
        if material is not None:
            _remove(material, by=None, reason=reason)
    return material is not None


def delete_materials_of_session(*, session_id: int) -> None:
    """Let go of everything that a session shared, when the session itself is gone."""
    with transaction.atomic():
        _delete(list(Material.objects.select_for_update().filter(session_id=session_id).order_by("pk")))


@dataclass(frozen=True, kw_only=True)
class StagedUpload:
    """The row of bytes that no material has yet, and the name that the uploader gave them."""

    file: StoredFile
    name: str


def _stage(
    stack: ExitStack,
    upload: "File[bytes] | None",
    *,
    session_id: int,
    member_id: int,
    by: User,
    old: StoredFile | None = None,
) -> StagedUpload | None:
    """Validate, scan and store an upload. Its bytes are deleted when the stack unwinds, unless they are attached then.

    Raises `Invalid` and `Unavailable`.
    """
    if upload is None:
        return None
    sanitized = validate_and_sanitize(upload)
    # Checked again once the rows are locked; this check saves the upload to the storage.
    limits.require_room(session_id=session_id, member_id=member_id, size=sanitized.size, asked_by=by, instead_of=old)
    file = stack.enter_context(stored_files.staged(sanitized, scanned=_scan(sanitized)))
    return StagedUpload(file=file, name=sanitized.name)


def _scan(upload: Upload) -> bool:
    """Whether the virus scanner has found the upload clean; false without a scanner, or while it does not answer.

    Raises `Invalid` for `file` if there is a virus.
    """
    if not scanner.is_scanner_configured():
        return False
    release_connection()
    try:
        virus = scanner.find_virus(upload.content)
    except (scanner.ScannerUnavailable, scanner.NoVerdict):
        logger.exception("A file waits for the virus scanner")
        return False
    if virus:
        raise Invalid({"file": [f"The virus scanner has found {virus} in this file."]})
    return True


def _get_material(*, session_id: int, material_id: int) -> Material:
    material = Material.objects.select_related("file").filter(pk=material_id, session_id=session_id).first()
    if material is None:
        raise NotFound("There is no such material in this session.")
    return material


def _lock_material(*, session_id: int, material_id: int, access: events.SessionAccess, by: User) -> Material:
    # Who may not see the materials does not learn which there are.
    policy.require_reading(access)
    material = Material.objects.select_for_update().filter(pk=material_id, session_id=session_id).first()
    if material is None:
        raise NotFound("There is no such material in this session.")
    policy.require_changing(access, uploader_id=material.uploaded_by_id, member=by)
    return material


def _clean_values(
    type: str,  # noqa: A002  (the contract's name)
    *,
    url: str | None,
    content: str | None,
    upload: "File[bytes] | None",
    has_file: bool,
) -> dict[str, str]:
    """The values that belong to the type, checked. Raises `Invalid`.

    Clients send whole objects back, so a text that does not belong is passed over; but nobody sends a file back.
    """
    if upload is not None and type != Material.Type.FILE:
        raise Invalid({"file": [f"A {type} has no file."]})
    if type == Material.Type.LINK:
        return {} if url is None else {"url": validate_url(url)}
    if type == Material.Type.NOTE:
        return {} if content is None else {"content": validate_note(content)}
    if upload is None and not has_file:
        raise Invalid({"file": ["Send a file, in a form (multipart/form-data)."]})
    return {}


def _require_type(material: Material, type: str | None) -> None:  # noqa: A002  (the contract's name)
    """Raises `Invalid` for `type` where it would change."""
    if type is not None and type != material.type:
        raise Invalid({"type": [f"A {material.type} stays a {material.type}: add another material instead."]})


def _apply(material: Material, values: dict[str, str]) -> Changes:
    """Set the values on the material and return those that differ. Raises `Invalid` where a note has no room."""
    changes = {name: (before, after) for name, after in values.items() if (before := getattr(material, name)) != after}
    if "content" in changes:
        limits.require_room_for_note(
            session_id=material.session_id, content=values["content"], instead_of=material.content
        )
    for name, (_, after) in changes.items():
        setattr(material, name, after)
    return changes


def _require_room(material: Material, file: StoredFile, *, by: User) -> None:
    """Check the limits of the session and of the uploader, who stays locked until the transaction ends.

    Raises `Invalid` for `file`.
    """
    lock_member(material.uploaded_by_id)
    limits.require_room(
        session_id=material.session_id,
        member_id=material.uploaded_by_id,
        size=file.size,
        asked_by=by,
        instead_of=material.file,
    )


def _publish_added(material: Material, *, by: User) -> None:
    fact = events.MaterialAdded(
        material_id=material.pk, session_id=material.session_id, title=material.title, uploader_id=by.pk
    )
    publish(fact, by=by)


def _publish_changed(material: Material, changes: Changes, *, by: User) -> None:
    fact = events.MaterialChanged(material_id=material.pk, session_id=material.session_id, title=material.title)
    publish(fact, by=by, changes=changes)


def _replace_file(material: Material, file: StoredFile) -> Changes:
    """Attach other bytes to a material and return what has changed.

    The same bytes again are no change: the staged ones are not attached, and so deleted.
    """
    before = material.file
    if before is None or before.sha256 == file.sha256:
        return {}
    material.file = file
    stored_files.attach(file)
    stored_files.schedule_deletion([before.pk])
    return {name: (getattr(before, name), getattr(file, name)) for name in ("sha256", "size", "content_type")}


def _remove(material: Material, *, by: User | None, reason: str) -> None:
    fact = events.MaterialRemoved(
        material_id=material.pk,
        session_id=material.session_id,
        title=material.title,
        uploader_id=material.uploaded_by_id,
    )
    _delete([material])
    publish(fact, by=by, reason=reason)


def _delete(materials: list[Material]) -> None:
    Material.objects.filter(pk__in=[material.pk for material in materials]).delete()
    stored_files.schedule_deletion([material.file_id for material in materials if material.file_id is not None])
