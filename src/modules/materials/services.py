"""Changes to what sessions share (docs/contract.md, "Materials")."""

import logging
from contextlib import ExitStack
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
from modules.materials.links import check_url
from modules.materials.models import Material, StoredFile
from modules.materials.uploads import Upload, inspect

logger = logging.getLogger(__name__)

MOST_CHARACTERS_IN_NOTE = 50_000


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
    values = _own_values(type, url=url, content=content, upload=upload, stored_already=False)
    # Asked again once the session is locked; but what is too much need not be sent anywhere.
    limits.require_room_for_another(session_id=session_id)
    with ExitStack() as stack:
        file, inspected = _store(stack, upload, session_id=session_id, member_id=by.pk, by=by)
        with transaction.atomic():
            policy.require_adding(policy.access_of(session_id=session_id, member=by, to_add=True))
            limits.require_room_for_another(session_id=session_id)
            limits.require_room_for_note(session_id=session_id, content=values.get("content", ""))
            if file:
                lock_member(by.pk)
                limits.require_room(session_id=session_id, member_id=by.pk, size=file.size, asked_by=by)
            material = Material.objects.create(
                session_id=session_id,
                title=title,
                type=type,
                file=file,
                file_name=inspected.name if inspected else "",
                uploaded_by=by,
                uploaded_at=clock.now(),
                **values,
            )
            if file:
                stored_files.link(file)
            publish(
                events.MaterialAdded(
                    material_id=material.pk, session_id=session_id, title=material.title, uploader_id=by.pk
                ),
                by=by,
            )
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
        file, inspected = None, None
        if upload is not None:
            replaced = _found(session_id=session_id, material_id=material_id)
            file, inspected = _store(
                stack,
                upload,
                session_id=session_id,
                member_id=replaced.uploaded_by_id,
                by=by,
                instead_of=replaced.file,
            )
        with transaction.atomic():
            # Of what takes more room, nobody adds more at the same time.
            access = policy.access_of(session_id=session_id, member=by, to_add=upload is not None or bool(content))
            material = _locked(session_id=session_id, material_id=material_id, access=access, by=by)
            if type is not None and type != material.type:
                raise Invalid({"type": [f"A {material.type} stays a {material.type}: add another material instead."]})
            values: dict[str, Any] = _own_values(
                material.type, url=url, content=content, upload=upload, stored_already=True
            )
            if title is not None:
                values["title"] = title
            if file and inspected:
                policy.require_open(access)
                values["file_name"] = inspected.name
            changes = {name: (getattr(material, name), value) for name, value in values.items()}
            changes = {name: (before, after) for name, (before, after) in changes.items() if before != after}
            if "content" in changes:
                limits.require_room_for_note(
                    session_id=session_id, content=values["content"], instead_of=material.content
                )
            for name, (_, after) in changes.items():
                setattr(material, name, after)
            if file:
                lock_member(material.uploaded_by_id)
                limits.require_room(
                    session_id=session_id,
                    member_id=material.uploaded_by_id,
                    size=file.size,
                    asked_by=by,
                    instead_of=material.file,
                )
                changes |= _replace_file(material, file)
            if changes:
                material.save()
                publish(
                    events.MaterialChanged(material_id=material.pk, session_id=session_id, title=material.title),
                    by=by,
                    changes=changes,
                )
    return material


def remove_material(*, session_id: int, material_id: int, by: User, reason: str = "") -> None:
    """Take a material back; its bytes go with it. Who added it reads the reason, where somebody else removes it.

    Raises `NotFound` and `Forbidden`.
    """
    with transaction.atomic():
        access = policy.access_of(session_id=session_id, member=by)
        material = _locked(session_id=session_id, material_id=material_id, access=access, by=by)
        _remove(material, by=by, reason=reason.strip())


def withdraw_file(*, file_id: int, reason: str) -> bool:
    """Take the material back that has a file which cannot be kept; who added it reads the reason. False for none."""
    with transaction.atomic():
        material = Material.objects.select_for_update().filter(file=file_id).first()
        if material is not None:
            _remove(material, by=None, reason=reason)
    return material is not None


def drop_materials_of_session(*, session_id: int) -> None:
    """Let go of everything that a session shared, when the session itself is gone."""
    with transaction.atomic():
        _delete(list(Material.objects.select_for_update().filter(session_id=session_id).order_by("pk")))


def _store(
    stack: ExitStack,
    upload: "File[bytes] | None",
    *,
    session_id: int,
    member_id: int,
    by: User,
    instead_of: StoredFile | None = None,
) -> tuple[StoredFile | None, Upload | None]:
    """The bytes in place until the stack unwinds, or for good if they are linked by then.

    Raises `Invalid` and `Unavailable`.
    """
    if upload is None:
        return None, None
    inspected = inspect(upload)
    # Asked again once the rows are locked; but what is too much need not be sent anywhere.
    limits.require_room(
        session_id=session_id, member_id=member_id, size=inspected.size, asked_by=by, instead_of=instead_of
    )
    scanned = _passes_the_scanner(inspected)
    return stack.enter_context(stored_files.stored(inspected, scanned=scanned)), inspected


def _passes_the_scanner(upload: Upload) -> bool:
    """False where nobody can tell: without a scanner, or while it does not answer. Raises `Invalid` for a virus."""
    if not scanner.is_scanning():
        return False
    release_connection()
    try:
        virus = scanner.virus_in(upload.content)
    except (scanner.ScannerUnavailable, scanner.NoVerdict):
        logger.exception("A file waits for the virus scanner")
        return False
    if virus:
        raise Invalid({"file": [f"The virus scanner has found {virus} in this file."]})
    return True


def _found(*, session_id: int, material_id: int) -> Material:
    material = Material.objects.select_related("file").filter(pk=material_id, session_id=session_id).first()
    if material is None:
        raise NotFound("There is no such material in this session.")
    return material


def _locked(*, session_id: int, material_id: int, access: events.SessionAccess, by: User) -> Material:
    # Who may not see the materials does not learn which there are.
    policy.require_reading(access)
    material = Material.objects.select_for_update().filter(pk=material_id, session_id=session_id).first()
    if material is None:
        raise NotFound("There is no such material in this session.")
    policy.require_changing(access, uploader_id=material.uploaded_by_id, member=by)
    return material


def _own_values(
    type: str,  # noqa: A002  (the contract's name)
    *,
    url: str | None,
    content: str | None,
    upload: "File[bytes] | None",
    stored_already: bool,
) -> dict[str, str]:
    """The values that belong to the type, checked. Raises `Invalid`.

    Clients send whole objects back, so a text that does not belong is passed over; but nobody sends a file back.
    """
    if upload is not None and type != Material.Type.FILE:
        raise Invalid({"file": [f"A {type} has no file."]})
    if type == Material.Type.LINK:
        return {} if url is None else {"url": check_url(url)}
    if type == Material.Type.NOTE:
        return {} if content is None else {"content": _check_content(content)}
    if upload is None and not stored_already:
        raise Invalid({"file": ["Send a file, in a form (multipart/form-data)."]})
    return {}


def _check_content(content: str) -> str:
    # A browser's form sends line ends of its own.
    content = content.replace("\r\n", "\n")
    if not content.strip():
        raise Invalid({"content": ["A note needs a content."]})
    if len(content) > MOST_CHARACTERS_IN_NOTE:
        raise Invalid({"content": [f"At most {MOST_CHARACTERS_IN_NOTE} characters."]})
    return content


def _replace_file(material: Material, file: StoredFile) -> dict[str, tuple[Any, Any]]:
    """Give a material other bytes, and return what has changed. The same bytes again are no change: those that came
    are not linked, and so go."""
    before = material.file
    if before is None or before.sha256 == file.sha256:
        return {}
    material.file = file
    stored_files.link(file)
    stored_files.release([before.pk])
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
    stored_files.release([material.file_id for material in materials if material.file_id is not None])
