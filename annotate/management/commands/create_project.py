from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.errors import BadQuestion
from annotate.models import Project
from annotate.questions import DEFAULT_TAXONOMY, TEMPLATES, NewProject, create_project


class Command(BaseCommand):
    help = "Make a project with its template's questions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the project's name in addresses and commands")
        parser.add_argument(
            "--template", choices=list(TEMPLATES), required=True, help="plain: no questions yet (add_question)"
        )
        parser.add_argument(
            "--taxonomy", default="", metavar="CODE", help=f"default: {DEFAULT_TAXONOMY}, and none for plain"
        )
        parser.add_argument("--title", default="", help="default: the slug")
        parser.add_argument("--overlap", type=int, default=3, help="annotators for each item (default: 3)")
        parser.add_argument("--quorum", type=int, default=2, help="fewest votes that settle a label (default: 2)")
        parser.add_argument(
            "--voters",
            choices=Project.Voters.values,
            default=Project.Voters.PEOPLE_FIRST,
            help="; ".join(f"{voters}: {voters.label}" for voters in Project.Voters),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        new = NewProject(**{name: options[name] for name in NewProject.__dataclass_fields__})
        fields = {name: options[name] for name in ("slug", "overlap", "quorum")}
        try:
            Project(title=new.title or new.slug, **fields).clean_fields(exclude=["taxonomy_version"])
            project = create_project(new)
        except ValidationError as error:
            raise CommandError(f"That can't be a project: {error.message_dict}") from error
        except BadQuestion as error:
            raise CommandError(str(error)) from error
        codes = ", ".join(project.questions.values_list("code", flat=True)) or "none yet (add_question)"
        self.stdout.write(
            f"Made {project.slug}. Questions: {codes}. Taxonomy: {project.taxonomy_version or 'none'}."
        )
