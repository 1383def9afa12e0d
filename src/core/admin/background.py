"""The admin of periodic jobs, and the warning that the worker is late."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin.read_only import ReadOnlyAdmin
from core.jobs.models import Sweep
from core.jobs.periodic import PERIODIC_JOBS, is_late, read_heartbeat
from core.portal.times import render_instant


@admin.register(Sweep)
class SweepAdmin(ReadOnlyAdmin):
    list_display = ("job", "started", "finished", "taken_up", "is_on_time", "last_error")
    exported_columns = {"started": ("started_at",), "finished": ("finished_at",)}
    texts_in_columns = ("error",)
    ordering = ("name",)
    fields = ("name", "every", "started_at", "finished_at", "taken_up", "failed_at", "error")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Sweep]":
        """Leave out rows of interval claims that are no periodic jobs."""
        rows: QuerySet[Sweep] = super().get_queryset(request)
        return rows.filter(name__in=PERIODIC_JOBS)

    @admin.display(description="what", ordering="name")
    def job(self, sweep: Sweep) -> str:
        return sweep.name.capitalize()

    @admin.display(description="started", ordering="started_at")
    def started(self, sweep: Sweep) -> str:
        return render_instant(sweep.started_at)

    @admin.display(description="finished", ordering="finished_at")
    def finished(self, sweep: Sweep) -> str:
        return render_instant(sweep.finished_at)

    @admin.display(description="on time", boolean=True)
    def is_on_time(self, sweep: Sweep) -> bool:
        return not is_late(sweep.name, sweep.finished_at)

    @admin.display(description="error", empty_value="")
    def last_error(self, sweep: Sweep) -> str | None:
        """The last line of the traceback of the last run, if it failed; the page of the row shows all of it."""
        if sweep.failed_at is None or (sweep.finished_at and sweep.finished_at > sweep.failed_at):
            return None
        return sweep.error.strip().rsplit("\n", maxsplit=1)[-1]


def build_worker_warning(request: HttpRequest) -> tuple[str, str] | None:
    """Unfold's environment label: a warning and its colour on every page while the worker is late, else `None`."""
    if not request.user.is_authenticated:
        return None
    late = read_heartbeat().late_jobs
    if not late:
        return None
    if len(late) == len(PERIODIC_JOBS):
        return "The worker does not run", "danger"
    others = f" and {len(late) - 1} more" if len(late) > 1 else ""
    return f"The worker is late to {late[0]}{others}", "danger"
