"""The page as a reader meets it, in Chromium, from disk: at desktop and phone width, by mouse and by keyboard."""

from __future__ import annotations

import json
import shutil

import pytest

from calm_eval.reports.page.make import write_page
from calm_eval.reports.page.wish import PageWish

pytestmark = pytest.mark.browser

SIZES = {"desktop": (1280, 900), "phone": (390, 800)}
VIEWS = ("table", "items", "worst", "disagree", "failures", "blind", "figures", "about")


@pytest.fixture(scope="module")
def chromium():
    driver = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[browser]'")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with driver.sync_playwright() as started:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        browser = started.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(params=SIZES)
def tab(request, chromium, hostile_run, tmp_path):
    """An open page without any console error at its end."""
    folder = write_page(hostile_run, tmp_path / "page", PageWish()).folder
    width, height = SIZES[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    page = context.new_page()
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda asked: errors.append(asked.url) if not asked.url.startswith(("file:", "data:", "blob:")) else None,
    )
    page.goto((folder / "index.html").as_uri())
    yield page
    assert errors == []
    context.close()


def rows(page):
    return page.locator("tbody th").all_inner_texts()


def view(page, name):
    button = page.locator("nav button").nth(VIEWS.index(name))
    button.click()
    page.wait_for_function("one => one.getAttribute('aria-current') === 'page'", arg=button.element_handle())


def until(page, script):
    """The page draws a moment after it was told something."""
    page.wait_for_function(script, timeout=5000)


def test_sorted_and_filtered(tab) -> None:
    assert rows(tab) == ["one", "two", "reference"]
    header = tab.locator("thead th").nth(1)
    header.locator("button").click()
    until(tab, "() => document.querySelector('[aria-sort=ascending]')")
    up = rows(tab)
    header.locator("button").click()
    until(tab, "() => document.querySelector('[aria-sort=descending]')")
    valued = [name for name in up if name != "reference"]
    assert [name for name in rows(tab) if name != "reference"] == valued[::-1]
    tab.get_by_role("searchbox", name="rows").fill("TW")
    until(tab, "() => document.querySelectorAll('tbody tr').length === 1")
    assert rows(tab) == ["two"]
    assert "1 of 3 rows" in tab.locator("output").inner_text()


def test_no_view_is_wider_than_the_window_and_hostile_text_is_text(tab) -> None:
    for name in VIEWS:
        view(tab, name)
        tab.wait_for_timeout(50)
        wide = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, name
        assert "hit" not in tab.title()
    view(tab, "items")
    assert tab.locator("blockquote").first.inner_text() == "<script>document.title='hit'</script>"
    assert tab.locator("blockquote script").count() == 0


def test_a_sample_plays_when_it_is_asked_for(tab) -> None:
    view(tab, "items")
    audio = tab.locator("audio").last
    assert audio.evaluate("one => one.readyState") == 0  # nothing is loaded before
    audio.evaluate("one => one.play()")
    tab.wait_for_function("one => one.currentTime > 0.05", arg=audio.element_handle(), timeout=5000)
    first = tab.locator("audio").first
    first.evaluate("one => one.play()")
    assert audio.evaluate("one => one.paused")  # one at a time


def test_items_by_keyboard_and_by_words(tab) -> None:
    view(tab, "items")
    tab.locator("h2").click()
    tab.keyboard.press("j")
    assert "item=item-1" in tab.url
    tab.keyboard.press("k")
    tab.keyboard.press("k")
    assert "item=item-5" in tab.url
    tab.get_by_role("searchbox", name="find").fill("that are said")
    until(tab, "() => document.querySelector('.given h3').innerText.startsWith('item-4')")


def test_worst_disagreements_and_failures(tab) -> None:
    view(tab, "worst")
    shown = [float(text.split()[0]) for text in tab.locator(".line h3").all_inner_texts()]
    assert shown in (sorted(shown), sorted(shown, reverse=True))
    assert len(set(shown)) > 1
    view(tab, "disagree")
    sizes = [abs(float(text.split()[0])) for text in tab.locator(".line > h3").all_inner_texts()]
    assert sizes == sorted(sizes, reverse=True)
    view(tab, "failures")
    assert "it <i>broke</i>" in tab.locator(".failed").first.inner_text()


def test_blind_hides_names_keeps_choices_and_exports_them(tab, tmp_path) -> None:
    view(tab, "blind")
    heard = tab.locator(".blind").inner_text()
    assert "one" not in heard.split()
    assert "two" not in heard.split()
    assert tab.locator(".blind h4").all_inner_texts() == ["A", "B"]
    tab.get_by_role("radio", name="B is best").check()
    tab.get_by_role("button", name="next item").click()
    until(tab, "() => document.querySelector('output').innerText.startsWith('item 2 of')")
    tab.get_by_role("radio", name="no difference").check()
    with tab.expect_download() as waited:
        tab.get_by_role("button", name="export choices").click()
    waited.value.save_as(tmp_path / "choices.json")
    told = json.loads((tmp_path / "choices.json").read_text())
    assert (told["schema"], told["version"]) == ("calm-eval-choices", 1)
    first, second = told["choices"]
    assert first["best"] == first["heard"][1]
    assert sorted(first["heard"]) == ["one", "two"]
    assert (second["item"], second["best"]) == ("item-1", "")
    tab.reload()
    assert tab.get_by_role("radio", name="no difference").is_checked()


def test_light_and_dark(tab) -> None:
    for shade, paper in (("dark", "rgb(21, 23, 26)"), ("light", "rgb(255, 255, 255)")):
        tab.get_by_label("shade").select_option(shade)
        tab.wait_for_function(
            "wanted => getComputedStyle(document.body).backgroundColor === wanted", arg=paper, timeout=2000
        )


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_axe_finds_nothing_serious(tab, shade) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    tab.get_by_label("shade").select_option(shade)
    for name in VIEWS:
        view(tab, name)
        tab.wait_for_timeout(50)
        found = axe.run(tab, options={"preload": False}).response["violations"]
        serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
        assert serious == [], name
