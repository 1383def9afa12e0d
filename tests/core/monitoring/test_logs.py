"""Redaction of secrets in logs."""

import logging
import os
import subprocess
import sys
from collections import UserDict
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.servers.basehttp import WSGIRequestHandler
from django.test import Client, RequestFactory

from core.api import api
from core.monitoring.logs import RedactionFilter

SECRET = "q7Hk2VZx.b3Jx9Lw-_8"
FEED = f"/api/sessions/calendar.ics?token={SECRET}"


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """The output of the configured handler during the test."""
    (handler,) = (each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler)
    stream = StringIO()
    previous = handler.setStream(stream)
    yield stream
    handler.setStream(previous)


def crash(*_: object, **__: object) -> None:
    raise RuntimeError(f"http://testserver{FEED} cannot be read")


# --- Log records of requests --------------------------------------------------------------------------------------


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
def test_a_client_error_is_logged_without_the_token(
    db: None, logged: StringIO, method: str, path: str, status: int
) -> None:
    assert Client().generic(method, path).status_code == status

    assert path.split("?", maxsplit=1)[0] in logged.getvalue()
    assert SECRET not in logged.getvalue()


def test_a_crash_is_logged_without_the_token(db: None, logged: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.sessions.calendar_feeds.get_feed_by_token", crash)

    response = Client(raise_request_exception=False).get(FEED)

    assert response.status_code == 500
    assert SECRET not in response.content.decode()
    assert "GET /api/sessions/calendar.ics crashed" in logged.getvalue()
    assert "RuntimeError: http://testserver/api/sessions/calendar.ics?token=[redacted] cannot be read" in (
        logged.getvalue()
    )
    assert SECRET not in logged.getvalue()


def test_a_crash_outside_the_api_is_logged_without_the_token(logged: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.monitoring.health.HealthMiddleware.__call__", crash)

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


# --- Any log records ----------------------------------------------------------------------------------------------


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
def test_tokens_are_redacted_in_any_message(logged: StringIO, message: str, arguments: Any, expected: str) -> None:
    logging.getLogger("some.library").warning(message, *arguments)

    assert logged.getvalue().removesuffix("\n").endswith(f"WARNING some.library [-] {expected}")


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.q7Hk2VZx-b3Jx9Lw"
SIGNATURE = "q7Hk2VZxb3Jx9Lwq7Hk2VZxb3Jx9Lwq7Hk2VZxb3Jx9"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Authorization: Custom hunter22hunter", "Authorization: [redacted]"),
        ("GET / HTTP/1.1\nCookie: sessionid=hunter22\nHost: x", "GET / HTTP/1.1\nCookie: [redacted]\nHost: x"),
        ("{'Authorization': 'Token hunter22', 'Host': 'x'}", "{'Authorization': '[redacted]', 'Host': 'x'}"),
        ("{'HTTP_AUTHORIZATION': 'hunter22'}", "{'HTTP_AUTHORIZATION': '[redacted]'}"),
        (
            "[(b'authorization', b'Bearer hunter22'), (b'host', b'x')]",
            "[(b'authorization', '[redacted]'), (b'host', b'x')]",
        ),
        ("Unexpected auth - 'Token hunter22'", "Unexpected auth - '[redacted]'"),
        ("Set-Cookie: csrftoken=hunter22; Path=/", "Set-Cookie: [redacted]"),
        ("shown by Bearer hunter22, says x", "shown by Bearer [redacted], says x"),
        ("Basic am9objpodW50ZXIyMg== is wrong", "Basic [redacted] is wrong"),
        (f"{JWT} has run out", "[redacted] has run out"),
        (f"key:1abcde:{SIGNATURE} is bad", "key:1abcde:[redacted] is bad"),
        ('{"password": "hunter22", "username": "x"}', '{"password": "[redacted]", "username": "x"}'),
        ('{"new_password": "a \\"hunter22\\" b", "x": 1}', '{"new_password": "[redacted]", "x": 1}'),
        (
            "<QueryDict: {'password1': ['hunter22', 'hunter22'], 'a': ['b']}>",
            "<QueryDict: {'password1': ['[redacted]'], 'a': ['b']}>",
        ),
        ('{"refresh": "hunter22"}', '{"refresh": "[redacted]"}'),
        ('{"body": "{\\"token\\": \\"hunter22\\"}"}', '{"body": "{\\"token\\": \\"[redacted]\\"}"}'),
        ("username=x&password=hunter22&next=/", "username=x&password=[redacted]&next=/"),
        ("host=x password='hunter22 y' user=z", "host=x password=[redacted] user=z"),
        ("postgres://peer:hunter22@db:5432/x", "postgres://peer:[redacted]@db:5432/x"),
        ("redis://:hunter22@cache/0 refuses", "redis://:[redacted]@cache/0 refuses"),
        ("smtp+tls://peer@x.example:hunt@er22@mail:587", "smtp+tls://peer@x.example:[redacted]@mail:587"),
        ("cloudinary://1234:hunter22@cloud", "cloudinary://1234:[redacted]@cloud"),
        ("https://b.example/x?X-Amz-Signature=hunter22&b=c", "https://b.example/x?X-Amz-Signature=[redacted]&b=c"),
        ("https://c.example/s--hunter22--/v1/x", "https://c.example/s--[redacted]--/v1/x"),
        ("UPDATE x SET password = 'md5$hunter22$22'", "UPDATE x SET password = 'md5$[redacted]'"),
        (
            "[type=too_short, input_value='hunter22', input_type=str]",
            "[type=too_short, input_value=[redacted], input_type=str]",
        ),
    ],
)
def test_secrets_are_redacted_in_any_notation(logged: StringIO, message: str, expected: str) -> None:
    logging.getLogger("some.library").warning("%s", message)
    logging.getLogger("some.library").warning("%s", expected)

    first, second = (part.strip() for part in logged.getvalue().split("WARNING some.library [-] ")[1:])
    # A redacted message is not changed again.
    assert (first.rpartition("\n20")[0], second) == (expected, expected)


@pytest.mark.parametrize(
    "message",
    [
        "Unauthorized: /api/auth/token/refresh/",
        "Forbidden (CSRF token missing.): /admin/login/",
        "Bad Request: /api/auth/password/reset/confirm/",
        "token: This link is not valid or has been used.",
        "The token has no id, and basic authentication is not taken.",
        "https://learn.example:8000/api/sessions/?status=approved&page=2",
        "Mail 7 was not sent: (451, b'4.7.1 Try again later')",
        "10:20:30.123456 INFO core.facts.delivery: accounts.PasswordChanged 12",
        "uid=MQ&subject=keys",
    ],
)
def test_messages_without_secrets_are_logged_as_they_are(logged: StringIO, message: str) -> None:
    logging.getLogger("some.library").warning("%s", message)

    assert logged.getvalue().removesuffix("\n").endswith(f"WARNING some.library [-] {message}")


def test_arguments_that_do_not_match_the_message_are_redacted_one_by_one() -> None:
    message, arguments = "%d and %s, token=hunter22", (f"token={SECRET}", 7)
    record = logging.LogRecord("some.library", logging.WARNING, __file__, 1, message, arguments, None)

    assert RedactionFilter().filter(record) is True
    assert (record.msg, record.args) == ("%d and %s, token=[redacted]", ("token=[redacted]", 7))


@pytest.mark.parametrize(
    "arguments",
    [
        (f"token={SECRET}".encode(), 1),
        (ValueError(f"token={SECRET}"), 1),
        ({"token": SECRET}, 1),
        ([{"headers": {"Authorization": f"Bearer {SECRET}"}}], 1),
        ({"token": SECRET},),
        ({f"token={SECRET}": 1},),
        (UserDict({"nested": {"token": SECRET}}),),
    ],
    ids=repr,
)
def test_the_report_of_arguments_that_do_not_match_has_no_secrets(
    capsys: pytest.CaptureFixture[str], arguments: Any
) -> None:
    record = logging.LogRecord("some.library", logging.WARNING, __file__, 1, "%(none)s %d", arguments, None)
    handler = logging.StreamHandler(StringIO())
    handler.addFilter(RedactionFilter())

    handler.handle(record)

    printed = capsys.readouterr().err
    assert "Arguments: " in printed
    assert "[redacted]" in printed
    assert SECRET not in printed.partition("Message: ")[2]


@pytest.mark.parametrize("shown", ["p\u00e4ss/word+1", "p%C3%A4ss%2Fword%2B1"])
def test_a_configured_secret_is_redacted_in_any_context(shown: str) -> None:
    record = logging.LogRecord("some.library", logging.WARNING, __file__, 1, "it is %s, or so", (shown,), None)

    RedactionFilter(["p\u00e4ss/word+1", "", "so"]).filter(record)

    assert record.getMessage() == "it is [redacted], or so"


def test_all_configured_secrets_are_redacted(tmp_path: Any) -> None:
    secrets = {
        "SECRET_KEY": "k-secret-k-secret-k-secret-k-secret",
        "DATABASE_URL": "postgres://peer:d-secret%40d@127.0.0.1/x",
        "REDIS_URL": "redis://:r-secret-r@127.0.0.1/0",
        "EMAIL_URL": "smtp://peer:e-secret-e@127.0.0.1:25",
        "CLOUDINARY_URL": "cloudinary://1234:c-secret-c@cloud",
        "S3_SECRET_ACCESS_KEY": "s-secret-s",
    }
    code = (
        "import django, logging, sys; django.setup();"
        "logging.error('They are k-secret-k-secret-k-secret-k-secret d-secret@d r-secret-r e-secret-e c-secret-c"
        " s-secret-s')"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            **secrets,
            "DATA_DIR": str(tmp_path),
            "PYTHONPATH": str(settings.CHECKOUT / "src"),
            "DJANGO_SETTINGS_MODULE": "core.settings",
            "LOG_LEVEL": "DEBUG",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"They are{' [redacted]' * 6}\n" in process.stderr


def test_the_queue_logs_no_token(logged: StringIO) -> None:
    logging.getLogger("huey").error("Unhandled exception in task %s", FEED)

    assert "token=[redacted]" in logged.getvalue()
    assert SECRET not in logged.getvalue()


def test_secrets_are_redacted_in_tracebacks_and_stacks(logged: StringIO) -> None:
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


def test_a_message_that_does_not_match_its_arguments_is_left_for_logging_to_report() -> None:
    record = logging.LogRecord("some.library", logging.WARNING, __file__, 1, "%d and %s", ("one",), None)

    assert RedactionFilter().filter(record) is True
    assert (record.msg, record.args) == ("%d and %s", ("one",))


def test_every_handler_has_the_redaction_filter() -> None:
    for name, handler in settings.LOGGING["handlers"].items():
        assert handler["class"] == "logging.NullHandler" or "redaction" in handler["filters"], name


def test_a_crash_is_logged_with_the_path_without_the_query(logged: StringIO) -> None:
    response = api.on_exception(RequestFactory().get(FEED), RuntimeError("no"))

    assert response.status_code == 500
    assert "GET /api/sessions/calendar.ics crashed" in logged.getvalue()
    assert SECRET not in logged.getvalue()


def test_a_request_with_a_wrong_host_is_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    """Also not by Python's handler of last resort."""
    logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header: %r", "evil.example")

    assert capfd.readouterr().err == ""
