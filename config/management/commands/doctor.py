"""`manage.py doctor`: what was found on this machine, and whether Jurybox can work with it."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.doctor import look

SIGNS = {"ok": "  ok  ", "warn": " warn ", "fail": " FAIL "}


class Command(BaseCommand):
    help = "Say which versions, sockets, workers and jurors were found; exit status 1 if something is broken."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in look():
            findings.append(finding)
            if options["format"] == "text":
                self.stdout.write(f"{SIGNS[finding.status]} {finding.name}: {finding.message}")
        usable = all(finding.status != "fail" for finding in findings)
        if options["format"] == "json":
            rows = [finding._asdict() for finding in findings]
            self.stdout.write(json.dumps({"usable": usable, "findings": rows}, indent=2))
        if not usable:
            sys.exit(1)
