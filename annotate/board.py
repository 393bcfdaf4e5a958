"""The lead's board: how far a project is, what people agree on, where jury and people part.

Every figure that counts items carries the filter that finds exactly those items. Nothing here is about one
person: no counts by name, no order of people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from annotate.answers import UNSURE, value_key
from annotate.draw import HeatMap, bar_lengths, heat_map
from annotate.filters import Conditions, as_query, items_of
from annotate.forecast import Forecast, forecast
from annotate.models import Annotation, Assignment, Exposure, Item, Label, Project, Purpose, Question
from annotate.tally import LabelTally, categories_of, tally_labels

DAYS_LOOKED_AT = 14
MOST_BARS = 15
# What the figures are about: items that people check themselves with are no part of them.
BASE: Conditions = {"purpose": "label"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of items, and the query of the list that shows them."""

    items: int
    query: str


@dataclass(frozen=True, slots=True)
class Bar:
    text: str
    figure: Figure
    length: float
    code: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A heat map with its table: `rows` are (text, figures of the row); no figure where there is nothing."""

    drawing: HeatMap
    legend: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Figure | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known at once. `answers` of `wanted` are given; `forecast` is None if there is too little to say."""

    items: Figure
    answered: list[Bar]
    states: list[Bar]
    answers: int
    wanted: int
    left: int
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class QuestionLabels:
    question: Question
    states: list[Bar]
    values: list[Bar]


@dataclass(frozen=True, slots=True)
class Labels:
    questions: list[QuestionLabels]
    categories: list[Bar]
    categories_left_out: list[Bar] = field(default_factory=list)


def figure(items: int, **conditions: Any) -> Figure:
    return Figure(items, as_query(BASE | conditions))


def bars(rows: Iterable[tuple[str, str, Figure]]) -> list[Bar]:
    """Bars from (code, text, figure), the longest being the largest of these."""
    rows = list(rows)
    lengths = bar_lengths([row[2].items for row in rows])
    return [Bar(text, shown, length, code) for (code, text, shown), length in zip(rows, lengths, strict=True)]


def overview(project: Project) -> Overview:
    """Progress, labels by state and the forecast. About ten queries, each over an index or one pass."""

    def counted(**conditions: Any) -> Figure:
        return figure(items_of(project, BASE | conditions).count(), **conditions)

    answered = {"none": _("nobody yet"), "some": _("begun"), "complete": _("complete")}
    states = {"settled": _("settled"), "contested": _("contested"), "too_few": _("too few votes")}
    items = Item.objects.filter(project=project, purpose=Purpose.LABEL)
    wanted = items.aggregate(wanted=Sum("wanted", default=0))["wanted"]
    given = Assignment.objects.filter(
        item__in=items, repeat=0, state=Assignment.State.SUBMITTED, item__wanted__gt=0
    ).count()
    left = max(wanted - given, 0)
    return Overview(
        items=counted(),
        answered=bars((state, text, counted(answered=state)) for state, text in answered.items()),
        states=bars((state, text, counted(state=[state])) for state, text in states.items()),
        answers=given,
        wanted=wanted,
        left=left,
        forecast=forecast(answers_by_day(project), left),
    )


def answers_by_day(project: Project) -> list[int]:
    """How many answers came on each of the last days with any; today is left out, since it is not over."""
    given = Annotation.objects.filter(
        item__project=project,
        item__purpose=Purpose.LABEL,
        repeat=0,
        revision=1,
        exposure__in=[Exposure.BLIND, Exposure.ASSISTED],
        created_at__lt=timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0),
    )
    days = given.annotate(day=TruncDate("created_at")).values("day").annotate(answers=Count("id"))
    return [day["answers"] for day in days.order_by("-day")[:DAYS_LOOKED_AT]]


def labels(project: Project) -> Labels:
    """How the labels of record fall, by question and by category."""
    found = tally_labels(project)
    asked = {code for code, _state in found.states}
    names = names_of(project)
    counted = sorted(found.categories.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = bars((code, names.get(code, code), figure(items, category=code)) for code, items in counted)
    return Labels(
        questions=[_labels_of(question, found) for question in project.asked_questions if question.code in asked],
        categories=rows[:MOST_BARS],
        categories_left_out=rows[MOST_BARS:],
    )


def _labels_of(question: Question, found: LabelTally) -> QuestionLabels:
    states = {state.value: _state_text(state.value) for state in Label.State}
    options = [*question.options, UNSURE]
    return QuestionLabels(
        question=question,
        states=bars(
            (state, text, figure(items, question=question.code, state=[state]))
            for state, text in states.items()
            if (items := found.states.get((question.code, state)))
        ),
        values=bars(
            (str(option), str(option), figure(items, question=question.code, value=option))
            for option in options
            if (items := found.values.get((question.code, value_key(option))))
        ),
    )


def _state_text(state: str) -> str:
    return {"settled": _("settled"), "contested": _("contested"), "too_few": _("too few votes")}[state]


def names_of(project: Project) -> dict[str, str]:
    """Category names by code."""
    return {category.code: category.name for category in categories_of(project)}


def grid(
    rows: Sequence[tuple[Any, str]],
    columns: Sequence[tuple[Any, str]],
    counts: Mapping[tuple[str, str], int],
    conditions: Mapping[tuple[str, str], Conditions],
    *,
    same_apart: bool = False,
) -> Grid:
    """A heat map over (key, text) rows and columns, with the figures of its cells.

    Args:
        conditions: what finds the items of a cell, for every cell with any.
    """
    drawing = heat_map([k for k, _t in rows], [k for k, _t in columns], counts, same_apart=same_apart)

    def cell(row: str, column: str) -> Figure | None:
        count = counts.get((row, column), 0)
        return figure(count, **conditions[row, column]) if count else None

    return Grid(
        drawing=drawing,
        legend=tuple(text for _key, text in rows),
        columns=tuple(text for _key, text in columns),
        rows=tuple((text, tuple(cell(key, other) for other, _t in columns)) for key, text in rows),
    )
