"""Our own icons, from one sprite file: decoration beside words, so screen readers skip them."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# They point along the reading direction, so they turn round where it runs from right to left.
DIRECTED = frozenset({"undo", "skip", "next"})


@register.simple_tag
def icon(name: str) -> SafeString:
    """The symbol `name` of icons.svg, in the colour and size of the text around it."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        "icon directed" if name in DIRECTED else "icon",
        static("annotate/icons.svg"),
        name,
    )
