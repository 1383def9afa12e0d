"""Bodies that come as JSON or as a form, for the paths that take both (docs/contract.md, "Materials")."""

from typing import IO, TypeVar, cast

import pydantic
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser

from core.http.error_responses import invalid
from core.http.json import MalformedBody, UnsupportedContentType, decode

Body = TypeVar("Body", bound=pydantic.BaseModel)


def read_json_or_form(request: HttpRequest, kind: type[Body]) -> tuple[Body, UploadedFile | None]:
    """The validated body and the uploaded `file`, if there is one; a form's text fields are read like JSON's.

    Works for any method (Django itself parses a form of a POST alone).
    Raises `UnsupportedContentType`, `MalformedBody` and `Invalid`.
    """
    file: UploadedFile | None = None
    if request.content_type == "multipart/form-data":
        stream = cast(IO[bytes], request)
        form, files = MultiPartParser(request.META, stream, request.upload_handlers, request.encoding).parse()
        # Django closes them with the request, as it does for a form that it has parsed itself.
        request._files = files  # type: ignore[attr-defined]
        values: object = form.dict()
        file = files.get("file")
        if isinstance(values, dict):
            values.pop("file", None)
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
