"""The URLs of the neighbours of a page."""

from typing import Any

import pytest
from django.test import RequestFactory

from core.http.pages import Page, build_page


def build_middle_page(path: str, **headers: Any) -> Page:
    return build_page(RequestFactory().get(path, **headers), page=2, page_size=10, count=25, results=[])


def test_links_have_the_host_of_the_request() -> None:
    answer = build_middle_page("/api/sessions/?page=2", headers={"host": "localhost:8000"})

    assert answer["next"] == "http://localhost:8000/api/sessions/?page=3"
    assert answer["previous"] == "http://localhost:8000/api/sessions/?page=1"


@pytest.mark.parametrize(("trusted", "scheme"), [(None, "http"), (("HTTP_X_FORWARDED_PROTO", "https"), "https")])
def test_links_are_https_behind_a_trusted_tls_proxy(settings: Any, trusted: Any, scheme: str) -> None:
    settings.SECURE_PROXY_SSL_HEADER = trusted

    answer = build_middle_page("/api/sessions/", headers={"host": "testserver", "x-forwarded-proto": "https"})

    assert answer["next"] == f"{scheme}://testserver/api/sessions/?page=3"


def test_links_keep_all_other_parameters() -> None:
    answer = build_middle_page(
        "/api/sessions/?subject=c%2B%2B%20%26%20c&page=2&status=&level=beginner&level=advanced&x=%C3%A9"
    )

    assert answer["next"] == (
        "http://testserver/api/sessions/?subject=c%2B%2B+%26+c&page=3&status=&level=beginner&level=advanced&x=%C3%A9"
    )


def test_parameters_and_headers_cannot_redirect_links_to_another_host() -> None:
    answer = build_middle_page(
        "/api/sessions/?next=//evil.example/&page=2", headers={"x-forwarded-host": "evil.example"}
    )

    assert answer["next"] == "http://testserver/api/sessions/?next=%2F%2Fevil.example%2F&page=3"
