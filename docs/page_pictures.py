"""`python docs/page_pictures.py PAGE`: a picture of each view, into docs/img. Needs Playwright and Chromium."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMG = Path(__file__).resolve().parent / "img"
VIEWS = ("table", "items", "worst", "disagree", "failures", "blind", "figures", "about")
PHONE = ("items", "blind")


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    index = Path(sys.argv[1]) / "index.html" if len(sys.argv) == 2 else None
    if index is None or not index.is_file():
        print("usage: python docs/page_pictures.py PAGE", file=sys.stderr)
        return 2
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 860})
        tab.goto(index.resolve().as_uri())
        for view in VIEWS:
            shot(tab, view, f"page-{view}")
        tab.get_by_label("shade").select_option("dark")
        shot(tab, "items", "page-items-dark")
        tab.get_by_label("shade").select_option("light")
        tab.set_viewport_size({"width": 390, "height": 800})
        for view in PHONE:
            shot(tab, view, f"page-{view}-phone")
        browser.close()
    return 0


def shot(tab: Page, view: str, name: str) -> None:
    """The view as a reader sees it first."""
    tab.locator("nav button").nth(VIEWS.index(view)).click()
    tab.wait_for_load_state("networkidle")
    tab.wait_for_timeout(400)
    tab.screenshot(path=IMG / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
