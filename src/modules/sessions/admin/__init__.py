"""Where moderators work. Every change goes through the services that the API uses, which check it again.

Importing the parts registers them.
"""

from modules.sessions.admin import bookings, reason_templates, sessions

__all__ = ["bookings", "reason_templates", "sessions"]
