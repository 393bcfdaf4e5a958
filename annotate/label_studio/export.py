"""Write a project as a Label Studio folder: config.xml, tasks.json, and not-carried.json for what is lost."""

import json
import os
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection

from annotate.errors import AnnotateError, BadAnswers
from annotate.import_summary import Progress
from annotate.label_studio.config import config_xml
from annotate.label_studio.layout import Layout, layout_of
from annotate.label_studio.not_carried import left_out
from annotate.label_studio.regions import regions_of
from annotate.label_studio.sdk import AnnotationCheck, annotation_check
from annotate.models import Annotation, Exposure, Item, Project, User

BATCH = 500
FILES = ("config.xml", "tasks.json", "not-carried.json")
NAMED_AT_MOST = 10


class ExportRefused(AnnotateError):
    """Nothing was written; the message says what stands in the way."""


class Prediction(NamedTuple):
    """A verdict as a plain row; `score` is the voter's own probability, where it gives one."""

    item_id: int
    part: str
    voter: str
    answers: Mapping[str, Any]
    score: float | None


Predictions = Callable[[Sequence[int]], Iterable[Prediction]]


@dataclass(slots=True)
class Written:
    """How much was written, and what the format could not say: what to count."""

    tasks: int = 0
    annotations: int = 0
    predictions: int = 0
    not_carried: Counter[str] = field(default_factory=Counter)


def export_label_studio(
    project: Project,
    folder: Path,
    predictions: Predictions,
    *,
    exclude_blocked: bool = False,
    not_carried: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write the project's items, newest annotations and predictions; a task is an item, or a part of one.

    The folder appears whole, in place of an earlier export. Items of withdrawn sources are left out.

    Args:
        predictions: the verdicts on some items, asked for in batches of item ids.
        exclude_blocked: leave blocked items out instead of refusing.
        not_carried: what else is lost, as the caller knows.
        progress: called with the number of items written.

    Raises:
        ExportRefused: the folder holds something else, or an item is blocked (P8).
        ConfigRefused: Label Studio does not accept the project's questions.
    """
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - {*FILES}):
        raise ExportRefused(f"{folder} holds other files; name a new folder.")
    if not exclude_blocked:
        _refuse_blocked(project)
    layout = layout_of(project, _span_labels(project))
    config = config_xml(layout)
    writer = _Writer(layout, annotation_check(config), _annotator_names(project))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as made:
        draft = Path(made) / "draft"
        draft.mkdir()
        (draft / "config.xml").write_text(config, encoding="utf-8")
        with open(draft / "tasks.json", "w", encoding="utf-8") as file:
            _write_array(file.write, writer.tasks(project, predictions, progress))
        written = writer.written
        written.not_carried.update(left_out(project, layout, written.annotations, written.predictions))
        written.not_carried.update(not_carried or {})
        _write_lost(draft / "not-carried.json", written.not_carried)
        _put_in_place(draft, folder)
    return written


def _refuse_blocked(project: Project) -> None:
    blocked = Item.objects.filter(project=project, blocked=True, source__withdrawn=False).order_by("pk")
    if count := blocked.count():
        named = ", ".join(blocked.values_list("external_id", flat=True)[:NAMED_AT_MOST])
        raise ExportRefused(
            f"{count} blocked item(s) would be exported: {named}{'…' if count > NAMED_AT_MOST else ''}. "
            "Nothing was written. Give --exclude-blocked to leave them out."
        )


def _write_array(write: Callable[[str], Any], rows: Iterable[Any]) -> None:
    """A JSON array with one element a line."""
    separator = "[\n"
    for row in rows:
        write(separator + json.dumps(row, ensure_ascii=False))
        separator = ",\n"
    write("\n]\n" if separator == ",\n" else "[]\n")


def _write_lost(path: Path, counts: Mapping[str, int]) -> None:
    lost = [{"what": what, "count": count} for what, count in counts.items() if count]
    path.write_text(json.dumps(lost, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _put_in_place(draft: Path, folder: Path) -> None:
    if folder.exists():
        os.rename(folder, draft.parent / "replaced")
    os.rename(draft, folder)
    shutil.rmtree(draft.parent / "replaced", ignore_errors=True)


def _span_labels(project: Project) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT span ->> 'label'
            FROM annotate_annotation annotation JOIN annotate_item item ON item.id = annotation.item_id,
                annotate_question question, jsonb_path_query(annotation.answers -> question.code, '$[*]') span
            WHERE item.project_id = %(project)s AND question.project_id = %(project)s
              AND question.kind = 'spans' AND jsonb_typeof(span -> 'label') = 'string'
            """,
            {"project": project.pk},
        )
        return [label for (label,) in cursor.fetchall()]


def _annotator_names(project: Project) -> dict[int, str]:
    """One name for each annotator: two people may have the same full name, usernames are unique."""
    people = list(User.objects.filter(annotations__item__project=project).distinct())
    names = {person.pk: person.username for person in people if person.imported_into_id is None}
    taken = set(names.values())
    for person in people:
        if person.imported_into_id is not None:
            names[person.pk] = person.username if person.shown_name in taken else person.shown_name
    return names


@dataclass(slots=True)
class _Writer:
    layout: Layout
    fits: AnnotationCheck
    names: Mapping[int, str]
    written: Written = field(default_factory=Written)

    def tasks(
        self, project: Project, predictions: Predictions, progress: Progress | None
    ) -> Iterator[dict[str, Any]]:
        done = last = 0
        items = Item.objects.filter(project=project, blocked=False, source__withdrawn=False)
        items = items.select_related("source").order_by("pk")
        while batch := list(items.filter(pk__gt=last)[:BATCH]):
            last, done = batch[-1].pk, done + len(batch)
            annotations, verdicts = self._annotations(batch), defaultdict(list)
            for row in predictions([item.pk for item in batch]):
                verdicts[row.item_id, row.part].append(row)
            parts = defaultdict(set)
            for pk, part in (*annotations, *verdicts):
                parts[pk].add(part)
            for item in batch:
                for part in sorted(parts[item.pk]) or [""]:
                    yield self._task(item, part, annotations[item.pk, part], verdicts[item.pk, part])
            if progress is not None:
                progress(done)

    def _annotations(self, items: Sequence[Item]) -> defaultdict[tuple[int, str], list[Annotation]]:
        """The newest revision of each judgement, made before the votes on it were revealed."""
        judgement = ("item_id", "annotator_id", "part", "repeat")
        rows = (
            Annotation.objects.filter(item__in=items)
            .exclude(exposure__in=[Exposure.ADJUDICATION, Exposure.POST_REVEAL])
            .order_by(*judgement, "-revision", "-id")
            .distinct(*judgement)
        )
        found = defaultdict(list)
        for row in rows:
            found[row.item_id, row.part].append(row)
        return found

    def _task(
        self, item: Item, part: str, annotations: Sequence[Annotation], verdicts: Sequence[Prediction]
    ) -> dict[str, Any]:
        # Every name in the config must have a value in every task.
        empty = {name: [] if name == "turns" else "" for name in self.layout.objects}
        source = {"source": item.source.name, "license": item.source.licence, "use": item.source.use}
        about = source | {"lang": item.lang, "group": item.group_key}
        said = {name: value for name, value in about.items() if value}
        task = {
            "data": empty | said | item.content | {"id": item.external_id, "part": part},
            "annotations": [a for row in annotations if (a := self._annotation(item, row))],
            "predictions": [p for row in verdicts if (p := self._prediction(item, row))],
        }
        self.written.tasks += 1
        return task

    def _annotation(self, item: Item, row: Annotation) -> dict[str, Any] | None:
        said, result = self._result(item, row.answers)
        if not result:
            self.written.not_carried["annotations of which nothing can be said"] += 1
            return None
        annotation = {
            "id": row.pk,
            # Not a number: another system's user may have it.
            "completed_by": {"email": "", "first_name": self.names[row.annotator_id], "last_name": ""},
            "created_at": row.created_at.isoformat(),
            "was_cancelled": False,
            "ground_truth": False,
            "lead_time": row.seconds,
            "result": result,
        }
        try:
            self.layout.contract.check(said, item.content, item.kind)
        except BadAnswers:
            # Said in a key of our own, so that reading back can tell it from one that lost an answer.
            annotation["partial"] = True
        if not self.fits(annotation):
            self.written.not_carried["annotations that Label Studio's own check refuses"] += 1
        self.written.annotations += 1
        return annotation

    def _prediction(self, item: Item, row: Prediction) -> dict[str, Any] | None:
        _, result = self._result(item, row.answers)
        if not result:
            self.written.not_carried["verdicts of which nothing can be said"] += 1
            return None
        self.written.predictions += 1
        return {"model_version": row.voter, "score": row.score, "result": result}

    def _result(self, item: Item, answers: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The answers that can be said, and the regions that say them."""
        regions, unsaid = regions_of(self.layout, answers, item.content)
        self.written.not_carried.update(f"{code}: {why}" for code, why in unsaid.items())
        return {code: answer for code, answer in answers.items() if code not in unsaid}, regions
