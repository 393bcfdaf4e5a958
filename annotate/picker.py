"""What the category picker's page part is fed with: a published version as JSON, the same bytes for good."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse

from annotate.chord_steps import steps
from annotate.models import Project
from annotate.taxonomy import as_named, frozen_categories, may_be_chosen


@dataclass(frozen=True, slots=True)
class PickerData:
    """`content_hash` is part of the address, so that a browser may keep the answer for good."""

    body: bytes
    content_hash: str


@lru_cache(maxsize=64)
def picker_data(version_id: int) -> PickerData:
    """The categories of a published version in order, and the name of each step on the way to them.

    {"categories": [{"code", "name", "definition", "examples", "counter_examples", "chord", "parents", "kind"}],
    "steps": [[chord or beginning of one, name]]}, as UTF-8 JSON.

    Raises:
        FrozenTaxonomy: the version is still a draft.
    """
    categories = [category for category in frozen_categories(version_id) if may_be_chosen(category)]
    chords = {category.code: category.chord for category in categories}
    content = {
        "categories": [
            {
                "code": category.code,
                "name": category.name,
                "definition": category.definition,
                "examples": category.examples,
                "counter_examples": category.counter_examples,
                "chord": category.chord,
                "parents": category.parents,
                "kind": category.kind,
            }
            for category in categories
        ],
        "steps": [[step.chord, step.name] for step in steps([as_named(one) for one in categories], chords)],
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return PickerData(body, hashlib.sha256(body).hexdigest()[:16])


def picker_address(project: Project) -> str:
    """Where the page gets the categories of the project's version from; empty if the project has none."""
    version_id = project.taxonomy_version_id
    if version_id is None:
        return ""
    return reverse("taxonomy", args=[project.slug, version_id, picker_data(version_id).content_hash])
