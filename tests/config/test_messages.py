"""Languages: every word that people see is translatable, and is translated to German and Arabic (G19)."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.utils import translation

from annotate.models import Preferences
from config import messages
from tests.world import furnish

OPEN, SHUT = "⟦", "⟧"
WORD = re.compile(r"[^\W\d_]")
NAMED = {"aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "title", "placeholder", "alt"}
COMMA = re.compile(r' (?:x|y|x1|x2|y1|y2|cx|cy|r|width|height|min|max|step|value)="-?\d+,\d+"')
VOID = {"meta", "link", "input", "img", "br", "hr", "use", "path", "rect", "circle", "line", "col", "wbr"}
NOT_OURS = {"bdi", "script", "style", "code", "kbd", "pre"}


@pytest.fixture
def pseudo(monkeypatch):
    """Every translation comes back in brackets."""
    translation.gettext("")
    for name in ("gettext", "pgettext", "ngettext", "npgettext"):
        real = getattr(translation._trans, name)
        monkeypatch.setattr(translation._trans, name, _bracketed(real), raising=False)


def _bracketed(real):
    def answer(*args):
        said = real(*args)
        return f"{OPEN}{said}{SHUT}" if said and args[0] else said

    return answer


class Words(HTMLParser):
    """Collects what is not in brackets: texts and named attributes, but for people's own data and code."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []
        self._spared: list[bool] = []
        self._depth = 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        spared = tag in NOT_OURS or given.get("translate") == "no" or given.get("dir") == "auto"
        spared = spared or any(self._spared)
        for name, value in given.items():
            if not spared and value and (name in NAMED or name.startswith(("data-text", "data-say"))):
                self._note(f"{name}=", value, keep=False)
        if tag not in VOID:
            self._spared.append(spared)

    def handle_endtag(self, tag):
        if tag not in VOID and self._spared:
            self._spared.pop()

    def handle_startendtag(self, tag, attrs):
        if tag not in VOID:
            self.handle_starttag(tag, attrs)
            self.handle_endtag(tag)

    def handle_data(self, data):
        self._note("", data, keep=True, spared=any(self._spared))

    def _note(self, where, text, *, keep, spared=False):
        """Brackets may open in one text and shut in a later one, where the translation holds tags."""
        depth, bare = (self._depth if keep else 0), []
        for character in text:
            depth += (character == OPEN) - (character == SHUT)
            if depth == 0:
                bare.append(character)
        if keep:
            self._depth = depth
        left = " ".join("".join(bare).replace(SHUT, "").replace("Jurybox", "").split())
        if WORD.search(left) and not spared:
            self.found.append(where + left)


def unmarked(html: str) -> list[str]:
    words = Words()
    words.feed(html.replace("<title>Demo: prompts and responses ", "<title>"))
    return words.found


@pytest.mark.django_db(transaction=True)
def test_no_page_says_anything_that_cannot_be_translated(tmp_path, settings, client_for, pseudo):
    settings.FILES_DIR = tmp_path / "files"
    world = furnish(tmp_path)
    lead = client_for(world.lead)
    found = {}
    for name, address in world.pages:
        response = lead.get(address)
        german = lead.get(address, headers={"Accept-Language": "de"})
        if "html" not in response.headers.get("Content-Type", "") or response.status_code == 302:
            continue
        left = unmarked(response.content.decode())
        # A decimal comma is for people; what browsers read as a number has a point in every language.
        if left := left + COMMA.findall(german.content.decode()):
            found[name] = left
    assert found == {}, json.dumps(found, indent=1, ensure_ascii=False)


def test_the_sweep_sees_what_is_not_marked():
    page = """<html><body><p>⟦Hello <b>you</b>⟧ there</p><i title="Bare"></i><p dir="auto">Theirs</p>
    <kbd>Enter</kbd><b translate="no">guard</b><input placeholder="⟦Find⟧"><p>12 %, ⟦of⟧ 3</p></body></html>"""
    assert unmarked(page) == ["there", "title=Bare"]


@pytest.mark.parametrize("language", messages.languages())
def test_every_text_is_translated_with_its_placeholders(language):
    assert messages.problems(language) == []


@pytest.mark.parametrize(
    ("asked", "lang", "direction"), [("de-AT", "de", "ltr"), ("ar", "ar", "rtl"), ("fi", "en", "ltr")]
)
def test_without_a_choice_the_browsers_language_counts(db, client, asked, lang, direction):
    page = client.get("/sign-in/", headers={"Accept-Language": asked}).content.decode()
    assert f'<html lang="{lang}" dir="{direction}"' in page


def test_ones_own_language_and_density_count_before_the_browsers(cast, client_for):
    Preferences.objects.update_or_create(user=cast.annotator, defaults={"language": "de", "density": "compact"})
    page = client_for(cast.annotator).get("/", headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="de" dir="ltr" data-density="compact">' in page
    assert "Projekte" in page


def test_a_language_that_is_not_offered_is_not_taken(cast, client_for):
    Preferences.objects.update_or_create(user=cast.annotator, defaults={"language": "fi"})
    assert '<html lang="en"' in client_for(cast.annotator).get("/").content.decode()


def test_the_language_costs_no_query(cast, client_for, client, django_assert_num_queries):
    Preferences.objects.update_or_create(user=cast.annotator, defaults={"language": "de"})
    signed_in = client_for(cast.annotator)
    with django_assert_num_queries(3):
        signed_in.get("/")
    with django_assert_num_queries(0):
        client.get("/sign-in/")
