"""Bodies that come as JSON or as a form, for the paths that take both (docs/contract.md, "Materials")."""

from typing import IO, TypeVar, cast

import pydantic
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.http.request import UnreadablePostError
from django.utils.datastructures import MultiValueDict

from core.errors import Invalid, Unavailable
from core.http.error_responses import invalid
from core.http.json import MalformedBody, UnsupportedContentType, decode
from core.http.multipart import FormParser, NotUtf8
from core.storages import CANNOT_BE_STORED

# The content type of a form, and the field of it that holds a file.
FORM = "multipart/form-data"
FILE = "file"

Body = TypeVar("Body", bound=pydantic.BaseModel)


def read_json_or_form(request: HttpRequest, kind: type[Body]) -> tuple[Body, UploadedFile | None]:
    """The validated body and the uploaded `file`, if there is one; a form's text fields are read like JSON's.

    Works for any method (Django itself parses a form of a POST alone). Two files in `file` are one too many.
    Raises `UnsupportedContentType`, `MalformedBody`, `Invalid`, and `Unavailable` where the temporary folder takes no
    more.
    """
    file: UploadedFile | None = None
    if request.content_type == FORM:
        values: object
        values, file = _read_form(request)
    elif request.content_type == "application/json":
        values = decode(request.body)
    else:
        raise UnsupportedContentType("Send this body as multipart/form-data or application/json.")
    if not isinstance(values, dict):
        raise MalformedBody("The body must be a JSON object.")
    try:
        return kind.model_validate(values), file
    except pydantic.ValidationError as error:
        raise invalid(error) from None


def _read_form(request: HttpRequest) -> tuple[dict[str, str], UploadedFile | None]:
    """Its text fields, and its `file`. Raises `Invalid`, and what Django raises for a form that cannot be read."""
    try:
        form, files = _parse_form(request)
    except NotUtf8 as error:
        raise Invalid({name: ["Send this text in UTF-8."] for name in error.fields}) from None
    # Django closes them with the request, as it does for a form that it has parsed itself.
    request._files = files  # type: ignore[attr-defined]
    found = files.getlist(FILE)
    if len(found) > 1:
        raise Invalid({FILE: ["Send one file, not several."]})
    values = {name: str(value) for name, value in form.dict().items() if name != FILE}
    return values, found[0] if found else None


def _parse_form(request: HttpRequest) -> tuple[QueryDict, MultiValueDict[str, UploadedFile]]:
    stream = cast(IO[bytes], request)
    try:
        return FormParser(request.META, stream, request.upload_handlers, file_field=FILE).parse()
    except BaseException as error:
        # Django closes the files that are complete; what came in half would lie there until it is collected.
        for handler in request.upload_handlers:
            if unfinished := getattr(handler, "file", None):
                unfinished.close()
        if isinstance(error, OSError) and not isinstance(error, UnreadablePostError):
            # The folder for what is on its way in is full, or cannot be written to.
            raise Unavailable(CANNOT_BE_STORED) from error
        raise
