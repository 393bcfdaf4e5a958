from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotate.images import keep_images
from annotate.import_items import import_items
from annotate.management.arguments import name_pairs, project_named
from annotate.management.importing import add_import_arguments, run_import


class Command(BaseCommand):
    help = (
        "Import items from JSON Lines, CSV or Parquet (also gzipped): all rows, or none and the reasons. "
        "A file that is imported already changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_import_arguments(parser)
        parser.add_argument(
            "--map", action="append", default=[], metavar="THEIRS=OURS", help="a field that has another name"
        )
        parser.add_argument("--format", choices=["text", "json"], default="text", help="of the summary")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        mapping = name_pairs(options["map"], "--map")
        run_import(
            self,
            options["format"] == "json",
            lambda progress: import_items(
                project,
                options["file"],
                mapping=mapping,
                reject_file=options["reject_file"],
                progress=progress,
            ),
        )
        images = keep_images(project, options["file"].parent)
        if images.missing:
            self.stderr.write(
                f"{images.missing} items name an image that is not beside {options['file'].name}, "
                "or is not PNG, JPEG, GIF or WebP. Put them there and import again."
            )
