"""The contract of an adapter. Endpoint jurors: build the requests, make the call, read the answer; only the
call (`jury/adapters/call.py`) touches the network. Local jurors: gather what to go by, then judge in bulk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotate.answers import Answers, AskedQuestion
from annotate.models import Item, Project
from jury.brief import Brief
from jury.models import Failure, Juror

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over the wire for one request: a text, or why there is none."""

    text: str = ""
    finish_reason: str = ""
    refused: bool = False
    failure: Failure | None = None
    passing: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A verdict to be: answers that the contract allows, or one named failure.

    `covered`: the categories that it could have named; None: all. `passing`: worth another attempt.
    """

    answers: Answers | None = None
    failure: Failure | None = None
    covered: list[str] | None = None
    probabilities: dict[str, dict[str, float]] | None = None
    raw: str = ""
    passing: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None
    latency_ms: float | None = None


ABSTAINED = Reading(failure=Failure.ABSTAINED)

# Item id to reading; an item that is missing was not judged and is given back.
Readings = dict[int, Reading]
Judge = Callable[[Sequence[Item]], Readings]


@dataclass(frozen=True, slots=True)
class EndpointAdapter:
    """A kind of juror behind an OpenAI-compatible server.

    `read` is total: it gets the replies to `build`'s requests, in order, all without a failure, and
    whatever their texts it returns a reading.
    """

    version: int
    what: str
    answers: Callable[[Juror, Brief], bool]
    build: Callable[[Item, Juror, Brief], list[Payload]]
    read: Callable[[Sequence[Reply], Item, Juror, Brief], Reading]
    constrained: bool = False


@dataclass(frozen=True, slots=True)
class Material:
    """What a local juror goes by, JSON-ready and frozen for a run; None if it has nothing to say.

    `notes` tell the data lead what it sits out, and why.
    """

    content: Any
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LocalAdapter:
    """A kind of juror that needs no model server."""

    version: int
    what: str
    gather: Callable[[Juror, Project, Brief], Material]
    prepare: Callable[[Juror, Project, Brief, Any], Judge]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a juror finds in one part of an item: harmful or not, and the project's categories it names."""

    unsafe: bool
    categories: frozenset[str] = frozenset()


def answers_from(findings: Mapping[str, Finding], item: Item, juror: Juror, brief: Brief) -> Answers:
    """Findings by part as answers to the project's safe/unsafe and category questions."""
    answers: Answers = {}
    for question in harm_questions(juror, brief):
        if question.part in findings and question.is_asked(answers, item.kind):
            answers[question.code] = "unsafe" if findings[question.part].unsafe else "safe"
    named = sorted(set().union(*(finding.categories for finding in findings.values() if finding.unsafe)))
    unsafe = any(finding.unsafe for finding in findings.values())
    for question in brief.questions_for(juror, "categories"):
        # Unsafe without a category that the project knows is no vote on categories.
        if (named or not unsafe) and question.is_asked(answers, item.kind):
            answers[question.code] = named
    return answers


def harm_questions(juror: Juror, brief: Brief) -> list[AskedQuestion]:
    """The safe/unsafe questions about a prompt, a response or the whole that the juror may answer."""
    return [
        question
        for question in brief.questions_for(juror, "choice")
        if set(question.options) == {"safe", "unsafe"} and question.part in ("prompt", "response", "whole")
    ]
