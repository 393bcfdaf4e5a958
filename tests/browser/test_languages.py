"""The whole loop in German and in Arabic, from right to left; what a person chose holds on every page."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotate.models import Preferences
from tests.browser.test_annotate import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_work(cast, add_items, page: Page, live_server):
    """An annotator who chose a language, at the first of two items."""
    add_items(cast.project, [{"id": "a", "prompt": "One question"}, {"id": "b", "prompt": "سؤال آخر"}])

    def go(language: str, **more: str) -> Page:
        sign_in(page, live_server, "annotator")
        Preferences.objects.update_or_create(user=cast.annotator, defaults={"language": language} | more)
        page.goto(f"{live_server.url}/projects/guard/annotate/")
        return page

    return go


def test_an_item_in_german(at_work, console):
    page = at_work("de", density="compact")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    expect(page.get_by_role("button", name="Absenden")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="von Ihnen erledigt: 1")).to_be_visible()
    assert console == []


def test_an_item_in_arabic_from_right_to_left(at_work, console):
    page = at_work("ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    item, answers = page.locator("#item").bounding_box(), page.locator("#answers").bounding_box()
    assert answers["x"] < item["x"], "the answers stand at the line's end"
    for text in page.locator("#item [data-part]").all():
        assert text.get_attribute("dir") == "auto"
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text=re.compile("أنجزتَ: 1"))).to_be_visible()
    assert console == []


def test_icons_along_the_line_turn_round(at_work, live_server):
    page = at_work("ar")
    page.goto(f"{live_server.url}/projects/guard/")
    icon = page.locator(".icon.directed").first
    assert icon.evaluate("it => getComputedStyle(it).transform") == "matrix(-1, 0, 0, 1, 0, 0)"
    assert icon.bounding_box()["width"] > 10
