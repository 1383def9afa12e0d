"""Materials over HTTP (docs/contract.md, "Materials")."""

from contextlib import AbstractContextManager, nullcontext

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Path, Router

from core.accounts.authentication import MemberRequest
from core.database.connections import release_connection
from core.errors import NotFound
from core.http.body import FORM_CONTENT_TYPE, read_json_or_form
from core.http.json import build_json_response
from core.http.origin import get_origin
from core.http.schemas import Identifier, declare_responses
from core.http.upload_slots import upload_slot
from modules.materials import policy, queries, services
from modules.materials.file_types import can_be_shown_inline
from modules.materials.files import stored_files
from modules.materials.files.download_urls import build_storage_url
from modules.materials.files.response import ServedFile, build_file_response
from modules.materials.schemas import MaterialChanges, MaterialIn, MaterialOut, json_or_form
from modules.materials.uploads import BoundedUploadHandler

router = Router(tags=["Materials"])
files_router = Router(tags=["Materials"])

SessionId = Path[Identifier]
MaterialId = Path[Identifier]

# Scripts in a file never run; pictures, audio and video can be shown.
CONTENT_SECURITY_POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.get(
    "",
    response=declare_responses(200, list[MaterialOut], 401, 403, 404),
    operation_id="list_materials",
    summary="What a session shares",
)
def list_materials(request: MemberRequest, session_id: SessionId) -> HttpResponse:
    """The oldest first, as a bare array. For the creator, the approved participants and moderators; 403 for others."""
    rows = queries.list_materials(session_id=session_id, viewer=request.auth, origin=get_origin(request))
    return build_json_response(rows)


@router.post(
    "",
    response=declare_responses(201, MaterialOut, 400, 401, 403, 404, 408, 413, 415, 429),
    operation_id="add_material",
    summary="Share a file, a link or a note",
    openapi_extra=json_or_form(
        MaterialIn,
        json={"title": "Python Documentation", "type": "link", "url": "https://docs.python.org/3/"},
        form={"title": "Python Basics PDF", "type": "file", "file": "(the bytes of python_basics.pdf)"},
    ),
)
def add_material(request: MemberRequest, session_id: SessionId) -> HttpResponse:
    """For the creator and the tutors of a session, until it is cancelled or expired.

    A `file` comes as a form (`multipart/form-data`) with the file in `file`; its type is decided from its bytes, and
    400 with `fields.file` says what is accepted, or how much room is left. 503 where the storage does not answer:
    nothing was kept then. A `link` needs a `url`, a `note` a `content`; either may come as JSON or as a form. What does
    not belong to the type is ignored.
    """
    access = policy.get_access(session_id=session_id, member=request.auth)
    policy.require_adding(access)
    _bound_upload(request)
    with _reserve_upload_slot(request):
        payload, upload = read_json_or_form(request, MaterialIn)
        material = services.add_material(
            session_id=session_id,
            by=request.auth,
            title=payload.title,
            type=payload.type,
            url=payload.url or "",
            content=payload.content or "",
            upload=upload,
        )
    row = queries.get_material_row(
        session_id=session_id, material_id=material.pk, audience=access.audience, origin=get_origin(request)
    )
    return build_json_response(row, status=201)


@router.get(
    "{int:material_id}/",
    response=declare_responses(200, MaterialOut, 401, 403, 404),
    operation_id="get_material",
    summary="One material",
)
def get_material(request: MemberRequest, session_id: SessionId, material_id: MaterialId) -> HttpResponse:
    """As in the list; a way to a new address of its file when the old one has run out."""
    row = queries.get_material(
        session_id=session_id, material_id=material_id, viewer=request.auth, origin=get_origin(request)
    )
    return build_json_response(row)


@router.put(
    "{int:material_id}/",
    response=declare_responses(200, MaterialOut, 400, 401, 403, 404, 408, 413, 415, 429),
    operation_id="change_material",
    summary="Change a material",
    openapi_extra=json_or_form(
        MaterialChanges,
        json={"title": "Python Documentation, 3.13", "url": "https://docs.python.org/3.13/"},
        form={"title": "Python Basics, second edition", "file": "(the bytes of python_basics_2.pdf)"},
    ),
)
def change_material(request: MemberRequest, session_id: SessionId, material_id: MaterialId) -> HttpResponse:
    """For who added it, while they are still the creator or a tutor, for the creator of the session and for moderators.

    Takes any part of a material, as JSON or as a form; a whole one as it was read may be sent back. The `type` cannot
    change. A new `file` (in a form) replaces the old one, and is taken only where one could be added; the rest can be
    corrected whatever the state of the session.
    """
    access = policy.get_access(session_id=session_id, member=request.auth)
    policy.require_reading(access)
    uploader_id = queries.get_uploader_id(session_id=session_id, material_id=material_id)
    policy.require_changing(access, uploader_id=uploader_id, member=request.auth)
    _bound_upload(request)
    with _reserve_upload_slot(request):
        payload, upload = read_json_or_form(request, MaterialChanges)
        services.change_material(
            session_id=session_id,
            material_id=material_id,
            by=request.auth,
            upload=upload,
            **payload.model_dump(exclude_none=True),
        )
    row = queries.get_material_row(
        session_id=session_id, material_id=material_id, audience=access.audience, origin=get_origin(request)
    )
    return build_json_response(row)


@router.delete(
    "{int:material_id}/",
    response=declare_responses(204, None, 401, 403, 404),
    operation_id="delete_material",
    summary="Delete a material",
)
def delete_material(request: MemberRequest, session_id: SessionId, material_id: MaterialId) -> HttpResponse:
    """For those who may change it. Its file goes with it, and so does the file's address."""
    services.remove_material(session_id=session_id, material_id=material_id, by=request.auth)
    return HttpResponse(status=204)


@files_router.api_operation(["HEAD"], "{token}/", auth=None, include_in_schema=False)
@files_router.get(
    "{token}/",
    auth=None,
    response=declare_responses(200, None, 403, 404, 412, 416),
    operation_id="get_file",
    url_name="get_file",
    summary="The bytes of a file",
    openapi_extra={
        "responses": {
            200: {"description": "The file, of its own content type.", "content": BYTES},
            206: {"description": "The part that `Range` asks for, one at a time.", "content": BYTES},
            302: {"description": "The file lies in a storage with addresses of its own; `Location` is the one there."},
            304: {"description": "The file is the one that the asker has, as `If-None-Match` says."},
        }
    },
)
def get_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Behind the `file` of a material; needs no token of a member. 403 once the address has run out, 404 for one that
    never was or whose material is gone, 503 for a file that waits for the virus scanner. An attachment, unless it is an
    image, audio or video. Takes `Range`, so that a video can be wound, and the conditions of `ETag` and
    `Last-Modified`."""
    try:
        return _build_response(request, token)
    except NotFound:
        # It may have been moved to another storage since the row was read.
        return _build_response(request, token)


def _build_response(request: HttpRequest, token: str) -> HttpResponseBase:
    file, file_token = queries.get_file_by_token(token)
    file_name = file.material.file_name
    storage_url = build_storage_url(file, file_name=file_name)
    if storage_url:
        return HttpResponse(status=302, headers={"Location": storage_url, "Cache-Control": "no-store"})
    content = stored_files.open_file(file)
    # A slow client must not hold a database connection.
    release_connection()
    served = ServedFile(
        content=content,
        size=file.size,
        content_type=file.content_type,
        file_name=file_name,
        is_attachment=not can_be_shown_inline(file.content_type),
        sha256=file.sha256,
        stored_at=file.created_at,
    )
    return build_file_response(
        request,
        served,
        headers={
            "Cache-Control": f"private, max-age={file_token.seconds_left}",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            # The frontend embeds files from another origin.
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _reserve_upload_slot(request: MemberRequest) -> AbstractContextManager[None]:
    """Reserve a slot for a form, which may have a file; JSON needs none."""
    return upload_slot(request.auth.pk) if request.content_type == FORM_CONTENT_TYPE else nullcontext()


def _bound_upload(request: HttpRequest) -> None:
    request.upload_handlers = [BoundedUploadHandler(request), *request.upload_handlers]
