"""The annotator's way through the page in a real browser, by keys."""

import pytest
from playwright.sync_api import Page, expect

from annotate.models import Annotation, Item

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page: Page, live_server, name: str) -> None:
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()


@pytest.fixture
def items(cast, add_items):
    return add_items(
        cast.project, [{"id": f"i{number}", "prompt": f"question number {number}"} for number in range(6)]
    )


@pytest.fixture
def at_work(cast, items, page: Page, live_server):
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    return page


def shown_text(page: Page) -> str:
    return page.locator(".text-block div").first.inner_text()


def submit(page: Page) -> None:
    """Press Enter and wait until the next item is there."""
    before = page.locator("[name=client_id]").input_value()
    page.keyboard.press("Enter")
    expect(page.locator(f'[name=client_id][value="{before}"]')).to_have_count(0)


def test_five_safe_items_by_two_keys_each_without_a_page_load(at_work: Page, console):
    loads = []
    at_work.on("framenavigated", lambda frame: loads.append(frame.url))
    seen = set()
    for _ in range(5):
        seen.add(shown_text(at_work))
        at_work.keyboard.press("1")
        submit(at_work)
    assert len(seen) == 5
    assert Annotation.objects.filter(answers={"prompt_harm": "safe"}).count() == 5
    assert loads == []
    assert console == []


def test_an_unsafe_item_with_two_hazards_found_by_search(at_work: Page, console):
    expect(at_work.get_by_label("Find a hazard")).to_be_hidden()
    at_work.keyboard.press("2")
    search = at_work.get_by_label("Find a hazard")
    expect(search).to_be_focused()
    at_work.keyboard.type("fra")
    expect(at_work.locator(".pick:visible")).to_have_count(1)
    expect(at_work.locator(".definition:visible")).to_have_count(0)
    at_work.keyboard.press("1")
    at_work.keyboard.type("viol")
    at_work.keyboard.press("1")
    expect(at_work.get_by_text("Chosen: Violence, Fraud")).to_be_visible()
    submit(at_work)
    stored = Annotation.objects.get().answers
    assert stored["prompt_harm"] == "unsafe"
    assert sorted(stored["hazard_categories"]) == ["fraud", "violence"]
    assert console == []


def test_undo_and_change(at_work: Page):
    first = shown_text(at_work)
    at_work.keyboard.press("1")
    submit(at_work)
    at_work.keyboard.press("z")
    expect(at_work.get_by_role("heading", name="Answered before")).to_be_visible()
    assert shown_text(at_work) == first
    at_work.keyboard.press("0")
    submit(at_work)
    assert list(Annotation.objects.order_by("revision").values_list("answers__prompt_harm", flat=True)) == [
        "safe",
        "unsure",
    ]


def test_skip_and_flag_by_key(at_work: Page):
    first = shown_text(at_work)
    at_work.keyboard.press("k")
    expect(at_work.locator(".text-block div").first).not_to_have_text(first)
    second = shown_text(at_work)
    at_work.keyboard.press("f")
    at_work.get_by_label("What is it?").select_option("broken")
    at_work.get_by_role("button", name="Flag and take the next item").click()
    expect(at_work.locator(".text-block div").first).not_to_have_text(second)
    assert Item.objects.get(content__prompt=second).flags.count() == 1
    assert not Annotation.objects.exists()


def test_p1_a_reload_brings_the_same_item_back(at_work: Page):
    before = shown_text(at_work)
    at_work.reload()
    assert shown_text(at_work) == before


def test_hazardous_text_does_nothing(cast, add_items, page: Page, live_server, console):
    add_items(
        cast.project,
        [{"id": "x", "prompt": "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"}],
    )
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    assert shown_text(page) == "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
    assert dialogs == []
    assert console == []


def test_without_scripts(cast, items, browser, live_server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    page.get_by_role("radio", name="safe", exact=True).check(force=True)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Item")).to_be_visible()
    assert Annotation.objects.get().answers == {"prompt_harm": "safe"}
    context.close()
