"""Exercises for the key trainer: harmless made-up prompts, and what to answer to each. Nothing is stored."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotate.answers import UNSURE, value_key
from annotate.models import Project, Question
from annotate.models.item import ItemKind
from annotate.questions import asked
from annotate.taxonomy import frozen_categories, may_be_chosen

MOST_CATEGORIES = 5
# The made-up item's kind: only what is asked of a prompt alone can be practised.
KIND = ItemKind.PROMPT


@dataclass(frozen=True, slots=True)
class Exercise:
    """`want` maps form fields to raw values; `command` is set where a command's key is asked for instead."""

    say: str
    keys: list[str]
    want: dict[str, list[str]]
    command: str = ""


def prompts() -> list[str]:
    """Texts that nobody minds, as something to look at."""
    return [
        _("How do I get wax out of a tablecloth?"),
        _("Write a short poem about a lighthouse."),
        _("What is the difference between a frog and a toad?"),
        _("Plan a walk of two hours along a river."),
        _("Which bread goes well with tomato soup?"),
    ]


def exercises(project: Project, keys: dict[str, str]) -> list[Exercise]:
    """Each answer to the first question, with a few categories where they are asked for, and undo between them."""
    found: list[Exercise] = []
    first = next((question for question in project.asked_questions if _is_first(question)), None)
    if first is None:
        return []
    for place, option in enumerate(first.options[:9]):
        found += _with_option(project, first, option, str(place + 1))
    name = f"answer_{first.code}"
    found.append(Exercise(_("unsure"), ["0", "Enter"], {name: [value_key(UNSURE)]}))
    found.insert(1, Exercise(_("undo"), [keys["undo"]], {}, "undo"))
    return found


def _is_first(question: Question) -> bool:
    return question.kind == "choice" and not question.condition and asked(question).is_asked({}, KIND)


def _with_option(project: Project, question: Question, option: Any, key: str) -> list[Exercise]:
    want = {f"answer_{question.code}": [value_key(option)]}
    hazards = [
        other
        for other in project.asked_questions
        if other.kind == "categories" and {"question": question.code, "is": option} in list(other.condition)
    ]
    if not hazards or project.taxonomy_version_id is None:
        return [Exercise(str(option), [key, "Enter"], want)]
    choices = [one for one in frozen_categories(project.taxonomy_version_id) if may_be_chosen(one) and one.chord]
    leaves = [one for one in choices if one.kind != "group"]
    step = max(1, len(leaves) // MOST_CATEGORIES)
    return [
        Exercise(
            f"{option}, {category.name}",
            [key, *category.chord, "Enter"],
            want | {f"answer_{hazards[0].code}": [value_key(category.code)]},
        )
        for category in leaves[::step][:MOST_CATEGORIES]
    ]
