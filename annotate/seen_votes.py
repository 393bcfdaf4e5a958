"""The votes on a contested item as reviewers see them: side by side, in random order, without names."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from annotate.answers import Answers, text_of_part
from annotate.exposure import juror_votes
from annotate.models import Annotation, Item, Label, Question
from annotate.models.project import QuestionKind
from annotate.shown import form_values

# Keys that take a vote over; the others do something else on the review desk (e, v: in the item's text).
TAKE_KEYS = "abcdhijklmnopqstuxy"


@dataclass(frozen=True, slots=True)
class SeenVote:
    """A vote as reviewers see it: whose it is stays hidden.

    Attributes:
        voter: a number, not a name.
        key: the key that takes this vote over; empty if there are more votes than keys.
        values: question code to value, for questions that have a label.
        rationale: the voter's own words.
        quotes: the passages that the voter marked as evidence.
        fills: JSON, field name to the raw values with which the form says the same.
    """

    voter: str
    is_juror: bool
    key: str
    values: dict[str, Any]
    counts: bool = True
    rationale: str = ""
    quotes: list[str] = field(default_factory=list)
    fills: str = "{}"


@dataclass(slots=True)
class _Voter:
    name: str
    is_juror: bool
    counts: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    said: Answers = field(default_factory=dict)
    rationale: str = ""


def seen_votes(item: Item, labels: Sequence[Label]) -> list[SeenVote]:
    """The votes behind labels of one item and part, one entry a voter, in an order that names nobody."""
    voters = _voters(labels)
    _add_what_else_was_said(item, labels, voters)
    numbers = {False: 0, True: 0}
    questions = {question.code: question for question in item.project.asked_questions}
    seen = []
    for place, voter in enumerate(sorted(voters.values(), key=lambda voter: _shuffle(item.pk, voter.name))):
        numbers[voter.is_juror] += 1
        title = _("Juror %(number)s") if voter.is_juror else _("Annotator %(number)s")
        said = voter.said | voter.values
        seen.append(
            SeenVote(
                voter=title % {"number": numbers[voter.is_juror]},
                is_juror=voter.is_juror,
                key=TAKE_KEYS[place] if place < len(TAKE_KEYS) else "",
                values=voter.values,
                counts=voter.counts,
                rationale=" ".join(filter(None, [voter.rationale, *_texts(said, questions)])),
                quotes=_quotes(item, said, questions),
                fills=json.dumps(form_values(item.project, said), ensure_ascii=False),
            )
        )
    return seen


def _shuffle(item_id: int, voter: str) -> bytes:
    return hashlib.blake2b(f"{item_id}/{voter}".encode(), digest_size=8).digest()


def _voters(labels: Sequence[Label]) -> dict[tuple[str, int], _Voter]:
    """By origin and id of the annotation or verdict, which answers several questions."""
    voters: dict[tuple[str, int], _Voter] = {}
    for label in labels:
        for vote in label.votes:
            origin = "verdict" if "verdict" in vote else "annotation"
            voter = voters.setdefault(
                (origin, vote[origin]), _Voter(f"{origin} {vote['voter']}", origin == "verdict")
            )
            voter.values[label.question.code] = vote["value"]
            voter.counts |= vote.get("counts", True)
    return voters


def _add_what_else_was_said(item: Item, labels: Sequence[Label], voters: Mapping[tuple[str, int], _Voter]) -> None:
    """Rationales, marked passages and free texts, which have no label."""
    ids = [pk for origin, pk in voters if origin == "annotation"]
    rows = Annotation.objects.filter(pk__in=ids, item=item).values_list("pk", "answers", "rationale")
    for pk, answers, rationale in rows:
        voter = voters["annotation", pk]
        voter.said, voter.rationale = answers, rationale
    if labels and not labels[0].part:
        for pk, answers in juror_votes(item.project, [item.pk]).get(item.pk, ()):
            if ("verdict", pk) in voters:
                voters["verdict", pk].said = answers


def _texts(said: Answers, questions: Mapping[str, Question]) -> Iterable[str]:
    return [said[code] for code, question in questions.items() if question.kind == "text" and said.get(code)]


def _quotes(item: Item, said: Answers, questions: Mapping[str, Question]) -> list[str]:
    """The marked passages; offsets count code points of the stored text."""
    quotes = []
    for code, question in questions.items():
        spans = said.get(code)
        if question.kind != QuestionKind.SPANS or not isinstance(spans, list):
            continue
        for span in spans:
            text = text_of_part(item.content, span.get("part", ""))
            if text is not None:
                quotes.append(text[span["start"] : span["end"]])
    return quotes
