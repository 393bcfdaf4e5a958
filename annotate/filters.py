"""A choice of a project's items, written as data: the list, the queue and a mix's recipe use the same."""

from typing import Any

from django.db.models import QuerySet

from annotate.models import Item, Project


def items_of(project: Project, conditions: dict[str, Any]) -> QuerySet[Item]:
    """The project's items that meet the conditions."""
    return Item.objects.filter(project=project)
