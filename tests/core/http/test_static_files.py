"""Static files, served by the application under WSGI and ASGI."""

import asyncio
from typing import Any

import pytest
from django.test import AsyncClient, Client
from pytest_django import Settings

STYLES = "/static/portal/portal.css"


@pytest.fixture(autouse=True)
def use_finders(settings: Settings) -> None:
    settings.SERVESTATIC_USE_FINDERS = True


def get_by_wsgi(path: str) -> tuple[int, dict[str, str], bytes]:
    answer: Any = Client().get(path)
    return answer.status_code, dict(answer.headers), b"".join(answer)


def get_by_asgi(path: str) -> tuple[int, dict[str, str], bytes]:
    async def get() -> tuple[int, dict[str, str], bytes]:
        answer: Any = await AsyncClient().get(path)
        content = b"".join([part async for part in answer]) if answer.streaming else answer.content
        return answer.status_code, dict(answer.headers), content

    return asyncio.run(get())


@pytest.mark.parametrize("get", [get_by_wsgi, get_by_asgi])
def test_a_static_file_is_served(get: Any) -> None:
    status, headers, content = get(STYLES)

    assert status == 200
    assert headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert int(headers["Content-Length"]) == len(content)
    assert b"#portal-dialog" in content


@pytest.mark.parametrize("get", [get_by_wsgi, get_by_asgi])
@pytest.mark.parametrize("path", ["/static/portal/nothing.css", "/static/", "/static/../settings.py"])
def test_paths_without_a_file_are_a_404(get: Any, path: str) -> None:
    assert get(path)[0] == 404


@pytest.mark.parametrize("get", [get_by_wsgi, get_by_asgi])
def test_a_file_is_not_served_outside_the_static_url(get: Any) -> None:
    assert get("/portal/portal.css")[0] == 404


@pytest.mark.parametrize("debug", [True, False])
def test_missing_files_are_a_404_with_and_without_debug(debug: bool, settings: Settings) -> None:
    settings.DEBUG = debug
    settings.SERVESTATIC_AUTOREFRESH = debug

    assert get_by_wsgi(STYLES)[0] == 200
    assert get_by_wsgi("/static/portal/nothing.css")[0] == 404


def test_head_and_range_requests_are_supported_and_other_methods_refused() -> None:
    whole = get_by_wsgi(STYLES)[2]
    head: Any = Client().head(STYLES)
    part: Any = Client().get(STYLES, headers={"Range": "bytes=0-9"})
    beyond: Any = Client().get(STYLES, headers={"Range": f"bytes={len(whole)}-"})
    refused: Any = Client().post(STYLES)

    assert (head.status_code, int(head["Content-Length"]), b"".join(head)) == (200, len(whole), b"")
    assert (part.status_code, b"".join(part)) == (206, whole[:10])
    assert beyond.status_code == 416
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")
