"""The key machine: a person's own keys, the switch, what is left alone, and the key trainer."""

import pytest
from playwright.sync_api import Page, expect

from annotate.keys import COMMANDS, BadKeys, merged, usable
from annotate.models import Annotation, Category
from tests.browser.annotating import everything_sent, numbered, prefer, shown_id, sign_in, start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def items(cast, add_items):
    return add_items(cast.project, numbered(6))


@pytest.mark.parametrize(
    "own", [{"undo": "k"}, {"undo": "5"}, {"undo": "Enter"}, {"undo": " "}, {"undo": "ArrowUp"}, {"fly": "y"}]
)
def test_keys_that_can_not_be_are_refused(own):
    with pytest.raises(BadKeys):
        merged(own)
    assert usable(own) == {name: command.key for name, command in COMMANDS.items()}


def test_two_commands_may_change_places():
    keys = merged({"undo": "K", "skip": "z", "flag": ""})
    assert (keys["undo"], keys["skip"], keys["flag"]) == ("k", "z", "f")


def test_a_persons_own_keys_count_and_are_printed(cast, items, page: Page, live_server):
    prefer(cast.annotator, keys={"skip": "x", "undo": "q"})
    start(page, live_server)
    skip = page.get_by_role("button", name="Skip")
    expect(skip).to_have_attribute("aria-keyshortcuts", "x")
    expect(skip.locator("kbd")).to_have_text("x")
    before = shown_id(page)
    page.keyboard.press("k")
    assert shown_id(page) == before
    page.keyboard.press("x")
    expect(page.locator("#item")).not_to_have_attribute("data-item", str(before))
    page.keyboard.press("?")
    rows = page.get_by_role("dialog").get_by_role("row")
    expect(rows.filter(has_text="skip this item")).to_contain_text("x")
    expect(rows.filter(has_text="undo")).to_contain_text("q")


def test_g7_single_keys_can_be_switched_off_and_the_page_still_works(cast, items, page: Page, live_server):
    start(page, live_server)
    page.keyboard.press("?")
    page.get_by_label("Switch single keys off").check()
    page.get_by_role("button", name="Close").click()
    before = shown_id(page)
    for key in ("1", "k", "w", "f"):
        page.keyboard.press(key)
    expect(page.get_by_role("radio", name="safe", exact=True)).not_to_be_checked()
    assert shown_id(page) == before
    page.get_by_role("radio", name="safe", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#item")).not_to_have_attribute("data-item", str(before))
    page.reload()
    page.keyboard.press("1")
    expect(page.get_by_role("radio", name="safe", exact=True)).not_to_be_checked()


def test_a_preference_switches_single_keys_off(cast, items, page: Page, live_server):
    prefer(cast.annotator, single_keys=False)
    start(page, live_server)
    page.keyboard.press("1")
    expect(page.get_by_role("radio", name="safe", exact=True)).not_to_be_checked()


def test_keys_with_a_modifier_and_keys_in_a_text_are_left_alone(cast, items, page: Page, live_server):
    start(page, live_server)
    before = shown_id(page)
    for key in ("Control+k", "Alt+1", "Meta+f"):
        page.keyboard.press(key)
    assert shown_id(page) == before
    page.keyboard.press("f")
    note = page.get_by_label("Note")
    note.fill("")
    page.keyboard.type("k1z?")
    expect(note).to_have_value("k1z?")
    assert shown_id(page) == before
    expect(page.get_by_role("radio", name="safe", exact=True)).not_to_be_checked()


def test_a_held_key_counts_once(cast, items, page: Page, live_server):
    prefer(cast.annotator, auto_advance=True)
    start(page, live_server)
    for _ in range(4):
        page.keyboard.down("1")
    page.keyboard.up("1")
    everything_sent(page)
    assert Annotation.objects.count() == 1


def test_keys_typed_before_the_page_is_set_up_are_not_lost(cast, items, page: Page, live_server):
    prefer(cast.annotator, auto_advance=True)
    sign_in(page, live_server, "annotator")
    held = []
    page.route("**/annotate.js", lambda route: held.append(route))  # noqa: PLW0108
    page.goto(f"{live_server.url}/projects/guard/annotate/", wait_until="commit")
    expect(page.locator("#answers")).to_be_visible()
    while not held:
        page.wait_for_timeout(20)
    page.wait_for_timeout(300)
    for key in ("1", "0", "1"):
        page.keyboard.press(key)
    held[0].continue_()
    expect(page.locator("[data-mine]")).to_have_text("3")
    answers = Annotation.objects.order_by("id").values_list("answers__prompt_harm", flat=True)
    assert list(answers) == ["safe", "unsure", "safe"]


def test_focus_moves_to_the_heading_and_the_item_is_in_view(cast, add_items, page: Page, live_server):
    add_items(cast.project, [{"id": f"i{n}", "prompt": f"item {n} " + "word " * 3000} for n in range(3)])
    prefer(cast.annotator, auto_advance=True)
    start(page, live_server)
    before = shown_id(page)
    page.evaluate("() => scrollTo(0, 400)")
    page.keyboard.press("1")
    expect(page.locator("#item")).not_to_have_attribute("data-item", str(before))
    expect(page.locator("#item-heading")).to_be_focused()
    expect(page.locator("#item-heading")).to_be_in_viewport()


def test_the_key_trainer_counts_right_keys_and_stores_nothing(cast, items, page: Page, live_server, console):
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/keys/")
    right = page.locator("[data-right]")
    expect(page.locator("[data-say]")).to_have_text("safe")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(right).to_have_text("1")
    expect(page.locator("[data-say]")).to_have_text("undo")
    page.keyboard.press("k")
    expect(page.get_by_text("Not that one; once more.")).to_be_visible()
    page.keyboard.press("z")
    expect(right).to_have_text("1")
    for _ in range(3):
        code = page.locator("[data-say]").inner_text().removeprefix("unsafe, ").lower()
        page.keyboard.press("2")
        expect(page.locator("category-picker .stop").first).to_be_visible()
        for key in Category.objects.get(code=code).chord:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    expect(right).to_have_text("4")
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That was all.")).to_be_visible()
    assert not Annotation.objects.exists()
    assert console == []
