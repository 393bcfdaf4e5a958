"""Images on the annotate page: one and several, their words, and their natural size."""

import json
import zlib

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests.browser.test_annotate import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def png(width: int, height: int) -> bytes:
    """A grey PNG of this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 0, 0, 0, 0])
    rows = (b"\0" + b"\x80" * width) * height
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.fixture
def at_work(cast, settings, tmp_path, page: Page, live_server):
    """The annotate page with the one item that is imported with these images."""

    def open_page(row: dict) -> Page:
        settings.FILES_DIR = tmp_path / "files"
        (tmp_path / "wide.png").write_bytes(png(3000, 1500))
        (tmp_path / "small.png").write_bytes(png(40, 30))
        (tmp_path / "items.jsonl").write_text(json.dumps({"id": "x", "prompt": "What is it?"} | row) + "\n")
        call_command("import_items", "guard", str(tmp_path / "items.jsonl"))
        sign_in(page, live_server, "annotator")
        page.goto(f"{live_server.url}/projects/guard/annotate/")
        return page

    return open_page


def width_of(page: Page, name: str) -> float:
    return page.get_by_role("img", name=name).bounding_box()["width"]


def test_one_image_fits_and_is_shown_in_its_natural_size_on_demand(at_work, console):
    page = at_work({"image": "wide.png", "alt": "a grey field"})
    image = page.get_by_role("img", name="a grey field")
    expect(image).to_have_js_property("naturalWidth", 3000)
    assert width_of(page, "a grey field") < 1280
    page.keyboard.press("+")
    assert width_of(page, "a grey field") == 3000
    frame = page.get_by_role("group", name="Image 1")
    expect(frame).to_be_focused()
    expect(page.get_by_role("button", name="Natural size")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280, "only the frame scrolls sideways"
    page.keyboard.press("+")
    assert width_of(page, "a grey field") < 1280
    assert console == []


def test_several_images_zoom_one_by_one_and_keep_their_place(at_work, console):
    page = at_work({"images": ["wide.png", {"image": "small.png", "alt": "a small one"}]})
    first = page.get_by_role("img", name="Image 1 of this item; it has no description")
    expect(first).to_have_attribute("width", "3000")
    expect(first).to_have_attribute("height", "1500")
    second = page.get_by_role("img", name="a small one")
    expect(second).to_have_js_property("naturalWidth", 40)
    expect(first).to_have_js_property("naturalWidth", 3000)
    page.get_by_role("button", name="Natural size").nth(0).click()
    assert first.bounding_box()["width"] == 3000
    expect(page.get_by_role("button", name="Natural size").nth(1)).to_have_attribute("aria-pressed", "false")
    assert console == []


def test_without_scripts_the_images_are_there(at_work, cast, browser, live_server):
    at_work({"images": ["wide.png", "small.png"]})
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    expect(page.get_by_role("img")).to_have_count(2)
    expect(page.get_by_role("button", name="Natural size")).to_have_count(0)
    context.close()
