"""The slow half of the board: agreement, confusions, and where jury and people part; counted over all votes."""

import json
from dataclasses import dataclass
from typing import Any

from annotate.agreement_by_pattern import Level, alpha_of, presence_alpha
from annotate.agreement_coefficients import Result
from annotate.answers import value_key
from annotate.board import Bar, Figure, Grid, bars, figure, grid, names_of
from annotate.confusion import confusions, most_confused
from annotate.models import Project, Question
from annotate.models.project import QuestionKind
from annotate.said import COMPARED, ONE_VALUE
from annotate.tally import Tally, tally

# As many as a heat map can show on a narrow screen.
MOST_ON_A_SIDE = 10


@dataclass(frozen=True, slots=True)
class CategoryAgreement:
    """Alpha of whether people name this category or one below it. `named`: items where anybody did."""

    code: str
    name: str
    alpha: dict[str, Any]
    named: Figure


@dataclass(frozen=True, slots=True)
class QuestionVotes:
    """One question: how far people agree on it, what they confuse, and the jury beside them.

    Attributes:
        split: items on which two people differ.
        parted: items on which the people's majority and the jury's differ; None where they never met.
        sides: people's majority x jury's majority, for questions with one value.
        only_people, only_jury: for questions about categories.
    """

    question: Question
    alpha: dict[str, Any]
    level: Level
    split: Figure
    categories: list[CategoryAgreement]
    confused: Grid | None
    parted: Figure | None
    sides: Grid | None
    only_people: list[Bar]
    only_jury: list[Bar]


def votes(project: Project) -> list[QuestionVotes]:
    """The figures of each question whose answers can be compared, in the questions' order."""
    found = tally(project)
    names = names_of(project)
    return [
        _of_question(question, found, names) for question in project.asked_questions if question.kind in COMPARED
    ]


def _of_question(question: Question, found: Tally, names: dict[str, str]) -> QuestionVotes:
    code = question.code
    level = _level(question)
    return QuestionVotes(
        question=question,
        alpha=_alpha(question, level, found).as_json(),
        level=level,
        split=figure(found.split.get(code, 0), question=code, disagree="people"),
        categories=_categories(code, found, names),
        confused=_confused(code, found, names) if question.kind == QuestionKind.CATEGORIES else None,
        parted=figure(found.parted.get(code, 0), question=code, disagree="jury") if code in found.met else None,
        sides=_sides(question, found) if question.kind in ONE_VALUE else None,
        only_people=_only("people", code, found, names),
        only_jury=_only("jury", code, found, names),
    )


def _level(question: Question) -> Level:
    """As `measure_agreement` chooses it."""
    if question.kind in (QuestionKind.CATEGORIES, QuestionKind.TURNS):
        return "sets"
    if question.kind == QuestionKind.SCALE and all(type(option) in (int, float) for option in question.options):
        return "interval"
    return "ordinal" if question.ordinal or question.kind == QuestionKind.SCALE else "nominal"


def _alpha(question: Question, level: Level, found: Tally) -> Result:
    patterns = (
        ([_comparable(value) for value in values], n) for values, n in found.patterns.get(question.code, [])
    )
    return alpha_of(patterns, level, question.options)


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((turn, value_key(option)) for turn, option in value.items())
    return frozenset(value) if isinstance(value, list) else value


def _categories(code: str, found: Tally, names: dict[str, str]) -> list[CategoryAgreement]:
    """In the taxonomy's order; only those that anybody named."""
    return [
        CategoryAgreement(
            code=category,
            name=name,
            alpha=presence_alpha(found.presence[code, category]).as_json(),
            named=figure(found.named[code, category], question=code, named=category),
        )
        for category, name in names.items()
        if (code, category) in found.named
    ]


def _confused(code: str, found: Tally, names: dict[str, str]) -> Grid | None:
    """The categories most often taken for one another, against each other; both halves of the square alike."""
    counts = confusions(found.sets.get(code, []))
    shown = most_confused(counts, MOST_ON_A_SIDE)
    if not shown:
        return None
    both_ways = {pair: n for (one, other), n in counts.items() for pair in ((one, other), (other, one))}
    sides = [(category, names.get(category, category)) for category in shown]
    conditions = {pair: {"question": code, "confused": sorted(pair)} for pair in both_ways}
    return grid(sides, sides, both_ways, conditions, same_apart=True)


def _sides(question: Question, found: Tally) -> Grid | None:
    counts = found.majorities.get(question.code)
    if not counts:
        return None
    options = [value_key(option) for option in question.options]
    given = {key for pair in counts for key in pair}
    shown = [key for key in options if key in given][:MOST_ON_A_SIDE]
    conditions = {
        (people, jury): {"question": question.code, "people": json.loads(people), "jury": json.loads(jury)}
        for people, jury in counts
    }
    sides = [(key, str(json.loads(key))) for key in shown]
    return grid(sides, sides, counts, conditions, same_apart=True)


def _only(side: str, code: str, found: Tally, names: dict[str, str]) -> list[Bar]:
    counted = [(category, n) for (whose, category), n in found.only.get(code, {}).items() if whose == side]
    counted.sort(key=lambda pair: (-pair[1], pair[0]))
    return bars(
        (category, names.get(category, category), figure(items, question=code, **{side: category}))
        for category, items in counted[:MOST_ON_A_SIDE]
    )
