"""Request bodies that are JSON or a form, for the operations that accept both (docs/contract.md, "Materials")."""

from typing import IO, TypeVar, cast

import pydantic
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.http.request import UnreadablePostError
from django.utils.datastructures import MultiValueDict

from core.errors import Invalid, Unavailable
from core.http.error_responses import convert_validation_error
from core.http.json import MalformedBody, UnsupportedContentType, decode
from core.http.multipart import FormParser, NotUtf8
from core.storages import CANNOT_BE_STORED

FORM_CONTENT_TYPE = "multipart/form-data"
FILE_FIELD = "file"

Body = TypeVar("Body", bound=pydantic.BaseModel)


def read_json_or_form(request: HttpRequest, schema: type[Body]) -> tuple[Body, UploadedFile | None]:
    """Parse and validate the body; return it with the uploaded `file`, if there is one.

    Works for any method, while Django parses forms of POST requests only. Raises `UnsupportedContentType`,
    `MalformedBody`, `Invalid` (also for more than one file), and `Unavailable` if the file cannot be written to the
    temporary folder.
    """
    file: UploadedFile | None = None
    if request.content_type == FORM_CONTENT_TYPE:
        values: object
        values, file = _read_form(request)
    elif request.content_type == "application/json":
        values = decode(request.body)
    else:
        raise UnsupportedContentType("Send this body as multipart/form-data or application/json.")
    if not isinstance(values, dict):
        raise MalformedBody("The body must be a JSON object.")
    try:
        return schema.model_validate(values), file
    except pydantic.ValidationError as error:
        raise convert_validation_error(error) from None


def _read_form(request: HttpRequest) -> tuple[dict[str, str], UploadedFile | None]:
    """Return its text fields and its `file`. Raises `Invalid`, and what Django raises for a malformed form."""
    try:
        form, files = _parse_form(request)
    except NotUtf8 as error:
        raise Invalid({name: ["Send this text in UTF-8."] for name in error.fields}) from None
    # Django closes these with the request, like those of a form that it has parsed itself.
    request._files = files  # type: ignore[attr-defined]
    found = files.getlist(FILE_FIELD)
    if len(found) > 1:
        raise Invalid({FILE_FIELD: ["Send one file, not several."]})
    values = {name: str(value) for name, value in form.dict().items() if name != FILE_FIELD}
    return values, found[0] if found else None


def _parse_form(request: HttpRequest) -> tuple[QueryDict, MultiValueDict[str, UploadedFile]]:
    stream = cast(IO[bytes], request)
    try:
        return FormParser(request.META, stream, request.upload_handlers, file_field=FILE_FIELD).parse()
    except BaseException as error:
        # Django closes complete files only; an incomplete one would stay open until it is garbage-collected.
        for handler in request.upload_handlers:
            if unfinished := getattr(handler, "file", None):
                unfinished.close()
        if isinstance(error, OSError) and not isinstance(error, UnreadablePostError):
            # The temporary folder is full, or not writable.
            raise Unavailable(CANNOT_BE_STORED) from error
        raise
