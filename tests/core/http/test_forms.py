"""The lenient parser of forms, in the API and where Django itself parses a form."""

from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http.multipartparser import MultiPartParserError
from django.test import Client, RequestFactory

from core.errors import Invalid
from core.http.body import read_json_or_form
from core.http.schemas import RequestSchema

KIND = "multipart/form-data; boundary=x"
NOT_UTF8 = "Send this text in UTF-8."


class Slide(RequestSchema):
    title: str
    text: str = ""


def part(head: bytes, content: bytes) -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


def build_request(*parts: bytes) -> Any:
    return RequestFactory().generic("PUT", "/", b"".join(parts) + b"--x--\r\n", KIND)


def read(*parts: bytes) -> Slide:
    return read_json_or_form(build_request(*parts), Slide)[0]


@pytest.mark.parametrize("charset", [b"zlib", b"nonsense", b"utf-16", b"latin-1", b"idna", b"\xff", b""])
def test_the_charset_of_a_part_is_ignored(charset: bytes) -> None:
    for head in (
        b'name="title"\r\nContent-Type: text/plain; charset=',
        b'name="title"\r\nContent-Type: text/plain;charset*=',
    ):
        assert read(part(head + charset, "Grüße".encode())) == Slide(title="Grüße")


@pytest.mark.parametrize("head", [b"name*=zlib''title", b"name*=UTF-8''title", b'NAME="title"', b"name=title"])
def test_a_field_name_may_be_encoded_or_unquoted(head: bytes) -> None:
    assert read(part(head, b"One")) == Slide(title="One")


@pytest.mark.parametrize(
    "value", ["Grüße".encode("latin-1"), "ü".encode("utf-16"), "日本".encode("shift-jis"), b"\xed\xa0\x80"]
)
def test_a_field_that_is_not_utf8_is_refused_by_name(value: bytes) -> None:
    with pytest.raises(Invalid) as error:
        read(part(b'name="title"', b"One"), part(b'name="text"', value))
    assert error.value.fields == {"text": [NOT_UTF8]}


def test_a_field_whose_name_is_not_utf8_is_ignored() -> None:
    assert read(part(b'name="title"', b"One"), part(b'name="t\xe9xt"', b"Two")) == Slide(title="One")


def test_base64_text_is_decoded_if_it_is_valid() -> None:
    head = b'name="title"\r\nContent-Transfer-Encoding: BASE64'
    assert read(part(head, b"R3LDvMOfZQ==")) == Slide(title="Grüße")
    assert read(part(head, b"R3L")) == Slide(title="R3L")


def test_parts_after_one_without_a_name_are_parsed() -> None:
    nameless = (
        b"--x\r\nContent-Type: text/plain\r\n\r\n" + b'Content-Disposition: form-data; name="text"\r\n\r\nsmuggled\r\n'
    )
    assert read(nameless, part(b'name="title"', b"One")) == Slide(title="One")


@pytest.mark.parametrize(
    ("setting", "head", "error"),
    [
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", b'name="title"', TooManyFieldsSent),
        ("DATA_UPLOAD_MAX_NUMBER_FILES", b'name="file"; filename="a"', TooManyFilesSent),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", b'name="title"', RequestDataTooBig),
    ],
)
def test_exceeding_a_limit_raises_its_error(setting: str, head: bytes, error: type[Exception], settings: Any) -> None:
    setattr(settings, setting, 20)
    with pytest.raises(error):
        read(*[part(head, b"x")] * 21)


@pytest.mark.parametrize("head", [b"", b'filename="a"', b'name="file"; filename=""'])
def test_skipped_parts_count_towards_the_limit(head: bytes, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_NUMBER_FILES = 15, 5
    title = part(b'name="title"', b"One")
    assert read(title, *[part(head, b"")] * 19) == Slide(title="One")
    with pytest.raises(TooManyFieldsSent):
        read(title, *[part(head, b"")] * 20)


def test_headers_beyond_the_size_limit_are_refused() -> None:
    with pytest.raises(MultiPartParserError):
        read(part(b'name="title"; x="' + b"y" * 70_000 + b'"', b"One"))


class SkippingHandler(FileUploadHandler):
    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class StoppingHandler(SkippingHandler):
    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise StopUpload


@pytest.mark.parametrize("handler", [SkippingHandler, StoppingHandler])
def test_a_file_that_a_handler_skips_is_dropped(handler: type[FileUploadHandler]) -> None:
    request = build_request(part(b'name="title"', b"One"), part(b'name="file"; filename="a.txt"', b"hello"))
    request.upload_handlers = [handler(request), *request.upload_handlers]
    assert read_json_or_form(request, Slide) == (Slide(title="One"), None)


# --- Forms that Django parses -------------------------------------------------------------------------------------


def post(*parts: bytes) -> Any:
    body = b"".join(parts) + b"--x--\r\n"
    return Client(raise_request_exception=False).generic("POST", "/admin/login/", body, KIND)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "head",
    [
        b"name*=zlib''username",
        b"name*=nonsense''username",
        b'name="username"\r\nContent-Type: text/plain; charset=zlib',
        b'name="username"; filename*=zlib\'\'x',
    ],
)  # fmt: skip
def test_a_charset_in_a_form_of_the_portal_causes_no_server_error(head: bytes) -> None:
    assert post(part(head, b"john")).status_code == 200


@pytest.mark.django_db
def test_a_form_of_the_portal_that_is_not_utf8_is_a_400() -> None:
    assert post(part(b'name="username"', b"\xe9")).status_code == 400


def test_django_gets_fields_and_files_from_the_parser() -> None:
    request = RequestFactory().generic(
        "POST",
        "/",
        part(b'name="title"', b"One") + part(b'name="a"; filename="caf\xe9"', b"hello") + b"--x--\r\n",
        KIND,
    )
    assert request.POST.dict() == {"title": "One"}
    assert (request.FILES["a"].name, request.FILES["a"].read()) == ("café", b"hello")
