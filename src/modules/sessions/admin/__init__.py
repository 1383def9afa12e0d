"""Where moderators work. Every change goes through the services that the API uses, which check it again.

Importing the parts registers them.
"""

from modules.sessions.admin import bookings, sessions

__all__ = ["bookings", "sessions"]
