"""A choice of a project's items, written as data: the list, the queue and a mix's recipe use the same.

Conditions are a JSON object; every key is optional, and an item must meet all that are there:

    kind, lang, source, id     lists: the item's kind, language, source's name, external id is one of these
    id_contains                a piece of the external id
    severity                   list of 0, 1, 2
    purpose                    label, warm_up or gold
    state                      list: a label of the item is settled, contested, too_few
    question                   what `state`, `value`, `disagree`, `people` and `jury` are about; alone: has a label
    value                      the settled label of `question` is this value, or names this category
    category                   a settled label names this category or one below it
    named                      somebody's vote names this category or one below it
    confused                   two codes: of two people, one named only the first and one only the second
    answered                   none, some or complete: of the answers wanted from people here
    flagged                    true, false, or the reason of a flag that is still open
    disagree                   people: two people differ; jury: the people's majority and the jury's do
    people, jury               the majority's value of `question`; of a question about categories: one that this
                               majority names and the other does not
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from annotate.answers import UNSURE, value_key
from annotate.errors import AnnotateError
from annotate.find_items import items_of
from annotate.models import Flag, Label, Project, Question, SavedFilter, Severity, Source, User
from annotate.models.item import ItemKind
from annotate.models.project import QuestionKind
from annotate.said import COMPARED, ONE_VALUE
from annotate.taxonomy import frozen_categories

__all__ = ["BadFilter", "Conditions", "as_query", "check", "items_of", "read", "save"]

Conditions = dict[str, Any]
LISTS = ("kind", "lang", "source", "severity", "state", "id", "confused")
NUMBERS = ("severity",)
VALUES = ("value", "people", "jury")
LANGUAGE = re.compile(r"[A-Za-z0-9_-]{1,20}")
NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
MOST_IDS = 1_000
FLAGGED = {"yes": True, "no": False}
ANSWERED = ("none", "some", "complete")
DISAGREE = ("people", "jury")
PURPOSES = ("label", "warm_up", "gold")


class BadFilter(AnnotateError):
    def __init__(self, problems: dict[str, str]) -> None:
        """`problems` maps a condition's key, or `name`, to what is wrong with it."""
        self.problems = problems
        super().__init__("; ".join(f"{key}: {problem}" for key, problem in problems.items()))


def read(project: Project, sent: QueryDict) -> Conditions:
    """The conditions in an address, as `as_query` writes them; empty fields of a form are no conditions.

    Raises:
        BadFilter: a key that isn't known or stands twice, or a value that isn't allowed (P12).
    """
    conditions: Conditions = {}
    problems = {}
    for key in sent:
        values = [value for value in sent.getlist(key) if value != ""]
        if not values:
            continue
        if key not in LISTS and len(values) > 1:
            problems[_shown(key)] = _("stands there more than once")
        else:
            conditions[key] = _parsed(project, key, values, sent.get("question"))
    if problems:
        raise BadFilter(problems)
    return check(project, conditions)


def _parsed(project: Project, key: str, values: list[str], question_code: str | None) -> Any:
    if key in NUMBERS:
        return [int(value) if re.fullmatch(r"[0-9]{1,4}", value) else value for value in values]
    if key in LISTS:
        return values
    if key == "flagged":
        return FLAGGED.get(values[0], values[0])
    if key in VALUES:
        question = _question(project, question_code)
        texts = {value_key(option): option for option in _values_of(project, question)}
        return texts.get(values[0], values[0])
    return values[0]


def check(project: Project, conditions: Mapping[str, Any]) -> Conditions:
    """The conditions, if each says something about this project.

    Raises:
        BadFilter: naming each condition that isn't known or whose value isn't allowed.
    """
    problems: dict[str, str] = {}
    for key, value in conditions.items():
        if key not in CHECKS:
            known = ", ".join(CHECKS)
            problems[_shown(key)] = _("there is no such condition; there are %(known)s") % {"known": known}
        elif problem := CHECKS[key](project, value):
            problems[key] = problem
    for key in VALUES:
        if key in conditions and not problems:
            problem = _value_problem(project, key, conditions)
            problems |= {key: problem} if problem else {}
    if problems:
        raise BadFilter(problems)
    return {key: conditions[key] for key in CHECKS if key in conditions}


def _value_problem(project: Project, key: str, conditions: Mapping[str, Any]) -> str:
    question = _question(project, conditions.get("question"))
    if question is None:
        return _("needs a question")
    if question.kind not in (*ONE_VALUE, QuestionKind.CATEGORIES):
        return _("answers to this question can't be chosen by")
    options = _values_of(project, question)
    if value_key(conditions[key]) not in {value_key(option) for option in options}:
        return _one_of(conditions[key], [str(option) for option in options])
    return ""


def _question(project: Project, code: Any) -> Question | None:
    return next((question for question in project.asked_questions if question.code == code), None)


def _values_of(project: Project, question: Question | None) -> list[Any]:
    """What a label of the question may be or name."""
    if question is None:
        return []
    if question.kind == QuestionKind.CATEGORIES:
        return [*_codes(project), UNSURE]
    return [*question.options, UNSURE]


def _codes(project: Project) -> list[str]:
    version = project.taxonomy_version_id
    return [category.code for category in frozen_categories(version)] if version else []


def _one_of(value: object, allowed: list[str]) -> str:
    listed = ", ".join(allowed[:20]) + (" …" if len(allowed) > 20 else "")
    return _("%(value)s is not one of: %(allowed)s") % {"value": _shown(value), "allowed": listed}


def _shown(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 60 else shown[:60] + "…"


def _choice(allowed: Callable[[Project], list[Any]]) -> Callable[[Project, Any], str]:
    def problem(project: Project, value: Any) -> str:
        options = allowed(project)
        known = any(type(value) is type(option) and value == option for option in options)
        return "" if known else _one_of(value, [str(option) for option in options])

    return problem


def _list(allowed: Callable[[Project], list[Any]]) -> Callable[[Project, Any], str]:
    one = _choice(allowed)

    def problem(project: Project, value: Any) -> str:
        if not isinstance(value, list) or not value:
            return _("must be a list of values")
        return next(filter(None, (one(project, entry) for entry in value)), "")

    return problem


def _lang_problem(_project: Project, value: Any) -> str:
    fits = isinstance(value, list) and value and all(isinstance(v, str) and LANGUAGE.fullmatch(v) for v in value)
    return "" if fits else _("must be a list of language codes, such as en or pt-BR")


def _ids_problem(_project: Project, value: Any) -> str:
    fits = isinstance(value, list) and 0 < len(value) <= MOST_IDS and all(_id_fits(entry) for entry in value)
    return "" if fits else _("must be a list of at most %(most)s ids") % {"most": MOST_IDS}


def _id_problem(_project: Project, value: Any) -> str:
    return "" if _id_fits(value) else _("must be a piece of an id")


def _id_fits(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and "\0" not in value


def _confused_problem(project: Project, value: Any) -> str:
    codes = _codes(project)
    fits = isinstance(value, list) and len(value) == 2 and value[0] != value[1]
    return "" if fits and all(code in codes for code in value) else _("must be two different categories' codes")


def _later(_project: Project, _value: Any) -> str:
    """Values are judged once the question is known."""
    return ""


CHECKS: dict[str, Callable[[Project, Any], str]] = {
    "kind": _list(lambda project: list(ItemKind.values)),
    "lang": _lang_problem,
    "source": _list(lambda project: [*Source.objects.filter(project=project).values_list("name", flat=True)]),
    "id": _ids_problem,
    "id_contains": _id_problem,
    "severity": _list(lambda project: list(Severity.values)),
    "purpose": _choice(lambda project: list(PURPOSES)),
    "state": _list(lambda project: list(Label.State.values)),
    "question": _choice(lambda project: [q.code for q in project.asked_questions if q.kind in COMPARED]),
    "value": _later,
    "category": _choice(_codes),
    "named": _choice(_codes),
    "confused": _confused_problem,
    "answered": _choice(lambda project: list(ANSWERED)),
    "flagged": _choice(lambda project: [True, False, *Flag.Reason.values]),
    "disagree": _choice(lambda project: list(DISAGREE)),
    "people": _later,
    "jury": _later,
}


def as_query(conditions: Mapping[str, Any]) -> str:
    """The conditions as an address has them after its question mark: ids, codes and options only."""
    pairs: list[tuple[str, str]] = []
    for key, value in conditions.items():
        if key == "flagged" and isinstance(value, bool):
            pairs.append((key, "yes" if value else "no"))
        elif key in VALUES:
            pairs.append((key, value if isinstance(value, str) and not _is_json(value) else value_key(value)))
        else:
            pairs += [(key, str(entry)) for entry in (value if isinstance(value, list) else [value])]
    return urlencode(pairs)


def _is_json(text: str) -> bool:
    """Whether a text could be taken for another value than itself: 1, true, "1"."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def save(project: Project, name: str, conditions: Mapping[str, Any], person: User) -> SavedFilter:
    """Keep the conditions under a name, in place of those that it had. Mixes built before keep what they used.

    Raises:
        BadFilter: no name of letters, digits, _ and -, no conditions at all, or ones that don't fit.
    """
    if not NAME.fullmatch(name):
        raise BadFilter({"name": _("needs 1 to 60 letters, digits, - or _")})
    if not conditions:
        raise BadFilter({"name": _("choose some conditions first: without any, the filter is all items")})
    checked = check(project, conditions)
    saved, _created = SavedFilter.objects.update_or_create(
        project=project, name=name, defaults={"conditions": checked, "saved_by": person}
    )
    return saved


def set_queue_filter(project: Project, saved: SavedFilter | None) -> None:
    """Hand out only items that this filter finds from now on; None: all of them. What people hold stays theirs."""
    Project.objects.filter(pk=project.pk).update(queue_filter=saved)
    project.queue_filter = saved
