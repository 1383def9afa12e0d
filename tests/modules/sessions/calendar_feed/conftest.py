"""A member's calendar link, and the feed behind it."""

from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from tests.conftest import Api

LINK = "/api/sessions/calendar/"
FEED = "/api/sessions/calendar.ics"


def made(member: Any) -> str:
    """The address that a member gives to their calendar program."""
    response = Api(member).post(LINK)
    assert response.status_code == 201
    return str(response.json()["url"])


def read(url: str, **headers: str) -> Any:
    """What a calendar program gets, which has nothing but the address."""
    parts = urlsplit(url)
    return Client().get(f"{parts.path}?{parts.query}", headers=headers)
