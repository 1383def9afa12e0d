"""Receivers of facts and answers to questions of other modules. Importing these modules registers them."""

from modules.sessions.receivers import access, dashboard, members, navigation, people, still_holds

__all__ = ["access", "dashboard", "members", "navigation", "people", "still_holds"]
