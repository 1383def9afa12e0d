"""URLs of the app, with its paths set in various ways."""

import re
from typing import Any
from urllib.parse import parse_qs

import pytest
from pytest_django import Settings
from tests.conftest import PASSWORD, Api
from tests.core.conftest import ReadMail

from core.accounts.models import User
from core.http.frontend import build_session_url

APP = "https://app.example/learn"


@pytest.fixture
def john(john: User, settings: Settings) -> User:
    """With a password, and an app at `APP`."""
    settings.FRONTEND_URL = APP
    john.set_password(PASSWORD)
    john.save()
    return john


def read_link(read_mail: ReadMail) -> str:
    (mail,) = read_mail()
    (link,) = re.findall(r"http\S+", str(mail.body))
    return str(link)


PATHS = {
    # The expected URL before and after the values, and whether they are in the path.
    "/reset-password": ("/reset-password?", "", False),
    "/reset?lang=en": ("/reset?lang=en&", "", False),
    "/?": ("/?", "", False),
    "/reset#form": ("/reset?", "#form", False),
    # Hash routers.
    "/#/reset": ("/#/reset?", "", False),
    "/#!/reset?lang=en": ("/#!/reset?lang=en&", "", False),
    "/?app=1#/reset": ("/?app=1#/reset?", "", False),
    "/#/reset/{uid}/{token}": ("/#/reset/", "", True),
    "/reset/{uid}/{token}?x=1": ("/reset/", "?x=1", True),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_password_reset_link_uses_the_configured_path(
    john: User, settings: Settings, read_mail: ReadMail, path: str
) -> None:
    settings.FRONTEND_PASSWORD_RESET_PATH = path
    before, after, in_path = PATHS[path]
    Api().post("/api/auth/password/reset/", {"email": john.email})

    link = read_link(read_mail)

    assert link.startswith(f"{APP}{before}")
    assert link.endswith(after)
    given = link.removeprefix(f"{APP}{before}").removesuffix(after)
    uid, token = given.split("/") if in_path else (parse_qs(given)[name][0] for name in ("uid", "token"))
    body = {"uid": uid, "token": token, "new_password": "teach-together"}
    assert Api().post("/api/auth/password/reset/confirm/", body).status_code == 200


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/confirm-email", r"/confirm-email\?token=([\w%.-]+)"),
        ("/#/me/address", r"/#/me/address\?token=([\w%.-]+)"),
        ("/confirm/{token}/now", r"/confirm/([\w%.-]+)/now"),
    ],
)
def test_an_address_confirmation_link_uses_the_configured_path(
    john: User, settings: Settings, read_mail: ReadMail, path: str, shape: str
) -> None:
    settings.FRONTEND_EMAIL_CONFIRMATION_PATH = path
    Api(john).post("/api/auth/email/change/", {"password": PASSWORD, "new_email": "new@example.com"})

    match = re.fullmatch(f"{re.escape(APP)}{shape}", read_link(read_mail))

    assert match is not None
    token = parse_qs(f"token={match[1]}")["token"][0]
    assert Api().post("/api/auth/email/change/confirm/", {"token": token}).status_code == 200


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/sessions/{id}", "/sessions/7"),
        ("/#/s/{id}?from=mail", "/#/s/7?from=mail"),
        ("/?session={id}&tab=1#top", "/?session=7&tab=1#top"),
    ],
)
def test_a_session_url_uses_the_configured_path(settings: Any, path: str, link: str) -> None:
    settings.FRONTEND_URL = APP
    settings.FRONTEND_SESSION_PATH = path

    assert build_session_url(7) == f"{APP}{link}"
