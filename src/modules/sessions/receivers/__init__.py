"""What the sessions hear, and what they answer when others ask. Importing the parts connects them."""

from modules.sessions.receivers import access, dashboard, members, navigation, people, still_holds

__all__ = ["access", "dashboard", "members", "navigation", "people", "still_holds"]
