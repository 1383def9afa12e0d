"""The admin of materials and stored files. Importing this package registers it."""

from modules.materials.admin import lists

__all__ = ["lists"]
