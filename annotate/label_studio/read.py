"""Read Label Studio's tasks: our own checks first, then the SDK's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from annotate.door import Rejection, Row
from annotate.door.read_field import read_required_key
from annotate.door.refuse import RowRefused, reject
from annotate.errors import BadAnswers
from annotate.import_annotations import store_judgements
from annotate.import_summary import ImportSummary, Progress
from annotate.label_studio.config import config_xml
from annotate.label_studio.layout import Layout, layout_of
from annotate.label_studio.read_array import read_array
from annotate.label_studio.regions import BadRegion, answers_in
from annotate.label_studio.sdk import AnnotationCheck, annotation_check
from annotate.models import Item, Project
from annotate.read_judgements import Judgement, JudgementReader


def import_tasks(
    project: Project, path: Path, *, reject_file: Path | None = None, progress: Progress | None = None
) -> ImportSummary:
    """Add the annotations of a tasks.json to a project: all of them, or none. Its items must be there.

    Raises:
        RowsRejected: annotations are rejected and there is no reject file.
        ImportRefused: the file can't be read.
        ConfigRefused: Label Studio could not ask the project's questions.
    """
    nothing_retyped = JudgementReader({}, one_answer_a_row=False)
    judgements = read_tasks(project, path)
    return store_judgements(project, judgements, nothing_retyped, reject_file=reject_file, progress=progress)


def read_tasks(project: Project, path: Path) -> Iterator[Judgement | Rejection]:
    """The file's annotations as judgements; predictions are the jury's affair and are passed over.

    A task is found by `data.id`. An annotation must have all answers that its questions need, unless it says
    `"partial": true`, as our export does for those that never had them; a skipped one holds no answer.

    Raises:
        ImportRefused: the file can't be read.
    """
    kinds = dict(Item.objects.filter(project=project).values_list("external_id", "kind"))
    reader = _TaskReader(layout_of(project), kinds)
    for row in read_array(path):
        if isinstance(row, Rejection):
            yield row
        else:
            yield from reader.read(row)


@dataclass(slots=True)
class _TaskReader:
    """`count` numbers the annotations through the file: it is the order in which repeats are kept."""

    layout: Layout
    kinds: Mapping[str, str]
    count: int = 0
    _fits: AnnotationCheck | None = None
    _span_labels: set[str] = field(default_factory=set)

    def read(self, task: Row) -> Iterator[Judgement | Rejection]:
        """The judgements in one task."""
        data, annotations = task.values.get("data"), task.values.get("annotations", [])
        place = f"task {_id_of(task.values, task.line)}"
        try:
            if not isinstance(data, dict):
                raise RowRefused("type", f"{place}, data", "a task must have an object called data")
            if not isinstance(annotations, list):
                raise RowRefused("type", f"{place}, annotations", "annotations must be a list")
            item = read_required_key(data, "id")
            part = read_required_key(data, "part") if data.get("part") else ""
        except RowRefused as fault:
            yield reject(task.line, fault, task.values)
            return
        for number, annotation in enumerate(annotations, start=1):
            self.count += 1
            where = f"{place}, annotation {_id_of(annotation, number)}"
            try:
                answers = self._answers(where, annotation, data, item)
                annotator, seconds = _annotator(annotation, where), _seconds(annotation, where)
            except RowRefused as fault:
                yield reject(self.count, fault, annotation)
            else:
                yield Judgement(self.count, item, annotator, part, answers, seconds)

    def _answers(self, where: str, annotation: Any, data: Mapping[str, Any], item: str) -> dict[str, object]:
        if not isinstance(annotation, dict):
            raise RowRefused("type", where, "an annotation must be an object")
        if annotation.get("was_cancelled"):
            return {}
        result = annotation.get("result")
        if not isinstance(result, list):
            raise RowRefused("type", f"{where}, result", "result must be a list")
        # Names that the item has no value for are in the task too, and empty.
        content = {name: value for name, value in data.items() if value}
        try:
            answers = answers_in(self.layout, result, content)
            if annotation.get("partial") is not True:
                self.layout.contract.check(answers, content, self.kinds.get(item, ""))
        except BadRegion as bad:
            raise RowRefused("region", f"{where}, {bad.place}", str(bad)) from bad
        except BadAnswers as bad:
            code, reason = next(iter(bad.problems.items()))
            raise RowRefused("answer", f"{where}, {code}", reason) from bad
        if not self._check(answers)(annotation):
            raise RowRefused("sdk", f"{where}, result", "Label Studio's own check refuses this annotation")
        return answers

    def _check(self, answers: Mapping[str, Any]) -> AnnotationCheck:
        """The SDK's check, with a config that knows the span labels met so far."""
        spans = [span for answer in answers.values() if isinstance(answer, list) for span in answer]
        labels = {span["label"] for span in spans if isinstance(span, dict) and "label" in span}
        if self._fits is None or labels - self._span_labels:
            self._span_labels |= labels
            known = replace(self.layout, span_labels=tuple(sorted(self._span_labels)))
            self._fits = annotation_check(config_xml(known))
        return self._fits


def _id_of(values: Any, number: int) -> str:
    """The id that Label Studio gave, else the position."""
    found = values.get("id") if isinstance(values, dict) else None
    return str(found) if type(found) is int else f"no. {number}"


def _annotator(annotation: Mapping[str, Any], where: str) -> str:
    """A name from `completed_by`: a name, an id, or an object with an email address, names or an id."""
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        name = f"{who.get('first_name') or ''} {who.get('last_name') or ''}".strip()
        who = who.get("email") or name or who.get("id")
    if type(who) is int:
        who = str(who)
    try:
        return read_required_key({"completed_by": who}, "completed_by")
    except RowRefused as fault:
        raise RowRefused(fault.code, f"{where}, completed_by", fault.reason) from fault


def _seconds(annotation: Mapping[str, Any], where: str) -> float | None:
    seconds = annotation.get("lead_time")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise RowRefused("type", f"{where}, lead_time", "lead_time must be a number of seconds")
    return float(seconds)
