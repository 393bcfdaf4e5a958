import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.management.arguments import project_named
from annotate.measure_agreement import measure_agreement

STATISTICS = ("alpha", "fleiss", "ac1")


class Command(BaseCommand):
    help = (
        "How far a project's annotators agree: Krippendorff's alpha, Fleiss' kappa, Gwet's AC1 and Cohen's kappa "
        "of each pair, with 95 % bootstrap intervals. First judgements only; unsure counts as no answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--question", metavar="CODE", help="only this one")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        codes = list(project.questions.values_list("code", flat=True))
        if options["question"] and options["question"] not in codes:
            raise CommandError(
                f"{project.slug} has no question {options['question']!r}; it has: {', '.join(codes)}."
            )
        found = measure_agreement(project, [options["question"]] if options["question"] else [])
        if options["format"] == "json":
            self.stdout.write(json.dumps(found))
            return
        for figures in found:
            self.stdout.write(f"{figures['question']}: {figures['items']} items, {figures['raters']} annotators")
            for name in STATISTICS:
                self.stdout.write(f"  {name:<7} {_shown(figures[name])}")


def _shown(statistic: dict[str, Any]) -> str:
    if statistic["value"] is None:
        return f"not computable: {statistic['reason']}"
    return f"{statistic['value']:.4f} ({statistic['low']:.4f} to {statistic['high']:.4f})"
