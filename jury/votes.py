"""Who said what: people's judgements, jurors' newest verdicts and adjudications, as votes on cells."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from annotate.answers import Answers, AskedQuestion
from annotate.models import Annotation, Exposure, Project, User
from annotate.questions import contract_of
from jury.models import Juror, Verdict


@dataclass(frozen=True, slots=True)
class Vote:
    """One voter's answer to one question. `origin` is `annotation` or `verdict`, `pk` its id.

    `exposure`: what the person had seen of the jury when answering.
    """

    origin: str
    pk: int
    voter: str
    value: object
    covered: frozenset[str] | None = None
    exposure: str = Exposure.BLIND

    def entry(self, *, counts: bool = True) -> dict[str, object]:
        """As a label's `votes` hold it; what goes without saying (blind, and it counts) is left out."""
        entry = {self.origin: self.pk, "voter": self.voter, "value": self.value}
        if self.exposure != Exposure.BLIND:
            entry["exposure"] = str(self.exposure)
        return entry if counts else entry | {"counts": False}


@dataclass(slots=True)
class Cell:
    """All votes on one question about one part of one item."""

    people: list[Vote] = field(default_factory=list)
    jury: list[Vote] = field(default_factory=list)
    adjudication: Vote | None = None


# (part, question code) to cell.
Cells = dict[tuple[str, str], Cell]


@dataclass(frozen=True, slots=True)
class Ballots:
    """Reads the votes of a project's items; voters' names are looked up once."""

    project: Project
    questions: Mapping[str, AskedQuestion]
    people: Mapping[int, str]
    jurors: Mapping[int, str]

    def of(self, item_ids: Sequence[int], *, jury: bool = True) -> dict[int, Cells]:
        """The cells of these items, by item id (three queries)."""
        found: dict[int, Cells] = defaultdict(lambda: defaultdict(Cell))
        annotations = Annotation.objects.filter(item_id__in=item_ids)
        fields = ("item_id", "id", "annotator_id", "part", "answers", "item__kind", "exposure")
        for item, pk, annotator, part, answers, kind, exposure in annotations.votes().values_list(*fields):
            voter = self.people.get(annotator, "")
            for code, value in self._counted(answers, kind):
                vote = Vote("annotation", pk, voter, value, exposure=exposure)
                found[item][part, code].people.append(vote)
        for item, pk, annotator, part, answers, kind, _ in annotations.adjudications().values_list(*fields):
            voter = self.people.get(annotator, "")
            for code, value in self._counted(answers, kind):
                found[item][part, code].adjudication = Vote("annotation", pk, voter, value)
        for verdict in self._verdicts(item_ids) if jury else []:
            item, pk, juror, part, answers, kind, covered = verdict
            could = None if covered is None else frozenset(covered)
            for code, value in self._counted(answers, kind):
                found[item][part, code].jury.append(Vote("verdict", pk, self.jurors[juror], value, could))
        return found

    def _verdicts(self, item_ids: Sequence[int]) -> Iterator[tuple]:
        """Each juror's newest verdict on each item, if it has answers: a failure ends what it said before."""
        newest = (
            Verdict.objects.filter(item_id__in=item_ids, juror_id__in=self.jurors)
            .order_by("item_id", "juror_id", "part", "-id")
            .distinct("item_id", "juror_id", "part")
        )
        fields = ("item_id", "id", "juror_id", "part", "answers", "item__kind", "covered_categories")
        return (row for row in newest.values_list(*fields) if row[4] is not None)

    def _counted(self, answers: Answers, kind: str) -> Iterator[tuple[str, object]]:
        return counted_answers(answers, kind, self.questions)


def counted_answers(
    answers: Answers, kind: str, questions: Mapping[str, AskedQuestion]
) -> Iterator[tuple[str, object]]:
    """The answers to questions that the voter was asked."""
    for code, value in answers.items():
        question = questions.get(code)
        if question is not None and value is not None and was_asked(question, answers, kind):
            yield code, value


def was_asked(question: AskedQuestion, answers: Answers, kind: str) -> bool:
    """Whether the voter's other answers led to this question; an answer that is absent rules nothing out."""
    if not question.condition:
        return True
    deciding = [c for c in question.condition if answers.get(str(c["question"])) is not None]
    return not deciding or question.is_asked(answers, kind)


def ballots_of(project: Project) -> Ballots:
    """A reader of the project's votes. A juror that is switched off has none."""
    voters = User.objects.filter(annotations__item__project=project).distinct()
    return Ballots(
        project=project,
        questions={question.code: question for question in contract_of(project).questions},
        people={user.pk: user.shown_name for user in voters},
        jurors=dict(Juror.objects.filter(enabled=True).values_list("pk", "slug")),
    )


def votes_of_jurors(project: Project, item_ids: Sequence[int]) -> dict[int, list[tuple[int, Answers]]]:
    """What the jurors answered about items as a whole: verdict id and answers, by item id, without names.

    Each juror's newest verdict counts, if it has answers; a juror that is switched off has none (one query).
    """
    newest = (
        Verdict.objects.filter(item_id__in=item_ids, part="", juror__enabled=True)
        .order_by("item_id", "juror_id", "-id")
        .distinct("item_id", "juror_id")
    )
    questions = {question.code: question for question in contract_of(project).questions}
    found: dict[int, list[tuple[int, Answers]]] = defaultdict(list)
    for item, pk, answers, kind in newest.values_list("item_id", "id", "answers", "item__kind"):
        if answers is not None:
            found[item].append((pk, dict(counted_answers(answers, kind, questions))))
    return dict(found)


def vote_key(value: object) -> str:
    """A value as a key that keeps its type, as `annotate.answers.value_key`, but quick for plain strings."""
    return f'"{value}"' if type(value) is str else json.dumps(value, sort_keys=True)
