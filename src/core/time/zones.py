"""The time zones that members may choose."""

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Files beside the zones: what this machine is set to, and what a machine is set to that nobody has set up.
NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})


@cache
def list_zone_names() -> frozenset[str]:
    """Those of the IANA database. Read from the disk once: that takes longer than all the rest of a request."""
    return frozenset(available_timezones()) - NO_ZONES


def load_zone(name: str) -> tzinfo:
    """The zone of that name; UTC for one that the database of zones no longer knows: it must not cost anybody news."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return UTC
