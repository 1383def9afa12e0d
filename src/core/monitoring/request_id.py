"""What is known about the request in hand, for logs and for the record of facts."""

import logging
import secrets
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def begin_request() -> str:
    """Give the request in hand an id of its own and return it."""
    identifier = secrets.token_hex(16)
    _request_id.set(identifier)
    return identifier


def end_request(**_: Any) -> None:
    """Forget the request: its answer has been sent, and Django has logged what it says of it."""
    _request_id.set("")


request_finished.connect(end_request)


def get_current_request_id() -> str:
    """The id of the request in hand, `""` outside a request (in the worker, in a command)."""
    return _request_id.get()


class RequestIdFilter(logging.Filter):
    """Puts the request id on every log record, so that a line can be found by the `X-Request-ID` of an answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = get_current_request_id() or "-"
        return True
