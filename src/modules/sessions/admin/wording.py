"""Labels of the fields of a session where changes are shown."""

from core.portal.differences import Wording
from modules.sessions.models import Level
from modules.sessions.states import Status

WORDING = Wording(
    labels={
        "date": "Start",
        "duration": "Duration (minutes)",
        "max_participants": "Places",
        "hidden_at": "Hidden since",
        "second_look_since": "Waits for a second look since",
    },
    choices={"status": dict(Status.choices), "level": dict(Level.choices)},
)
