"""What moves sessions in the background, each minute; the rows say what is due."""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import remind_due_sessions


@db_periodic_task(crontab(minute="*"))
def move_sessions_by_the_clock() -> None:
    advance_due_sessions()


@db_periodic_task(crontab(minute="*"))
def remind_of_sessions() -> None:
    remind_due_sessions()
