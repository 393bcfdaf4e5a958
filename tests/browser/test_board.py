"""The board in a real browser: figures load after the page, can be reached and read, and open their items."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.annotate.test_board import seed
from tests.browser.test_annotate import sign_in
from tests.browser.test_axe import scan, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead(cast, add_items, page: Page, live_server):
    seed(cast, add_items)
    sign_in(page, live_server, "lead")
    page.goto(f"{live_server.url}/projects/guard/board/")
    expect(page.get_by_role("heading", name="Agreement by category")).to_be_visible()
    return page


def open_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")


def test_a_cell_of_the_confusions_opens_its_items_by_keyboard(lead: Page, console):
    question = lead.locator("section[aria-labelledby=votes-hazard_categories]")
    drawing = question.get_by_role("img", name="Taken for one another")
    expect(drawing).to_be_visible()
    assert drawing.locator("rect").count() == 9
    summary = question.locator("summary", has_text="The same as a table").first
    summary.focus()
    lead.keyboard.press("Enter")
    expect(question.locator("details").first).to_have_attribute("open", "")
    link = question.get_by_role("group", name="Taken for one another").get_by_role("link").first
    shown = int(link.inner_text())
    link.focus()
    lead.keyboard.press("Enter")
    expect(lead.get_by_role("status").filter(has_text=re.compile(rf"^{shown} items?$"))).to_be_visible()
    expect(lead.get_by_text("where two people part over:")).to_be_visible()
    assert console == []


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_axe_finds_nothing_on_board_and_items_in_either_direction(lead: Page, live_server, direction):
    for address in ("board/?figures", "items/?question=prompt_harm&value=unsafe", "items/?kind=poem"):
        lead.goto(f"{live_server.url}/projects/guard/{address}")
        lead.evaluate("direction => { document.documentElement.dir = direction }", direction)
        open_details(lead)
        assert scan(lead) == [], address


def test_text_in_the_drawings_can_be_read_on_a_narrow_screen(lead: Page):
    lead.set_viewport_size({"width": 320, "height": 800})
    heights = lead.evaluate(
        "[...document.querySelectorAll('.heat-map text')].map(text => text.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) >= 10


def test_without_scripts_the_figures_come_with_the_page(cast, add_items, browser, live_server):
    seed(cast, add_items)
    page = signed_in(browser.new_context(java_script_enabled=False), cast.lead, live_server.url)
    page.goto(f"{live_server.url}/projects/guard/board/")
    page.get_by_role("link", name="Show without waiting for scripts").click()
    expect(page.get_by_role("heading", name="Agreement by category")).to_be_visible()


def test_a_filter_is_built_saved_and_used_for_the_queue(lead: Page, live_server, console):
    lead.goto(f"{live_server.url}/projects/guard/items/")
    lead.locator("summary", has_text="Filter").click()
    lead.get_by_label("Question").select_option("prompt_harm")
    lead.get_by_label("Its label is").select_option('"unsafe"')
    lead.get_by_role("button", name="Show").click()
    lead.get_by_label("Save this filter as").fill("unsafe")
    lead.get_by_role("button", name="Save", exact=True).click()
    expect(lead.get_by_text("Saved as unsafe.")).to_be_visible()
    lead.get_by_role("button", name="Use for the queue: unsafe").click()
    expect(lead.get_by_text("The queue hands out only what the filter unsafe finds.")).to_be_visible()
    lead.get_by_role("button", name="Back to all items").click()
    expect(lead.get_by_text("The queue hands out only")).to_have_count(0)
    lead.get_by_role("button", name="Delete: unsafe").click()
    expect(lead.get_by_role("heading", name="Saved filters")).to_have_count(0)
    assert console == []
