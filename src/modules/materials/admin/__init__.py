"""What sessions share as the admin shows it, and how moderators take it away. Importing the parts registers them."""

from modules.materials.admin import lists

__all__ = ["lists"]
