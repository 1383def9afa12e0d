"""Filtering sessions by how they ended."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from modules.sessions.models import Session
from modules.sessions.queries.statistics import Outcome


class OutcomeFilter(admin.SimpleListFilter):
    """Which the status alone does not tell: a session that was rejected is one that was cancelled."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(outcome.value, str(outcome.label)) for outcome in Outcome]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        chosen = self.value()
        return queryset.filter(Outcome(chosen).rows) if chosen in Outcome.values else queryset
