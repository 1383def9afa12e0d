"""The tour of the README, run line by line against a product that has just been started."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from tests.system.product import Product, wait_until_gone, wait_until_up

README = Path(settings.CHECKOUT) / "README.md"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the tour needs curl"),
]


def run_tour(product: Product) -> str:
    """What the tour prints, in the folder of the checkout, as a reader would run it."""
    (block,) = [block for block in re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL) if "BASE=" in block]
    script = re.sub(r"^BASE=.*$", f"BASE=http://127.0.0.1:{product.port}/api", block, count=1, flags=re.MULTILINE)
    run = subprocess.run(["bash", "-eu", "-c", script], cwd=README.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_tour_does_what_it_says(product: Product) -> None:
    process = product.start()
    wait_until_up(product)

    printed = run_tour(product)

    for shown in (
        "\napproved\n",  # by the moderator
        '"New booking request for Knots That Hold"',
        '"Booking request approved for Knots That Hold"',
        '"What to bring"',
        '"README.md"',
        "Already joined",
        "\ncancelled\n",
        '"Session cancelled: Knots That Hold"',
        "BEGIN:VCALENDAR",
    ):
        assert shown in printed, f"{shown} in {printed}"
    assert "Traceback" not in printed
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    wait_until_gone(product)
