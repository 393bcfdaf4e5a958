from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.models import Project
from jury.weigh import QuestionSummary, as_json, weigh


class Command(BaseCommand):
    help = "Weigh people's and jurors' votes into labels of record."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="slug of the project")
        parser.add_argument("--rule", choices=["majority"], default="majority")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        entries = weigh(project)
        if options["format"] == "json":
            self.stdout.write(as_json(entries))
            return
        for entry in entries:
            self.stdout.write(_line(entry))


def _line(entry: QuestionSummary) -> str:
    if entry.note:
        return f"{entry.question}: {entry.note}"
    values = ", ".join(f"{value} {n}" for value, n in list(entry.values.items())[:12])
    return (
        f"{entry.question}: {entry.items} labels, {entry.settled} settled, {entry.contested} contested, "
        f"{entry.too_few} with too few votes" + (f" ({values})" if values else "")
    )
