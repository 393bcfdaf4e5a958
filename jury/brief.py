"""What the jurors of a project are told: its questions, and its taxonomy version's categories."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256

from annotate.answers import AskedQuestion, Contract
from annotate.models import Project
from annotate.models.taxonomy import CategoryKind
from annotate.questions import asked
from jury.models import Juror


@dataclass(frozen=True, slots=True)
class CategoryText:
    """A category as a juror reads it."""

    code: str
    name: str
    definition: str
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Brief:
    """Questions in their order, their wording by code, and all categories that may be named (no groups)."""

    questions: tuple[AskedQuestion, ...]
    wording: Mapping[str, str]
    categories: tuple[CategoryText, ...]

    @property
    def contract(self) -> Contract:
        """The answer contract that verdicts are held to."""
        return Contract(self.questions, frozenset(category.code for category in self.categories))

    @property
    def hazards(self) -> tuple[CategoryText, ...]:
        """The categories that make an item unsafe and have a meaning of their own."""
        return tuple(category for category in self.categories if category.kind == CategoryKind.HAZARD)

    def questions_for(self, juror: Juror, *kinds: str) -> list[AskedQuestion]:
        """The questions of these kinds that the juror may answer."""
        return [
            question
            for question in self.questions
            if question.kind in kinds and (not juror.questions or question.code in juror.questions)
        ]


def brief_of(project: Project) -> Brief:
    """The project's brief as it is now (two queries)."""
    questions = list(project.questions.all())
    categories = (
        project.taxonomy_version.categories.exclude(kind=CategoryKind.GROUP) if project.taxonomy_version else []
    )
    return Brief(
        questions=tuple(asked(question) for question in questions),
        wording={question.code: question.text for question in questions},
        categories=tuple(
            CategoryText(
                code=category.code,
                name=category.name,
                definition=category.definition,
                examples=tuple(category.examples),
                counter_examples=tuple(category.counter_examples),
                kind=category.kind,
            )
            for category in categories
        ),
    )


# How a juror is reached, not what it answers.
TRANSPORT = {"concurrency", "timeout_seconds"}


def prompt_version(juror: Juror, adapter_version: int, brief: Brief, material: object) -> str:
    """A short hash of everything that decides the juror's answers, so that equal means comparable."""
    decides = {
        "adapter": [juror.adapter, adapter_version],
        "model": [juror.model, juror.endpoint],
        "params": {name: value for name, value in juror.params.items() if name not in TRANSPORT},
        "questions": juror.questions,
        "category_map": juror.category_map,
        "brief": asdict(brief),
        "material": material,
    }
    return sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
