"""Maps errors to HTTP statuses and bodies (docs/contract.md, "Errors"); no other code does.

Every response that is not 2xx is `{"error": "<one sentence>"}`; invalid values add `fields`.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import Any

import pydantic
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.encoding import escape_uri_path
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.errors import ValidationError as ParameterError

from core.errors import (
    DomainError,
    Forbidden,
    Invalid,
    NotAuthenticated,
    NotFound,
    StateForbids,
    TooManyAtOnce,
    Unavailable,
)
from core.http.json import MalformedBody, UnsupportedContentType, build_json_response
from core.http.request_body import BodyStalled

logger = logging.getLogger(__name__)

STATUSES: dict[type[DomainError], int] = {
    Invalid: 400,
    StateForbids: 400,
    MalformedBody: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    BodyStalled: 408,
    UnsupportedContentType: 415,
    TooManyAtOnce: 429,
    Unavailable: 503,
}

# The default message of each status.
STATUS_MESSAGES = {
    400: "The request could not be read.",
    401: "Log in: this needs a valid access token.",
    403: "You may not do this.",
    404: "Not found.",
    405: "This path does not take that method.",
    408: BodyStalled().message,
    412: "What was asked for is no longer as the condition has it.",
    413: "The body is larger than anything that is accepted here.",
    415: "The body is of a kind that is not accepted here.",
    416: "The file has no such part.",
    429: "Too many requests. Try again later.",
    500: "Something went wrong on our side. The X-Request-ID of this answer helps us to find out what.",
    503: "The service is not available right now. Try again later.",
}


def build_error_response(
    status: int, message: str = "", *, fields: Mapping[str, list[str]] | None = None
) -> HttpResponse:
    body: dict[str, Any] = {
        "error": message or STATUS_MESSAGES.get(status, STATUS_MESSAGES[400 if status < 500 else 500])
    }
    if fields:
        body["fields"] = fields
    response = build_json_response(body, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        response["Retry-After"] = "5"
    return response


def build_domain_error_response(error: DomainError) -> HttpResponse:
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    fields = error.fields if isinstance(error, Invalid) else None
    return build_error_response(status, error.message, fields=fields)


def convert_validation_error(error: pydantic.ValidationError) -> Invalid:
    """Convert a validation error of pydantic."""
    return _build_invalid([dict(each) for each in error.errors(include_url=False, include_input=False)], skip=0)


def install_error_handlers(api: NinjaAPI) -> None:
    """Let the API respond to every error in the format of the contract."""

    def on_domain_error(request: HttpRequest, error: Any) -> HttpResponse:
        return build_domain_error_response(error)

    def on_parameter_error(request: HttpRequest, error: Any) -> HttpResponse:
        if any(each["loc"][0] == "path" for each in error.errors):
            return build_error_response(404)
        # The first part of a location is the kind of parameter, the second of a body is the name of the argument.
        return build_domain_error_response(_build_invalid(error.errors, skip=1))

    def on_http_error(request: HttpRequest, error: Any) -> HttpResponse:
        if isinstance(error.__cause__, DomainError):
            return build_domain_error_response(error.__cause__)
        return build_error_response(error.status_code)

    def on_crash(request: HttpRequest, error: Any, status: int = 500) -> HttpResponse:
        logger.error("%s %s crashed", request.method, escape_uri_path(request.path), exc_info=error)
        return build_error_response(status)

    api.add_exception_handler(DomainError, on_domain_error)
    api.add_exception_handler(ParameterError, on_parameter_error)
    api.add_exception_handler(HttpError, on_http_error)
    api.add_exception_handler(Http404, lambda request, error: build_error_response(404))
    api.add_exception_handler(RequestDataTooBig, lambda request, error: build_error_response(413))
    api.add_exception_handler(SuspiciousOperation, lambda request, error: build_error_response(400))
    api.add_exception_handler(MultiPartParserError, lambda request, error: build_error_response(400))
    api.add_exception_handler(UnreadablePostError, lambda request, error: build_error_response(400))
    # The database is down, or a query timed out.
    api.add_exception_handler(OperationalError, partial(on_crash, status=503))
    api.add_exception_handler(InterfaceError, partial(on_crash, status=503))
    api.add_exception_handler(Exception, on_crash)


def _build_invalid(errors: list[dict[str, Any]], *, skip: int) -> Invalid:
    fields: dict[str, list[str]] = defaultdict(list)
    for each in errors:
        location = [str(part) for part in each["loc"][skip:]]
        if location and location[0] in {"payload", "query"}:
            location = location[1:]
        message = _build_message(each)
        name = location[0] if location else "body"
        if message not in fields[name]:
            fields[name].append(message)
    return Invalid(fields)


def _build_message(error: Mapping[str, Any]) -> str:
    """Write a message for users, where that of pydantic is for programmers."""
    context = error.get("ctx", {})
    messages = {
        "missing": "This field is required.",
        "extra_forbidden": "There is nothing of this name.",
        "string_too_short": "This field may not be empty."
        if context.get("min_length") == 1
        else f"At least {context.get('min_length')} characters.",
        "string_too_long": f"At most {context.get('max_length')} characters.",
        "string_type": "Must be text.",
        "int_type": "Must be a whole number.",
        "int_parsing": "Must be a whole number.",
        "int_parsing_size": "Must be a whole number of reasonable size.",
        "int_from_float": "Must be a whole number.",
        "greater_than_equal": f"Must be at least {context.get('ge')}.",
        "less_than_equal": f"Must be at most {context.get('le')}.",
        "literal_error": f"Must be one of {context.get('expected')}.",
        "enum": f"Must be one of {context.get('expected')}.",
        "bool_parsing": "Must be true or false.",
        "bool_type": "Must be true or false.",
        "model_attributes_type": "Must be a JSON object.",
        "model_type": "Must be a JSON object.",
        "dict_type": "Must be a JSON object.",
        "string_unicode": "Must be valid text.",
    }
    kind = error["type"]
    if kind in {"value_error", "assertion_error"} and context.get("error"):
        return str(context["error"])
    return messages.get(kind, str(error["msg"]).rstrip(".") + ".")
