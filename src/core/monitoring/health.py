"""`GET /healthz`: whether this process can serve, and whether the worker runs its jobs on time."""

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
    """Responds before the host check and the redirect to HTTPS, since probes use an IP address and plain HTTP."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return healthz(request) if request.path_info == PATH else self.get_response(request)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 if the database responds, else 503. A late worker is reported, but does not change the status."""
    try:
        worker = read_heartbeat()
    except Error:
        logger.exception("The database does not answer")
        return build_error_response(503)
    return build_json_response(
        {"status": "ok", "worker": {"last_ran_at": worker.last_ran_at, "late": bool(worker.late_jobs)}}
    )
