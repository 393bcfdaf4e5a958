"""WCAG 2.2 AA and best practice on every page: light, dark, either reading direction, narrow and wide (G7)."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from annotate.models import User
from tests.world import World, furnish

VENDOR = Path(__file__).parent / "vendor"
AXE = VENDOR / "axe-4.14.1.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCAN = """async tags => (await axe.run({runOnly: tags, resultTypes: ["violations"]})).violations.map(
  found => `${found.id}: ${found.nodes.map(node => node.target.join(" ") + " " + node.html.slice(0, 160)
    + (node.any[0]?.data?.contrastRatio ? ` ${node.any[0].data.contrastRatio}` : "")).slice(0, 4).join(" | ")}`)"""
# Each follows from the one before by the least change: only the first of a pair lays the page out anew.
VIEWS = [(1280, "light"), (1280, "dark"), (320, "dark"), (320, "light")]


def test_axe_is_what_its_manifest_says():
    [entry] = json.loads((VENDOR / "manifest.json").read_text())
    assert (entry["file"], entry["licence"]) == (AXE.name, "MPL-2.0")
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == entry["sha256"]


@pytest.fixture
def world(transactional_db, settings, tmp_path) -> World:
    settings.FILES_DIR = tmp_path / "files"
    return furnish(tmp_path)


def signed_in(context: BrowserContext, user: User, address: str) -> Page:
    client = Client()
    client.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])
    return context.new_page()


def scan(page: Page) -> list[str]:
    """What is wrong with the page as it stands, in every view."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{width} {scheme} {problem}" for problem in page.evaluate(SCAN, TAGS)] + too_wide(page, width)
    return found


def too_wide(page: Page, width: int) -> list[str]:
    needed = page.evaluate("document.documentElement.scrollWidth")
    return [f"runs {needed} wide at {width}"] if needed > width else []


def open_up(page: Page) -> None:
    """What a page hides until asked: details and the category picker."""
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
    if page.locator("category-picker").count() and page.locator("#answers").is_visible():
        page.keyboard.press("2")
        page.wait_for_load_state("networkidle")


@pytest.mark.timeout(900)
def test_nothing_is_wrong_with_any_page(world: World, browser, live_server):
    found = {
        f"{language} {name}": problems
        for language in ("en", "ar")
        for name, problems in sweep(world, browser.new_context(locale=language), live_server.url, language)
    }
    left = {name: problems for name, problems in found.items() if problems}
    assert left == {}, json.dumps(left, indent=1, ensure_ascii=False)


def test_the_longest_words_fit_the_narrowest_page(world: World, browser, live_server):
    """German's, on a page of 320 pixels (WCAG 1.4.10)."""
    context = browser.new_context(locale="de", viewport={"width": 320, "height": 900})
    page = signed_in(context, world.lead, live_server.url)
    found = {}
    for name, address in world.pages:
        page.goto(live_server.url + address)
        page.wait_for_load_state("networkidle")
        open_up(page)
        found[name] = too_wide(page, 320)
    context.close()
    assert {name: problems for name, problems in found.items() if problems} == {}


def sweep(world: World, context: BrowserContext, site: str, language: str) -> Iterator[tuple[str, list[str]]]:
    page = context.new_page()
    page.goto(f"{site}/sign-in/")
    yield "sign-in", scan(page)
    page = signed_in(context, User.objects.get(username="annotator"), site)
    page.goto(f"{site}/projects/demo/settings/")
    yield "not for this role", scan(page)
    page = signed_in(context, world.lead, site)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name, address in world.pages:
        page.set_viewport_size({"width": VIEWS[0][0], "height": 900})
        page.emulate_media(color_scheme=VIEWS[0][1], reduced_motion="reduce")
        status = page.goto(site + address).status
        page.wait_for_load_state("networkidle")
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr"), name
        open_up(page)
        # The browser complains of a page that refuses; what it says of all others counts.
        said = [
            f"console: {complaint}" for complaint in complaints if status < 400 or str(status) not in complaint
        ]
        yield name, scan(page) + said
        complaints.clear()
    context.close()
