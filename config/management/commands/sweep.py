import logging
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, connection

from annotate.sweep import sweep as sweep_annotate
from curation.sweep import sweep as sweep_curation
from jury.sweep import sweep as sweep_jury

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Mend what lost messages and killed processes left: open expired leases again, wake the workers up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=int, metavar="SECONDS", help="Go on until stopped; else sweep once.")

    def handle(self, *args: Any, every: int | None, **options: Any) -> None:
        while True:
            try:
                found = sweep_annotate() | sweep_jury() | sweep_curation()
            except OperationalError:
                if every is None:
                    raise
                log.warning("PostgreSQL does not answer; sweeping again in %s s.", every)
                connection.close()
            else:
                if any(found.values()):
                    self.stdout.write(", ".join(f"{what}: {count}" for what, count in found.items() if count))
            if every is None:
                return
            time.sleep(every)
