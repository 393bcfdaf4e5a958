"""The warm-up, one's own page and the lead's page in a real browser."""

import json
import re
from datetime import timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotate.adjudicate import adjudicate
from annotate.assign import next_items
from annotate.import_gold import import_gold
from annotate.models import Annotation, Assignment, Item, Membership, Project, Purpose
from annotate.questions import publish_guidelines
from annotate.submit import Submission, submit
from tests.browser.annotating import everything_sent, numbered, shown_text, sign_in, start
from tests.browser.test_axe import scan

pytestmark = pytest.mark.django_db(transaction=True)

SAFE = {"prompt_harm": "safe"}


@pytest.fixture
def known(cast, add_items, tmp_path):
    """Items of this purpose, all of them safe, with an explanation each."""

    def make(purpose, count):
        rows = [{"id": f"{purpose}{n}", "prompt": f"{purpose} text {n}"} for n in range(count)]
        add_items(cast.project, rows)
        path = tmp_path / "known.jsonl"
        lines = [{"id": row["id"], "answers": SAFE, "explanation": f"why {row['id']}"} for row in rows]
        path.write_text("\n".join(map(json.dumps, lines)))
        import_gold(cast.project, path, Purpose(purpose))

    return make


def test_the_warm_up_by_keys_explains_each_answer_and_then_work_begins(
    cast, known, add_items, page: Page, live_server, console
):
    known("warm_up", 5)
    add_items(cast.project, numbered(3))
    start(page, live_server)
    feedback = page.locator("#feedback")
    for number in range(5):
        assert shown_text(page) == f"warm_up text {number}"
        assert f"why warm_up{number}" not in page.content()
        page.keyboard.press("0" if number == 2 else "1")
        page.keyboard.press("Enter")
        expect(feedback.get_by_text(f"why warm_up{number}")).to_be_visible()
        expect(feedback.get_by_text("Warm-up: not quite" if number == 2 else "Warm-up: right")).to_be_visible()
        if number < 4:
            expect(feedback.get_by_text(f"Warm-up, {number + 1} of 5")).to_be_visible()
            page.keyboard.press("Enter")
    expect(feedback.get_by_text("From here on your answers count")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#item .text-block").first).to_contain_text("question number")
    assert Membership.objects.get(user=cast.annotator).qualified_at is not None
    assert console == []


def test_a_failed_warm_up_ends_kindly_and_goes_on_when_the_lead_says_so(
    cast, known, add_items, page: Page, browser, live_server, console
):
    known("warm_up", 2)
    add_items(cast.project, numbered(3))
    start(page, live_server)
    for number in range(2):
        page.keyboard.press("0")
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"why warm_up{number}")).to_be_visible()
        page.keyboard.press("Enter")
    expect(page.get_by_text("The warm-up is done: 0 of 2 answers were as known.")).to_be_visible()
    lead = browser.new_context().new_page()
    sign_in(lead, live_server, "lead")
    lead.goto(f"{live_server.url}/projects/guard/quality/")
    row = lead.get_by_role("row", name=re.compile("^annotator"))
    expect(row).to_contain_text("0 of 2 right")
    row.get_by_role("button", name="Once more: annotator").click()
    expect(lead.get_by_text("annotator is asked the warm-up once more.")).to_be_visible()
    lead.context.close()
    page.get_by_role("link", name="Look again").click()
    for number in range(2):
        expect(page.locator("#item .text-block").first).to_contain_text(f"warm_up text {number}")
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(page.locator("#feedback").get_by_text(f"why warm_up{number}")).to_be_visible()
        page.keyboard.press("Enter")
    expect(page.locator("#item .text-block").first).to_contain_text("question number")
    assert list(Annotation.objects.order_by("pk").values_list("repeat", flat=True)) == [0, 0, 1, 1]
    assert console == []


def test_gold_and_repeats_are_answered_like_any_item(cast, known, add_items, page: Page, live_server, console):
    known("gold", 4)
    add_items(cast.project, numbered(12))
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() - timedelta(hours=25)):
        for claim in next_items(cast.annotator, cast.project, 4):
            answered(cast.annotator, claim.item)
    Project.objects.filter(pk=cast.project.pk).update(gold_rate=0.3, repeat_rate=0.6)
    start(page, live_server)
    for _ in range(30):
        if not page.locator("#item").is_visible():
            break
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(page.locator("[data-heading=wait]")).to_be_hidden()
        expect(page.locator("#feedback")).to_be_hidden()
    expect(page.get_by_role("heading", name="Nothing is waiting for you")).to_be_visible()
    everything_sent(page)
    asked = Assignment.objects.filter(annotator=cast.annotator)
    assert not asked.exclude(state=Assignment.State.SUBMITTED).exists()
    assert Annotation.objects.count() == asked.count()
    assert asked.filter(item__purpose="", repeat=0).count() == 12
    repeats = Annotation.objects.filter(repeat=1)
    assert repeats.count() == asked.filter(repeat=1).count()
    assert set(Item.objects.filter(purpose="").values_list("taken", flat=True)) == {1}
    assert console == []


def answered(person, item, answers=SAFE, repeat=0):
    guideline = item.project.guideline
    Assignment.objects.get_or_create(
        item=item, annotator=person, repeat=repeat, defaults={"leased_until": timezone.now() + timedelta(hours=1)}
    )
    version = item.project.taxonomy_version_id
    sent = Submission(uuid4(), answers, version, guideline and guideline.pk, seconds=12.5, repeat=repeat)
    return submit(person, item, sent)


def test_new_guidelines_are_noted_and_keys_go_on(cast, add_items, page: Page, live_server, console):
    add_items(cast.project, numbered(3))
    publish_guidelines(cast.project, "All of it", cast.lead, "Scams count as **fraud**.")
    start(page, live_server)
    news = page.get_by_role("region", name="Guidelines, version 1")
    expect(news.locator("strong")).to_have_text("fraud")
    news.get_by_role("button", name="Got it").click()
    expect(news).to_have_count(0)
    before = shown_text(page)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#item .text-block").first).not_to_contain_text(before)
    everything_sent(page)
    page.reload()
    expect(page.get_by_role("heading", name="Item")).to_be_visible()
    expect(news).to_have_count(0)
    assert Annotation.objects.count() == 1
    assert console == []


def test_the_pages_hold_wcag_in_every_view(cast, known, add_items, page: Page, live_server, console):
    publish_guidelines(cast.project, "All of it", cast.lead, "Scams count as **fraud**.")
    known("gold", 21)
    known("warm_up", 1)
    items = add_items(cast.project, numbered(3))
    for item in Item.objects.filter(project=cast.project).exclude(pk=items[1].pk):
        answered(cast.annotator, item, {"prompt_harm": "unsure"})
    answered(cast.annotator, items[0], repeat=1)
    decision = {"prompt_harm": "unsafe", "hazard_categories": ["fraud", "privacy"]}
    adjudicate(cast.reviewer, items[0], "", decision, uuid4(), reason="overlooked", rationale="x" * 300)
    problems = {}
    with mock.patch("annotate.my_work.start_of_day", return_value=timezone.now() + timedelta(hours=1)):
        sign_in(page, live_server, "lead")
        page.goto(f"{live_server.url}/projects/guard/quality/")
        expect(page.get_by_text("below 80 %", exact=True)).to_be_visible()
        expect(page.get_by_text("not passed")).to_be_visible()
        problems["quality"] = scan(page)
        page.get_by_role("button", name="Sign out").click()
        sign_in(page, live_server, "annotator")
        page.goto(f"{live_server.url}/projects/guard/annotate/")
        expect(page.get_by_text("Scams count as")).to_be_visible()
        problems["annotate"] = scan(page)
        page.goto(f"{live_server.url}/projects/guard/mine/")
        expect(page.get_by_text("0 of 21: 0 %")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
        problems["mine"] = scan(page)
    assert {name: found for name, found in problems.items() if found} == {}
    assert console == []
