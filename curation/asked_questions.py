"""Read a project's questions as mixes see them."""

from annotate.answers import UNSURE, value_key
from annotate.models import Category, Project, Question
from curation.asked import Asked
from curation.recipe import Scalar

FILTERABLE = ("choice", "scale", "categories", "text")


def asked_questions(project: Project) -> list[Asked]:
    """The project's questions in order, with the values that a recipe may name."""
    codes = Category.objects.filter(taxonomy_version=project.taxonomy_version_id).values_list("code", flat=True)
    return [_asked(question, tuple(codes)) for question in project.questions.order_by("position", "id")]


def _asked(question: Question, categories: tuple[str, ...]) -> Asked:
    options: tuple[Scalar, ...] | None = None
    if question.kind == "categories":
        options = (*categories, UNSURE)
    elif question.kind in ("choice", "scale"):
        options = (*question.options, UNSURE)
    texts_only = all(isinstance(option, str) for option in question.options)
    plain = question.kind == "text" or (question.kind in ("choice", "scale") and texts_only)
    condition = tuple((str(rule["question"]), value_key(rule["is"])) for rule in question.condition)
    return Asked(question.code, question.kind, plain, options, condition)
