"""The time zones that members may choose."""

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Files of the database that are no zones to choose: the zone of this machine, and that of an unconfigured one.
EXCLUDED_NAMES = frozenset({"localtime", "Factory", "posixrules"})

NOT_A_ZONE = "Not a time zone of the IANA database, such as Europe/Berlin."


@cache
def list_zone_names() -> frozenset[str]:
    """Return the names of the IANA database; cached, since reading them takes longer than a request."""
    return frozenset(available_timezones()) - EXCLUDED_NAMES


def require_zone_name(name: str, *, message: str = NOT_A_ZONE) -> str:
    """Return the name; raises `ValueError` with the message if members may not choose it."""
    if name not in list_zone_names():
        raise ValueError(message)
    return name


def load_zone(name: str) -> tzinfo:
    """Return the zone of that name, or UTC for a name that has been removed, so that notifications do not fail."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return UTC
