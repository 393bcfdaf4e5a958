"""How far the annotators of a project agree, question by question; the arithmetic is in `agreement`."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from annotate.agreement import agreement
from annotate.answers import UNSURE, value_key
from annotate.models import Annotation, Project, Question, User
from annotate.models.project import QuestionKind

# Beyond this the table of units and values takes gigabytes: so many different sets are never one answer.
MOST_VALUES = 2_000
MOST_CELLS = 20_000_000


def measure_agreement(project: Project, codes: Iterable[str] = ()) -> list[dict[str, Any]]:
    """One object a question: `question`, `items`, `raters`, `alpha`, `fleiss`, `ac1`, `cohen_pairs` and more.

    Each annotator's first judgement counts, and a unit is an item, or a part of one where parts are judged.
    Unsure is no value: such an answer is left out, as an absent one is. An ordinal question's options are
    taken in their order, a scale of numbers as an interval, answers that are sets as sets (MASI distance).

    Args:
        codes: only these questions; all of them by default.
    """
    questions = [question for question in project.questions.all() if not codes or question.code in codes]
    asked = {question.code for question in questions}
    columns: dict[str, list[tuple[str, str, Hashable]]] = {code: [] for code in asked}
    for unit, rater, answers in _votes(project):
        for code in asked & answers.keys():
            if answers[code] != UNSURE:
                columns[code].append((unit, rater, _comparable(answers[code])))
    return [{"question": question.code} | _measured(question, columns[question.code]) for question in questions]


def _votes(project: Project) -> Iterator[tuple[str, str, dict[str, Any]]]:
    votes = Annotation.objects.filter(item__project=project).votes()
    names = _names(User.objects.filter(pk__in=votes.order_by().distinct().values("annotator")))
    rows = votes.values_list("item_id", "part", "annotator_id", "answers")
    for item, part, annotator, answers in rows.iterator(chunk_size=5_000):
        yield f"{item} {part}", names[annotator], answers


def _names(people: Iterable[User]) -> dict[int, str]:
    """Names to show; the full user name where an imported annotator is called like somebody else."""
    people = list(people)
    times = Counter(person.shown_name for person in people)
    return {p.pk: p.shown_name if times[p.shown_name] == 1 else p.username for p in people}


def _comparable(value: Any) -> Hashable:
    if isinstance(value, dict):
        return frozenset((turn, value_key(option)) for turn, option in value.items())
    if not isinstance(value, list):
        return value
    return frozenset(tuple(sorted(entry.items())) if isinstance(entry, dict) else entry for entry in value)


def _measured(question: Question, rows: list[tuple[str, str, Hashable]]) -> dict[str, Any]:
    units, raters, values = zip(*rows, strict=True) if rows else ((), (), ())
    if question.kind == QuestionKind.TEXT:
        return _not_computable(units, raters, "free text can't be compared")
    different = len(set(values))
    if different > MOST_VALUES or different * len(set(units)) > MOST_CELLS:
        return _not_computable(units, raters, f"there are {different:,} different answers")
    order, numeric = None, None
    # Of a question about turns they are the answers to each turn, not to the item.
    options = [] if question.kind == QuestionKind.TURNS else question.options
    if question.kind == QuestionKind.SCALE and all(type(o) in (int, float) for o in question.options):
        numeric = {option: float(option) for option in question.options}
    elif question.ordinal or question.kind == QuestionKind.SCALE:
        order = question.options
    return agreement(units, raters, values, options=options, ordinal_order=order, numeric=numeric).as_json()


def _not_computable(units: Sequence[str], raters: Sequence[str], reason: str) -> dict[str, Any]:
    nothing = {"value": None, "reason": reason}
    counts = {"items": len(set(units)), "raters": len(set(raters))}
    return counts | dict.fromkeys(("alpha", "fleiss", "ac1"), nothing) | {"cohen_pairs": []}
