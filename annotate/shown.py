"""What a page shows of an item and its questions: plain data for templates, nothing of the jury (P3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotate.answers import UNSURE, value_key
from annotate.models import Category, Item, Project, Question
from annotate.models.taxonomy import CategoryKind
from annotate.taxonomy import frozen_categories

KEYS = "123456789"


@dataclass(frozen=True, slots=True)
class TextBlock:
    heading: str
    text: str
    agent: bool = False
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class ShownOption:
    value: str
    text: str
    key: str
    chosen: bool


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
    options: list[ShownOption] = field(default_factory=list)
    groups: list[ShownGroup] = field(default_factory=list)
    answer: Any = None
    unsure: bool = False
    problem: str = ""


def text_blocks(item: Item) -> list[TextBlock]:
    """The item's content as blocks in reading order."""
    content = item.content
    if "turns" in content:
        return [
            TextBlock(f"{number}. {turn['role']}", turn["text"], turn["role"] != "user", number - 1)
            for number, turn in enumerate(content["turns"], start=1)
        ]
    names = (("text", "Text", False), ("prompt", "Prompt", False), ("response", "Response", True))
    return [TextBlock(heading, content[name], agent) for name, heading, agent in names if content.get(name)]


def shown_questions(
    project: Project, item: Item, answers: Mapping[str, Any], problems: Mapping[str, str]
) -> list[ShownQuestion]:
    """The questions that can apply to the item, with the answers given so far and what is wrong with them."""
    groups = _groups(project)
    return [
        _shown(question, item, answers.get(question.code), problems.get(question.code, ""), groups)
        for question in project.asked_questions
        if _may_apply(question, item)
    ]


def _may_apply(question: Question, item: Item) -> bool:
    if question.part == "response" and item.kind not in ("pair", "dialogue"):
        return False
    return question.kind != "turns" or item.kind == "dialogue"


def _shown(
    question: Question, item: Item, answer: Any, problem: str, groups: Sequence[tuple[str, list[Category]]]
) -> ShownQuestion:
    chosen = answer if isinstance(answer, list) else []
    return ShownQuestion(
        code=question.code,
        text=question.text,
        kind=question.kind,
        required=question.required,
        condition=value_key(question.condition) if question.condition else "",
        options=_options(question, item, answer),
        groups=[_shown_group(name, categories, chosen) for name, categories in groups]
        if question.kind == "categories"
        else [],
        answer=answer if question.kind == "text" else value_key(answer) if answer is not None else "",
        unsure=answer == UNSURE,
        problem=problem,
    )


def _options(question: Question, item: Item, answer: Any) -> list[ShownOption]:
    values: list[Any] = list(question.options)
    if question.kind == "turns":
        values = list(range(len(item.content.get("turns", ()))))
        chosen = {value_key(turn) for turn in answer} if isinstance(answer, list) else set()
    else:
        chosen = set() if answer is None else {value_key(answer)}
    texts = [f"turn {value + 1}" if question.kind == "turns" else str(value) for value in values]
    return [
        ShownOption(value_key(value), text, KEYS[place] if place < len(KEYS) else "", value_key(value) in chosen)
        for place, (value, text) in enumerate(zip(values, texts, strict=True))
    ]


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
