"""What superusers see of members and of the records. Importing the parts registers them."""

from django.contrib import admin

from core.admin import background, members, records

__all__ = ["background", "members", "records"]

admin.site.index_template = "portal/dashboard.html"
