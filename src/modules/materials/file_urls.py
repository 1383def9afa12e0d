"""Addresses of files that run out: who has one may read that one file until then."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from core import clock
from core.errors import Forbidden, NotFound

SALT = "modules.materials.file"


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What a token says."""

    file_id: int
    seconds_left: int


def file_url(file_id: int, *, origin: str) -> str:
    """The address of a stored file from now on for MATERIALS_URL_MINUTES; `origin` (`https://host`) begins it."""
    runs_out = clock.now() + timedelta(minutes=settings.MATERIALS_URL_MINUTES)
    token = Signer(salt=SALT).sign(f"{file_id}-{int(runs_out.timestamp())}")
    return origin + reverse("api:get_file", args=[token])


def read_token(token: str) -> Ticket:
    """Raises `NotFound` for a token that is not ours and `Forbidden` for one that has run out."""
    try:
        file_id, runs_out = Signer(salt=SALT).unsign(token).split("-")
    except BadSignature:
        raise NotFound("There is no such file. Take its address from the materials of the session.") from None
    left = datetime.fromtimestamp(int(runs_out), tz=clock.now().tzinfo) - clock.now()
    if left <= timedelta(0):
        raise Forbidden("This address has run out. Load the materials of the session again for a new one.")
    return Ticket(file_id=int(file_id), seconds_left=int(left.total_seconds()))
