"""What tests of scenarios across modules share."""

import re
from datetime import UTC, datetime
from html import unescape

NOW = datetime(2024, 1, 10, 10, tzinfo=UTC)
# The body of a request that offers a session.
OFFER = {
    "title": "Knots That Hold",
    "description": "Five knots for every day.",
    "subject": "Crafts",
    "level": "beginner",
    "date": "2024-01-15T19:00:00Z",
    "duration": 90,
    "max_participants": 4,
}


def read_deactivation_form(dialog: str, *, reason: str, told: str) -> dict[str, str]:
    """Fill in the form of the dialog that deactivates a member, as its HTML has it."""
    shown = re.search(r'name="read" value="([^"]*)"', dialog)
    assert shown
    return {"confirming": "yes", "reason": reason, "told": told, "read": unescape(shown[1])}
