"""The base of all admins: lists with a fixed number of queries, safe lookups, and export."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.filters import FieldListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import JSONField, QuerySet, TextField
from django.forms import BooleanField, ModelMultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from core.accounts.models import User
from core.facts.publish import publish
from core.portal import spreadsheets
from core.portal.events import ListExported
from core.portal.exporting import CONTENT_TYPES, build_export_response
from core.portal.ids import is_too_long
from core.portal.paging import UncountedChangeList, UncountedPaginator
from core.portal.searching import search

INVALID_SELECTION = "What was ticked is not in this list. Nothing was done."


class PortalAdmin(ModelAdmin):
    """The base of all admins: a list needs a fixed number of queries, and can be exported.

    What columns need beyond the row itself is loaded in `prepare_rows`, for all rows of a page or of a chunk at once.
    """

    # Lookups in links to the list, beyond its filters: "creator__id__exact".
    link_lookups: ClassVar[tuple[str, ...]] = ()
    change_list_template: Any = "portal/change_list.html"
    list_per_page = 50
    paginator: Any = UncountedPaginator
    show_full_result_count = False
    # The columns of an export for a column that shows several values, or an instant with its distance:
    # {"error_and_next_try": ("error", "next_try_at")}. Only what the list shows.
    exported_columns: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # Long texts that a column of another name reads: they are not deferred.
    texts_in_columns: ClassVar[tuple[str, ...]] = ()

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["portal/lists.css"]}

    def prepare_rows(self, rows: list[Any]) -> None:
        """Attach to the rows what columns show beyond the row itself, by a constant number of queries.

        Called with the rows of a page, or with each chunk of an export; never without rows. Columns read what was
        attached:

            def prepare_rows(self, rows: list[Session]) -> None:
                counts = count_held_sessions({row.creator_id for row in rows})
                for row in rows:
                    row.held_by_creator = counts[row.creator_id]

            @admin.display(description="held")
            def held(self, row: Session) -> int:
                return row.held_by_creator
        """

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return UncountedChangeList

    def list_deferred_texts(self, request: HttpRequest) -> list[str]:
        """List the long texts of the rows, and of rows joined to them, that no column shows.

        They can be a hundred times as long as the rest of their row.
        """
        columns = [str(each) for each in self.get_list_display(request)]
        shown = {
            *self.texts_in_columns,
            *columns,
            *chain.from_iterable(self.exported_columns.get(each, ()) for each in columns),
        }
        joined = self.list_select_related if isinstance(self.list_select_related, tuple | list) else ()
        models = {
            "": self.model,
            **{f"{path}__": get_fields_from_path(self.model, path)[-1].related_model for path in joined},
        }
        return [
            f"{path}{field.name}"
            for path, model in models.items()
            for field in model._meta.concrete_fields
            if isinstance(field, TextField | JSONField) and f"{path}{field.name}" not in shown
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {
            # Django's text has the total, which is not counted here.
            "selection_note_all": "All selected",
            "export_url": reverse(self._export_name, args=["format"]).removesuffix("format/"),
            "export_kinds": [(kind, kind.upper()) for kind in CONTENT_TYPES],
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Allow only the lookups of the filters and of `link_lookups`, and the primary key.

        Django allows any lookup of local fields: hidden values could be guessed letter by letter, and a regular
        expression could keep the database busy.
        """
        of_filters = (each for kind in self.get_list_filter(request) for each in self._list_parameters(kind, request))
        of_links = {f"{self.opts.pk.name}__exact", *self.link_lookups}
        return lookup in of_links or lookup in of_filters or self._is_unknown(lookup)

    def _is_unknown(self, name: str) -> bool:
        """Whether there is no such field: the list itself reports that."""
        try:
            self.opts.get_field(name)
        except FieldDoesNotExist:
            return name != "pk" and "__" not in name
        return False

    def _list_parameters(self, kind: Any, request: HttpRequest) -> Iterable[str | None]:
        """List the parameters of a filter, which is instantiated as Django does it."""
        if callable(kind):
            simple: Any = kind(request, {}, self.model, self)
            return cast(Iterable[str | None], simple.expected_parameters())
        name, create = kind if isinstance(kind, tuple | list) else (kind, FieldListFilter.create)
        field = get_fields_from_path(self.model, name)[-1]
        filter_ = create(field, request, {}, self.model, self, field_path=name)
        return cast(Iterable[str | None], filter_.expected_parameters())

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **{"form_class": PrimaryKeysField, **kwargs})

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        fields = [self._restrict_address_search(request, each) for each in self.get_search_fields(request)]
        return search(queryset, fields, search_term), False

    def _restrict_address_search(self, request: HttpRequest, field: str) -> str:
        """Search addresses by an exact match, so that only superusers can guess one part by part."""
        is_address = field.lstrip("^=").rpartition("__")[2] == "email"
        return f"={field.lstrip('^=')}" if is_address and not is_superuser(request) else field

    # --- Export -------------------------------------------------------------------------------------------------

    @property
    def _export_name(self) -> str:
        return f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_export"

    def get_urls(self) -> list[URLPattern]:
        name = self._export_name.partition(":")[2]
        return [
            path("export/<str:kind>/", self.admin_site.admin_view(self.export_view), name=name),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Export all pages of the list for the query string of the URL.

        For POST with a CSRF token only, since it reads all rows; the export is published.
        """
        if kind not in CONTENT_TYPES:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return self._redirect_to_list(request, "e=1")
        if not self._has_valid_selection(request):
            self.message_user(request, INVALID_SELECTION, messages.WARNING)
            return self._redirect_to_list(request, request.GET.urlencode())
        return self._export_rows(request, rows, kind)

    def response_action(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponseBase | None:
        """Reject invalid primary keys, for which a database may raise an error."""
        if not self._has_valid_selection(request):
            self.message_user(request, INVALID_SELECTION, messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        response: HttpResponseBase | None = super().response_action(request, queryset)
        return response

    def _has_valid_selection(self, request: HttpRequest) -> bool:
        return all(self._is_key(each) for each in request.POST.getlist(ACTION_CHECKBOX_NAME))

    def _is_key(self, text: str) -> bool:
        try:
            self.opts.pk.to_python(text)
        except ValidationError:
            return False
        return not (text == "" or is_too_long(text) or "\x00" in text)

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponseBase:
        return self._export_rows(request, queryset, "csv")

    @admin.action(description="Export as XLSX", permissions=["view"])
    def export_xlsx(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponseBase:
        return self._export_rows(request, queryset, "xlsx")

    def _get_base_actions(self) -> list[Any]:
        """Add the export of selected rows to every admin, even if it sets `actions`."""
        return [*super()._get_base_actions(), *(self.get_action(f"export_{kind}") for kind in CONTENT_TYPES)]

    def _export_rows(self, request: HttpRequest, rows: "QuerySet[Any]", kind: str) -> HttpResponseBase:
        limit = spreadsheets.MAX_ROWS
        if kind == "xlsx" and rows.order_by()[limit : limit + 1].exists():
            sentence = f"A sheet of XLSX holds {limit:,} rows at most. Narrow the list, or export it as CSV."
            self.message_user(request, sentence, messages.ERROR)
            return self._redirect_to_list(request, request.GET.urlencode())
        self._publish_export(request, kind)
        return build_export_response(model_admin=self, names=self.get_list_display(request), rows=rows, kind=kind)

    def _publish_export(self, request: HttpRequest, kind: str) -> None:
        is_whole_list = BooleanField().to_python(request.POST.get("select_across"))
        fact = ListExported(
            label=self.opts.label_lower,
            list_name=str(self.opts.verbose_name_plural),
            kind=kind,
            query=request.GET.urlencode(),
            ticked=() if is_whole_list else tuple(request.POST.getlist(ACTION_CHECKBOX_NAME)),
        )
        with transaction.atomic():
            publish(fact, by=cast(User, request.user))

    def _redirect_to_list(self, request: HttpRequest, query: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(f"{reverse(self._export_name.replace('_export', '_changelist'))}?{query}")


class PrimaryKeysField(ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Rejects values with more digits than a primary key can have, for which a database may raise an error."""

    def _check_values(self, value: Any) -> Any:
        for each in value if isinstance(value, list | tuple) else ():
            if is_too_long(str(each).strip().lstrip("-+")):
                raise ValidationError(self.error_messages["invalid_pk_value"], "invalid_pk_value", {"pk": each})
        return super()._check_values(value)  # type: ignore[misc]


def is_superuser(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_superuser
