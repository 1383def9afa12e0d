"""`./just screenshots`: pictures of the portal, as the demo fills it, for the README and docs."""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from screenshots.chromium import ChromiumMissing, find_chromium, launch
from screenshots.demo_server import DemoServer, run_demo_server
from screenshots.pictures import PICTURES, SESSION, Picture

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
MODERATOR, PASSWORD = "moderator", "learn-together"


def main() -> int:
    """Take every picture; 1 where there is no Chromium."""
    try:
        find_chromium()
    except ChromiumMissing as missing:
        say(f"No pictures: {missing}")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    say("Loading the demo ...")
    with run_demo_server(session_title=SESSION) as server, sync_playwright() as playwright:
        browser = launch(playwright)
        logged_in = log_in(browser, server)
        for picture in PICTURES:
            for look in picture.looks:
                file = FOLDER / f"{picture.name}-{look.name}.png"
                context = browser.new_context(
                    base_url=server.url,
                    storage_state=logged_in,
                    color_scheme=look.scheme,
                    viewport={"width": look.width, "height": look.height},
                    reduced_motion="reduce",
                )
                take(context.new_page(), server, picture, file)
                context.close()
                say(f"{file.relative_to(FOLDER.parent.parent)}: {file.stat().st_size // 1024} KiB")
        browser.close()
    return 0


def log_in(browser: Browser, server: DemoServer) -> Any:
    """What a browser keeps of a moderator who has logged in."""
    context = browser.new_context(base_url=server.url)
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("Username").fill(MODERATOR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("/admin/")
    state = context.storage_state()
    context.close()
    return state


def take(page: Page, server: DemoServer, picture: Picture, file: Path) -> None:
    answer = page.goto(picture.path.format(session=server.session, member=server.member))
    if answer is None or not answer.ok:
        raise RuntimeError(f"{picture.name} is not there: {answer and answer.status}")
    if picture.opens:
        page.get_by_role("button", name=picture.opens, exact=True).click()
        page.get_by_role("dialog").wait_for()
    settle(page)
    page.screenshot(path=file, animations="disabled", caret="hide")


def settle(page: Page) -> None:
    """Nothing is on its way any more, and all letters are there."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
