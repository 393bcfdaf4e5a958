"""What a page shows of an item and its questions: plain data for templates, nothing of the jury (P3)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from annotate.answers import UNSURE, part_of_turn, value_key
from annotate.exposure import suggestion
from annotate.models import Assignment, Category, Item, Project, Purpose, Question, Severity
from annotate.models.item import ItemKind
from annotate.models.taxonomy import CategoryKind
from annotate.questions import asked
from annotate.taxonomy import frozen_categories

KEYS = "123456789"


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A text of the item; `part` is what spans call it, `turn` its number in a dialogue."""

    heading: str
    text: str
    part: str
    agent: bool = False
    turn: int | None = None

    @property
    def length(self) -> int:
        """In code points, as spans count."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class TurnQuestion:
    """A question about single turns, as it stands beside each of them; the form holds the answers."""

    code: str
    text: str
    options: list[Any]


@dataclass(frozen=True, slots=True)
class ShownOption:
    value: str
    text: str
    key: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """One turn of a question that is asked of each: the field's name, and its options."""

    name: str
    text: str
    options: list[ShownOption]


@dataclass(frozen=True, slots=True)
class ShownGroup:
    name: str
    categories: list["ShownCategory"]


@dataclass(frozen=True, slots=True)
class ShownCategory:
    code: str
    name: str
    definition: str
    chosen: bool
    search: str


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    code: str
    text: str
    kind: str
    required: bool
    condition: str
    kinds: str
    applies: bool
    options: list[ShownOption] = field(default_factory=list)
    turns: list[ShownTurn] = field(default_factory=list)
    each_turn: bool = False
    groups: list[ShownGroup] = field(default_factory=list)
    answer: Any = None
    unsure: bool = False
    problem: str = ""


def text_blocks(item: Item) -> list[TextBlock]:
    """The item's content as blocks in reading order."""
    content = item.content
    if "turns" in content:
        return [
            TextBlock(
                heading=f"{number}. {turn['role']}",
                text=turn["text"],
                part=part_of_turn(number - 1),
                agent=turn["role"] != "user",
                turn=number - 1,
            )
            for number, turn in enumerate(content["turns"], start=1)
        ]
    names = (("text", _("Text"), False), ("prompt", _("Prompt"), False), ("response", _("Response"), True))
    return [TextBlock(heading, content[name], name, agent) for name, heading, agent in names if content.get(name)]


def turn_questions(project: Project, item: Item) -> list[TurnQuestion]:
    """The questions about single turns, which stand beside each turn of a dialogue."""
    if item.kind != ItemKind.DIALOGUE:
        return []
    asked_here = [question for question in project.asked_questions if question.kind == "turns"]
    return [TurnQuestion(question.code, question.text, question.options) for question in asked_here]


def shown_item(request: HttpRequest, assignment: Assignment) -> dict[str, Any]:
    """An item as the page's queue holds it: plain data and its text as HTML; nothing tells gold apart."""
    item = assignment.item
    return item_facts(item, assignment.repeat) | {
        "assignment": assignment.pk,
        "leased_until": assignment.leased_until.isoformat(),
        "html": render_to_string("annotate/_content.html", blocks_context(item, assignment), request),
    }


def blocks_context(item: Item, assignment: Assignment | None) -> dict[str, Any]:
    """What the template of an item's text needs; the answers are those to questions about turns."""
    return {
        "project": item.project,
        "item": item,
        "assignment": assignment,
        "blocks": text_blocks(item),
        "turn_questions": turn_questions(item.project, item),
        "suggestion": suggestion(assignment) if assignment else None,
    }


def item_facts(item: Item, repeat: int) -> dict[str, Any]:
    """What the page's scripts may know of an item. A warm-up says that it is one: it teaches in the open."""
    return {
        "id": item.pk,
        "repeat": repeat,
        "kind": item.kind,
        "turns": len(item.content.get("turns", ())),
        "severity": item.severity,
        "notice": str(Severity(item.severity).label) if item.severity else "",
        "warm_up": item.purpose == Purpose.WARM_UP,
    }


def form_values(project: Project, answers: Mapping[str, Any]) -> dict[str, list[str]]:
    """Stored answers as the form sends them: field name to raw values, each JSON, but for typed text."""
    kinds = {question.code: question.kind for question in project.asked_questions}
    values = {f"answer_{code}": _raw(kinds.get(code, ""), value) for code, value in answers.items()}
    for code, value in answers.items():
        if kinds.get(code) == "turns" and isinstance(value, dict):
            del values[f"answer_{code}"]
            values |= {f"answer_{code}.{turn}": [value_key(option)] for turn, option in value.items()}
    return values


def _raw(kind: str, value: Any) -> list[str]:
    if kind == "text":
        return [str(value)]
    if kind in ("categories", "turns") and isinstance(value, list):
        return [value_key(entry) for entry in value]
    return [value_key(value)]


def shown_questions(
    project: Project,
    item: Item | None,
    answers: Mapping[str, Any],
    problems: Mapping[str, str],
    *,
    every: bool = False,
) -> list[ShownQuestion]:
    """The questions that can apply to the item, with the answers given so far and what is wrong with them.

    Args:
        every: all of the project's questions, since the form stays while items come and go.
    """
    groups = _groups(project)
    shown = [
        _shown(question, item, answers.get(question.code), problems.get(question.code, ""), groups)
        for question in project.asked_questions
    ]
    return [question for question in shown if every or question.applies]


def _kinds(question: Question) -> list[str]:
    """The kinds of items that the question can be about, whatever the other answers."""
    unconditional = replace(asked(question), condition=())
    return [kind for kind in ItemKind.values if unconditional.is_asked({}, kind)]


def _shown(
    question: Question,
    item: Item | None,
    answer: Any,
    problem: str,
    groups: Sequence[tuple[str, list[Category]]],
) -> ShownQuestion:
    chosen = answer if isinstance(answer, list) else []
    kinds = _kinds(question)
    return ShownQuestion(
        code=question.code,
        text=question.text,
        kind=question.kind,
        required=question.required,
        condition=value_key(question.condition) if question.condition else "",
        kinds=" ".join(kinds),
        applies=item is not None and item.kind in kinds,
        options=_options(question, item, answer),
        turns=_turns(question, item, answer),
        each_turn=question.kind == "turns" and bool(question.options),
        groups=[_shown_group(name, categories, chosen) for name, categories in groups]
        if question.kind == "categories"
        else [],
        answer=answer if question.kind == "text" else json.dumps(answer) if answer is not None else "",
        unsure=answer == UNSURE,
        problem=problem,
    )


def _options(question: Question, item: Item | None, answer: Any) -> list[ShownOption]:
    values: list[Any] = list(question.options)
    texts = [str(value) for value in values]
    chosen = set() if answer is None else {value_key(answer)}
    if question.kind == "turns" and not question.options:
        values = _turn_numbers(item)
        texts = [_("turn {n}").format(n=value + 1) for value in values]
        chosen = {value_key(turn) for turn in answer} if isinstance(answer, list) else set()
    return [
        ShownOption(value_key(value), text, KEYS[place] if place < len(KEYS) else "", value_key(value) in chosen)
        for place, (value, text) in enumerate(zip(values, texts, strict=True))
    ]


def _turns(question: Question, item: Item | None, answer: Any) -> list[ShownTurn]:
    """Each turn with the question's options, where it has any."""
    if question.kind != "turns" or not question.options:
        return []
    given = answer if isinstance(answer, dict) else {}
    return [
        ShownTurn(
            f"answer_{question.code}.{turn}",
            _("turn {n}").format(n=turn + 1),
            _options(question, item, given.get(str(turn))),
        )
        for turn in _turn_numbers(item)
    ]


def _turn_numbers(item: Item | None) -> list[int]:
    return list(range(len(item.content.get("turns", ())))) if item else []


def _groups(project: Project) -> list[tuple[str, list[Category]]]:
    """Categories that an item can be given, under the names of their groups, in the taxonomy's order."""
    if project.taxonomy_version_id is None:
        return []
    categories = frozen_categories(project.taxonomy_version_id)
    names = {category.code: category.name for category in categories}
    groups: dict[str, list[Category]] = {}
    for category in categories:
        if category.kind == CategoryKind.GROUP or category.code in ("safe", "benign"):
            continue
        name = " / ".join(names[parent] for parent in category.parents)
        groups.setdefault(name, []).append(category)
    return list(groups.items())


def _shown_group(name: str, categories: list[Category], chosen: Sequence[str]) -> ShownGroup:
    return ShownGroup(
        name,
        [
            ShownCategory(
                category.code,
                category.name,
                category.definition,
                category.code in chosen,
                f"{category.code} {category.name} {name}".lower(),
            )
            for category in categories
        ],
    )
