"""Answers in words, for the pages that set one person's answers beside other ones."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from annotate.answers import UNSURE
from annotate.models import Project, Question
from annotate.models.project import QuestionKind
from annotate.taxonomy import frozen_categories


def category_names(project: Project) -> Mapping[str, str]:
    """Code to name of the categories of the project's taxonomy version."""
    if project.taxonomy_version_id is None:
        return {}
    return {category.code: category.name for category in frozen_categories(project.taxonomy_version_id)}


def say_answer(question: Question, value: Any, names: Mapping[str, str]) -> str:
    """The answer to the question for people; `names` are those of the categories."""
    if value is None:
        return _("no answer")
    if value == UNSURE and question.kind != QuestionKind.TEXT:
        return _("unsure")
    if question.kind == QuestionKind.SPANS:
        return _("marked passages: %(count)s") % {"count": len(value)}
    if isinstance(value, dict):
        return ", ".join(f"{_turn(turn)}: {option}" for turn, option in value.items()) or _("none")
    if not isinstance(value, list):
        return str(value)
    if question.kind == QuestionKind.TURNS:
        return ", ".join(_turn(turn) for turn in value) or _("none")
    return ", ".join(names.get(code, str(code)) for code in value) or _("none")


def _turn(number: Any) -> str:
    return _("turn %(number)s") % {"number": int(number) + 1}
