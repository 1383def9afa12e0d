"""`GET /healthz`: can this process serve, and does the worker do what it should?"""

import logging
from collections.abc import Callable

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from core.http.error_responses import build_error_response
from core.http.json import build_json_response
from core.jobs.periodic import read_heartbeat

PATH = "/healthz"

logger = logging.getLogger(__name__)


class HealthMiddleware:
    """Answers before names are checked and before anything is redirected: who probes knows an address, not a name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return healthz(request) if request.path_info == PATH else self.get_response(request)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, 503 when it does not. A worker that is late is told of, and no fault of ours."""
    try:
        worker = read_heartbeat()
    except Error:
        logger.exception("The database does not answer")
        return build_error_response(503)
    return build_json_response(
        {"status": "ok", "worker": {"last_ran_at": worker.last_ran_at, "late": bool(worker.late_jobs)}}
    )
