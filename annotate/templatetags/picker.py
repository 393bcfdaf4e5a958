"""What the category picker needs to know of its project."""

from django import template

from annotate.models import Project
from annotate.picker import picker_address

register = template.Library()


@register.filter
def categories_address(project: Project) -> str:
    """Where the picker gets the project's categories from."""
    return picker_address(project)
