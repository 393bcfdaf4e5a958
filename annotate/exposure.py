"""What a person sees of the votes: nothing before the own answer, unless work is assisted by policy (P3)."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from annotate.answers import UNSURE, Answers, value_key
from annotate.models import Annotation, Assignment, Exposure, Item, Project, Purpose, Question, Reveal, User
from annotate.models.project import QuestionKind
from annotate.taxonomy import frozen_categories

COUNTED_KINDS = (QuestionKind.CHOICE, QuestionKind.SCALE, QuestionKind.CATEGORIES, QuestionKind.TURNS)
OPEN = (Assignment.State.LEASED, Assignment.State.EXPIRED)

# A vote as it was shown: {"verdict": id | "annotation": id, "answers": {...}}. Whose it is, is not in there.
ShownVote = dict[str, Any]
JurorVotes = Mapping[int, Sequence[tuple[int, Answers]]]


@dataclass(frozen=True, slots=True)
class Exposed:
    """How an item is handed out, and what stands beside it."""

    exposure: Exposure = Exposure.BLIND
    shown: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many gave this value. `own`: the person who looks gave it, too."""

    text: str
    votes: int
    own: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """How the votes on one question fall, jurors and people apart; each voter of a set counts per element."""

    code: str
    question: str
    jurors: list[Count] = field(default_factory=list)
    people: list[Count] = field(default_factory=list)
    juror_count: int = 0
    people_count: int = 0


def juror_votes(project: Project, item_ids: Sequence[int]) -> JurorVotes:
    """Each juror's newest answers by item, with the verdict's id.

    Settings name the function that reads them, since this app knows nothing of jurors' tables.
    """
    read: Callable[[Project, Sequence[int]], JurorVotes] = import_string(settings.JUROR_VOTES)
    return read(project, item_ids)


def in_blind_share(project: Project, external_id: str) -> bool:
    """Whether the item stays blind where work is assisted: by its id alone, so for everybody and for good."""
    drawn = hashlib.blake2b(f"{project.slug}/{external_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) < project.blind_share * 2**64


def exposures_for(project: Project, items: Sequence[Item]) -> dict[int, Exposed]:
    """How each of these items is to be shown to annotators, by item id.

    Assisted if the project is, the item is not in the blind share and has juror votes. Items with known
    answers stay blind: they measure the person alone.
    """
    found = {item.pk: Exposed() for item in items}
    if project.exposure_policy != Project.ExposurePolicy.ASSISTED:
        return found
    assisted = [
        item.pk
        for item in items
        if item.purpose == Purpose.LABEL and not in_blind_share(project, item.external_id)
    ]
    for item_id, votes in (juror_votes(project, assisted) if assisted else {}).items():
        shown = _as_shown("verdict", votes)
        if splits_of(project, shown):
            found[item_id] = Exposed(Exposure.ASSISTED, {"votes": shown})
    return found


def suggestion(assignment: Assignment) -> list[Split] | None:
    """The split of the jurors' votes beside an assisted item, as it was when it was handed out; else None."""
    if assignment.exposure != Exposure.ASSISTED or not assignment.shown:
        return None
    return splits_of(assignment.item.project, assignment.shown.get("votes", ())) or None


def reveal(person: User, item: Item) -> list[Split] | None:
    """The split of all other votes on the item, once the person's own answers are stored.

    What is shown is recorded once and stays the same; answers that the person stores afterwards are kept
    apart as post_reveal. None if the project's policy is another, the person has not answered, or has to
    answer once more, or nobody else has voted.
    """
    project = item.project
    if project.exposure_policy != Project.ExposurePolicy.REVEAL or item.purpose != Purpose.LABEL:
        return None
    own = (
        Annotation.objects.filter(item=item, annotator=person, part="", repeat=0)
        .exclude(exposure__in=[Exposure.ADJUDICATION, Exposure.IMPORTED])
        .order_by("-revision", "-id")
        .first()
    )
    if own is None or Assignment.objects.filter(item=item, annotator=person, state__in=OPEN).exists():
        return None
    stored = Reveal.objects.filter(item=item, person=person).first()
    votes = stored.votes if stored else _others_votes(person, item)
    splits = splits_of(project, votes, own.answers)
    if splits and stored is None:
        Reveal.objects.get_or_create(item=item, person=person, defaults={"votes": votes})
    return splits or None


def _others_votes(person: User, item: Item) -> list[ShownVote]:
    people = Annotation.objects.filter(item=item, part="").exclude(annotator=person).votes()
    jurors = juror_votes(item.project, [item.pk]).get(item.pk, ())
    return [
        *_as_shown("verdict", jurors),
        *_as_shown("annotation", people.values_list("pk", "answers")),
    ]


def _as_shown(origin: str, votes: Iterable[tuple[int, Answers]]) -> list[ShownVote]:
    return [{origin: pk, "answers": answers} for pk, answers in votes]


def splits_of(project: Project, votes: Sequence[ShownVote], own: Answers | None = None) -> list[Split]:
    """How these votes fall, one entry for each question that can be counted and that anybody answered."""
    jurors = [vote["answers"] for vote in votes if "verdict" in vote]
    people = [vote["answers"] for vote in votes if "annotation" in vote]
    splits = []
    for question in project.asked_questions:
        if question.kind not in COUNTED_KINDS:
            continue
        mine = (own or {}).get(question.code)
        of_jurors, juror_count = _counts(question, project, jurors, mine)
        of_people, people_count = _counts(question, project, people, mine)
        if juror_count or people_count:
            splits.append(Split(question.code, question.text, of_jurors, of_people, juror_count, people_count))
    return splits


def _counts(question: Question, project: Project, votes: Iterable[Answers], own: Any) -> tuple[list[Count], int]:
    """The most frequent value first, and how many answered."""
    values = [answers[question.code] for answers in votes if answers.get(question.code) is not None]
    texts: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for value in values:
        for element in _elements(value):
            texts[value_key(element)] = _text(question, project, element)
            counted[value_key(element)] += 1
    mine = set() if own is None else {value_key(element) for element in _elements(own)}
    return [Count(texts[key], n, key in mine) for key, n in counted.most_common()], len(values)


def _elements(value: Any) -> list[Any]:
    """What is counted of a value: the elements of a set, turn by turn, an empty one as itself."""
    if isinstance(value, dict):
        return [{turn: option} for turn, option in value.items()] or [[]]
    return (value or [[]]) if isinstance(value, list) else [value]


def _text(question: Question, project: Project, value: Any) -> str:
    if value == UNSURE:
        return _("unsure")
    if value == []:
        return _("none")
    if isinstance(value, dict):
        return ", ".join(f"{_turn(int(turn))}: {option}" for turn, option in value.items())
    if question.kind == QuestionKind.TURNS:
        return _turn(value)
    if question.kind == QuestionKind.CATEGORIES and project.taxonomy_version_id is not None:
        names = {category.code: category.name for category in frozen_categories(project.taxonomy_version_id)}
        return names.get(value, str(value))
    return str(value)


def _turn(number: int) -> str:
    return _("turn %(number)s") % {"number": number + 1}
