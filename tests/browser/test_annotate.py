"""The annotator's way through the page in a real browser, by keys and without scripts."""

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from annotate.assign import next_items
from annotate.models import Annotation, Category, Gold, Item, Membership, Project
from annotate.submit import Submission, submit
from tests.browser.annotating import everything_sent, numbered, prefer, shown_id, shown_text, sign_in, start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def items(cast, add_items):
    return add_items(cast.project, numbered(6))


@pytest.fixture
def at_work(cast, items, page: Page, live_server):
    return start(page, live_server)


def next_shown(page: Page, before: int) -> None:
    expect(page.locator("#item")).not_to_have_attribute("data-item", str(before))


def test_five_safe_items_by_two_keys_each_without_a_page_load(at_work: Page, console):
    loads = []
    at_work.on("framenavigated", lambda frame: loads.append(frame.url))
    seen = set()
    for _ in range(5):
        seen.add(shown_text(at_work))
        at_work.keyboard.press("1")
        at_work.keyboard.press("Enter")
    assert len(seen) == 5
    everything_sent(at_work)
    assert Annotation.objects.filter(answers={"prompt_harm": "safe"}).count() == 5
    assert loads == []
    assert console == []


def test_g1_a_safe_item_is_one_key_with_auto_advance(cast, items, page: Page, live_server):
    prefer(cast.annotator, auto_advance=True)
    start(page, live_server)
    before = shown_id(page)
    page.keyboard.press("1")
    next_shown(page, before)
    everything_sent(page)
    assert Annotation.objects.get().answers == {"prompt_harm": "safe"}


def test_g1_an_unsafe_item_waits_for_its_category_and_enter(cast, items, page: Page, live_server, console):
    prefer(cast.annotator, auto_advance=True)
    start(page, live_server)
    before = shown_id(page)
    chord = Category.objects.get(code="fraud").chord
    assert 1 <= len(chord) <= 3
    page.keyboard.press("2")
    expect(page.locator("category-picker .stop").first).to_be_visible()
    for key in chord:
        page.keyboard.press(key)
    assert shown_id(page) == before
    page.keyboard.press("Enter")
    next_shown(page, before)
    everything_sent(page)
    assert Annotation.objects.get().answers == {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}
    assert console == []


def test_enter_without_an_answer_says_what_is_missing(at_work: Page):
    before = shown_id(at_work)
    at_work.keyboard.press("Enter")
    expect(at_work.get_by_text("An answer is needed here first.")).to_be_visible()
    assert shown_id(at_work) == before
    at_work.keyboard.press("1")
    expect(at_work.get_by_text("An answer is needed here first.")).to_be_hidden()


def test_undo_and_change(at_work: Page):
    first = shown_text(at_work)
    at_work.keyboard.press("1")
    at_work.keyboard.press("Enter")
    at_work.keyboard.press("z")
    expect(at_work.get_by_role("heading", name="Answered before")).to_be_visible()
    assert shown_text(at_work) == first
    at_work.keyboard.press("0")
    at_work.keyboard.press("Enter")
    everything_sent(at_work)
    assert list(Annotation.objects.order_by("revision").values_list("answers__prompt_harm", flat=True)) == [
        "safe",
        "unsure",
    ]


def test_p1_a_reload_brings_the_same_item_back(at_work: Page):
    before = shown_text(at_work)
    at_work.reload()
    assert shown_text(at_work) == before


def test_a_pair_and_a_prompt_share_one_form(cast, add_items, page: Page, live_server, console):
    both = {"prompt": "question", "response": "answer"}
    add_items(cast.project, [{"id": "pair", **both}, {"id": "lone", "prompt": "only a question"}])
    start(page, live_server)
    for _ in range(2):
        before = shown_id(page)
        pair = page.locator("#item").get_attribute("data-kind") == "pair"
        expect(page.get_by_role("group", name="Is the response harmful?")).to_be_visible(visible=pair)
        for _question in range(3 if pair else 1):
            page.keyboard.press("1")
        page.keyboard.press("Enter")
        if not Annotation.objects.exists():
            page.wait_for_timeout(50)
        expect(page.locator(f"#item[data-item='{before}']:visible")).to_have_count(0)
    everything_sent(page)
    answers = {annotation.item.external_id: annotation.answers for annotation in Annotation.objects.all()}
    assert answers["lone"] == {"prompt_harm": "safe"}
    assert answers["pair"] == {
        "prompt_harm": "safe",
        "response_harm": "safe",
        "response_refusal": "refusal",
    }
    assert console == []


def test_a_warm_up_item_is_explained_before_the_page_goes_on(cast, add_items, page: Page, live_server):
    warm, _other = add_items(cast.project, numbered(2))
    Item.objects.filter(pk=warm.pk).update(purpose="warm_up")
    Gold.objects.create(item=warm, answers={"prompt_harm": "unsafe"}, explanation="It asks how to hurt.")
    Project.objects.update(pass_mark=0)
    prefer(cast.annotator, auto_advance=True)
    start(page, live_server)
    assert shown_id(page) == warm.pk
    page.keyboard.press("1")
    expect(page.get_by_text("It asks how to hurt.")).to_be_visible()
    assert shown_id(page) == warm.pk
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    next_shown(page, warm.pk)
    assert Annotation.objects.filter(item=warm).count() == 1


def test_p3_the_votes_come_after_the_answer_and_a_change_of_mind_is_kept_apart(
    cast, items, page: Page, live_server
):
    Project.objects.update(exposure_policy="reveal")
    version = cast.project.taxonomy_version_id
    for assignment in next_items(cast.second, cast.project, 6):
        unsure = Submission(uuid4(), {"prompt_harm": "unsure"}, taxonomy_version_id=version)
        submit(cast.second, assignment.item, unsure)
    start(page, live_server)
    first = shown_id(page)
    expect(page.get_by_text("What the others said")).to_be_hidden()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("What the others said")).to_be_visible()
    page.keyboard.press("c")
    assert shown_id(page) == first
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    everything_sent(page)
    mine = Annotation.objects.filter(annotator=cast.annotator).order_by("id")
    assert [(one.answers["prompt_harm"], one.exposure) for one in mine] == [
        ("safe", "blind"),
        ("unsure", "post_reveal"),
    ]


def test_hazardous_text_does_nothing(cast, add_items, page: Page, live_server, console):
    text = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
    add_items(cast.project, [{"id": "x", "prompt": text}, {"id": "y", "prompt": text}])
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    start(page, live_server)
    assert shown_text(page) == text
    before = shown_id(page)
    page.keyboard.press("k")
    next_shown(page, before)
    assert shown_text(page) == text
    assert dialogs == []
    assert console == []


def test_g8_without_scripts(cast, items, browser, live_server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    first = shown_id(page)
    page.get_by_role("radio", name="safe", exact=True).check(force=True)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Item")).to_be_visible()
    assert Annotation.objects.get().answers == {"prompt_harm": "safe"}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Answered before")).to_be_visible()
    assert shown_id(page) == first
    expect(page.get_by_role("radio", name="safe", exact=True)).to_be_checked()
    page.get_by_role("radio", name="unsure").first.check(force=True)
    page.get_by_role("button", name="Submit").click()
    second = shown_id(page)
    page.get_by_role("button", name="Skip").click()
    third = shown_id(page)
    page.get_by_role("button", name="Spare me this").click()
    fourth = shown_id(page)
    page.locator("#flag summary").click()
    page.get_by_role("radio", name="personal data").check(force=True)
    page.get_by_role("button", name="Flag and take the next item").click()
    assert len({first, second, third, fourth, shown_id(page)}) == 5
    assert [one.answers["prompt_harm"] for one in Annotation.objects.order_by("id")] == ["safe", "unsure"]
    assert Item.objects.get(pk=fourth).flags.get().reason == "personal_data"
    assert Membership.objects.get(user=cast.annotator).skipped == 1
    context.close()
