"""The links that lead into the app, whatever its paths are."""

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
    """With a password, in front of an app of somebody else's."""
    settings.FRONTEND_URL = APP
    john.set_password(PASSWORD)
    john.save()
    return john


def link_in(read_mail: ReadMail) -> str:
    (mail,) = read_mail()
    (link,) = re.findall(r"http\S+", str(mail.body))
    return str(link)


PATHS = {
    # Each with what comes before the query, what comes after, and what stands in the path.
    "/reset-password": ("/reset-password?", "", False),
    "/reset?lang=en": ("/reset?lang=en&", "", False),
    "/?": ("/?", "", False),
    "/reset#form": ("/reset?", "#form", False),
    # Routers of the fragment look for a query behind their route.
    "/#/reset": ("/#/reset?", "", False),
    "/#!/reset?lang=en": ("/#!/reset?lang=en&", "", False),
    "/?app=1#/reset": ("/?app=1#/reset?", "", False),
    "/#/reset/{uid}/{token}": ("/#/reset/", "", True),
    "/reset/{uid}/{token}?x=1": ("/reset/", "?x=1", True),
}


@pytest.mark.parametrize("path", PATHS)
def test_the_link_to_a_new_password_leads_to_its_path(
    john: User, settings: Settings, read_mail: ReadMail, path: str
) -> None:
    settings.FRONTEND_PASSWORD_RESET_PATH = path
    before, after, in_path = PATHS[path]
    Api().post("/api/auth/password/reset/", {"email": john.email})

    link = link_in(read_mail)

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
def test_the_link_to_a_new_address_leads_to_its_path(
    john: User, settings: Settings, read_mail: ReadMail, path: str, shape: str
) -> None:
    settings.FRONTEND_EMAIL_CONFIRMATION_PATH = path
    Api(john).post("/api/auth/email/change/", {"password": PASSWORD, "new_email": "new@example.com"})

    match = re.fullmatch(f"{re.escape(APP)}{shape}", link_in(read_mail))

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
def test_the_link_to_a_session_leads_to_its_path(settings: Any, path: str, link: str) -> None:
    settings.FRONTEND_URL = APP
    settings.FRONTEND_SESSION_PATH = path

    assert build_session_url(7) == f"{APP}{link}"
