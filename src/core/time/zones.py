"""The time zones that members may choose."""

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Files beside the zones: what this machine is set to, and what a machine is set to that nobody has set up.
NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})

NOT_A_ZONE = "Not a time zone of the IANA database, such as Europe/Berlin."


@cache
def list_zone_names() -> frozenset[str]:
    """Those of the IANA database. Read from the disk once: that takes longer than all the rest of a request."""
    return frozenset(available_timezones()) - NO_ZONES


def require_zone_name(name: str, *, message: str = NOT_A_ZONE) -> str:
    """The name itself; raises `ValueError` with the message for what is no zone that members may choose."""
    if name not in list_zone_names():
        raise ValueError(message)
    return name


def load_zone(name: str) -> tzinfo:
    """The zone of that name; UTC for one that the database of zones no longer knows: it must not cost anybody news."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return UTC
