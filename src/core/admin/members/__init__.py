"""Members, groups and logins. What is changed here is recorded and told like what members change themselves.

Importing the parts registers them.
"""

from core.admin.members import accounts, groups

__all__ = ["accounts", "groups"]
