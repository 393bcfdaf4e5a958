"""How far assisted work leans towards the jury, measured against the blind share; the arithmetic is in `shift`."""

from collections.abc import Iterator
from typing import Any

from annotate.answers import Answers
from annotate.exposure import COUNTED_KINDS, in_blind_share, juror_votes
from annotate.models import Annotation, Exposure, Project, Purpose
from annotate.shift import Shift, shift
from annotate.telling import comparable, majority_key

BATCH = 2_000


def measure_shift(project: Project) -> Shift | None:
    """How often people agree with the jury's majority, blind and assisted; None if nothing was ever assisted.

    Which items stay blind is drawn by their ids, so the two groups differ in nothing else. One row is a
    person's answer to one question that the jurors have a majority on as they judge it now; "unsure" does not
    agree. Blind answers to items outside the blind share (their verdicts came too late) are left out.
    """
    votes = (
        Annotation.objects.filter(item__project=project, item__purpose=Purpose.LABEL, part="").votes().values("pk")
    )
    answered = Annotation.objects.filter(pk__in=votes, exposure__in=[Exposure.BLIND, Exposure.ASSISTED])
    if not answered.filter(exposure=Exposure.ASSISTED).exists():
        return None
    items: list[int] = []
    agrees: list[bool] = []
    assisted: list[bool] = []
    for item_id, agreed, with_votes in _rows(project, answered):
        items.append(item_id)
        agrees.append(agreed)
        assisted.append(with_votes)
    return shift(items, agrees, assisted)


def _rows(project: Project, answered: Any) -> Iterator[tuple[int, bool, bool]]:
    """Item id, whether the answer is the jury's, whether it was assisted: one a person's answer."""
    fields = ("pk", "item_id", "item__external_id", "exposure", "answers")
    last = 0
    while batch := list(answered.filter(pk__gt=last).order_by("pk").values_list(*fields)[:BATCH]):
        last = batch[-1][0]
        compared = [
            (item_id, exposure == Exposure.ASSISTED, answers)
            for _, item_id, external_id, exposure, answers in batch
            if exposure == Exposure.ASSISTED or in_blind_share(project, external_id)
        ]
        majorities = _majorities(project, list({item_id for item_id, _, _ in compared}))
        for item_id, with_votes, answers in compared:
            for code, winner in majorities.get(item_id, {}).items():
                if answers.get(code) is not None:
                    yield item_id, comparable(answers[code]) == winner, with_votes


def _majorities(project: Project, item_ids: list[int]) -> dict[int, dict[str, str]]:
    """By item and question, the key of what more than half of the jurors that were sure say."""
    codes = [question.code for question in project.asked_questions if question.kind in COUNTED_KINDS]
    found: dict[int, dict[str, str]] = {}
    for item_id, votes in juror_votes(project, item_ids).items():
        said: list[Answers] = [answers for _, answers in votes]
        for code in codes:
            values = [{"value": answers[code]} for answers in said if answers.get(code) is not None]
            winner = majority_key(values)
            if winner is not None:
                found.setdefault(item_id, {})[code] = winner
    return found
