"""Evidence by mouse and by keyboard: what is stored are code points of the stored text, whatever the text is."""

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from annotate.models import Annotation, Item
from annotate.questions import add_question
from annotate.submit import Submission, submit
from tests.browser.test_annotate import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

JOINED = "\u200d".join("\U0001f468\U0001f469\U0001f467\U0001f466")
FAMILY = f"Before {JOINED} comes \U0001f642 this. Then the bad words \U0001f52a here. The end."
HEBREW = "שלום לכולם. כאן המילים הרעות. זה הסוף."
LINES = "The first line.\r\nThe second one, with\r\na break.\r\n\r\nA lone\rreturn ends it."
UNSEEN = "Harm\u200bless at\u202e first. Then hid\u200bden\ufeff words here. The end."

# Where the words begin and end on the screen, for a mouse that drags over them.
PLACES = """([part, words]) => {
  const block = document.querySelector(`[data-part="${part}"]`);
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  const [first, last] = Array.isArray(words) ? words : [words, words];
  let from, to;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!from && node.data.includes(first)) from = [node, node.data.indexOf(first)];
    if (from && !to && node.data.includes(last)) to = [node, node.data.indexOf(last) + last.length];
  }
  const range = document.createRange();
  range.setStart(...from);
  range.setEnd(...to);
  const rects = [...range.getClientRects()].filter((rect) => rect.width > 0);
  const isRtl = getComputedStyle(block).direction === "rtl";
  const [a, b] = [rects[0], rects.at(-1)];
  const begin = [isRtl ? a.right - 1 : a.left + 1, a.top + a.height / 2];
  return [begin, [isRtl ? b.left + 1 : b.right - 1, b.top + b.height / 2]];
}"""


@pytest.fixture
def ask(cast):
    described = {"code": "evidence", "text": "Which words show it?", "kind": "spans", "required": False}
    add_question(cast.project, described)


def open_item(cast, add_items, page: Page, live_server, **content) -> Item:
    (item,) = add_items(cast.project, [{"id": "x"} | content])
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    expect(page.get_by_role("button", name="Mark words")).to_be_visible()
    return item


def drag_over(page: Page, part: str, words) -> None:
    (x, y), (to_x, to_y) = page.evaluate(PLACES, [part, words])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move((x + to_x) / 2, (y + to_y) / 2)
    page.mouse.move(to_x, to_y)
    page.mouse.up()


def stored(page: Page, questions: int = 1) -> dict:
    """Submit with the first option of each choice; the stored answers."""
    for _ in range(questions):
        page.keyboard.press("1")
    page.keyboard.press("Enter")
    # Counted once the server has said that it is stored.
    expect(page.locator("[data-mine]")).to_have_text("1")
    expect(page.locator("[data-unsent]")).to_be_hidden()
    return Annotation.objects.get().answers


def texts_of(item: Item, spans: list[dict]) -> list[str]:
    default = item.content.get("text", item.content.get("prompt"))
    parts = {f"turn {n}": turn["text"] for n, turn in enumerate(item.content.get("turns", []))}
    parts["response"] = item.content.get("response")
    return [parts.get(span.get("part"), default)[span["start"] : span["end"]] for span in spans]


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        (FAMILY, "bad words \U0001f52a", "bad words \U0001f52a"),
        (FAMILY, "\U0001f642 this", "\U0001f642 this"),
        (HEBREW, "המילים הרעות", "המילים הרעות"),
        (LINES, "a break", "a break"),
        (LINES, ["with", "a break"], "with\r\na break"),
        (LINES, ["A lone", "return"], "A lone\rreturn"),
        (UNSEEN, ["hid", "den"], "hid\u200bden"),
        (UNSEEN, "words here", "words here"),
    ],
)
def test_what_the_mouse_selects_is_what_is_stored(
    cast, add_items, ask, page: Page, live_server, console, text, words, marked
):
    item = open_item(cast, add_items, page, live_server, prompt=text)
    drag_over(page, "prompt", words)
    page.keyboard.press("e")
    expect(page.locator("[data-status]")).to_have_text(f"Marked in Prompt: {marked}", use_inner_text=False)
    expect(page.get_by_role("list", name="Marked passages").get_by_role("listitem")).to_have_count(1)
    spans = stored(page)["evidence"]
    assert texts_of(item, spans) == [marked]
    assert console == []


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (FAMILY, "Then the bad words \U0001f52a here."),
        (HEBREW, "כאן המילים הרעות."),
        (LINES, "The second one, with"),
        (UNSEEN, "Then hid\u200bden\ufeff words here."),
    ],
)
def test_the_second_sentence_by_the_keyboard_alone(
    cast, add_items, ask, page: Page, live_server, console, text, marked
):
    item = open_item(cast, add_items, page, live_server, prompt=text)
    page.keyboard.press("e")
    status = page.locator("[data-status]")
    expect(status).to_contain_text("Prompt, sentence 1 of")
    page.keyboard.press("ArrowDown")
    expect(status).to_contain_text("Prompt, sentence 2 of")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("Marked in Prompt")
    page.keyboard.press("Escape")
    expect(status).to_have_text("End of marking. Marked passages: 1")
    spans = stored(page)["evidence"]
    assert texts_of(item, spans) == [marked]
    assert console == []


def drawn(page: Page, layer: str = "evidence") -> list[str]:
    """The texts under a highlight, as the page's nodes hold them."""
    return page.evaluate("(layer) => [...(CSS.highlights.get(layer) ?? [])].map(String)", layer)


def test_an_item_that_the_queue_brings_counts_the_same(cast, add_items, ask, page: Page, live_server, console):
    items = add_items(cast.project, [{"id": name, "prompt": LINES} for name in ("a", "b")])
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("[data-mine]")).to_have_text("1")
    assert drawn(page) == [], "the marks of the item before are gone"
    expect(page.get_by_role("list", name="Marked passages")).to_be_hidden()
    drag_over(page, "prompt", ["with", "a break"])
    page.keyboard.press("e")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("[data-mine]")).to_have_text("2")
    expect(page.locator("[data-unsent]")).to_be_hidden()
    spans = [annotation.answers["evidence"] for annotation in Annotation.objects.order_by("id")]
    assert [texts_of(items[0], one) for one in spans] == [["The first line."], ["with\r\na break"]]
    assert console == []


def test_parts_are_named_and_marks_merge_move_and_go(cast, add_items, ask, page: Page, live_server, console):
    item = open_item(cast, add_items, page, live_server, prompt="One. Two. Three.", response="Four. Five.")
    page.keyboard.press("e")
    status = page.locator("[data-status]")
    page.keyboard.press("Shift+ArrowDown")
    expect(status).to_have_text("Prompt, sentence 2 of 5: One. Two.")
    assert drawn(page, "evidence-cursor") == ["One. Two."]
    page.keyboard.press("e")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(status).to_have_text("Prompt, sentence 3 of 5: Three.")
    page.keyboard.press("Shift+ArrowUp")
    expect(status).to_have_text("Prompt, sentence 2 of 5, marked: Two. Three.")
    page.keyboard.press("Enter")
    assert drawn(page) == ["One. Two. Three."]
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("Backspace")
    expect(status).to_have_text("Mark taken away, Response: Four.")
    page.keyboard.press("Backspace")
    expect(status).to_have_text("Nothing is marked here.")
    passages = page.get_by_role("list", name="Marked passages").get_by_role("listitem")
    expect(passages).to_have_text(["Prompt One. Two. Three. Take away", "Response Five. Take away"])
    page.keyboard.press("Escape")
    passages.first.get_by_role("button", name="Take away").click()
    expect(passages).to_have_count(1)
    assert drawn(page) == ["Five."]
    assert stored(page, questions=3)["evidence"] == [{"start": 6, "end": 11, "part": "response"}]
    assert texts_of(item, Annotation.objects.get().answers["evidence"]) == ["Five."]
    assert console == []


def test_a_selection_over_two_turns_marks_both_and_undo_brings_the_marks_back(
    cast, add_items, ask, page: Page, live_server, console
):
    turns = [{"role": "user", "text": "Tell me \U0001f642 more."}, {"role": "bot", "text": "No, never."}]
    item = open_item(cast, add_items, page, live_server, turns=turns)
    (x, y), _ = page.evaluate(PLACES, ["turn 0", "more"])
    _, (to_x, to_y) = page.evaluate(PLACES, ["turn 1", "No"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Mark words").click()
    spans = stored(page, questions=3)["evidence"]
    assert texts_of(item, spans) == ["more.", "No"]
    assert [span["part"] for span in spans] == ["turn 0", "turn 1"]
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_role("list", name="Marked passages").get_by_role("listitem")).to_have_count(2)
    assert drawn(page) == ["more.", "No"]
    assert console == []


def test_a_text_that_cannot_be_counted_is_not_marked(cast, add_items, ask, page: Page, live_server):
    open_item(cast, add_items, page, live_server, prompt="One. Two.")
    page.evaluate("document.querySelector('[data-part]').append('added by something else')")
    drag_over(page, "prompt", "Two")
    page.keyboard.press("e")
    expect(page.locator("[data-status]")).to_have_text(
        "This text can't be counted exactly, so nothing was marked."
    )
    page.evaluate("getSelection().removeAllRanges()")
    page.keyboard.press("e")
    expect(page.locator("[data-cursor]")).to_be_hidden()
    assert "evidence" not in stored(page)


def test_a_veiled_text_is_neither_read_out_nor_repeated(cast, add_items, ask, page: Page, live_server):
    open_item(cast, add_items, page, live_server, prompt="One. Two.")
    drag_over(page, "prompt", "Two")
    page.keyboard.press("e")
    passage = page.get_by_role("list", name="Marked passages").locator("q")
    expect(passage).to_have_text("Two")
    page.evaluate("document.querySelector('#item [data-part]').inert = true")
    expect(passage).to_have_text("5–8")
    page.keyboard.press("e")
    expect(page.locator("[data-status]")).to_have_text("The texts are veiled. Lift the veil first.")
    page.evaluate("document.querySelector('#item [data-part]').inert = false")
    expect(passage).to_have_text("Two")


def test_marks_of_a_question_that_is_no_longer_asked_are_neither_drawn_nor_sent(
    cast, add_items, page: Page, live_server
):
    asked_if = [{"question": "prompt_harm", "is": "unsafe"}]
    described = {"code": "evidence", "kind": "spans", "required": False, "condition": asked_if}
    add_question(cast.project, described)
    add_items(cast.project, [{"id": "x", "prompt": "One. Two."}])
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    expect(page.get_by_role("button", name="Mark words")).to_be_hidden()
    page.get_by_role("radio", name="unsafe").check(force=True)
    drag_over(page, "prompt", "Two")
    page.get_by_role("button", name="Mark words").click()
    assert drawn(page) == ["Two"]
    page.get_by_role("radio", name="safe", exact=True).check(force=True)
    assert drawn(page) == []
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("[data-mine]")).to_have_text("1")
    assert Annotation.objects.get().answers == {"prompt_harm": "safe"}


def test_without_scripts_what_was_marked_stays(cast, add_items, ask, browser, live_server):
    (item,) = add_items(cast.project, [{"id": "x", "prompt": "One. Two."}])
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/guard/annotate/")
    marked = [{"start": 5, "end": 9, "label": "threat"}]
    answers = {"prompt_harm": "safe", "evidence": marked}
    version = cast.project.taxonomy_version_id
    submit(cast.annotator, item, Submission(uuid4(), answers, taxonomy_version_id=version))
    page.goto(f"{live_server.url}/projects/guard/annotate/{item.pk}/")
    expect(page.get_by_role("button", name="Mark words")).to_be_hidden()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    newest = Annotation.objects.order_by("revision").last()
    assert newest.revision == 2
    assert newest.answers == answers
    context.close()
