"""The review desk by keys, in a real browser."""

import json
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from annotate.models import Annotation, Flag, Label, Preferences, Question
from tests.browser.annotating import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cases(cast, add_items):
    """Two contested items; on the first, people and jury disagree, so it comes first."""
    Question.objects.create(project=cast.project, code="evidence", text="Where?", kind="spans", required=False)
    items = add_items(
        cast.project, [{"id": f"i{n}", "prompt": f"number {n} sells lottery tickets"} for n in range(2)]
    )
    unsafe = {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}
    marked = unsafe | {"evidence": [{"start": 9, "end": 22, "part": "prompt"}]}
    asked = Question.objects.get(project=cast.project, code="prompt_harm")
    for item, by_second, jury in ((items[0], marked, "safe"), (items[1], {"prompt_harm": "safe"}, "unsafe")):
        rows = [
            Annotation.objects.create(
                item=item, annotator=person, answers=answers, exposure="blind", client_id=uuid4(), rationale=why
            )
            for person, answers, why in ((cast.annotator, unsafe, ""), (cast.second, by_second, "It lures."))
        ]
        votes = [
            {"annotation": row.pk, "voter": row.annotator.username, "value": row.answers["prompt_harm"]}
            for row in rows
        ]
        votes += [{"verdict": n, "voter": f"juror-{n}", "value": jury} for n in (1, 2)]
        Label.objects.create(
            item=item, question=asked, state="contested", source="jury", agreement=0.33, votes=votes
        )
    return items


@pytest.fixture
def desk(cast, cases, page: Page, live_server):
    sign_in(page, live_server, "reviewer")
    page.goto(f"{live_server.url}/projects/guard/review/")
    expect(page.get_by_role("button", name="Take this vote").first).to_be_visible()
    return page


def take_key(page: Page, code: str, value: str) -> str:
    """The key of a vote that says this."""
    for button in page.locator("[data-take]").all():
        if json.loads(button.get_attribute("data-take")).get(f"answer_{code}") == [value]:
            return button.get_attribute("data-key")
    raise AssertionError(f"no vote says {value}")


def decided(page: Page):
    """Press Enter and wait until the next case is there."""
    before = page.locator("[name=client_id]").input_value()
    page.keyboard.press("Enter")
    expect(page.locator(f'[name=client_id][value="{before}"]')).to_have_count(0)


def test_a_case_by_three_keys_and_the_next_one_without_a_page_load(desk: Page, cases, console):
    loads = []
    desk.on("framenavigated", lambda frame: loads.append(frame.url))
    expect(desk.get_by_text("The jury and the people disagree.")).to_be_visible()
    expect(desk.locator("blockquote")).to_have_text("sells lottery")
    expect(desk.get_by_text("It lures.")).to_be_visible()
    for name in ("annotator", "second", "juror-1"):
        assert name not in desk.locator("#workplace").inner_html()
    # A tie over all votes: no reason is needed.
    desk.keyboard.press(take_key(desk, "evidence", '[{"end": 22, "part": "prompt", "start": 9}]'))
    expect(desk.get_by_role("radio", name="unsafe")).to_be_checked()
    expect(desk.locator("[data-take][aria-pressed=true]")).to_have_count(1)
    decided(desk)
    stored = Annotation.objects.get(exposure="adjudication")
    assert (stored.item_id, stored.answers["prompt_harm"]) == (cases[0].pk, "unsafe")
    assert stored.answers["hazard_categories"] == ["fraud"]
    assert stored.answers["evidence"] == [{"start": 9, "end": 22, "part": "prompt"}]
    expect(desk.get_by_text("number 1 sells")).to_be_visible()
    assert loads == []
    assert console == []


def test_digits_and_the_chord_of_a_hazard_work_as_on_the_annotate_page(desk: Page, console):
    desk.keyboard.press("2")
    expect(desk.get_by_role("radio", name="unsafe")).to_be_checked()
    # Now letters belong to the picker: "a" must not take a vote over.
    picker = desk.locator(".question[data-question=hazard_categories]")
    expect(picker).to_have_attribute("data-active", "")
    desk.keyboard.press("a")
    expect(desk.locator("[data-take][aria-pressed=true]")).to_have_count(0)
    # Escape, once or twice, gives the letters back.
    desk.keyboard.press("Escape")
    if picker.get_attribute("data-active") is not None:
        desk.keyboard.press("Escape")
    desk.keyboard.press(take_key(desk, "prompt_harm", '"safe"'))
    expect(desk.get_by_role("radio", name="safe", exact=True).first).to_be_checked()
    decided(desk)
    assert Annotation.objects.get(exposure="adjudication").answers == {"prompt_harm": "safe"}
    assert console == []


def test_against_most_voters_the_desk_asks_why_and_takes_words_and_a_gap(desk: Page, cases, console):
    decided_first = take_key(desk, "prompt_harm", '"safe"')
    desk.keyboard.press(decided_first)
    decided(desk)
    # The second case: three say unsafe, one safe.
    desk.keyboard.press(take_key(desk, "prompt_harm", '"safe"'))
    before = Annotation.objects.filter(exposure="adjudication").count()
    decided(desk)
    expect(desk.get_by_text("This differs from what most voters said")).to_be_visible()
    assert Annotation.objects.filter(exposure="adjudication").count() == before
    expect(desk.get_by_role("radio", name="safe", exact=True).first).to_be_checked()
    desk.keyboard.press("w")
    expect(desk.get_by_label("In your own words")).to_be_focused()
    desk.keyboard.type("arguable")
    desk.keyboard.press("Escape")
    desk.get_by_label("The guidelines don't say").check()
    desk.get_by_label("About which hazard?").select_option("fraud")
    desk.get_by_label("What is missing?").fill("Nothing about lotteries.")
    desk.get_by_label("What is missing?").press("Escape")
    desk.keyboard.press("r")
    reason = desk.get_by_label("Why do the votes differ?")
    expect(reason).to_be_focused()
    reason.select_option("guideline_gap")
    decided_by_enter = desk.locator("[name=client_id]").input_value()
    reason.press("Enter")
    expect(desk.locator(f'[name=client_id][value="{decided_by_enter}"]')).to_have_count(0)
    expect(desk.get_by_role("heading", name="Nothing is contested")).to_be_visible()
    stored = Annotation.objects.filter(exposure="adjudication").latest("pk")
    assert (stored.reason, stored.rationale) == ("guideline_gap", "arguable")
    flag = Flag.objects.get()
    assert (flag.category, flag.note) == ("fraud", "Nothing about lotteries.")
    desk.get_by_role("link", name="Gaps in the guidelines").click()
    expect(desk.get_by_text("Nothing about lotteries.")).to_be_visible()
    # The refusal is an answer of the server like any other; the browser notes its status and nothing else.
    assert [line for line in console if "422" not in line] == []


def test_who_has_switched_single_keys_off_keeps_the_letters(cast, cases, page: Page, live_server, console):
    Preferences.objects.create(user=cast.reviewer, single_keys=False)
    sign_in(page, live_server, "reviewer")
    page.goto(f"{live_server.url}/projects/guard/review/")
    button = page.get_by_role("button", name="Take this vote").first
    expect(button).to_be_visible()
    page.keyboard.press(button.get_attribute("data-key"))
    expect(page.locator("[data-take][aria-pressed=true]")).to_have_count(0)
    button.click()
    expect(page.locator("[data-take][aria-pressed=true]")).to_have_count(1)
    assert console == []


def test_without_scripts_the_desk_is_a_plain_form(cast, cases, browser, live_server):
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, live_server, "reviewer")
    page.goto(f"{live_server.url}/projects/guard/review/")
    page.locator(".choice:has(input[name=answer_prompt_harm][value='\"safe\"'])").click()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("number 1 sells")).to_be_visible()
    assert Annotation.objects.get(exposure="adjudication").answers == {"prompt_harm": "safe"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_desk_and_the_gaps_fit(desk: Page, cases, cast, live_server, console, scheme, width):
    Flag.objects.create(item=cases[1], raised_by=cast.annotator, reason="guideline_gap", note="w" * 300)
    desk.emulate_media(color_scheme=scheme)
    desk.set_viewport_size({"width": width, "height": 900})
    assert desk.evaluate("document.documentElement.scrollWidth") <= width
    desk.goto(f"{live_server.url}/projects/guard/gaps/")
    expect(desk.get_by_role("heading", name="No hazard named")).to_be_visible()
    assert desk.evaluate("document.documentElement.scrollWidth") <= width
    assert console == []
