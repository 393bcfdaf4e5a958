from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotate.import_gold import import_gold
from annotate.management.arguments import project_named
from annotate.management.importing import add_import_arguments, run_import
from annotate.models import Purpose


class Command(BaseCommand):
    help = (
        "Give items that are imported already their known answers. Rows are "
        '{"id": the item\'s id, "answers": {question: value}, "explanation": text}. Gold items come among others '
        "and check how often people are right; warm-up items come first, in the order of the file, and explain "
        "themselves. Neither is labelled any more. All rows, or none and the reasons."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_import_arguments(parser)
        purposes = [Purpose.GOLD.value, Purpose.WARM_UP.value]
        parser.add_argument("--as", dest="purpose", choices=purposes, required=True, help="what the items are for")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="of the summary")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        run_import(
            self,
            options["format"] == "json",
            lambda progress: import_gold(
                project,
                options["file"],
                Purpose(options["purpose"]),
                reject_file=options["reject_file"],
                progress=progress,
            ),
        )
