"""What the sessions hear, and what they answer when others ask. Importing the parts connects them."""

from modules.sessions.receivers import access, navigation, people, still_holds

__all__ = ["access", "navigation", "people", "still_holds"]
