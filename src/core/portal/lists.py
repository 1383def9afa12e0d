"""What every list of the admin is made of."""

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
from core.portal.exporting import CONTENT_TYPES, export
from core.portal.ids import is_endless
from core.portal.paging import UncountedChangeList, UncountedPaginator
from core.portal.searching import search

NOT_IN_LIST = "What was ticked is not in this list. Nothing was done."


class PortalAdmin(ModelAdmin):
    """The base of all our admins: a list opens with one query for its rows, whatever their number, and can be exported.

    A column that needs to look something up does not do so row by row, but in `prepare_rows`, for all rows of a page
    (or of a part of an export) at once.
    """

    # What links of our own ask for beyond the filters, as they write it: "creator__id__exact".
    linked_by: ClassVar[tuple[str, ...]] = ()
    change_list_template: Any = "portal/change_list.html"
    list_per_page = 50
    paginator: Any = UncountedPaginator
    show_full_result_count = False
    # For a column that shows several things in one, or an instant in words: what a file has in its place, named as in
    # `list_display`. Nothing that the list does not show: {"error_and_next_try": ("error", "next_try_at")}.
    exported_columns: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    # Long texts that a column reads, though it shows them under another name.
    read_by_columns: ClassVar[tuple[str, ...]] = ()

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["portal/lists.css"]}

    def prepare_rows(self, rows: list[Any]) -> None:
        """Attach to the rows what the columns show and the rows do not hold, with a constant number of queries.

        Called with the rows of the page before a list shows them, and with one part of the rows after another when the
        list is exported; never with none. A column then reads what was attached:

            def prepare_rows(self, rows: list[Session]) -> None:
                held = sessions_held_by({row.creator_id for row in rows})
                for row in rows:
                    row.held_by_creator = held[row.creator_id]

            @admin.display(description="held")
            def held(self, row: Session) -> int:
                return row.held_by_creator
        """

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return UncountedChangeList

    def unread_texts(self, request: HttpRequest) -> list[str]:
        """The long texts, of the rows and of what is read with them, that no column shows: a list does not read them.

        They can be a hundred times as long as the rest of their row.
        """
        columns = [str(each) for each in self.get_list_display(request)]
        shown = {
            *self.read_by_columns,
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
            # Django's own words tell how many there are.
            "selection_note_all": "All selected",
            "export_url": reverse(self._export_name, args=["format"]).removesuffix("format/"),
            "export_kinds": [(kind, kind.upper()) for kind in CONTENT_TYPES],
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Only what the list's own filters and our links ask for, to the letter, and a row by its key.

        Django lets the address ask for any field of the model, in any way: so that what nobody is shown could be found
        out letter by letter, and a pattern could keep the database busy for as long as somebody likes.
        """
        asked_for = (each for kind in self.get_list_filter(request) for each in self._asked_by(kind, request))
        linked = {f"{self.opts.pk.name}__exact", *self.linked_by}
        return lookup in linked or lookup in asked_for or self._names_nothing(lookup)

    def _names_nothing(self, name: str) -> bool:
        """What is no field is left to the list, which says that it knows no such filter."""
        try:
            self.opts.get_field(name)
        except FieldDoesNotExist:
            return name != "pk" and "__" not in name
        return False

    def _asked_by(self, kind: Any, request: HttpRequest) -> Iterable[str | None]:
        """The parameters of a filter, which is made as Django makes it for the list."""
        if callable(kind):
            simple: Any = kind(request, {}, self.model, self)
            return cast(Iterable[str | None], simple.expected_parameters())
        name, make = kind if isinstance(kind, tuple | list) else (kind, FieldListFilter.create)
        field = get_fields_from_path(self.model, name)[-1]
        filter_ = make(field, request, {}, self.model, self, field_path=name)
        return cast(Iterable[str | None], filter_.expected_parameters())

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **{"form_class": ChoicesThatAreKeys, **kwargs})

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        fields = [self._build_full_url(request, each) for each in self.get_search_fields(request)]
        return search(queryset, fields, search_term), False

    def _build_full_url(self, request: HttpRequest, field: str) -> str:
        """Addresses are found whole, but by superusers: nobody else spells one out piece by piece."""
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
        """The list that the query of the address gives, all of its pages, as a file.

        Changes no row, but reads them all: so no link and no page of somebody else's can set it off, and the record
        says who did.
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
        if not self._are_keys_ticked(request):
            self.message_user(request, NOT_IN_LIST, messages.WARNING)
            return self._redirect_to_list(request, request.GET.urlencode())
        return self._export(request, rows, kind)

    def response_action(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponseBase | None:
        """What nobody can have ticked is the key of nothing; a database may not even take it for one."""
        if not self._are_keys_ticked(request):
            self.message_user(request, NOT_IN_LIST, messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        answer: HttpResponseBase | None = super().response_action(request, queryset)
        return answer

    def _are_keys_ticked(self, request: HttpRequest) -> bool:
        return all(self._is_key(each) for each in request.POST.getlist(ACTION_CHECKBOX_NAME))

    def _is_key(self, text: str) -> bool:
        try:
            self.opts.pk.to_python(text)
        except ValidationError:
            return False
        return not (text == "" or is_endless(text) or "\x00" in text)

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponseBase:
        return self._export(request, queryset, "csv")

    @admin.action(description="Export as XLSX", permissions=["view"])
    def export_xlsx(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponseBase:
        return self._export(request, queryset, "xlsx")

    def _get_base_actions(self) -> list[Any]:
        """Whatever an admin says of its own actions, what is ticked can be exported."""
        return [*super()._get_base_actions(), *(self.get_action(f"export_{kind}") for kind in CONTENT_TYPES)]

    def _export(self, request: HttpRequest, rows: "QuerySet[Any]", kind: str) -> HttpResponseBase:
        most = spreadsheets.MOST_ROWS
        if kind == "xlsx" and rows.order_by()[most : most + 1].exists():
            sentence = f"A sheet of XLSX holds {most:,} rows at most. Narrow the list, or export it as CSV."
            self.message_user(request, sentence, messages.ERROR)
            return self._redirect_to_list(request, request.GET.urlencode())
        self._note_export(request, kind)
        return export(model_admin=self, names=self.get_list_display(request), rows=rows, kind=kind)

    def _note_export(self, request: HttpRequest, kind: str) -> None:
        """What leaves is out of our hands: who took it along stays in the record."""
        takes_all = BooleanField().to_python(request.POST.get("select_across"))
        fact = ListExported(
            label=self.opts.label_lower,
            list_name=str(self.opts.verbose_name_plural),
            kind=kind,
            query=request.GET.urlencode(),
            ticked=() if takes_all else tuple(request.POST.getlist(ACTION_CHECKBOX_NAME)),
        )
        with transaction.atomic():
            publish(fact, by=cast(User, request.user))

    def _redirect_to_list(self, request: HttpRequest, query: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(f"{reverse(self._export_name.replace('_export', '_changelist'))}?{query}")


class ChoicesThatAreKeys(ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Choices of rows: what is longer than any key is the key of none, and a database may not take it for a number."""

    def _check_values(self, value: Any) -> Any:
        for each in value if isinstance(value, list | tuple) else ():
            if is_endless(str(each).strip().lstrip("-+")):
                raise ValidationError(self.error_messages["invalid_pk_value"], "invalid_pk_value", {"pk": each})
        return super()._check_values(value)  # type: ignore[misc]


def is_superuser(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_superuser
