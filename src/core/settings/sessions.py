"""Limits and reminders of sessions."""

from environs import validate

from core.settings import environment
from core.settings.base import env

# Open means pending approval, approved, scheduled or ongoing.
SESSIONS_MAX_OPEN_PER_MEMBER: int = env.int("SESSIONS_MAX_OPEN_PER_MEMBER", 50, validate=validate.Range(min=1))
SESSIONS_MAX_WAITING_REQUESTS: int = env.int("SESSIONS_MAX_WAITING_REQUESTS", 200, validate=validate.Range(min=1))

# How many minutes before the start of a session its creator and participants get reminders.
REMINDER_MINUTES: list[int] = env.items("REMINDER_MINUTES", [24 * 60, 60], environment.parse_minutes)
