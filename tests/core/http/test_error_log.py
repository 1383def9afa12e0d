"""Logging of unhandled exceptions."""

import logging

import pytest
from django.test import RequestFactory

from core.api import api


def test_a_path_cannot_inject_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    request = RequestFactory().get("/api/files/x%0a2030-01-01 00:00:00 CRITICAL everything is lost/")

    with caplog.at_level(logging.ERROR):
        response = api.on_exception(request, RuntimeError("no"))

    assert response.status_code == 500
    assert caplog.messages == [
        "GET /api/files/x%0A2030-01-01%2000:00:00%20CRITICAL%20everything%20is%20lost/ crashed",
    ]
