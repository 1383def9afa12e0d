"""What moves sessions in the background, each minute; the rows say what is due."""

from core.sweeps.turns import sweeps
from modules.sessions.services.digest import tell_moderators
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import nudge_creators, remind_due_sessions


@sweeps()
def move_sessions_by_the_clock() -> int:
    return advance_due_sessions()


@sweeps()
def remind_of_sessions() -> int:
    return remind_due_sessions()


@sweeps()
def nudge_creators_to_decide() -> int:
    return nudge_creators()


@sweeps()
def tell_moderators_what_waits() -> int:
    return tell_moderators()
