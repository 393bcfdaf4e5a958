import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from annotate.models import Project
from curation.errors import CurationError


class Bar:
    """The build's progress on stderr, one bar a phase."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._phase = ""

    def __call__(self, phase: str, done: int, total: int) -> None:
        if self._bar is None or self._phase != phase:
            self.close()
            self._phase = phase
            self._bar = tqdm(desc=phase, total=total or None, file=sys.stderr, leave=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class Command(BaseCommand):
    help = "Build a mix: balanced train and test files, a card, a manifest and the lineage of every label."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="PROJECT", help="the project's slug")
        parser.add_argument("recipe", metavar="RECIPE.yaml", type=Path)
        parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="replaced in one step")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        from polars.exceptions import PolarsError

        from curation.build import build_mix

        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            there = ", ".join(Project.objects.order_by("slug").values_list("slug", flat=True)[:20])
            raise CommandError(f"There is no project {options['project']!r}; there are: {there or 'none'}.")
        bar = Bar()
        try:
            recipe = options["recipe"].read_text(encoding="utf-8")
            manifest = build_mix(project, recipe, options["out"], bar)
        except UnicodeDecodeError as error:
            raise CommandError(f"{options['recipe']} is not UTF-8: {error.reason}.") from error
        except (CurationError, OSError, PolarsError) as error:
            raise CommandError(str(error)) from error
        finally:
            bar.close()
        self._say(manifest, options)

    def _say(self, manifest: dict[str, Any], options: dict[str, Any]) -> None:
        if options["format"] == "json":
            self.stdout.write(json.dumps(manifest, ensure_ascii=False))
            return
        items, rows = manifest["items"], manifest["rows"]
        self.stdout.write(f"{options['out']}: {rows['train']} train and {rows['test']} test rows")
        self.stdout.write(
            f"{items['exported']} of {items['total']} items{'; left out:' if items['dropped'] else ''}"
        )
        for reason, count in manifest["dropped"].items():
            self.stdout.write(f"  {reason}: {count}")
        for cell in manifest["cells"] if manifest["recipe"]["balance"] else ():
            name = ", ".join(f"{key} {value}" for key, value in cell["cell"].items())
            self.stdout.write(
                f"  {cell['side']} {name}: wanted {cell['wanted']}, "
                f"available {cell['available']}, taken {cell['taken']}"
            )
        self.stdout.write(f"digest {manifest['dataset_digest']}")
