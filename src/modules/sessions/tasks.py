"""Periodic jobs of sessions. Their names are stored with their schedules."""

from core.jobs.periodic import HOUR, periodic_job
from modules.sessions.services.deactivation import cascade_all_deactivations
from modules.sessions.services.digest import publish_digest
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import nudge_creators, remind_due_sessions, reschedule_reminders


@periodic_job()
def move_sessions_by_the_clock() -> int:
    return advance_due_sessions()


@periodic_job()
def remind_of_sessions() -> int:
    return remind_due_sessions()


@periodic_job(every=HOUR)
def arm_reminders_anew() -> int:
    return reschedule_reminders()


@periodic_job()
def nudge_creators_to_decide() -> int:
    return nudge_creators()


@periodic_job()
def tell_moderators_what_waits() -> int:
    return publish_digest()


@periodic_job()
def end_what_deactivated_members_have() -> int:
    return cascade_all_deactivations()
