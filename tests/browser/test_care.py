"""Veils, breaks, check-in and the person's own page in a real browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from annotate.models import Annotation, Assignment, Item, OptOut, Preferences, Project
from annotate.submit import flag
from tests.browser.annotating import everything_sent, prefer, sign_in, start
from tests.browser.test_axe import scan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def items(cast, add_items):
    Project.objects.filter(pk=cast.project.pk).update(care_note="Call **Ada**, at any time.")
    return add_items(
        cast.project,
        [{"id": f"i{n}", "prompt": f"prompt {n}", "response": f"response {n}", "severity": 1} for n in range(6)],
    )


def bodies(page: Page):
    return page.locator("#item .text-block > [role=group]")


def all_hidden(page: Page) -> None:
    for body in bodies(page).all():
        expect(body).to_be_hidden()


def all_shown(page: Page) -> None:
    for body in bodies(page).all():
        expect(body).to_be_visible()


def veil_sent(page: Page) -> str:
    return page.locator("#answers [name=veil]").input_value()


def answer(page: Page) -> None:
    """Harm, refusal and harm of the response: everything safe."""
    before = page.locator("#item").get_attribute("data-item")
    for _ in range(3):
        page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#item")).not_to_have_attribute("data-item", before)


def test_a_notice_stands_before_the_item_and_nothing_is_veiled_unasked(cast, items, page: Page, live_server):
    start(page, live_server)
    expect(page.locator("#item .notice")).to_have_text("Notice: may be upsetting")
    all_shown(page)
    answer(page)
    everything_sent(page)
    assert Annotation.objects.get().shown == {"notice": "upsetting"}


def test_a_held_key_lifts_the_veil_and_blocks_no_key(cast, items, page: Page, live_server, console):
    prefer(cast.annotator, veil="hold", veiled="all")
    start(page, live_server)
    assert bodies(page).count() == 2
    all_hidden(page)
    assert bodies(page).first.get_attribute("aria-hidden") == "true"
    assert veil_sent(page) == "covered"
    page.keyboard.down("v")
    all_shown(page)
    assert bodies(page).first.get_attribute("aria-hidden") is None
    assert veil_sent(page) == "lifted"
    page.keyboard.press("1")
    page.keyboard.up("v")
    all_hidden(page)
    expect(page.locator("#answers input[type=radio]:checked")).to_have_count(1)
    page.keyboard.press("1")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    everything_sent(page)
    assert Annotation.objects.get().shown == {"notice": "upsetting", "veil": "covered"}
    all_hidden(page)
    assert console == []


def test_a_veil_that_stays_lifted_is_back_with_the_next_item(cast, items, page: Page, live_server):
    prefer(cast.annotator, veil="stay", veiled="noticed")
    start(page, live_server)
    all_hidden(page)
    page.keyboard.press("v")
    all_shown(page)
    answer(page)
    all_hidden(page)
    everything_sent(page)
    assert Annotation.objects.get().shown["veil"] == "lifted"
    page.keyboard.press("v")
    page.keyboard.press("v")
    all_hidden(page)


def test_only_items_with_a_notice_are_veiled_if_so_wished(cast, items, page: Page, live_server):
    Item.objects.update(severity=0)
    prefer(cast.annotator, veil="stay", veiled="noticed")
    start(page, live_server)
    all_shown(page)
    assert veil_sent(page) == ""
    expect(page.locator(".veil-button")).to_have_count(0)


def test_each_block_has_a_button_of_its_own(cast, items, page: Page, live_server):
    prefer(cast.annotator, veil="hold", veiled="all")
    start(page, live_server)
    page.get_by_role("button", name="Show the text").first.click()
    expect(bodies(page).first).to_be_visible()
    expect(bodies(page).last).to_be_hidden()
    page.get_by_role("button", name="Cover the text").click()
    all_hidden(page)


def test_nothing_flashes_up_before_the_scripts_run(cast, items, page: Page, live_server):
    prefer(cast.annotator, veil="stay", veiled="noticed")
    sign_in(page, live_server, "annotator")
    page.route("**/care.js", lambda route: route.abort())
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    expect(page.locator("#item .notice")).to_be_visible()
    all_hidden(page)


def test_without_scripts_there_is_no_veil_but_text_and_help(cast, items, browser, live_server):
    prefer(cast.annotator, veil="stay", veiled="all")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    all_shown(page)
    page.get_by_text("How is it going?").last.click()
    expect(page.get_by_text("Call Ada, at any time.")).to_be_visible()
    page.get_by_role("button", name="I stop for now").click()
    expect(page.get_by_role("heading", name="Take the time you need")).to_be_visible()
    context.close()


def work(page: Page, minutes: int) -> None:
    for _ in range(minutes):
        page.clock.fast_forward(timedelta(minutes=1) // timedelta(milliseconds=1))
        page.mouse.move(5, 5)
        page.mouse.move(6, 6)


def test_a_break_is_proposed_after_minutes_of_work_and_put_off_by_one_key(cast, items, page: Page, live_server):
    prefer(cast.annotator, break_after=5)
    page.clock.install()
    start(page, live_server)
    strip = page.locator("#break [data-strip]")
    work(page, 4)
    expect(strip).to_be_hidden()
    work(page, 2)
    expect(strip).to_be_visible()
    answer(page)
    expect(strip).to_be_visible()
    page.keyboard.press("Escape")
    expect(strip).to_be_hidden()
    work(page, 8)
    expect(strip).to_be_hidden()
    work(page, 3)
    expect(strip).to_be_visible()
    page.clock.fast_forward(6 * 60_000)
    page.mouse.move(9, 9)
    expect(strip).to_be_hidden()


def test_the_check_in_is_one_tap_and_stores_nothing(cast, items, page: Page, live_server, console):
    start(page, live_server)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator("#check-in summary").click()
    expect(page.get_by_text("Nothing of this is stored")).to_be_visible()
    expect(page.get_by_text("Call Ada, at any time.")).to_be_hidden()
    page.get_by_role("button", name="Fine").click()
    expect(page.get_by_role("button", name="Heavy")).to_be_hidden()
    page.locator("#check-in summary").click()
    page.get_by_role("button", name="Heavy").click()
    expect(page.get_by_text("Call Ada, at any time.")).to_be_visible()
    assert requests == []
    page.get_by_role("button", name="I stop for now").click()
    expect(page.get_by_role("heading", name="Take the time you need")).to_be_visible()
    expect(page.get_by_text("Call Ada, at any time.")).to_be_visible()
    assert not Assignment.objects.filter(state="leased").exists()
    assert console == []


def test_opting_out_and_choosing_keys_on_the_persons_own_page(cast, items, page: Page, live_server, console):
    sign_in(page, live_server, "annotator")
    page.get_by_role("link", name="annotator").click()
    page.get_by_role("checkbox", name="Harm", exact=True).check()
    page.get_by_text("In Harm").click()
    page.get_by_role("checkbox", name="Fraud").check()
    page.get_by_label("skip this item").fill("s")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It holds from the next item on.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Fraud")).to_be_checked()
    assert set(OptOut.objects.values_list("code", flat=True)) == {"harm", "fraud"}
    assert Preferences.objects.get().keys == {"skip": "s"}
    page.get_by_label("skip this item").fill("z")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("this key is taken by")).to_be_visible()
    assert console == []


def test_nothing_is_wrong_with_these_pages_for_assistive_technology(cast, items, page: Page, live_server):
    for number, reason in enumerate(("not_again", "personal_data", "broken")):
        flag(cast.annotator, items[number], reason, "a note")
    prefer(cast.lead, veil="stay", veiled="all", break_after=5)
    sign_in(page, live_server, "lead")
    found = {}
    for address in ("/me/", "/projects/guard/rest/", "/projects/guard/flags/", "/projects/guard/annotate/"):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(live_server.url + address)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
        page.evaluate("document.querySelectorAll('[data-strip]').forEach(it => { it.hidden = false })")
        found[address] = scan(page)
    assert {address: problems for address, problems in found.items() if problems} == {}
