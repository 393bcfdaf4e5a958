from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.answers import value_key
from annotate.errors import AnnotateError
from annotate.label_studio.export import Prediction, export_label_studio
from annotate.management.arguments import project_named
from jury.models import Verdict


class Command(BaseCommand):
    help = (
        "Write a project for Label Studio: config.xml, tasks.json with people's annotations and the jury's "
        "verdicts as predictions, and not-carried.json with what that format can't say."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        try:
            written = export_label_studio(project, options["out"], predictions)
        except AnnotateError as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(
            f"{written.tasks} tasks, {written.annotations} annotations, {written.predictions} predictions "
            f"in {options['out']}."
        )
        for what, count in written.not_carried.items():
            self.stdout.write(f"  not carried: {what} ({count})")


def predictions(item_ids: Sequence[int]) -> Iterator[Prediction]:
    """The verdicts on these items, named failures left out."""
    verdicts = Verdict.objects.filter(item__in=item_ids, answers__isnull=False).select_related("juror")
    for verdict in verdicts.order_by("item_id", "id"):
        yield Prediction(
            verdict.item_id,
            verdict.part,
            f"{verdict.juror.slug}@{verdict.prompt_version[:12]}",
            verdict.answers or {},
            _score(verdict),
        )


def _score(verdict: Verdict) -> float | None:
    """The smallest probability that the juror gives to one of its answers."""
    chances = [
        (verdict.probabilities or {}).get(code, {}).get(value_key(answer))
        for code, answer in (verdict.answers or {}).items()
    ]
    return min((chance for chance in chances if isinstance(chance, float)), default=None)
