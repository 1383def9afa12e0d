"""What is logged of requests and mails whose links carry a token: everything but the token."""

import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.servers.basehttp import WSGIRequestHandler
from django.test import Client, RequestFactory

from core.api import api
from core.logs import TokenFilter

SECRET = "q7Hk2VZx.b3Jx9Lw-_8"
FEED = f"/api/sessions/calendar.ics?token={SECRET}"


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """What the process writes while the test runs, by the handler that it really has."""
    (handler,) = (each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler)
    stream = StringIO()
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before)


def crash(*_: object, **__: object) -> None:
    raise RuntimeError(f"http://testserver{FEED} cannot be read")


# --- What the product and Django log of a request -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", FEED, 404),
        ("HEAD", FEED, 404),
        ("GET", f"/unsubscribe-from-nothing/?token={SECRET}", 404),
        ("GET", f"/api/nothing/?a=b&token={SECRET}", 404),
        ("POST", FEED, 405),
        ("DELETE", FEED, 405),
    ],
)
def test_an_error_of_a_client_is_logged_without_the_token(
    db: None, logged: StringIO, method: str, path: str, status: int
) -> None:
    assert Client().generic(method, path).status_code == status

    assert path.split("?", maxsplit=1)[0] in logged.getvalue()
    assert SECRET not in logged.getvalue()


def test_a_crash_is_logged_without_the_token(db: None, logged: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.sessions.calendar_feeds.feed_of_token", crash)

    response = Client(raise_request_exception=False).get(FEED)

    assert response.status_code == 500
    assert SECRET not in response.content.decode()
    assert "GET /api/sessions/calendar.ics crashed" in logged.getvalue()
    assert "RuntimeError: http://testserver/api/sessions/calendar.ics?token=[redacted] cannot be read" in (
        logged.getvalue()
    )
    assert SECRET not in logged.getvalue()


def test_a_crash_outside_the_api_is_logged_without_the_token(logged: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.health.HealthMiddleware.__call__", crash)

    response = Client(raise_request_exception=False).get(f"/?token={SECRET}")

    assert response.status_code == 500
    assert "Internal Server Error: /" in logged.getvalue()
    assert SECRET not in logged.getvalue()


def test_the_development_server_logs_no_token(logged: StringIO) -> None:
    request_line = f"GET {FEED} HTTP/1.1"
    handler = WSGIRequestHandler.__new__(WSGIRequestHandler)
    handler.request = None
    handler.log_message('"%s" %s %s', request_line, "200", "512")

    assert '"GET /api/sessions/calendar.ics?token=[redacted] HTTP/1.1" 200 512' in logged.getvalue()
    assert SECRET not in logged.getvalue()


# --- What anybody may log -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "arguments", "expected"),
    [
        (f"read {FEED}", (), "read /api/sessions/calendar.ics?token=[redacted]"),
        ("read %s", (FEED,), "read /api/sessions/calendar.ics?token=[redacted]"),
        ("read %(path)s", ({"path": FEED},), "read /api/sessions/calendar.ics?token=[redacted]"),
        ("token=%s", (SECRET,), "token=[redacted]"),
        ("/reset-password?uid=MQ&token=%s&next=/me", (SECRET,), "/reset-password?uid=MQ&token=[redacted]&next=/me"),
        (
            "/login?next=%%2Funsubscribe%%2F%%3Ftoken%%3D%s",
            (SECRET,),
            "/login?next=%2Funsubscribe%2F%3Ftoken%3D[redacted]",
        ),
        ('<a href="/unsubscribe/?TOKEN=%s">', (SECRET,), '<a href="/unsubscribe/?TOKEN=[redacted]">'),
        ("%s", ({"token": SECRET, "a": "b"},), "{'token': '[redacted]', 'a': 'b'}"),
        ("%r", (RequestFactory().get(FEED),), "<WSGIRequest: GET '/api/sessions/calendar.ics?token=[redacted]'>"),
        ("%r", (RequestFactory().get(FEED).GET,), "<QueryDict: {'token': ['[redacted]']}>"),
        ("%d%% done, no token at all", (50,), "50% done, no token at all"),
        ("token= is empty", (), "token= is empty"),
    ],
)
def test_a_token_is_taken_out_of_every_message(logged: StringIO, message: str, arguments: Any, expected: str) -> None:
    logging.getLogger("some.library").warning(message, *arguments)

    assert logged.getvalue().removesuffix("\n").endswith(f"WARNING some.library [-] {expected}")


def test_the_queue_logs_no_token(logged: StringIO) -> None:
    logging.getLogger("huey").error("Unhandled exception in task %s", FEED)

    assert "token=[redacted]" in logged.getvalue()
    assert SECRET not in logged.getvalue()


def test_a_traceback_and_a_stack_have_none(logged: StringIO) -> None:
    logger = logging.getLogger("some.library")
    try:
        try:
            crash()
        except RuntimeError as error:
            raise ValueError(f"token={SECRET}") from error
    except ValueError:
        logger.exception("failed")
        logger.exception("failed again", stack_info=True)

    assert logged.getvalue().count("ValueError: token=[redacted]") == 2
    assert "Stack (most recent call last)" in logged.getvalue()
    assert SECRET not in logged.getvalue()


def test_a_message_that_does_not_fit_its_arguments_is_left_to_those_who_report_it() -> None:
    record = logging.LogRecord("some.library", logging.WARNING, __file__, 1, "%d and %s", ("one",), None)

    assert TokenFilter().filter(record) is True
    assert (record.msg, record.args) == ("%d and %s", ("one",))


def test_every_handler_takes_tokens_out() -> None:
    for name, handler in settings.LOGGING["handlers"].items():
        assert "tokens" in handler["filters"], name


def test_a_crash_tells_its_request_by_the_path_alone(logged: StringIO) -> None:
    response = api.on_exception(RequestFactory().get(FEED), RuntimeError("no"))

    assert response.status_code == 500
    assert "GET /api/sessions/calendar.ics crashed" in logged.getvalue()
    assert SECRET not in logged.getvalue()
