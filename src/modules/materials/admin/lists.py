"""The read-only admin of materials, which can only be removed, and of stored files."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin.read_only import ReadOnlyAdmin
from core.portal.times import render_instant
from modules.materials.admin.removal import RemovalDialog
from modules.materials.files.download_urls import is_available
from modules.materials.models import Material, StoredFile


@admin.register(Material)
class MaterialAdmin(RemovalDialog, ReadOnlyAdmin):
    list_display = ("title", "type", "session_id", "uploaded_by", "uploaded")
    exported_columns = {"uploaded": ("uploaded_at",)}
    sortable_by = ("uploaded",)
    list_filter = ("type",)
    link_lookups = ("session_id__exact",)
    list_select_related = ("uploaded_by",)
    search_fields = ("title", "file_name", "url", "uploaded_by__username", "uploaded_by__email")
    search_help_text = "A title, a file's name, an address, or the user name or e-mail address of who added it."
    ordering = ("-id",)
    fields = ("title", "type", "session_id", "url", "content", "file_name", "file", "uploaded_by", "uploaded_at")

    @admin.display(description="uploaded", ordering="id")
    def uploaded(self, material: Material) -> str:
        return render_instant(material.uploaded_at)


class ContentTypeFilter(admin.SimpleListFilter):
    """Filters by the first part of the content type; finding all types would scan the table."""

    title = "content type"
    parameter_name = "family"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(family, family.capitalize()) for family in ("application", "audio", "image", "text", "video")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[StoredFile]") -> "QuerySet[StoredFile]":
        return queryset.filter(content_type__startswith=f"{self.value()}/") if self.value() else queryset


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    list_display = ("name", "place", "content_type", "size", "created", "state")
    exported_columns = {"created": ("created_at",)}
    sortable_by = ("created",)
    list_filter = ("place", ContentTypeFilter)
    search_fields = ("name", "sha256", "material__title", "material__file_name")
    search_help_text = "A name in the storage, a checksum, or the title or the file's name of the material."
    ordering = ("-id",)
    fields = ("name", "place", "content_type", "size", "sha256", "created_at", "released_at", "sweep_at", "scan_at")

    @admin.display(description="created", ordering="id")
    def created(self, file: StoredFile) -> str:
        return render_instant(file.created_at)

    @admin.display(description="state")
    def state(self, file: StoredFile) -> str:
        if file.released_at:
            return "to be deleted"
        if file.sweep_at:
            return "waits for its material"
        return "kept" if is_available(file) else "waits for the virus scanner"
