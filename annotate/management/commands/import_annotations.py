from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.import_annotations import Names, import_annotations
from annotate.import_summary import ImportSummary, Progress
from annotate.label_studio.read import import_tasks
from annotate.management.arguments import name_pairs, project_named
from annotate.management.importing import add_import_arguments, run_import


class Command(BaseCommand):
    help = (
        "Import annotations made elsewhere: one row a judgement (item, annotator, a column a question), one row "
        "an answer (item, annotator, question, value), or Label Studio's tasks. Sets come as JSON lists. "
        "Values keep their type: an unquoted number (or true, false) in --value stands for the number or for "
        "the text, whichever the file uses first, and then the other type is refused; in double quotes it is "
        "the text."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_import_arguments(parser)
        parser.add_argument("--format", choices=["long", "label-studio"], default="long", help="of the file")
        parser.add_argument(
            "--question", action="append", default=[], metavar="THEIRS=OURS", help="the column that is a question"
        )
        parser.add_argument(
            "--value",
            action="append",
            default=[],
            metavar="[COLUMN:]THEIRS=OURS",
            help="a value that has another name, in every question that has OURS, or in one column only; "
            "THEIRS= (nothing after it) means that there is no answer",
        )
        parser.add_argument(
            "--part", default="", metavar="COLUMN", help="the column that says which part of the item is judged"
        )
        parser.add_argument("--json", action="store_true", help="write the summary as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        names = Names(name_pairs(options["question"], "--question"), options["value"], options["part"])
        path, reject_file = options["file"], options["reject_file"]
        from_label_studio = options["format"] == "label-studio"
        if from_label_studio and (names.questions or names.values or names.part_column):
            raise CommandError("--question, --value and --part are for the long form.")

        def work(progress: Progress) -> ImportSummary:
            if from_label_studio:
                return import_tasks(project, path, reject_file=reject_file, progress=progress)
            return import_annotations(project, path, names=names, reject_file=reject_file, progress=progress)

        run_import(self, options["json"], work)
