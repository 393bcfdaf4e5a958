import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from tqdm import tqdm

from annotate.answers import value_key
from annotate.errors import AnnotateError
from annotate.label_studio.export import Prediction, Written, export_label_studio
from annotate.management.arguments import project_named
from annotate.models import Project
from jury.models import Verdict


class Command(BaseCommand):
    help = (
        "Write a project for Label Studio: config.xml, tasks.json with people's annotations and the jury's "
        "verdicts as predictions, and not-carried.json with what that format can't say."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument(
            "--out", type=Path, required=True, metavar="DIR", help="a new folder, or an earlier export to replace"
        )
        parser.add_argument("--exclude-blocked", action="store_true", help="leave blocked items out")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        try:
            written = self._export(project, options)
        except AnnotateError as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(
            f"{written.tasks} tasks, {written.annotations} annotations, {written.predictions} predictions "
            f"in {options['out']}."
        )
        for what, count in written.not_carried.items():
            if count:
                self.stdout.write(f"  not carried: {what} ({count})")

    def _export(self, project: Project, options: dict[str, Any]) -> Written:
        with tqdm(total=project.items.count(), unit=" items", file=sys.stderr, disable=None) as bar:

            def progress(done: int) -> None:
                bar.update(done - bar.n)

            return export_label_studio(
                project,
                options["out"],
                predictions,
                exclude_blocked=options["exclude_blocked"],
                not_carried=failures(project),
                progress=progress,
            )


def predictions(item_ids: Sequence[int]) -> Iterator[Prediction]:
    """The verdicts on these items, named failures left out."""
    verdicts = Verdict.objects.filter(item__in=item_ids, answers__isnull=False).select_related("juror")
    for verdict in verdicts.order_by("item_id", "id"):
        voter = f"{verdict.juror.slug}@{verdict.prompt_version}"
        yield Prediction(verdict.item_id, verdict.part, voter, verdict.answers or {}, _score(verdict))


def failures(project: Project) -> dict[str, int]:
    """How many verdicts have no answers, by the failure's name."""
    failed = Verdict.objects.filter(item__project=project).exclude(failure="").order_by()
    counts = failed.values_list("failure").annotate(count=Count("pk"))
    return {f"verdicts without an answer: {failure}": count for failure, count in counts}


def _score(verdict: Verdict) -> float | None:
    """The smallest probability that the juror gives to one of its answers."""
    chances = [
        (verdict.probabilities or {}).get(code, {}).get(value_key(answer))
        for code, answer in (verdict.answers or {}).items()
    ]
    return min((chance for chance in chances if isinstance(chance, float | int)), default=None)
