from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotate.answers import UNSURE, value_key
from annotate.errors import BadQuestion
from annotate.management.arguments import project_named
from annotate.models import Project, Question
from annotate.models.project import QuestionKind
from annotate.questions import add_question
from annotate.typed_values import read_options, read_word


class Command(BaseCommand):
    help = (
        "Add a question to a project. In --options, an unquoted number (or true, false) stands for the number "
        "or for the text, whichever the first imported file uses; put it in double quotes to mean the text."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("code", help="small letters, digits and _")
        parser.add_argument("--kind", choices=QuestionKind.values, required=True)
        parser.add_argument(
            "--options",
            metavar="A,B,C",
            help="for choice and scale (--options=-1,0,1); for turns: what may be said of each",
        )
        parser.add_argument("--ordinal", action="store_true", help="the order of the options has a meaning")
        parser.add_argument("--text", help="the question as people read it (default: from the code)")
        parser.add_argument("--part", default="whole", help="what of the item it is about (default: whole)")
        parser.add_argument("--optional", action="store_true", help="people may leave it out")
        parser.add_argument(
            "--if",
            dest="conditions",
            action="append",
            default=[],
            metavar="QUESTION=ANSWER",
            help="ask only where another question has this answer; given several times: where any of them has",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        described = {name: options[name] for name in ("code", "kind", "ordinal", "part")}
        described["required"] = not options["optional"]
        if options["text"]:
            described["text"] = options["text"]
        try:
            described["condition"] = [_condition(project, word) for word in options["conditions"]]
            if options["options"] is not None:
                described["options"] = read_options(options["options"])
            Question(**({"text": "?"} | described)).clean_fields(exclude=["project", "options"])
            question = add_question(project, described)
        except ValidationError as error:
            raise CommandError(f"That can't be a question: {error.message_dict}") from error
        except BadQuestion as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{project.slug} asks {question.code}: {question.kind} {question.options or ''}".rstrip()
        )


def _condition(project: Project, word: str) -> dict[str, object]:
    """`QUESTION=ANSWER` as a condition holds it; the answer keeps the type of the question's option."""
    code, _, answer = word.partition("=")
    options = next((q.options for q in project.questions.all() if q.code == code), None)
    if not options:
        raise BadQuestion(f"--if {word}: {project.slug} has no question {code!r} with options.")
    allowed = {value_key(option): option for option in (*options, UNSURE)}
    found = next((key for value in read_word(answer) if (key := value_key(value)) in allowed), None)
    if found is None:
        raise BadQuestion(f"--if {word}: the answers to {code} are {', '.join(allowed)}.")
    return {"question": code, "is": allowed[found]}
