"""The admin of sessions, whose changes go through the same services as the API's.

Importing these modules registers it.
"""

from modules.sessions.admin import bookings, reason_templates, sessions

__all__ = ["bookings", "reason_templates", "sessions"]
