"""The findings of axe-core on a page, with all default rules."""

import sys
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

GRAVE = ("serious", "critical")
# Includes undecided findings, which help to explain a failure.
RUN = "axe.run(document, {resultTypes: ['violations', 'incomplete']})"


def assert_accessible(page: Page) -> None:
    """Assert that no finding is serious or critical; print the minor ones."""
    page.evaluate("document.fonts.ready")
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(RUN)
    assert found["passes"], "axe-core looked at nothing."
    grave = [finding for finding in found["violations"] if finding["impact"] in GRAVE]
    slight = [finding for finding in found["violations"] if finding["impact"] not in GRAVE]
    sys.stdout.write("".join(f"{line}\n" for finding in slight for line in _lines(finding)))
    assert not grave, "\n".join([f"{page.url} is not accessible:", *(line for each in grave for line in _lines(each))])


def _lines(finding: dict[str, Any]) -> list[str]:
    return [
        f"{finding['impact']}: {finding['help']} ({finding['id']}, {finding['helpUrl']})",
        *(line for node in finding["nodes"] for line in _lines_of(node)),
    ]


def _lines_of(node: dict[str, Any]) -> list[str]:
    checks = [*node["any"], *node["all"], *node["none"]]
    html = " ".join(node["html"].split())
    return [
        f"    {' '.join(str(step) for step in node['target'])}",
        f"        {html[:300]}",
        *(f"        {check['message']}" for check in checks),
    ]
