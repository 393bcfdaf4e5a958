"""Questions about single turns: answered beside the turns, by keys, and without scripts in the form."""

import pytest
from playwright.sync_api import Page, expect

from annotate.models import Annotation
from annotate.questions import NewProject, add_question, create_project
from tests.browser.test_annotate import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

TURNS = [{"role": role, "text": f"{role} says this"} for role in ("user", "bot", "user")]


@pytest.fixture
def dialogues(cast, add_items):
    """A project that asks which turns are bad, and of each turn how it is."""
    from annotate.models import Membership, Role

    project = create_project(NewProject(slug="talk", template="plain", taxonomy="small", overlap=1))
    Membership.objects.create(project=project, user=cast.annotator, role=Role.ANNOTATOR)
    add_question(project, {"code": "bad", "text": "Bad turns?", "kind": "turns", "required": False})
    each = {"code": "each", "text": "How is it?", "kind": "turns", "options": ["safe", "unsafe"]}
    add_question(project, each | {"required": False})
    add_items(project, [{"id": name, "turns": TURNS} for name in ("a", "b")])
    return project


def test_beside_the_turns_by_mouse(dialogues, page: Page, live_server, console):
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/talk/annotate/")
    blocks = page.locator(".text-block")
    blocks.nth(1).get_by_role("checkbox", name="turn 2").check(force=True)
    blocks.nth(0).get_by_role("radio", name="unsafe").check(force=True)
    blocks.nth(2).get_by_role("radio", name="safe", exact=True).check(force=True)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("[data-mine]")).to_have_text("1")
    expect(blocks.nth(1).get_by_role("checkbox", name="turn 2")).not_to_be_checked()
    assert Annotation.objects.get().answers == {"bad": [1], "each": {"0": "unsafe", "2": "safe"}}
    page.keyboard.press("z")
    expect(blocks.nth(1).get_by_role("checkbox", name="turn 2")).to_be_checked()
    expect(blocks.nth(0).get_by_role("radio", name="unsafe")).to_be_checked()
    expect(blocks.nth(1).get_by_role("radio", name="unsafe")).not_to_be_checked()
    assert console == []


def test_digits_tick_the_turns_of_the_active_question(dialogues, page: Page, live_server):
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/talk/annotate/")
    page.keyboard.press("1")
    page.keyboard.press("3")
    page.keyboard.press("1")
    expect(page.locator(".text-block").nth(2).get_by_role("checkbox")).to_be_checked()
    expect(page.locator(".text-block").nth(0).get_by_role("checkbox")).not_to_be_checked()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("2")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("[data-mine]")).to_have_text("1")
    assert Annotation.objects.get().answers == {"bad": [2], "each": {"0": "unsafe", "1": "safe"}}


def test_without_scripts_the_form_has_them(dialogues, browser, live_server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/talk/annotate/")
    page.get_by_role("checkbox", name="turn 3").check(force=True)
    page.get_by_role("group", name="turn 2").get_by_role("radio", name="unsafe").check(force=True)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Item")).to_be_visible()
    assert Annotation.objects.get().answers == {"bad": [2], "each": {"1": "unsafe"}}
    context.close()
