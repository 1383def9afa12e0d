"""JSON in and out: one fast encoder and one strict parser."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from core.errors import DomainError
from core.http.query_string import read_query

# What no answer is larger than, whoever filled up whichever limits: many are made at once, and each is held in memory.
MOST_BYTES = 4 * 1024 * 1024

# Instants are stored in UTC and shown as 2024-01-15T19:00:00Z.
OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


class UnsupportedContentType(DomainError):
    """The body is of a kind that the operation does not take."""


class MalformedBody(DomainError):
    """The body is of the right kind, but cannot be read."""


def encode(content: Any) -> bytes:
    return orjson.dumps(content, option=OPTIONS)


def json_response(content: Any, *, status: int = 200) -> HttpResponse:
    """A finished answer from plain rows, encoded once. Rows must have the declared shape: a test holds them to it."""
    return HttpResponse(encode(content), status=status, content_type="application/json")


def json_response_within_bounds(content: Any, *, shorten: list[Any]) -> HttpResponse:
    """The same, of at most `MOST_BYTES`: the list `shorten`, which is a part of the content, ends earlier where need be
    (and has then lost its end)."""
    body = encode(content)
    excess = len(body) - MOST_BYTES
    if excess > 0:
        while excess > 0 and shorten:
            excess -= len(encode(shorten.pop())) + len(b",")
        body = encode(content)
    return HttpResponse(body, content_type="application/json")


def decode(body: bytes) -> Any:
    """Raises `MalformedBody` for what is no JSON (NaN, lone surrogates and endless nesting included)."""
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
        return read_query(data, lists=list_fields)
