"""Rows of a file of annotations made elsewhere become judgements over a project's questions.

Long form, one row a judgement: `item`, `annotator`, then one column a question; or one row an answer: `item`,
`annotator`, `question`, `value`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from annotate.door import Rejection, Row, excerpt
from annotate.door.read_field import read_required_key
from annotate.door.refuse import RowRefused, reject
from annotate.errors import ImportRefused
from annotate.typed_values import MixedTypes, QuestionValues

SETS = ("categories", "turns", "spans")
MAX_NAMED = 20


class Judgement(NamedTuple):
    """One person's answers to some of the questions about one item, or about one part of it."""

    line: int
    item: str
    annotator: str
    part: str
    answers: dict[str, object]
    seconds: float | None = None


@dataclass(slots=True)
class JudgementReader:
    """Reads the rows of one file; `columns` leads from the file's columns to the questions' values."""

    columns: Mapping[str, QuestionValues]
    part_column: str = ""
    one_answer_a_row: bool | None = None
    met: set[str] = field(default_factory=set)
    ignored: dict[str, None] = field(default_factory=dict)

    def read(self, row: Row) -> Judgement | Rejection:
        """The row's judgement; its answers are not yet checked against the contract.

        An empty cell is an absent answer.
        """
        if self.one_answer_a_row is None:
            self.one_answer_a_row = {"question", "value"} <= row.values.keys() and not (
                {"question", "value"} & self.columns.keys()
            )
        try:
            item = read_required_key(row.values, "item")
            annotator = read_required_key(row.values, "annotator")
            part = read_required_key(row.values, self.part_column) if self.part_column else ""
            answers = self._one_answer(row) if self.one_answer_a_row else self._answers(row)
        except RowRefused as fault:
            return reject(row.line, fault, row.values)
        return Judgement(row.line, item, annotator, part, answers)

    def _answers(self, row: Row) -> dict[str, object]:
        answers: dict[str, object] = {}
        for column, value in row.values.items():
            values = self.columns.get(column)
            if values is None:
                if column not in ("item", "annotator", self.part_column) and len(self.ignored) < MAX_NAMED:
                    self.ignored[column] = None
                continue
            self.met.add(column)
            _add(answers, values, column, value, row.line)
        return answers

    def _one_answer(self, row: Row) -> dict[str, object]:
        column, value = read_required_key(row.values, "question"), row.values.get("value")
        values = self.columns.get(column)
        if values is None:
            if len(self.ignored) < MAX_NAMED:
                self.ignored[column] = None
            return {}
        self.met.add(column)
        answers: dict[str, object] = {}
        _add(answers, values, "value", value, row.line)
        return answers

    def refuse_strangers(self, asked_for: Mapping[str, str]) -> None:
        """Call when all rows are read.

        Args:
            asked_for: the columns that a `--question` names.

        Raises:
            ImportRefused: no column is a question of the project, or a named column does not occur.
        """
        found = ", ".join(map(excerpt, self.ignored)) or "none"
        missing = [column for column in asked_for if column not in self.met]
        if missing:
            raise ImportRefused(f"--question {missing[0]}={asked_for[missing[0]]}: the file has only {found}.")
        if not self.met:
            codes = ", ".join(sorted({values.question.code for values in self.columns.values()})) or "none"
            raise ImportRefused(
                f"No column is a question of this project. Columns: {found}. Questions: {codes}. "
                "Use --question THEIRS=OURS, or add_question."
            )


def _add(answers: dict[str, object], values: QuestionValues, column: str, value: object, line: int) -> None:
    """Add the answer that the value stands for, unless it is absent."""
    answer = None if value is None or value == "" else _read_value(values, column, value, line)
    if answer is not None:
        answers[values.question.code] = answer


def _read_value(values: QuestionValues, column: str, value: object, line: int) -> object:
    kind = values.question.kind
    if kind in SETS and isinstance(value, str) and value.startswith(("[", "{")):
        value = _read_list(column, value)
    if kind == "spans" and isinstance(value, list):
        value = [_as_span(entry) for entry in value]
    try:
        return values.read(value, line) if kind != "text" else value
    except MixedTypes as mixed:
        raise RowRefused("type", column, str(mixed), value) from mixed


def _read_list(column: str, text: str) -> object:
    """A list, or an object of turns, in a CSV cell, which can hold text only."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowRefused("json", column, f"{column} begins like a list, but is not one in JSON", text) from error


def _as_span(entry: object) -> object:
    """Published sets often write a span as [label, start, end]."""
    if isinstance(entry, list) and len(entry) == 3:
        label, start, end = entry
        return {"start": start, "end": end, "label": label}
    return entry
