"""Show an item's text as it is: escaped, with what can't be seen made visible."""

import unicodedata

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from annotate.answers import value_key

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
ORDINARY = frozenset("\n\r\t\u200d\u200c")


@register.filter
def visible(text: str) -> SafeString:
    """The text escaped for HTML; control, bidi and invisible characters become small marks with their names."""
    return mark_safe("".join(_mark(character) for character in text))


def _mark(character: str) -> str:
    if character in ORDINARY or unicodedata.category(character) not in ("Cc", "Cf"):
        return escape(character)
    name = NAMES.get(character) or unicodedata.name(character, "control character").lower()
    return f'<span class="unseen" title="U+{ord(character):04X}">{escape(name)}</span>'


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
        return ", ".join(str(entry) for entry in value) or "none"
    return "–" if value is None else str(value)
