"""The admin of the templates for reasons of a rejection."""

from django.contrib import admin

from core.portal.lists import PortalAdmin
from modules.sessions.models import ReasonTemplate


@admin.register(ReasonTemplate)
class ReasonTemplateAdmin(PortalAdmin):
    list_display = ("title", "text", "rank")
    list_editable = ("rank",)
    search_fields = ("title", "text")
