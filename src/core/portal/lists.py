"""What every list of the admin is made of."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from core.portal.paging import UncountedChangeList, UncountedPaginator


class PortalAdmin(ModelAdmin):
    """The base of all our admins: a list opens with one query for its rows, whatever their number.

    A column that needs to look something up does not do so row by row, but in `prepare_rows`, for all rows of a page
    (or of a part of an export) at once.
    """

    change_list_template: Any = "portal/change_list.html"
    list_per_page = 50
    paginator: Any = UncountedPaginator
    show_full_result_count = False

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

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        # Django's own words tell how many there are.
        return super().changelist_view(request, {"selection_note_all": "All selected", **(extra_context or {})})
