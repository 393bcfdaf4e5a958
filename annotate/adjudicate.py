"""The review queue, and decisions on it: a reviewer's answers become the labels of record."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from annotate.answers import Answers
from annotate.models import Annotation, Assignment, Exposure, Item, Label, Project, User
from annotate.questions import contract_of

OPEN = [Assignment.State.LEASED, Assignment.State.EXPIRED]


@dataclass(frozen=True, slots=True)
class SeenVote:
    """A vote as reviewers see it: whose it is stays hidden."""

    voter: str
    is_juror: bool
    values: dict[str, Any]


def contested(project: Project, reviewer: User) -> QuerySet[Label]:
    """Contested labels, most evenly split first, without items that this reviewer still has to annotate (P3)."""
    own = Assignment.objects.filter(
        item=OuterRef("item"),
        annotator=reviewer,
        state__in=OPEN,
    )
    return (
        Label.objects.filter(question__project=project, state=Label.State.CONTESTED, item__blocked=False)
        .exclude(Exists(own))
        .select_related("item", "question")
        .order_by("agreement", "item__rank", "id")
    )


def may_review(reviewer: User, item: Item, part: str) -> bool:
    """Whether there are labels to decide on here, and the reviewer has no answer of their own to give first."""
    waiting = Assignment.objects.filter(item=item, annotator=reviewer, state__in=OPEN)
    known = set(Label.objects.filter(item=item).values_list("part", flat=True))
    return part in known and not waiting.exists()


def show_to(reviewer: User, item: Item) -> None:
    """Keep an item whose votes the reviewer now sees out of their own queue: they can't be blind to it (P3)."""
    Assignment.objects.get_or_create(
        item=item,
        annotator=reviewer,
        defaults={"state": Assignment.State.SKIPPED, "leased_until": Now()},
    )


def seen_votes(labels: Sequence[Label]) -> list[SeenVote]:
    """The votes behind labels of one item and part, a line per voter, in an order that names nobody."""
    values: dict[tuple[str, bool], dict[str, Any]] = {}
    for label in labels:
        for vote in label.votes:
            values.setdefault((vote["voter"], "verdict" in vote), {})[label.question.code] = vote["value"]
    shuffled = sorted(values, key=lambda voter: _shuffle(labels[0].item_id, voter[0]))
    seen, counts = [], {False: 0, True: 0}
    for voter, is_juror in shuffled:
        counts[is_juror] += 1
        name = f"{'Juror' if is_juror else 'Annotator'} {counts[is_juror]}"
        seen.append(SeenVote(name, is_juror, values[voter, is_juror]))
    return seen


def _shuffle(item_id: int, voter: str) -> bytes:
    return hashlib.blake2b(f"{item_id}/{voter}".encode(), digest_size=8).digest()


@transaction.atomic
def adjudicate(reviewer: User, item: Item, part: str, answers: Answers, client_id: UUID) -> Annotation:
    """Store the decision and make it the label of record of every question it answers.

    Returns:
        The stored decision; the same one again if this client id was stored before.

    Raises:
        BadAnswers: the contract refuses the answers.
    """
    Item.objects.select_for_update().get(pk=item.pk)
    stored = Annotation.objects.filter(annotator=reviewer, client_id=client_id).first()
    if stored is not None:
        return stored
    project = item.project
    answers = contract_of(project).check(answers, item.content, item.kind)
    earlier = Annotation.objects.filter(
        item=item, annotator=reviewer, part=part, repeat=0, exposure=Exposure.ADJUDICATION
    )
    decision = Annotation.objects.create(
        item=item,
        annotator=reviewer,
        part=part,
        revision=earlier.count() + 1,
        answers=answers,
        exposure=Exposure.ADJUDICATION,
        taxonomy_version_id=project.taxonomy_version_id,
        guideline=project.guideline,
        client_id=client_id,
    )
    _record(decision)
    Item.objects.filter(pk=item.pk).update(labels_stale=True)
    return decision


def _record(decision: Annotation) -> None:
    project = decision.item.project
    labels = {label.question_id: label for label in Label.objects.filter(item=decision.item, part=decision.part)}
    for question in project.asked_questions:
        if question.code not in decision.answers:
            if question.pk in labels:
                labels[question.pk].delete()
            continue
        value = decision.answers[question.code]
        vote = {"annotation": decision.pk, "voter": decision.annotator.shown_name, "value": value}
        Label.objects.update_or_create(
            item=decision.item,
            part=decision.part,
            question=question,
            defaults={
                "state": Label.State.SETTLED,
                "value": value,
                "source": Label.Source.ADJUDICATION,
                "confidence": 1.0,
                "agreement": None,
                "votes": [vote],
                "taxonomy_version_id": project.taxonomy_version_id,
                "rule": "adjudication",
            },
        )
