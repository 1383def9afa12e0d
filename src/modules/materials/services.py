"""Changes of materials (docs/contract.md, "Materials")."""

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
    """Add a file, a link or a note. Values that do not belong to the type are ignored, except for a file.

    Must not be called within a transaction, whose rollback would leave the bytes.
    Raises `NotFound`, `Forbidden`, `StateForbids`, `Invalid` and `Unavailable`.
    """
    values = _clean_values(type, url=url, content=content, upload=upload, has_file=False)
    # Before the upload; checked again once the session is locked.
    limits.require_room_for_another(session_id=session_id)
    with ExitStack() as stack:
        staged = _stage(stack, upload, session_id=session_id, member_id=by.pk, by=by)
        with transaction.atomic():
            policy.require_adding(policy.get_access(session_id=session_id, member=by, lock_session=True))
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
    """Change a material; `None` leaves a field unchanged, and values that do not belong to the type are ignored.

    A new file replaces the old one, which is deleted. It is accepted only while materials can be added; texts can
    always be changed. Must not be called within a transaction, whose rollback would leave the bytes.
    Raises `NotFound`, `Forbidden`, `StateForbids`, `Invalid` and `Unavailable`.
    """
    with ExitStack() as stack:
        staged = None
        if upload is not None:
            old = _get_material(session_id=session_id, material_id=material_id)
            staged = _stage(stack, upload, session_id=session_id, member_id=old.uploaded_by_id, by=by, old=old.file)
        with transaction.atomic():
            # What counts towards a quota needs the lock of the session.
            access = policy.get_access(
                session_id=session_id, member=by, lock_session=upload is not None or bool(content)
            )
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
    """Delete a material and its file. The uploader reads the reason if somebody else removes it.

    Raises `NotFound` and `Forbidden`.
    """
    with transaction.atomic():
        access = policy.get_access(session_id=session_id, member=by)
        material = _lock_material(session_id=session_id, material_id=material_id, access=access, by=by)
        _remove(material, by=by, reason=reason.strip())


def remove_material_of_file(*, file_id: int, reason: str) -> bool:
    """Delete the material of a lost or infected file; its uploader reads the reason. Returns whether it had one."""
    with transaction.atomic():
        material = Material.objects.select_for_update().filter(file=file_id).first()
        if material is not None:
            _remove(material, by=None, reason=reason)
    return material is not None


def delete_materials_of_session(*, session_id: int) -> None:
    """Delete all materials of a deleted session, without publishing facts."""
    with transaction.atomic():
        _delete(list(Material.objects.select_for_update().filter(session_id=session_id).order_by("pk")))


@dataclass(frozen=True, kw_only=True)
class StagedUpload:
    """A staged file, and its name as the uploader called it."""

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
    """Validate, scan and store an upload. The file is deleted when the stack unwinds, unless it is attached by then.

    Raises `Invalid` and `Unavailable`.
    """
    if upload is None:
        return None
    sanitized = validate_and_sanitize(upload)
    # Before the upload; checked again once the rows are locked.
    limits.require_room(session_id=session_id, member_id=member_id, size=sanitized.size, by=by, replaced=old)
    file = stack.enter_context(stored_files.staged(sanitized, scanned=_scan(sanitized)))
    return StagedUpload(file=file, name=sanitized.name)


def _scan(upload: Upload) -> bool:
    """Return whether the virus scanner found no virus; false if there is no scanner, or no verdict.

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
    # First, so that the ids of materials are not revealed.
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
    """Validate the values that belong to the type, and return them. Raises `Invalid`.

    Other texts are ignored, since clients send whole objects back; a file is an error.
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
    """Raise `Invalid` for `type` if it would change."""
    if type is not None and type != material.type:
        raise Invalid({"type": [f"A {material.type} stays a {material.type}: add another material instead."]})


def _apply(material: Material, values: dict[str, str]) -> Changes:
    """Set the values on the material and return those that differ. Raises `Invalid` if a note exceeds the quota."""
    changes = {name: (before, after) for name, after in values.items() if (before := getattr(material, name)) != after}
    if "content" in changes:
        limits.require_room_for_note(
            session_id=material.session_id, content=values["content"], replaced=material.content
        )
    for name, (_, after) in changes.items():
        setattr(material, name, after)
    return changes


def _require_room(material: Material, file: StoredFile, *, by: User) -> None:
    """Check the quotas of the session and of the uploader, who stays locked until the transaction ends.

    Raises `Invalid` for `file`.
    """
    lock_member(material.uploaded_by_id)
    limits.require_room(
        session_id=material.session_id,
        member_id=material.uploaded_by_id,
        size=file.size,
        by=by,
        replaced=material.file,
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
    """Replace the file of a material and return what has changed.

    If the bytes are the same, nothing changes: the staged file is not attached, and so deleted.
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
