"""Parsing of bodies that are JSON or a form, with any method."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from ninja import NinjaAPI
from pydantic import StrictBool

from core.errors import Invalid
from core.http.body import read_json_or_form
from core.http.error_responses import install_error_handlers
from core.http.json import MalformedBody, UnsupportedContentType
from core.http.schemas import ErrorBody, RequestSchema


class Slide(RequestSchema):
    title: str
    number: int = 0
    shown: StrictBool | None = None


def read(body: bytes, kind: str, *, method: str = "PUT") -> Any:
    return read_json_or_form(RequestFactory().generic(method, "/", body, kind), Slide)


def form(**values: Any) -> bytes:
    return encode_multipart(BOUNDARY, values)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_form_is_parsed_with_any_method(method: str) -> None:
    file = SimpleUploadedFile("a.txt", b"hello")

    slide, found = read(form(title="One", number="3", file=file), MULTIPART_CONTENT, method=method)

    assert slide == Slide(title="One", number=3)
    assert found is not None
    assert (found.name, found.read()) == ("a.txt", b"hello")


def test_a_form_may_have_no_file() -> None:
    assert read(form(title="One"), MULTIPART_CONTENT) == (Slide(title="One"), None)


def test_json_is_parsed() -> None:
    assert read(b'{"title": "One", "number": 3}', "application/json") == (Slide(title="One", number=3), None)


def test_a_text_field_named_file_is_ignored() -> None:
    assert read(form(title="One", file="not a file"), MULTIPART_CONTENT) == (Slide(title="One"), None)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form(number="x"), MULTIPART_CONTENT),
        (b'{"number": "x"}', "application/json"),
        (b'{"title": 1}', "application/json"),
    ],
)
def test_errors_name_the_invalid_fields(body: bytes, kind: str) -> None:
    with pytest.raises(Invalid) as error:
        read(body, kind)

    assert "title" in error.value.fields


@pytest.mark.parametrize("body", [b"[]", b"null", b"{", b'"title"', b"\xff"])
def test_a_body_that_is_not_a_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read(body, "application/json")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/mixed"])
def test_other_content_types_are_refused(kind: str) -> None:
    with pytest.raises(UnsupportedContentType, match=r"multipart/form-data or application/json"):
        read(b"title=One", kind)


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nOne',
        b"--x\r\n\r\n\r\n--x--",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="title"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=\xe9"]
)
def test_a_malformed_form_is_a_400_or_has_no_values(body: bytes, kind: str) -> None:
    api = NinjaAPI(urls_namespace="broken forms")
    install_error_handlers(api)
    request = RequestFactory().generic("POST", "/", body, kind)
    try:
        slide, file = read_json_or_form(request, Slide)
    except Exception as error:
        response = api.on_exception(request, error)
        assert response.status_code == 400
        assert ErrorBody.model_validate_json(response.content).error
    else:
        assert slide.title in {"One", ""}
        assert file is None


def test_a_form_with_too_many_fields_is_a_400(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    api = NinjaAPI(urls_namespace="many fields")
    install_error_handlers(api)
    request = RequestFactory().generic("POST", "/", form(**{f"field{n}": "x" for n in range(11)}), MULTIPART_CONTENT)

    with pytest.raises(Exception) as error:
        read_json_or_form(request, Slide)

    assert api.on_exception(request, error.value).status_code == 400
