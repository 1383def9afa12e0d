"""A member's calendar link, and the feed behind it."""

from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from tests.conftest import Api

LINK = "/api/sessions/calendar/"
FEED = "/api/sessions/calendar.ics"


def made(member: Any) -> str:
    """The URL of a member's calendar feed."""
    response = Api(member).post(LINK)
    assert response.status_code == 201
    return str(response.json()["url"])


def read(url: str, **headers: str) -> Any:
    """The response to a calendar program, which sends only the URL."""
    parts = urlsplit(url)
    return Client().get(f"{parts.path}?{parts.query}", headers=headers)
