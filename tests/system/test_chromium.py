"""A missing Chromium is reported in a sentence, and no screenshot is taken."""

import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.parametrize("module", ["screenshots.chromium", "screenshots"])
@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PATH": "/nowhere"}, "Chromium is not installed (Debian: apt install chromium)\n"),
        ({"TEST_CHROMIUM": "no-such-browser"}, "TEST_CHROMIUM names no program\n"),
    ],
)
def test_a_missing_chromium_is_reported(module: str, environment: dict[str, str], words: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", module],
        cwd=settings.CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert run.stdout.endswith(words)
    assert run.stderr == ""
