"""The admin of members, groups and logins. Changes are published and mailed like those that members make themselves.

Importing these modules registers it.
"""

from core.admin.members import accounts, groups

__all__ = ["accounts", "groups"]
