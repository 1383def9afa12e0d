"""Limits and reminders of sessions."""

from environs import validate

from core.settings import environment
from core.settings.base import env

# Those that wait for approval, are approved, scheduled or going on.
SESSIONS_MAX_OPEN_PER_MEMBER: int = env.int("SESSIONS_MAX_OPEN_PER_MEMBER", 50, validate=validate.Range(min=1))
SESSIONS_MAX_WAITING_REQUESTS: int = env.int("SESSIONS_MAX_WAITING_REQUESTS", 200, validate=validate.Range(min=1))

# Minutes before a session's start at which its people are reminded.
REMINDER_MINUTES: list[int] = env.items("REMINDER_MINUTES", [24 * 60, 60], environment.parse_minutes)
