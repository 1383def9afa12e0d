"""JSON encoding by orjson, and strict parsing of request bodies and queries."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from core.errors import DomainError
from core.http.query_string import parse_query

# The upper bound of every JSON response, since many responses are in memory at once.
MAX_RESPONSE_BYTES = 4 * 1024 * 1024

# Instants are UTC, as in 2024-01-15T19:00:00Z.
OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


class UnsupportedContentType(DomainError):
    """The operation does not accept this content type."""


class MalformedBody(DomainError):
    """The body cannot be parsed."""


def encode(content: Any) -> bytes:
    return orjson.dumps(content, option=OPTIONS)


def build_json_response(content: Any, *, status: int = 200) -> HttpResponse:
    """Encode plain rows without validating them; a test compares them with the declared schema."""
    return HttpResponse(encode(content), status=status, content_type="application/json")


def build_bounded_json_response(content: Any, *, shorten: list[Any]) -> HttpResponse:
    """Encode at most `MAX_RESPONSE_BYTES`: items are removed from the end of `shorten`, a list within the content."""
    body = encode(content)
    excess = len(body) - MAX_RESPONSE_BYTES
    if excess > 0:
        while excess > 0 and shorten:
            excess -= len(encode(shorten.pop())) + len(b",")
        body = encode(content)
    return HttpResponse(body, content_type="application/json")


def decode(body: bytes) -> Any:
    """Raises `MalformedBody` for invalid JSON, including NaN, lone surrogates and deep nesting."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None


class JsonRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return encode(data)


class JsonParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            raise UnsupportedContentType("Send this body as application/json.")
        content = decode(request.body)
        if not isinstance(content, dict):
            raise MalformedBody("The body must be a JSON object.")
        return content

    def parse_querydict(
        self, data: "MultiValueDict[str, str]", list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        return parse_query(data, lists=list_fields)
