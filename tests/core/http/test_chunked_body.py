"""Under WSGI too, a body that comes in chunks is read, and no more of it than is accepted."""

from io import BytesIO
from typing import Any

import orjson
import pytest
from django.conf import settings

from core.wsgi import application

# The handler of a server closes its connection after each request.
pytestmark = pytest.mark.django_db(transaction=True)
MEMBER = {"username": "jane", "email": "jane@example.com", "password": "learn-together"}


def post(body: bytes, **environ: Any) -> tuple[str, Any]:
    """The status line and the body of the answer of a WSGI server's request."""
    answered: list[str] = []
    stream = BytesIO(body)
    response = application(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/api/auth/register/",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": "application/json",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": stream,
            "wsgi.errors": BytesIO(),
            "wsgi.url_scheme": "http",
            **environ,
        },
        lambda status, headers, exc_info=None: answered.append(status),
    )
    content = b"".join(response)
    response.close()  # type: ignore[attr-defined]
    assert len(body) - stream.tell() == max(0, len(body) - settings.REQUEST_MAX_BYTES - 1)
    return answered[0], orjson.loads(content)


def test_a_chunked_body_is_read() -> None:
    status, body = post(orjson.dumps(MEMBER))

    assert status == "201 Created"
    assert body == {"username": "jane", "email": "jane@example.com", "first_name": "", "last_name": ""}


def test_an_empty_one_is_no_body() -> None:
    status, body = post(b"")

    assert status == "400 Bad Request"
    assert body["fields"] == {"body": ["This field is required."]}


def test_one_that_is_too_large_is_cut_off_and_refused() -> None:
    status, body = post(b" " * (settings.REQUEST_MAX_BYTES + 100_000))

    assert status == "413 Request Entity Too Large"
    assert body == {"error": "The body is larger than anything that is accepted here."}


def test_a_body_with_a_length_is_left_alone() -> None:
    content = orjson.dumps(MEMBER)

    status, _ = post(content, HTTP_TRANSFER_ENCODING="", CONTENT_LENGTH=str(len(content)))

    assert status == "201 Created"
