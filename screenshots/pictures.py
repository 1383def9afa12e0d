"""Which pictures there are: pages of the demo, as its moderator sees them."""

from dataclasses import dataclass
from typing import Literal

QUEUE = "/admin/learning_sessions/session/"


@dataclass(frozen=True, kw_only=True)
class Look:
    """How somebody looks at a page."""

    name: str
    scheme: Literal["light", "dark"]
    width: int
    height: int


DESKTOP = Look(name="light", scheme="light", width=1280, height=800)
DESKTOP_DARK = Look(name="dark", scheme="dark", width=1280, height=800)
PHONE = Look(name="phone-light", scheme="light", width=390, height=844)
PHONE_DARK = Look(name="phone-dark", scheme="dark", width=390, height=844)
EVERY_LOOK = (DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A page, by its path, in which `{session}` is one that waits and `{member}` who offers it.

    `opens` is the button that is pressed before.
    """

    name: str
    path: str
    opens: str = ""
    looks: tuple[Look, ...] = EVERY_LOOK


PICTURES = (
    Picture(name="dashboard", path="/admin/"),
    Picture(name="queue", path=QUEUE),
    Picture(name="session", path=f"{QUEUE}{{session}}/change/"),
    Picture(name="rejection", path=f"{QUEUE}{{session}}/change/", opens="Reject…", looks=(DESKTOP, PHONE_DARK)),
    Picture(name="member", path="/admin/core/user/{member}/change/", looks=(DESKTOP, PHONE_DARK)),
)
# The title of that session: one that clashes with another of its creator.
SESSION = "Regular Expressions"
