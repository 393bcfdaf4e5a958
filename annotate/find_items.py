"""Compile a filter's conditions (see `annotate.filters`) to one query over a project's items."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from annotate.answers import UNSURE, value_key
from annotate.models import Assignment, Flag, Item, Label, Project, Purpose, Question, Source
from annotate.models.project import QuestionKind
from annotate.said import (
    COMPARED,
    MAJORITIES,
    ONE_SIDED,
    confused,
    items_where,
    named_by_somebody,
    parted,
    people_split,
)
from annotate.taxonomy import codes_below

Conditions = Mapping[str, Any]
Condition = Q | Combinable
# Beside one of these, the question says what they are about; alone it asks for any label.
NOT_OF_LABELS = {"disagree", "people", "jury", "named", "confused"}


def items_of(project: Project, conditions: Conditions) -> QuerySet[Item]:
    """The project's items that meet all the conditions; nothing is asked of the database yet.

    Conditions that no longer fit (a question or category that went since they were stored) find nothing.

    Raises:
        KeyError: a condition that isn't known; `annotate.filters.check` refuses such before they are stored.
    """
    items = Item.objects.filter(project=project)
    for key in conditions:
        found = COMPILERS[key](project, conditions)
        if found is not None:
            items = items.filter(found)
    return items


def _one_of(field: str, key: str) -> Callable[[Project, Conditions], Condition]:
    return lambda project, conditions: Q(**{f"{field}__in": conditions[key]})


def _source(project: Project, conditions: Conditions) -> Condition:
    return Q(source__in=Source.objects.filter(project=project, name__in=conditions["source"]))


def _purpose(_project: Project, conditions: Conditions) -> Condition:
    purpose = conditions["purpose"]
    return Q(purpose=Purpose.LABEL if purpose == "label" else purpose)


def _question(project: Project, conditions: Conditions) -> Condition | None:
    """The label of `question` in this state and with this value; they are about one and the same label."""
    asked = _questions(project, conditions)
    labels = Label.objects.filter(item=OuterRef("pk"))
    if not conditions.keys() & {"state", "value"} and conditions.keys() & NOT_OF_LABELS:
        return None
    if "question" in conditions:
        labels = labels.filter(question__in=[question.pk for question in asked])
    if "state" in conditions:
        labels = labels.filter(state__in=conditions["state"])
    if "value" in conditions:
        value = conditions["value"]
        listed = value != UNSURE and any(question.kind == QuestionKind.CATEGORIES for question in asked)
        labels = labels.filter(
            state=Label.State.SETTLED, **{"value__contains": [value]} if listed else {"value": value}
        )
    return Exists(labels)


def _with_question(project: Project, conditions: Conditions) -> Condition | None:
    return None if "question" in conditions else _question(project, conditions)


def _category(project: Project, conditions: Conditions) -> Condition:
    labels = Label.objects.filter(
        item=OuterRef("pk"),
        question__in=[question.pk for question in _listed(project, {})],
        state=Label.State.SETTLED,
        value__has_any_keys=_below(project, conditions["category"]),
    )
    return Exists(labels)


def _named(project: Project, conditions: Conditions) -> Condition:
    return named_by_somebody(_listed(project, conditions), _below(project, conditions["named"]))


def _confused(project: Project, conditions: Conditions) -> Condition:
    return confused(_listed(project, conditions), *conditions["confused"])


def _answered(_project: Project, conditions: Conditions) -> Condition:
    """Only items that are asked of people here; complete: every slot is taken and none of them still open."""
    slots = Assignment.objects.filter(item=OuterRef("pk"), repeat=0)
    begun = Exists(slots.filter(state=Assignment.State.SUBMITTED))
    full = Q(~Exists(slots.filter(state=Assignment.State.LEASED)), taken__gte=F("wanted"))
    answered = {"none": Q(~begun), "some": Q(begun, ~full), "complete": full}[conditions["answered"]]
    return Q(answered, wanted__gt=0, purpose=Purpose.LABEL)


def _flagged(_project: Project, conditions: Conditions) -> Condition:
    wanted = conditions["flagged"]
    flags = Flag.objects.filter(item=OuterRef("pk"), resolved_at=None)
    if isinstance(wanted, bool):
        return Exists(flags) if wanted else ~Exists(flags)
    return Exists(flags.filter(reason=wanted))


def _disagree(project: Project, conditions: Conditions) -> Condition:
    asked = _questions(project, conditions)
    if conditions["disagree"] == "people":
        return people_split(asked)
    return Q(pk__in=items_where(project, asked, f"SELECT item_id FROM {parted()} parted"))


def _majorities(project: Project, conditions: Conditions) -> Condition | None:
    asked = _questions(project, conditions)
    sides = {key: conditions[key] for key in ("people", "jury") if key in conditions}
    if any(question.kind == QuestionKind.CATEGORIES for question in asked):
        one_sided = f"SELECT item_id FROM {ONE_SIDED} one_sided WHERE side = %s AND element = %s"
        return Q(*(Q(pk__in=items_where(project, asked, one_sided, *pair)) for pair in sides.items()))
    where = " AND ".join(f"{side} = %s::jsonb" for side in sides)
    values = [value_key(value) for value in sides.values()]
    query = f"SELECT item_id FROM {MAJORITIES} majorities WHERE {where}"
    return Q(pk__in=items_where(project, asked, query, *values))


def _jury(project: Project, conditions: Conditions) -> Condition | None:
    return None if "people" in conditions else _majorities(project, conditions)


def _questions(project: Project, conditions: Conditions) -> list[Question]:
    """Those whose answers can be compared, or the one that is asked about; none if it is no longer there."""
    asked = [question for question in project.asked_questions if question.kind in COMPARED]
    return [q for q in asked if q.code == conditions["question"]] if "question" in conditions else asked


def _listed(project: Project, conditions: Conditions) -> list[Question]:
    return [question for question in _questions(project, conditions) if question.kind == QuestionKind.CATEGORIES]


def _below(project: Project, code: str) -> list[str]:
    version = project.taxonomy_version_id
    return sorted(codes_below(version, [code])) if version else [code]


COMPILERS: dict[str, Callable[[Project, Conditions], Condition | None]] = {
    "kind": _one_of("kind", "kind"),
    "lang": _one_of("lang", "lang"),
    "source": _source,
    "id": _one_of("external_id", "id"),
    "id_contains": lambda project, conditions: Q(external_id__contains=conditions["id_contains"]),
    "severity": _one_of("severity", "severity"),
    "purpose": _purpose,
    "question": _question,
    "state": _with_question,
    "value": _with_question,
    "category": _category,
    "named": _named,
    "confused": _confused,
    "answered": _answered,
    "flagged": _flagged,
    "disagree": _disagree,
    "people": _majorities,
    "jury": _jury,
}
