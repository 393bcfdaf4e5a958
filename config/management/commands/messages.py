import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import messages


class Command(BaseCommand):
    help = "Gather what pages and forms say into locale/*/LC_MESSAGES/django.po, where translators work."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="Change nothing; exit 1 if a text has no translation."
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if not check:
            for language in messages.languages():
                waiting = messages.update(language)
                self.stdout.write(f"{messages.po_path(language)}: {waiting} texts without a translation")
            return
        found = [
            f"{language}: {problem}"
            for language in messages.languages()
            for problem in messages.problems(language)
        ]
        for line in found:
            self.stderr.write(line)
        if found:
            sys.exit(1)
