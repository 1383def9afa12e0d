"""The id of the current request, for logs and for the record of facts."""

import logging
import secrets
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def begin_request() -> str:
    """Generate an id for the current request and return it."""
    identifier = secrets.token_hex(16)
    _request_id.set(identifier)
    return identifier


def end_request(**_: Any) -> None:
    """Clear the id, after the response was sent and Django has logged the request."""
    _request_id.set("")


request_finished.connect(end_request)


def get_current_request_id() -> str:
    """Return the id of the current request, `""` outside requests (in the worker, in a command)."""
    return _request_id.get()


class RequestIdFilter(logging.Filter):
    """Adds the request id to log records, to find them by the `X-Request-ID` of a response."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = get_current_request_id() or "-"
        return True
