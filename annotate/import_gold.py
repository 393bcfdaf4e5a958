"""Make items of a project gold or warm-up items: their known answers from a file, all of them or none."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from annotate.accuracy import is_compared
from annotate.answers import UNSURE, Answers, Contract
from annotate.door import Rejection, Row, excerpt, read_rows
from annotate.errors import BadAnswers
from annotate.import_summary import ImportSummary, Progress, RejectionLog, RowsRejected
from annotate.models import Annotation, Assignment, Gold, Item, Membership, Project, Purpose, User
from annotate.models.item import ItemKind
from annotate.questions import contract_of

BATCH = 1_000
FIELDS = ("id", "answers", "explanation")
LONGEST_EXPLANATION = 10_000


class _Known(NamedTuple):
    """A row that can be read; whether it fits an item is not yet known."""

    line: int
    id: str
    answers: Answers
    explanation: str


def import_gold(
    project: Project,
    path: Path,
    purpose: Purpose,
    *,
    made_by: User | None = None,
    reject_file: Path | None = None,
    progress: Progress | None = None,
) -> ImportSummary:
    """Give items of the project their known answers, and take them out of what is to be labelled.

    A row is {"id": the item's, "answers": {question: value}, "explanation": text}. What is known of an item
    may be mended by importing it again; an item that was handed out to somebody stays what it is. People who
    already answer items of a project need no warm-up that comes after them.

    Args:
        purpose: GOLD or WARM_UP.
        reject_file: import the good rows, and write the others here as JSON lines.

    Raises:
        RowsRejected: rows are rejected and only all or nothing is asked for; it carries the summary.
        ImportRefused: the file as a whole can't be read, or has no rows.
    """
    with transaction.atomic(), RejectionLog(reject_file) as log:
        project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        summary = ImportSummary()
        known = _readable(read_rows(path), summary, log, progress)
        desk = _Desk(project, purpose, contract_of(project), made_by)
        while batch := list(islice(known, BATCH)):
            desk.store(batch, summary, log)
        summary.count(log)
        if log.count and not reject_file:
            raise RowsRejected(summary)
        if purpose == Purpose.WARM_UP and summary.imported:
            _spare_those_at_work(project, summary)
        log.publish()
    return summary


def _readable(
    rows: Iterator[Row | Rejection], summary: ImportSummary, log: RejectionLog, progress: Progress | None
) -> Iterator[_Known]:
    seen: dict[str, int] = {}
    for row in rows:
        summary.read += 1
        if progress is not None:
            progress(summary.read)
        found = row if isinstance(row, Rejection) else _read(row, seen)
        if isinstance(found, Rejection):
            log.add(found)
        else:
            yield found


def _read(row: Row, seen: dict[str, int]) -> _Known | Rejection:
    def reject(field: str, code: str, reason: str) -> Rejection:
        return Rejection(row.line, field, code, reason, "")

    for field in row.values:
        if field not in FIELDS:
            return reject(excerpt(field), "unknown_field", f"no such field; there are {', '.join(FIELDS)}")
    name, answers = row.values.get("id"), row.values.get("answers")
    explanation = row.values.get("explanation") or ""
    if not isinstance(name, str) or not name:
        return reject("id", "type", "must be the id of an item, as text")
    if name in seen:
        return reject("id", "twice", f"line {seen[name]} has this id already")
    seen[name] = row.line
    if not isinstance(answers, dict) or not answers:
        return reject("answers", "type", "must be an object with the known answer to each question")
    if not isinstance(explanation, str) or len(explanation) > LONGEST_EXPLANATION:
        return reject("explanation", "type", f"must be text of at most {LONGEST_EXPLANATION} characters")
    given = {code: value for code, value in answers.items() if value is not None}
    return _Known(row.line, name, given, explanation)


class _Desk:
    """Checks rows against their items, which it locks, and stores what is good."""

    def __init__(self, project: Project, purpose: Purpose, contract: Contract, made_by: User | None) -> None:
        self.project, self.purpose, self.contract, self.made_by = project, purpose, contract, made_by
        self.compared = {question.code for question in contract.questions if is_compared(question)}

    def store(self, batch: Sequence[_Known], summary: ImportSummary, log: RejectionLog) -> None:
        """Store the good rows of a batch; the others go into the log."""
        # The lock ends the race with whoever is being handed the item: afterwards it is handed out, or gold.
        locked = Item.objects.select_for_update().order_by("pk")
        items = {
            item.external_id: item
            for item in locked.filter(project=self.project, external_id__in=[row.id for row in batch])
        }
        ids = [item.pk for item in items.values()]
        golds = {gold.item_id: gold for gold in Gold.objects.filter(item__in=ids)}
        handed = set(Assignment.objects.filter(item__in=ids).values_list("item_id", flat=True))
        for row in batch:
            item = items.get(row.id)
            if item is None:
                reason = "the project has no item with this id; import the items first"
                log.add(Rejection(row.line, "id", "unknown_item", reason, excerpt(row.id)))
            elif problem := self._problem(row, item, item.pk in handed):
                log.add(problem)
            elif self._keep(row, item, golds.get(item.pk)):
                summary.imported += 1
            else:
                summary.already_there += 1

    def _problem(self, row: _Known, item: Item, handed: bool) -> Rejection | None:
        """Why the item can't get these answers, with line and field."""
        if item.kind == ItemKind.REFERENCE or item.blocked:
            return Rejection(row.line, "id", "not_shown", "nobody can be shown this item", "")
        if item.purpose != self.purpose and (item.taken or handed):
            reason = "the item has been handed out to somebody already; choose another"
            return Rejection(row.line, "id", "handed_out", reason, "")
        try:
            answers = self.contract.check(row.answers, item.content, item.kind)
        except BadAnswers as bad:
            wrong, problem = next(iter(bad.problems.items()))
            return Rejection(row.line, excerpt(f"answers.{wrong}"), "answer", excerpt(problem), "")
        for code, value in answers.items():
            if value == UNSURE and code in self.compared:
                return Rejection(row.line, f"answers.{code}", "unsure", "a known answer can't be unsure", "")
        if not self.compared & answers.keys():
            reason = "none of these answers can be compared: choices that must be made and categories can"
            return Rejection(row.line, "answers", "not_compared", reason, "")
        return None

    def _keep(self, row: _Known, item: Item, gold: Gold | None) -> bool:
        """Whether anything is new; stores it."""
        changes = item.purpose != self.purpose
        if gold and not changes and (gold.answers, gold.explanation) == (row.answers, row.explanation):
            return False
        what = {"answers": row.answers, "explanation": row.explanation, "made_by": self.made_by}
        Gold.objects.update_or_create(item=item, defaults=what)
        if changes:
            Item.objects.filter(pk=item.pk).update(purpose=self.purpose, wanted=0)
        return True


def _spare_those_at_work(project: Project, summary: ImportSummary) -> None:
    at_work = Annotation.objects.filter(item__project=project).exclude(item__purpose=Purpose.WARM_UP)
    spared = Membership.objects.filter(
        project=project, qualified_at=None, user__in=at_work.values("annotator")
    ).update(qualified_at=timezone.now())
    if spared:
        summary.notes.append(f"{spared} members have answered items here before: they need no warm-up.")
