"""No secret is logged by any operation, even with DEBUG on and LOG_LEVEL at DEBUG."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as configured
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from tests.cloudinary_server import CloudinaryServer
from tests.conftest import Api
from tests.s3_server import S3Server

from core.accounts.models import User
from core.mail.sending import send_due_mail
from core.storages.cloudinary import CloudinaryStorage
from core.storages.s3 import S3Storage
from core.time import clock
from modules.notifications.kinds import Kind
from modules.notifications.services.preferences import build_unsubscribe_url

PASSWORD = "xq7-vellichor-Ünder-94"
NEW = "kz3-petrichor-Äther-58"
WRONG = "wv9-susurrus-Öhm-21"
SCHEMES = ["Bearer", "bearer", "Token", "Basic", "Digest", "JWT", "Negotiate", "Custom-Scheme", ""]


@pytest.fixture
def logged(settings: Any) -> Iterator[StringIO]:
    """The output of the configured handler during the test, at level DEBUG."""
    settings.DEBUG = True
    root = logging.getLogger()
    (handler,) = (each for each in root.handlers if type(each) is logging.StreamHandler)
    stream, level = StringIO(), root.level
    previous = handler.setStream(stream)
    root.setLevel(logging.DEBUG)
    connection.force_debug_cursor = True
    yield stream
    connection.force_debug_cursor = False
    root.setLevel(level)
    handler.setStream(previous)


@pytest.fixture
def member(john: User) -> User:
    john.set_password(PASSWORD)
    john.is_staff = True
    john.save()
    return john


def assert_none_in(logged: StringIO, *secrets: str) -> None:
    assert logged.getvalue()
    for secret in secrets:
        assert len(secret) > 5
        assert secret not in logged.getvalue()
        assert repr(secret)[1:-1] not in logged.getvalue()


def list_secret_parts(token: str) -> list[str]:
    """The parts of a token that are secret: all of it, and its signature."""
    return [token, re.split(r"[.:]", token)[-1]]


def log_in(api: Api, password: str = PASSWORD) -> dict[str, str]:
    answer = api.post("/api/auth/token/", {"username": "john_doe", "password": password})
    tokens: dict[str, str] = answer.json()
    return tokens


# --- Requests -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tokens_of_any_authentication_scheme_are_not_logged(member: User, logged: StringIO, scheme: str) -> None:
    access = log_in(Api())["access"]

    for token in (access, "abcdefghijklmnop", "9f8e7d6c5b4a"):
        for path in ("/api/auth/me/", "/api/sessions/", "/api/nothing/", "/admin/nothing/", "/"):
            Client(raise_request_exception=False).get(path, headers={"Authorization": f"{scheme} {token}".strip()})

    assert_none_in(logged, *list_secret_parts(access), "abcdefghijklmnop", "9f8e7d6c5b4a")


def test_passwords_and_tokens_of_the_api_are_not_logged(member: User, logged: StringIO) -> None:
    api = Api()
    log_in(api, WRONG)
    tokens = log_in(api)
    api.headers["Authorization"] = f"Bearer {tokens['access']}"
    access = api.post("/api/auth/token/refresh/", {"refresh": tokens["refresh"]}).json()["access"]
    api.get("/api/auth/me/")
    api.post("/api/auth/password/change/", {"old_password": WRONG, "new_password": NEW})
    api.post("/api/auth/password/change/", {"old_password": PASSWORD, "new_password": "12345678"})
    api.post("/api/auth/password/change/", {"old_password": PASSWORD, "new_password": NEW})
    api.post("/api/auth/logout/", {"refresh": f"{tokens['refresh']}x"})
    api.post("/api/auth/register/", {"username": "jane", "email": "jane@example.com", "password": NEW})
    api.post("/api/auth/register/", {"username": "jane", "email": "no address", "password": [NEW]})

    every = [*list_secret_parts(tokens["access"]), *list_secret_parts(tokens["refresh"]), *list_secret_parts(access)]
    assert_none_in(logged, PASSWORD, NEW, WRONG, *every, User.objects.get(pk=member.pk).password)


def test_tokens_in_mailed_links_are_not_logged(member: User, logged: StringIO, mailoutbox: list[EmailMessage]) -> None:
    api = Api(member)
    api.post("/api/auth/password/reset/", {"email": member.email})
    api.post("/api/auth/email/change/", {"password": PASSWORD, "new_email": "new@example.com"})
    send_due_mail()
    assert len(mailoutbox) == 2
    queries = [
        parse_qs(urlsplit(link).query) for mail in mailoutbox for link in re.findall(r"http\S+\?\S+", str(mail.body))
    ]
    tokens = [query["token"][0] for query in queries]
    for token in tokens:
        Client().get(f"/reset-password?uid=MQ&token={token}")
        Client().get(f"/api/auth/email/change/confirm/?token={token}")
        api.post("/api/auth/email/change/confirm/", {"token": token})
        body = {"uid": "MQ", "token": token, "new_password": NEW}
        api.post("/api/auth/password/reset/confirm/", body)
        api.post("/api/auth/password/reset/confirm/", {**body, "uid": 1})

    assert len(tokens) == 2
    assert_none_in(logged, NEW, *(part for token in tokens for part in list_secret_parts(token)))


def test_tokens_of_calendars_files_and_unsubscribing_are_not_logged(member: User, logged: StringIO) -> None:
    api = Api(member)
    start = (clock.now() + timedelta(days=3)).isoformat()
    values = {"title": "Knots", "description": "All", "subject": "Rope", "level": "beginner", "date": start}
    made = api.post("/api/sessions/", {**values, "duration": 60, "max_participants": 5}).json()
    file = BytesIO(b"hello")
    file.name = "notes.txt"
    path = f"/api/sessions/{made['id']}/materials/"
    address = api.upload(path, {"title": "Notes", "type": "file", "file": file}).json()["file"]
    calendar = api.post("/api/sessions/calendar/").json()["url"]
    unsubscribe = build_unsubscribe_url(user_id=member.pk, kinds=(Kind.REMINDER,))

    for link in (address, calendar, unsubscribe):
        parts = urlsplit(link)
        for method in ("GET", "HEAD", "POST", "DELETE"):
            answer: Any = Client(raise_request_exception=False).generic(method, f"{parts.path}?{parts.query}")
            answer.close()

    tokens = [urlsplit(address).path.split("/")[-2], *(link.partition("token=")[2] for link in (calendar, unsubscribe))]
    assert_none_in(logged, *(part for token in tokens for part in list_secret_parts(token.replace("%3A", ":"))))


def test_passwords_and_cookies_of_the_portal_are_not_logged(member: User, logged: StringIO) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    page = client.get("/admin/login/?next=/admin/")
    csrf = client.cookies["csrftoken"].value
    field = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert field is not None
    form = {"username": "john_doe", "csrfmiddlewaretoken": field[1]}
    client.post("/admin/login/", {**form, "password": PASSWORD, "csrfmiddlewaretoken": "x"})
    client.post("/admin/login/", {**form, "password": WRONG})
    answer = client.post("/admin/login/?next=/admin/", {**form, "password": PASSWORD})
    assert answer.status_code == 302
    session = client.cookies["sessionid"].value
    csrf_after = client.cookies["csrftoken"].value
    for path in ("/admin/", "/admin/nothing/", "/admin/core/user/", "/admin/password_change/"):
        client.get(path)

    assert_none_in(logged, PASSWORD, WRONG, csrf, csrf_after, field[1], session)


def test_an_exception_with_the_whole_request_is_redacted(
    member: User, logged: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: object, request: Any) -> None:
        shown = [request.headers, request.META, request.COOKIES, request.GET, request.body]
        raise RuntimeError(" ".join(map(repr, shown))) from ValueError(" ".join(map(str, shown)))

    access = log_in(Api())["access"]
    monkeypatch.setattr("core.accounts.authentication.MemberAuthentication.__call__", crash)
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "s3ss10nk3ys3ss10nk3y"
    client.cookies["csrftoken"] = "c5rft0k3nc5rft0k3n"

    answer = client.post(
        "/api/auth/password/change/?token=qu3ryt0k3n",
        {"old_password": PASSWORD, "new_password": "with \"quotes\" and 'more'"},
        content_type="application/json",
        headers={"Authorization": f"Custom {access}", "X-CSRFToken": "h34d3rt0k3n"},
    )

    assert answer.status_code == 500
    assert "RuntimeError" in logged.getvalue()
    assert "ValueError" in logged.getvalue()
    plain = ["s3ss10nk3y", "c5rft0k3n", "h34d3rt0k3n", "qu3ryt0k3n", "vellichor", "quotes", "more"]
    assert [each for each in plain if each in logged.getvalue()] == []
    assert_none_in(logged, *list_secret_parts(access))


# --- Storages -----------------------------------------------------------------------------------------------------


def test_signed_urls_of_s3_are_not_logged(s3_server: S3Server, logged: StringIO) -> None:
    storage = S3Storage(**s3_server.options, timeout=5)
    name = storage.save("notes.txt", ContentFile(b"hello"))
    address = storage.build_signed_url(name, file_name="notes.txt", content_type="text/plain", inline=False)
    logging.getLogger("urllib3.connectionpool").warning("Retrying: %s", address)
    logging.getLogger("some.library").error("%s cannot be read", address)
    with storage.open(name) as file:
        assert file.read() == b"hello"

    query = parse_qs(urlsplit(address).query)
    assert len(query["X-Amz-Signature"][0]) == 64
    assert_none_in(logged, query["X-Amz-Signature"][0], query["X-Amz-Credential"][0])


def test_signed_urls_of_cloudinary_are_not_logged(cloudinary_server: CloudinaryServer, logged: StringIO) -> None:
    options = cloudinary_server.options
    storage = CloudinaryStorage(**options, prefix="materials", timeout=5)
    name = storage.save("notes.txt", ContentFile(b"hello"))
    address = storage.build_signed_url(name, file_name="notes.txt", content_type="text/plain", inline=False)
    logging.getLogger("some.library").error("%s cannot be read", address)
    with storage.open(name) as file:
        assert file.read() == b"hello"

    signature = re.search(r"s--([\w-]+)--|signature=(\w+)", address)
    assert signature is not None
    assert_none_in(logged, signature[1] or signature[2], options["api_secret"])


# --- Configuration ------------------------------------------------------------------------------------------------


def test_configured_secrets_are_redacted_in_any_context(logged: StringIO) -> None:
    logging.getLogger("some.library").error("a key is %s, it is", configured.SECRET_KEY)

    assert "a key is [redacted], it is" in logged.getvalue()


def test_loggers_that_would_log_values_are_never_at_level_debug() -> None:
    for name in ("django.db.backends", "botocore", "boto3", "s3transfer", "urllib3"):
        assert logging.getLogger(f"{name}.anything").getEffectiveLevel() >= logging.INFO


def test_queries_and_their_parameters_are_not_logged(member: User, logged: StringIO) -> None:
    assert User.objects.filter(password=member.password).exists()
    logging.getLogger("some.library").warning("done")

    assert_none_in(logged, member.password, "core_user")
