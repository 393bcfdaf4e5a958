"""Take annotations in that were made elsewhere: read, checked by the answer contract, staged, stored at once.

Their annotators become people who can't sign in. A judgement is known again by its item, annotator, part and
answers, so the same file may be imported twice.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from annotate import stage_annotations as sql
from annotate.answers import Contract, value_key
from annotate.door import Rejection, read_rows
from annotate.door.refuse import excerpt
from annotate.errors import BadAnswers, ImportRefused
from annotate.import_items import canonical_json
from annotate.import_summary import ImportSummary, Progress, RejectionLog, RowsRejected
from annotate.models import Annotation, Item, Label, Project, Question, User
from annotate.questions import contract_of
from annotate.read_judgements import Judgement, JudgementReader
from annotate.typed_values import QuestionValues, learn_all, read_translation

BATCH = 2_000
CHECKED_KEPT = 10_000
USERNAME_LENGTH = User._meta.get_field("username").max_length or 0


@dataclass(frozen=True, slots=True)
class Names:
    """What the file's names stand for: `questions` maps columns to questions, `values` are THEIRS=OURS words."""

    questions: Mapping[str, str] = field(default_factory=dict)
    values: Sequence[str] = ()
    part_column: str = ""


def import_annotations(
    project: Project,
    path: Path,
    *,
    names: Names | None = None,
    reject_file: Path | None = None,
    partial: bool = False,
    name: str | None = None,
    progress: Progress | None = None,
) -> ImportSummary:
    """Add a file's judgements to a project: all of them, or none.

    Further judgements by one annotator of one item (and part) are stored as repeats, in the file's order; only
    first judgements vote.

    Args:
        names: what the file's columns and values stand for.
        reject_file: import the good rows, and write the others here as JSON lines.
        partial: import the good rows, and write the others nowhere.
        name: what the file is called, where `path` does not say.
        progress: called with the number of rows read, about every thousand.

    Raises:
        RowsRejected: rows are rejected and only all or nothing is asked for; it carries the summary.
        ImportRefused: the file as a whole can't be read, or names questions or values that don't exist.
    """
    names = names or Names()
    reader = judgement_reader(project, names)

    def judgements() -> Iterator[Judgement | Rejection]:
        for row in read_rows(path, name=name):
            yield row if isinstance(row, Rejection) else reader.read(row)
        reader.refuse_strangers(names.questions)

    return store_judgements(
        project, judgements(), reader, reject_file=reject_file, partial=partial, progress=progress
    )


def judgement_reader(project: Project, names: Names) -> JudgementReader:
    """The reader for one file.

    Raises:
        ImportRefused: a question or a value that the project does not have; the message lists those it has.
    """
    contract = contract_of(project)
    known = {question.code: question for question in contract.questions}
    columns = dict(names.questions)
    for theirs, ours in columns.items():
        if ours not in known:
            raise ImportRefused(f"--question {theirs}={ours}: the questions are {', '.join(known) or 'none'}.")
    if len(set(columns.values())) < len(columns):
        raise ImportRefused("--question: two columns can't be the same question.")
    columns |= {code: code for code in known if code not in columns.values() and code not in columns}
    values = {
        column: QuestionValues(known[code], _entries(contract, known[code].kind), _is_unanswered(project, code))
        for column, code in columns.items()
    }
    learn_all([read_translation(word, list(columns) + list(known)) for word in names.values], values)
    return JudgementReader(values, names.part_column)


def _entries(contract: Contract, kind: str) -> frozenset[str]:
    return contract.categories if kind == "categories" else frozenset()


def _is_unanswered(project: Project, code: str) -> bool:
    return not (
        Annotation.objects.filter(item__project=project, answers__has_key=code).exists()
        or Label.objects.filter(question__project=project, question__code=code).exists()
    )


def store_judgements(
    project: Project,
    judgements: Iterable[Judgement | Rejection],
    reader: JudgementReader,
    *,
    reject_file: Path | None = None,
    partial: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:
    """Check judgements against the project's items and its answer contract and store them, in one transaction.

    Raises:
        RowsRejected: some are rejected, and only all or nothing is asked for.
        ImportRefused: whatever `judgements` raises.
    """
    with transaction.atomic(), RejectionLog(reject_file) as log, connection.cursor() as cursor:
        # Two imports into one project wait for each other.
        project.refresh_from_db(from_queryset=Project.objects.select_for_update(no_key=True))
        project.forget_fetched()
        summary = ImportSummary()
        desk = _Desk(project, contract_of(project), reader)
        cursor.execute(sql.STAGE)
        _stage(cursor, desk, iter(judgements), summary, log, progress)
        summary.notes += _retype(project, reader)
        _add_annotators(cursor, project)
        _store(cursor, project, bool(reader.one_answer_a_row), summary)
        summary.count(log)
        if log.count and not (partial or reject_file):
            raise RowsRejected(summary)
        log.publish()
    return summary


def _stage(
    cursor: CursorWrapper,
    desk: "_Desk",
    judgements: Iterator[Judgement | Rejection],
    summary: ImportSummary,
    log: RejectionLog,
    progress: Progress | None,
) -> None:
    while batch := list(islice(judgements, BATCH)):
        good = desk.check(batch, log)
        with cursor.copy(sql.COPY) as copy:
            for row in good:
                copy.write_row(row)
        summary.read += len(batch)
        if progress is not None:
            progress(summary.read)
    cursor.execute("ANALYZE staged_answer")
    summary.without_answer = desk.empty
    if desk.reader.ignored:
        summary.notes.append(f"Not imported: {', '.join(map(excerpt, desk.reader.ignored))}.")


@dataclass(slots=True)
class _Desk:
    """Checks batches of judgements against the project's items and its answer contract."""

    project: Project
    contract: Contract
    reader: JudgementReader
    empty: int = 0
    staged: int = 0
    _checked: set[str] = field(default_factory=set)

    def check(self, batch: Sequence[Judgement | Rejection], log: RejectionLog) -> list[tuple[Any, ...]]:
        """The rows for the staging table; the others go into the log."""
        self._follow_retyped()
        depends_on_item = any(question.kind in ("turns", "spans") for question in self.contract.questions)
        items = self._items({row.item for row in batch if isinstance(row, Judgement)}, depends_on_item)
        rows = []
        for row in batch:
            if isinstance(row, Rejection):
                log.add(row)
            elif row.item not in items:
                reason = f"the project has no item with the id {excerpt(row.item)}; import the items first"
                log.add(Rejection(row.line, "item", "unknown_item", reason, excerpt(row.item)))
            elif problem := self._problem(row, items[row.item][1], depends_on_item):
                log.add(problem)
            elif not row.answers:
                self.empty += 1
            else:
                rows.append(self._staged(row, items[row.item][0]))
        return rows

    def _items(self, wanted: set[str], with_content: bool) -> dict[str, tuple[int, dict[str, Any]]]:
        found = Item.objects.filter(project=self.project, external_id__in=wanted)
        if with_content:
            return {name: (pk, content) for name, pk, content in found.values_list("external_id", "pk", "content")}
        return {name: (pk, {}) for name, pk in found.values_list("external_id", "pk")}

    def _problem(self, row: Judgement, content: dict[str, Any], depends_on_item: bool) -> Rejection | None:
        if len(row.annotator) > USERNAME_LENGTH - len(self.project.slug) - 1:
            return Rejection(row.line, "annotator", "length", "the annotator's name is too long", "")
        key = canonical_json(row.answers)
        if not depends_on_item and key in self._checked:
            return None
        try:
            self.contract.check(row.answers, content, "", partial=True)
        except BadAnswers as bad:
            code, reason = next(iter(bad.problems.items()))
            return Rejection(row.line, code, "answer", _printable(reason), "")
        if len(self._checked) < CHECKED_KEPT:
            self._checked.add(key)
        return None

    def _follow_retyped(self) -> None:
        options = {values.question.code: values.options for values in self.reader.columns.values()}
        questions = tuple(
            replace(question, options=options.get(question.code, question.options))
            for question in self.contract.questions
        )
        if questions != self.contract.questions:
            self.contract = replace(self.contract, questions=questions)
            self._checked.clear()

    def _staged(self, row: Judgement, item_id: int) -> tuple[Any, ...]:
        question = next(iter(row.answers)) if self.reader.one_answer_a_row else ""
        answers = canonical_json(row.answers)
        self.staged += 1
        return (self.staged, item_id, row.item, row.annotator, row.part, question, answers, row.seconds)


def _printable(reason: str) -> str:
    return reason if reason.isprintable() else reason.encode("unicode_escape").decode("ascii")


def _retype(project: Project, reader: JudgementReader) -> list[str]:
    """Store the options that the file has shown to be text; says so."""
    notes = []
    for values in reader.columns.values():
        if values.retyped:
            code = values.question.code
            Question.objects.filter(project=project, code=code).update(options=list(values.options))
            project.forget_fetched()
            shown = ", ".join(map(value_key, values.options))
            notes.append(f"The file has text where {code} had numbers: its options are now {shown}.")
    return notes


def _add_annotators(cursor: CursorWrapper, project: Project) -> None:
    cursor.execute("SELECT DISTINCT annotator FROM staged_answer ORDER BY annotator")
    people = [
        User(
            username=f"{project.slug}/{name}",
            # Made by hand: hashing thousands of passwords that nobody has would take minutes.
            password=UNUSABLE_PASSWORD_PREFIX + secrets.token_urlsafe(30),
            is_active=False,
            imported_into=project,
        )
        for (name,) in cursor.fetchall()
    ]
    User.objects.bulk_create(people, batch_size=BATCH, ignore_conflicts=True)


def _store(cursor: CursorWrapper, project: Project, one_answer_a_row: bool, summary: ImportSummary) -> None:
    values: dict[str, int | str | None] = {
        "project": project.pk,
        "slug": project.slug,
        "taxonomy": project.taxonomy_version_id,
    }
    cursor.execute(sql.JUDGEMENTS[one_answer_a_row], values)
    cursor.execute("ANALYZE staged_judgement")
    cursor.execute(sql.DROP_SAME)
    summary.already_there = cursor.fetchone()[0]
    cursor.execute(sql.STORE, values)
    summary.imported, judgements, late = cursor.fetchone()
    cursor.execute(sql.MARK_STALE)
    cursor.execute(sql.DROP_STAGES)
    if one_answer_a_row:
        summary.notes.append(f"{summary.imported} answers make {judgements} judgements.")
    if late:
        summary.notes.append(
            f"{late} judgements are of items that the same annotator had judged in an earlier import: "
            "they are kept as repeats, and only first judgements vote."
        )
