"""Resolve a recipe's `filter`: which conditions it stands for now."""

from dataclasses import dataclass, replace
from typing import Any

from annotate.filters import BadFilter, check
from annotate.models import Project, SavedFilter
from curation.errors import RecipeRefused
from curation.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Resolved:
    """The filter as manifests hold it, so that a later change of it is no change of what was built."""

    name: str
    conditions: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "conditions": self.conditions}


def resolve(project: Project, recipe: Recipe) -> Resolved | None:
    """What the recipe's filter asks for at this moment; None if it has none.

    Raises:
        RecipeRefused: the project has no saved filter of this name, or the conditions don't fit it.
    """
    if not recipe.filter:
        return None
    name, conditions = "", recipe.filter
    if isinstance(conditions, str):
        name = conditions
        saved = SavedFilter.objects.filter(project=project)
        found = saved.filter(name=name).first()
        if found is None:
            there = ", ".join(saved.order_by("name").values_list("name", flat=True)) or "none"
            raise RecipeRefused(f"Recipe, filter: the project has no saved filter {name!r}; there are {there}.")
        conditions = found.conditions
    try:
        return Resolved(name, check(project, conditions))
    except BadFilter as refused:
        raise RecipeRefused(f"Recipe, filter: {refused}.") from refused


def as_written(recipe: Recipe, resolved: Resolved | None) -> Recipe:
    """The recipe with the conditions in place of the name: the one that a manifest holds."""
    return recipe if resolved is None else replace(recipe, filter=resolved.as_dict())
