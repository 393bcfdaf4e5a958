"""Show an item's text as it is: escaped, with what can't be seen made visible."""

import json
import re
import unicodedata
from collections.abc import Mapping

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from annotate.answers import value_key
from annotate.images import ShownImage, shown_images
from annotate.models import Item

register = template.Library()
# Guidelines are written by leads and read by everybody: no HTML, no images, no links to scripts.
GUIDELINES = MarkdownIt("commonmark", {"html": False}).disable("image")

NAMES = {
    "\u200b": "zero width space",
    "\u200c": "zero width non-joiner",
    "\ufeff": "byte order mark",
    "\u202a": "left-to-right embedding",
    "\u202b": "right-to-left embedding",
    "\u202d": "left-to-right override",
    "\u202e": "right-to-left override",
    "\u2066": "left-to-right isolate",
    "\u2067": "right-to-left isolate",
}
# Joiners inside emoji, variation selectors and line breaks belong to ordinary text.
ORDINARY = frozenset("\n\t\u200d\u200c")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@register.filter
def visible(text: str) -> SafeString:
    """The text escaped for HTML; control, bidi and invisible characters become small marks with their names.

    Scripts count a mark as the one code point that its `data-point` names (hexadecimal), so that what they
    count in the page is what is stored. The CR of a line end is written as a reference: an HTML parser
    drops a bare one.
    """
    lines = ("".join(map(_mark, line)) for line in text.split("\r\n"))
    return mark_safe("&#13;\n".join(lines))


def _mark(character: str) -> str:
    if character in ORDINARY or unicodedata.category(character) not in ("Cc", "Cf"):
        return escape(character)
    name = NAMES.get(character) or unicodedata.name(character, "control character").lower()
    point = f"{ord(character):04X}"
    return f'<span class="unseen" data-point="{point}" title="U+{point}">{escape(name)}</span>'


@register.filter
def markdown(text: str) -> SafeString:
    """CommonMark as HTML; raw HTML in it is shown as text."""
    return mark_safe(GUIDELINES.render(text))


@register.filter
def key(value: object) -> str:
    """A value as the form sends it: JSON, so that 1 and "1" stay apart."""
    return value_key(value)


@register.filter
def words(code: str) -> str:
    """A code for people: `too_few` is too few."""
    return code.replace("_", " ")


@register.filter
def percent(share: float | None) -> str:
    """A share as whole percent; a dash where there is none."""
    return "–" if share is None else f"{share * 100:.0f} %"


@register.filter
def spoken(value: object) -> str:
    """A value for people: lists joined, numbers as they are, an empty list said in words."""
    if isinstance(value, list):
        return ", ".join(_span(entry) if isinstance(entry, dict) else str(entry) for entry in value) or _("none")
    if isinstance(value, dict):
        return ", ".join(f"{int(turn) + 1}: {option}" for turn, option in value.items())
    return "–" if value is None else str(value)


def _span(span: Mapping[str, object]) -> str:
    """Where the marked words are, and what they are marked as."""
    said = (span.get("part"), f"{span.get('start')}–{span.get('end')}", span.get("label"))
    return " ".join(str(word) for word in said if word)


@register.filter
def language(item: Item) -> str:
    """The item's language for `lang`, if what was imported looks like a language tag."""
    return item.lang if LANGUAGE.fullmatch(item.lang) else ""


@register.filter
def images(item: Item) -> list[ShownImage]:
    """The images that a page shows of the item."""
    return shown_images(item)


@register.filter
def as_json(value: object) -> str:
    """Plain data for a data-attribute, in ASCII whatever it holds; the template escapes it."""
    return json.dumps(value)
