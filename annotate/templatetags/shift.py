"""Differences between shares, for people."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def points(difference: float | None) -> str:
    """A difference of shares in percentage points, with its sign; a dash where there is none."""
    return "–" if difference is None else _("%(points)s points") % {"points": f"{100 * difference:+.1f}"}
