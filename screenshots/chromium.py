"""Where Chromium is on this machine. Nothing here downloads one."""

import os
import shutil
import sys

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


class ChromiumMissing(Exception):
    """No Chromium; in one sentence."""


def find_chromium() -> str:
    """The path of the program. Raises `ChromiumMissing`."""
    if name := os.environ.get("TEST_CHROMIUM"):
        if path := shutil.which(name):
            return path
        raise ChromiumMissing("TEST_CHROMIUM names no program")
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise ChromiumMissing("Chromium is not installed (Debian: apt install chromium)")


def launch(playwright: Playwright) -> Browser:
    """Chromium without a window. Raises `ChromiumMissing`."""
    return playwright.chromium.launch(executable_path=find_chromium())


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{find_chromium()}\n")
    except ChromiumMissing as missing:
        sys.stdout.write(f"{missing}\n")
        sys.exit(1)
