"""The admin of core: members, records of facts and mails, periodic jobs. Importing these modules registers it."""

from django.contrib import admin

from core.admin import background, members, records

__all__ = ["background", "members", "records"]

admin.site.index_template = "portal/dashboard.html"
