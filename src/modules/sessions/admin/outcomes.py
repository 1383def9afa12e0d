"""The filter of the list by how sessions ended."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from modules.sessions.models import Session
from modules.sessions.queries.statistics import Outcome


class OutcomeFilter(admin.SimpleListFilter):
    """Filters by outcome, which is more than the status: rejected sessions have the status cancelled."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(outcome.value, str(outcome.label)) for outcome in Outcome]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        value = self.value()
        return queryset.filter(Outcome(value).rows) if value in Outcome.values else queryset
