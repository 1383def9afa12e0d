"""What moves sessions in the background; the rows say what is due."""

from core.jobs.periodic import HOUR, sweeps
from modules.sessions.services.deactivation import wind_down_all
from modules.sessions.services.digest import tell_moderators
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import arm_anew, nudge_creators, remind_due_sessions


@sweeps()
def move_sessions_by_the_clock() -> int:
    return advance_due_sessions()


@sweeps()
def remind_of_sessions() -> int:
    return remind_due_sessions()


@sweeps(every=HOUR)
def arm_reminders_anew() -> int:
    return arm_anew()


@sweeps()
def nudge_creators_to_decide() -> int:
    return nudge_creators()


@sweeps()
def tell_moderators_what_waits() -> int:
    return tell_moderators()


@sweeps()
def end_what_deactivated_members_have() -> int:
    return wind_down_all()
