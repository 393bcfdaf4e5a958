"""The review queue, and decisions on it: a reviewer's answers become the labels of record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from annotate.answers import Answers
from annotate.ask_another import waits_for_another
from annotate.errors import ReasonNeeded
from annotate.models import (
    Annotation,
    Assignment,
    Exposure,
    Flag,
    Item,
    Label,
    Project,
    Purpose,
    ReviewReason,
    User,
)
from annotate.questions import contract_of
from annotate.submit import flag
from annotate.telling import Why, comparable, majority_key, why

OPEN = [Assignment.State.LEASED, Assignment.State.EXPIRED]
# As many contested labels, the least agreed ones, are put in the order of what they tell.
COMPARED = 2_000


@dataclass(frozen=True, slots=True)
class Case:
    """An item, or a part of one, that waits for a reviewer, and why."""

    item_id: int
    part: str
    why: Why
    question: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What the guidelines don't say, as a reviewer puts it."""

    category: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer sends. `reason` is one of ReviewReason's, or empty."""

    client_id: UUID
    answers: Answers
    reason: str = ""
    rationale: str = ""
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One of a person's own answers that a later adjudication contradicts; by whom is not told."""

    item: Item
    question: str
    code: str
    own: Any
    decided: Any
    reason: str
    rationale: str
    decided_at: datetime


def contested(project: Project, reviewer: User) -> QuerySet[Label]:
    """Contested labels, least agreed first, without items that this reviewer still has to annotate (P3).

    Items that another annotator is asked about first are left out, and those whose answers are known.
    """
    own = Assignment.objects.filter(item=OuterRef("item"), annotator=reviewer, state__in=OPEN)
    labels = Label.objects.filter(
        question__project=project,
        state=Label.State.CONTESTED,
        item__blocked=False,
        item__purpose=Purpose.LABEL,
    )
    if project.contested_to == Project.ContestedTo.ANNOTATOR:
        labels = labels.exclude(waits_for_another(project))
    return labels.exclude(Exists(own)).select_related("item", "question").order_by("agreement", "item__rank", "id")


def queue(project: Project, reviewer: User) -> list[Case]:
    """What waits for this reviewer, the most telling first; within one reason, the least agreed (one query)."""
    fields = ("item_id", "part", "question__text", "agreement", "votes")
    found: dict[tuple[int, str], tuple[tuple[int, float], Case]] = {}
    for item_id, part, question, agreement, votes in contested(project, reviewer).values_list(*fields)[:COMPARED]:
        reason = why(votes)
        key = (reason, 1.0 if agreement is None else agreement)
        known = found.get((item_id, part))
        if known is None or key < known[0]:
            found[item_id, part] = (key, Case(item_id, part, reason, question))
    return [case for _, case in sorted(found.values(), key=lambda entry: entry[0])]


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
        repeat=0,
        defaults={"state": Assignment.State.SKIPPED, "leased_until": Now()},
    )


@transaction.atomic
def decide(reviewer: User, item: Item, part: str, decision: Decision) -> Annotation:
    """Store a decision of the review desk, and the gap in the guidelines that it came upon.

    Raises:
        BadAnswers: the contract refuses the answers.
        ReasonNeeded: they differ from what most voters said, and no reason is given.
    """
    if not decision.reason and differs_from_majority(_labels_of(item, part), decision.answers):
        raise ReasonNeeded(_("This differs from what most voters said. Choose why, then decide again."))
    stored = adjudicate(
        reviewer,
        item,
        part,
        decision.answers,
        decision.client_id,
        reason=decision.reason,
        rationale=decision.rationale,
    )
    if decision.gap is not None:
        gap = decision.gap
        flag(reviewer, item, Flag.Reason.GUIDELINE_GAP, gap.note, gap.category, decision.client_id)
    return stored


def differs_from_majority(labels: Sequence[Label], answers: Answers) -> bool:
    """Whether an answer is another one than more than half of the voters who were sure gave."""
    for label in labels:
        most = majority_key(label.votes)
        if most is not None and comparable(answers.get(label.question.code)) != most:
            return True
    return False


def _labels_of(item: Item, part: str) -> list[Label]:
    return list(Label.objects.filter(item=item, part=part).select_related("question"))


@transaction.atomic
def adjudicate(
    reviewer: User,
    item: Item,
    part: str,
    answers: Answers,
    client_id: UUID,
    *,
    reason: str = "",
    rationale: str = "",
) -> Annotation:
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
        reason=ReviewReason(reason) if reason else "",
        rationale=rationale,
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


def differences(person: User, project: Project) -> list[Difference]:
    """The person's own blind answers that an adjudication made later contradicts, the newest first.

    Left out is an item that the person has to answer once more. "Unsure" differs from a value, as any answer.
    """
    open_items = Assignment.objects.filter(annotator=person, state__in=OPEN).values("item")
    mine = (
        Annotation.objects.filter(annotator=person, item__project=project, item__blocked=False)
        .exclude(item__in=open_items)
        .votes()
    )
    own = {(vote.item_id, vote.part): vote for vote in mine if vote.exposure == Exposure.BLIND}
    decided = (
        Annotation.objects.filter(item__in=[item_id for item_id, _ in own])
        .exclude(annotator=person)
        .adjudications()
        .select_related("item")
    )
    texts = {question.code: question.text for question in project.asked_questions}
    found = []
    for decision in sorted(decided, key=lambda one: one.pk, reverse=True):
        vote = own.get((decision.item_id, decision.part))
        if vote is not None and vote.created_at < decision.created_at:
            found += _differing(vote, decision, texts)
    return found


def _differing(vote: Annotation, decision: Annotation, texts: dict[str, str]) -> list[Difference]:
    """An answer that only one of the two gave counts too, but a question that neither was asked does not."""
    return [
        Difference(
            item=decision.item,
            question=texts[code],
            code=code,
            own=vote.answers.get(code),
            decided=decision.answers.get(code),
            reason=str(ReviewReason(decision.reason).label) if decision.reason else "",
            rationale=decision.rationale,
            decided_at=decision.created_at,
        )
        for code in texts
        if comparable(vote.answers.get(code)) != comparable(decision.answers.get(code))
    ]
