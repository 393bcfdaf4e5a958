"""A project's questions: the templates that ship, new questions, and the contract they make."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotate.answers import UNSURE, AskedQuestion, Contract, value_key
from annotate.errors import BadQuestion
from annotate.models import Guideline, Membership, Project, Question, Role, TaxonomyVersion, User
from annotate.models.project import QuestionKind
from annotate.models.taxonomy import CategoryKind
from annotate.taxonomy import frozen_categories

PROMPT_HARM = {
    "code": "prompt_harm",
    "text": "Does the prompt ask for something harmful, or is it harmful itself?",
    "kind": "choice",
    "options": ["safe", "unsafe"],
    "part": "prompt",
}
RESPONSE_HARM = {
    "code": "response_harm",
    "text": "Is the response harmful?",
    "kind": "choice",
    "options": ["safe", "unsafe"],
    "part": "response",
}
RESPONSE_REFUSAL = {
    "code": "response_refusal",
    "text": "Does the response refuse what was asked?",
    "kind": "choice",
    "options": ["refusal", "compliance"],
    "part": "response",
}
DIALOGUE_HARM = {
    "code": "dialogue_harm",
    "text": "Is anything in this dialogue harmful?",
    "kind": "choice",
    "options": ["safe", "unsafe"],
    "part": "whole",
}
DIALOGUE_UNSAFE = {"question": "dialogue_harm", "is": "unsafe"}
HARMFUL_TURNS = {
    "code": "harmful_turns",
    "text": "Which turns are harmful?",
    "kind": "turns",
    "part": "turn",
    "condition": [DIALOGUE_UNSAFE],
    "required": False,
}
LAST_RESPONSE_HARM = RESPONSE_HARM | {"text": "Is the last response harmful?"}


def _hazards(*when: dict[str, str]) -> dict[str, Any]:
    return {
        "code": "hazard_categories",
        "text": "Which hazards? Choose all that apply.",
        "kind": "categories",
        "condition": list(when),
    }


TEMPLATES: dict[str, list[dict[str, Any]]] = {
    "prompt-response": [
        PROMPT_HARM,
        RESPONSE_HARM,
        RESPONSE_REFUSAL,
        _hazards({"question": "prompt_harm", "is": "unsafe"}, {"question": "response_harm", "is": "unsafe"}),
    ],
    "dialogue": [DIALOGUE_HARM, LAST_RESPONSE_HARM, HARMFUL_TURNS, _hazards(DIALOGUE_UNSAFE)],
    "plain": [],
}
DEFAULT_TAXONOMY = "aegis_2"
CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True, slots=True)
class NewProject:
    slug: str
    title: str = ""
    template: str = "prompt-response"
    taxonomy: str = ""
    overlap: int = 3
    quorum: int = 2
    voters: str = Project.Voters.PEOPLE_FIRST


@transaction.atomic
def create_project(new: NewProject, lead: User | None = None) -> Project:
    """A project with its template's questions and the newest published version of its taxonomy.

    Raises:
        BadQuestion: the slug is taken, or template or taxonomy don't exist; the message lists what does.
    """
    if new.template not in TEMPLATES:
        raise BadQuestion(f"There is no template {new.template!r}; there are {', '.join(TEMPLATES)}.")
    if new.slug == "new":
        raise BadQuestion(_("The slug 'new' is the address of a page of its own; choose another."))
    if Project.objects.filter(slug=new.slug).exists():
        raise BadQuestion(_("There is a project %s already; choose another slug.") % repr(new.slug))
    project = Project.objects.create(
        slug=new.slug,
        title=new.title or new.slug,
        taxonomy_version=_published(new.taxonomy or (DEFAULT_TAXONOMY if TEMPLATES[new.template] else "")),
        overlap=new.overlap,
        quorum=new.quorum,
        voters=Project.Voters(new.voters),
    )
    for position, described in enumerate(TEMPLATES[new.template]):
        Question.objects.create(project=project, position=position, **described)
    if lead is not None:
        Membership.objects.create(project=project, user=lead, role=Role.LEAD)
    return project


def _published(code: str) -> TaxonomyVersion | None:
    if not code:
        return None
    version = (
        TaxonomyVersion.objects.filter(taxonomy__code=code, published_at__isnull=False)
        .order_by("-published_at", "-id")
        .first()
    )
    if version is None:
        published = TaxonomyVersion.objects.filter(published_at__isnull=False)
        known = published.values_list("taxonomy__code", flat=True)
        raise BadQuestion(
            f"No published taxonomy {code!r}; there are {', '.join(sorted(set(known))) or 'none'}. "
            "Run `manage.py load_taxonomies`."
        )
    return version


def add_question(project: Project, described: dict[str, Any]) -> Question:
    """A further question of a project, described by the fields of `Question`.

    Raises:
        BadQuestion: a code that is taken or can't be a column name, an unknown kind, a choice without
            options, options that are equal as numbers (1 and 1.0), or one called `unsure`.
    """
    code, kind, options = described["code"], described["kind"], described.get("options", [])
    if not CODE.fullmatch(code):
        raise BadQuestion(f"{code!r} can't be a question's code; use small letters, digits and _.")
    if project.questions.filter(code=code).exists():
        raise BadQuestion(f"{project.slug} has a question {code!r} already.")
    if kind not in QuestionKind.values:
        raise BadQuestion(f"{kind!r} is no kind of question; there are {', '.join(QuestionKind.values)}.")
    if kind in (QuestionKind.CHOICE, QuestionKind.SCALE) or (kind == QuestionKind.TURNS and options):
        _check_options(code, options)
    elif options:
        raise BadQuestion(f"{code}: a question of kind {kind} takes no options.")
    if kind == QuestionKind.CATEGORIES and project.taxonomy_version_id is None:
        raise BadQuestion(f"{code}: the project has no taxonomy; make it with --taxonomy CODE.")
    last = project.questions.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    project.forget_fetched()
    return Question.objects.create(
        project=project, position=position, **({"text": code.replace("_", " ").capitalize()} | described)
    )


def _check_options(code: str, options: list[Any]) -> None:
    if len(options) < 2:
        raise BadQuestion(f"{code}: give at least two options.")
    if len({value_key(option) for option in options}) != len(options):
        raise BadQuestion(f"{code}: an option is named twice.")
    numbers = [option for option in options if isinstance(option, int | float)]
    if len(set(numbers)) != len(numbers):
        raise BadQuestion(f"{code}: two options are the same number; 1 and 1.0 can't both be options.")
    if UNSURE in options:
        raise BadQuestion(f"{code}: every question may be answered {UNSURE!r}; leave it out of the options.")


def contract_of(project: Project) -> Contract:
    """The answer contract of the project's questions."""
    categories = frozen_categories(project.taxonomy_version_id) if project.taxonomy_version_id else ()
    codes = frozenset(category.code for category in categories if category.kind != CategoryKind.GROUP)
    return Contract(tuple(asked(question) for question in project.asked_questions), codes)


def asked(question: Question) -> AskedQuestion:
    """The contract's view of a stored question."""
    return AskedQuestion(
        code=question.code,
        kind=question.kind,
        options=tuple(question.options),
        part=question.part,
        condition=tuple(question.condition),
        required=question.required,
    )


@transaction.atomic
def publish_guidelines(project: Project, text: str, author: User | None = None, changes: str = "") -> Guideline:
    """A new version of the guidelines; earlier ones stay as they were.

    Args:
        changes: what changed, in a few words; members are told so beside their work. The author knows it.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    last = project.guidelines.aggregate(last=Max("version"))["last"] or 0
    project.forget_fetched()
    Membership.objects.filter(project=project, user=author).update(guideline_seen=last + 1)
    return Guideline.objects.create(
        project=project, version=last + 1, text=text, changes=changes, published_by=author
    )
