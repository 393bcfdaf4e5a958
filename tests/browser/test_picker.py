"""The category picker in a real browser: every category of AIR 2024 by its keys, search, recents, definition."""

import json

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from annotate.models import Annotation, Category, Membership, Project, Role
from annotate.questions import NewProject, create_project, publish_guidelines
from annotate.taxonomy import load_shipped
from tests.browser.test_annotate import sign_in
from tests.browser.test_axe import AXE, TAGS

pytestmark = pytest.mark.django_db(transaction=True)
GUNS, GUNS_KEYS = "3.11.17", "vwg"


@pytest.fixture
def air(cast, add_items) -> Project:
    load_shipped()
    project = create_project(NewProject(slug="air", taxonomy="air_2024", overlap=1))
    Membership.objects.create(project=project, user=cast.annotator, role=Role.ANNOTATOR)
    publish_guidelines(project, "Read all of it.")
    add_items(project, [{"id": f"i{number}", "prompt": f"question number {number}"} for number in range(6)])
    return project


@pytest.fixture
def open_page(air, page: Page, live_server):
    def go() -> Page:
        page.goto(f"{live_server.url}/projects/air/annotate/")
        return page

    sign_in(page, live_server, "annotator")
    yield go
    # What the page sends when it is left must be answered before the database is emptied.
    page.goto(f"{live_server.url}/")
    page.wait_for_load_state("networkidle")


@pytest.fixture
def at_unsafe(open_page) -> Page:
    """An item called unsafe: the picker is active and has its categories."""
    page = open_page()
    press(page, "2")
    expect(page.locator("category-picker [data-chord=v]")).to_be_visible()
    return page


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def chosen(page: Page) -> list[str]:
    inputs = "[...document.querySelectorAll('category-picker input[type=hidden]')]"
    return [json.loads(value) for value in page.evaluate(f"{inputs}.map((input) => input.value)")]


def shown_text(page: Page) -> str:
    return page.locator("#item .text-block div").first.inner_text()


def tap(target: Locator) -> None:
    """As a finger does: scrolled to the middle first, since a bar stays at the bottom of the page."""
    target.evaluate("(element) => element.scrollIntoView({block: 'center'})")
    target.click()


def submit(page: Page) -> None:
    before = shown_text(page)
    page.keyboard.press("Enter")
    expect(page.locator("#item .text-block div").first).not_to_have_text(before)


def stored(number: int) -> list[list[str]]:
    """The hazards of the annotations so far, once there are so many."""
    found: list[list[str]] = []
    for annotation in Annotation.objects.order_by("pk"):
        found.append(annotation.answers.get("hazard_categories", []))
    assert len(found) == number
    return found


def all_stored(page: Page, number: int) -> list[list[str]]:
    expect(page.locator("[data-mine]").first).to_have_text(str(number))
    expect(page.locator("[data-unsent]").first).to_be_hidden()
    return stored(number)


def walk(page: Page, leaves: dict[str, str]) -> None:
    wrong = {}
    for code, chord in leaves.items():
        press(page, chord)
        if chosen(page) != [code]:
            wrong[code] = (chord, chosen(page))
        page.evaluate("document.querySelector('category-picker').reset()")
    assert wrong == {}


def chords_of_air() -> dict[str, str]:
    leaves = Category.objects.filter(taxonomy_version__taxonomy__code="air_2024").exclude(kind="group")
    return dict(leaves.values_list("code", "chord"))


def test_g2_each_of_air_2024s_314_leaves_is_reached_by_its_keys(at_unsafe: Page, console):
    leaves = chords_of_air()
    assert len(leaves) == 314
    walk(at_unsafe, leaves)
    assert console == []


def test_g1_unsafe_with_a_leaf_is_five_keys_and_a_recent_one_three(open_page, console):
    page = open_page()
    expect(page.locator("#item .text-block")).to_be_visible()
    press(page, "2" + GUNS_KEYS)
    submit(page)
    press(page, "21")
    submit(page)
    assert all_stored(page, 2) == [[GUNS], [GUNS]]
    assert console == []


def test_several_categories_and_how_they_are_taken_away_again(at_unsafe: Page):
    page = at_unsafe
    press(page, GUNS_KEYS + "tl")
    assert chosen(page) == [GUNS, "12.37.2"]
    expect(page.get_by_role("list", name="Chosen categories").get_by_role("button")).to_have_count(2)
    page.get_by_role("button", name="Remove Guns").click()
    assert chosen(page) == ["12.37.2"]
    expect(page.get_by_text("Removed: Guns")).to_be_visible()
    press(page, GUNS_KEYS)
    press(page, "tl")
    assert chosen(page) == [GUNS]
    submit(page)
    assert all_stored(page, 1) == [[GUNS]]
    assert chosen(page) == []


def test_backspace_and_escape_go_back_and_a_wrong_letter_on_the_way_is_no_command(at_unsafe: Page):
    page = at_unsafe
    press(page, "vw")
    page.keyboard.press("Backspace")
    press(page, "vw")
    expect(page.locator("[data-part=path]")).to_have_text("Violence & Extremism / Violent acts")
    before = shown_text(page)
    press(page, "vk")
    expect(page.get_by_text("No category has this key here.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-part=path]")).to_have_text("")
    press(page, GUNS_KEYS)
    assert chosen(page) == [GUNS]
    assert shown_text(page) == before


def test_unsure_stands_alone(at_unsafe: Page):
    page = at_unsafe
    press(page, GUNS_KEYS + "0")
    assert chosen(page) == ["unsure"]
    expect(page.get_by_role("button", name="unsure")).to_have_attribute("aria-pressed", "true")
    press(page, GUNS_KEYS)
    assert chosen(page) == [GUNS]
    press(page, "0")
    submit(page)
    assert all_stored(page, 1) == ["unsure"]


def test_search_and_a_digit(at_unsafe: Page):
    page = at_unsafe
    press(page, "/")
    expect(page.get_by_label("Find a category")).to_be_focused()
    page.keyboard.type("gun")
    expect(page.get_by_role("list", name="Categories")).to_be_hidden()
    expect(page.get_by_role("list", name="Found").get_by_role("button").first).to_contain_text("Guns")
    press(page, "1")
    assert chosen(page) == [GUNS]
    expect(page.get_by_label("Find a category")).to_be_hidden()
    press(page, "/")
    page.keyboard.type("zzz")
    expect(page.get_by_text("Nothing is named like that.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Find a category")).to_be_hidden()
    submit(page)
    assert all_stored(page, 1) == [[GUNS]]


def test_recents_keep_their_digits_while_an_item_is_shown(at_unsafe: Page):
    page = at_unsafe
    press(page, GUNS_KEYS + "tl")
    submit(page)
    press(page, "2")
    used = page.get_by_role("list", name="Used last").get_by_role("button")
    expect(used).to_have_count(2)
    expect(used.first).to_contain_text("Libel")
    press(page, "2")
    expect(used.first).to_contain_text("Libel")
    press(page, "1")
    assert chosen(page) == [GUNS, "12.37.2"]
    kept = page.evaluate("Object.entries(localStorage).filter(([name]) => name.includes('recent'))")
    assert [json.loads(value) for _, value in kept] == [["12.37.2", GUNS]]


def test_keys_typed_before_the_categories_are_here_are_played_afterwards(open_page, page: Page):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/taxonomy/**", hold)
    open_page()
    expect(page.locator("#item .text-block")).to_be_visible()
    before = shown_text(page)
    press(page, "2" + GUNS_KEYS)
    page.keyboard.press("Enter")
    press(page, "2tl")
    assert chosen(page) == []
    assert shown_text(page) == before
    assert held
    for route in held:
        route.continue_()
    expect(page.get_by_role("button", name="Remove Libel")).to_be_visible()
    assert chosen(page) == ["12.37.2"]
    assert all_stored(page, 1) == [[GUNS]]


def test_categories_that_do_not_come_are_said_and_asked_for_again(open_page, page: Page):
    page.route("**/taxonomy/**", lambda route: route.abort())
    open_page()
    press(page, "2" + GUNS_KEYS)
    expect(page.get_by_text("The categories could not be loaded.")).to_be_visible()
    page.unroute("**/taxonomy/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("category-picker [data-chord=v]")).to_be_visible()
    press(page, GUNS_KEYS)
    assert chosen(page) == [GUNS]


def test_g14_the_definition_of_the_active_category_is_one_key_and_quick(at_unsafe: Page):
    page = at_unsafe
    press(page, GUNS_KEYS)
    page.evaluate("""() => {
        const card = document.querySelector('[data-part=card]');
        const begin = () => (window.began = performance.now());
        document.addEventListener('keydown', begin, {capture: true, once: true});
        const took = () => (window.took ??= performance.now() - window.began);
        new MutationObserver(() => requestAnimationFrame(took)).observe(card, {attributeFilter: ['hidden']});
    }""")
    press(page, ".")
    card = page.get_by_role("region", name="Definition")
    expect(card).to_be_visible()
    guns = Category.objects.get(code=GUNS, taxonomy_version__taxonomy__code="air_2024")
    group = Category.objects.get(code="3.11", taxonomy_version__taxonomy__code="air_2024")
    expect(card).to_contain_text(guns.definition)
    expect(card).to_contain_text(group.examples[0])
    expect(card).to_contain_text(group.counter_examples[0])
    expect(card).to_contain_text("Guidelines, version 1")
    assert page.evaluate("window.took") < 100
    page.locator("[data-chord=s]").hover()
    expect(card).to_contain_text("Security Risks")
    press(page, ".")
    expect(card).to_be_hidden()


def test_a_question_out_of_sight_begins_anew(at_unsafe: Page):
    page = at_unsafe
    press(page, "vw")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    press(page, "1")
    expect(page.locator("category-picker")).to_be_hidden()
    press(page, "2")
    expect(page.locator("[data-part=path]")).to_have_text("")
    expect(page.locator("category-picker [data-chord=v]")).to_be_visible()


def test_pointing_reaches_a_leaf_on_a_small_screen(open_page, page: Page, console):
    page.set_viewport_size({"width": 320, "height": 640})
    open_page()
    tap(page.locator("label.choice", has_text="unsafe").first)
    for chord in ("v", "vw", "vwg"):
        button = page.locator(f"[data-chord={chord}]")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["width"] >= 44
        tap(button)
    assert chosen(page) == [GUNS]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    submit(page)
    assert all_stored(page, 1) == [[GUNS]]
    assert console == []


def test_tabbing_reaches_a_leaf_too(at_unsafe: Page):
    page = at_unsafe
    page.locator("[data-chord=t]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-chord=td]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert chosen(page) == ["12.37.2"]
    expect(page.locator("[data-chord=s]")).to_be_focused()


def scan(page: Page, scheme: str) -> list[str]:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    script = "tags => axe.run('category-picker', {runOnly: tags}).then(({violations}) => violations)"
    return [f"{found['id']}: {found['nodes'][0]['html']}" for found in page.evaluate(script, TAGS)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_g7_nothing_is_wrong_with_the_open_picker(at_unsafe: Page, scheme):
    page = at_unsafe
    page.evaluate(AXE.read_text(encoding="utf-8"))
    press(page, GUNS_KEYS + ".")
    assert scan(page, scheme) == []
    press(page, "/")
    page.keyboard.type("race")
    assert scan(page, scheme) == []


def test_without_scripts_there_is_a_plain_list(air, browser, live_server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, "annotator")
    page.goto(f"{live_server.url}/projects/air/annotate/")
    assert page.locator("[name=answer_hazard_categories]").count() == 315
    context.close()
