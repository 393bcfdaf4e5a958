"""How a command runs an import: a bar on stderr, the summary on stdout, exit code 1 if rows are refused."""

import json
from collections.abc import Callable
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from annotate.errors import AnnotateError
from annotate.import_summary import ImportSummary, Progress, RowsRejected


def add_import_arguments(parser: CommandParser) -> None:
    """PROJECT FILE --reject-file FILE, the same for items and annotations."""
    parser.add_argument("project", help="the project's slug")
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--reject-file",
        type=Path,
        metavar="FILE",
        help="import the good rows and write the others here, one JSON object a line (else: all or nothing)",
    )


def run_import(command: BaseCommand, as_json: bool, work: Callable[[Progress], ImportSummary]) -> None:
    """Do the work with a progress bar and write its summary.

    Raises:
        CommandError: the import was refused; the message names line, field and reason.
    """
    try:
        with tqdm(unit=" rows", disable=None) as bar:

            def progress(read: int) -> None:
                bar.update(read - bar.n)

            summary = work(progress)
    except RowsRejected as refused:
        if as_json:
            command.stdout.write(json.dumps(refused.summary.as_json()))
        raise CommandError("\n".join([str(refused), *refused.summary.lines()])) from refused
    except AnnotateError as refused:
        raise CommandError(str(refused)) from refused
    if as_json:
        command.stdout.write(json.dumps(summary.as_json()))
        return
    for line in summary.lines():
        command.stdout.write(line)
