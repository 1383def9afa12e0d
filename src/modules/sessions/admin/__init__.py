"""The sessions in the portal. Every change goes through the same services as the API's, which check it again.

Importing these modules registers them.
"""

from modules.sessions.admin import bookings, reason_templates, sessions

__all__ = ["bookings", "reason_templates", "sessions"]
