"""Store an annotator's answers: once, however often they arrive, and never over an older revision (P1)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max

from annotate.answers import Answers
from annotate.assign import one_at_a_time, retake
from annotate.errors import NotAssigned, SlotTaken, StaleForm
from annotate.models import Annotation, Assignment, Exposure, Flag, Item, Membership, Project, Reveal, User
from annotate.questions import contract_of


@dataclass(frozen=True, slots=True)
class Submission:
    """What the page sends; the form's versions tell whether the rules changed under it."""

    client_id: UUID
    answers: dict[str, Any]
    taxonomy_version_id: int | None = None
    guideline_id: int | None = None
    seconds: float | None = None
    repeat: int = 0
    veil: str = ""


@transaction.atomic
def submit(annotator: User, item: Item, submission: Submission) -> Annotation:
    """Store the answers as the annotator's next revision on this item and close the lease.

    Returns:
        The stored annotation; the same one again if this client id was stored before.

    Raises:
        NotAssigned: the item was never handed to this annotator, or they gave it back.
        StaleForm: taxonomy or guidelines have a newer version than the form.
        SlotTaken: the lease ran out and the slot went to somebody else.
        BadAnswers: the contract refuses the answers.
    """
    one_at_a_time(annotator, item.project)
    mine = Assignment.objects.select_for_update(of=("self",)).filter(item=item, annotator=annotator)
    assignment = mine.filter(repeat=submission.repeat).first()
    stored = Annotation.objects.filter(annotator=annotator, client_id=submission.client_id).first()
    if stored is not None:
        return stored
    if assignment is None or assignment.state == Assignment.State.SKIPPED:
        raise NotAssigned("This item was not handed to you; ask for the next one.")
    project = item.project
    _refuse_stale(project, submission)
    answers = contract_of(project).check(submission.answers, item.content, item.kind)
    holds_slot = assignment.state in (Assignment.State.LEASED, Assignment.State.SUBMITTED)
    if not holds_slot and not retake(assignment):
        raise SlotTaken("Your time on this item ran out and others have completed it. Nothing was stored.")
    assignment.item = item
    annotation = _store(assignment, submission, answers)
    if assignment.state != Assignment.State.SUBMITTED:
        Assignment.objects.filter(pk=assignment.pk).update(state=Assignment.State.SUBMITTED)
        Membership.objects.filter(project=project, user=annotator).update(submitted=F("submitted") + 1)
    if assignment.repeat == 0:
        Item.objects.filter(pk=item.pk).update(labels_stale=True)
    return annotation


def _store(assignment: Assignment, submission: Submission, answers: Answers) -> Annotation:
    item, annotator = assignment.item, assignment.annotator
    earlier = Annotation.objects.filter(item=item, annotator=annotator, part="", repeat=assignment.repeat)
    newest = 0
    if assignment.state == Assignment.State.SUBMITTED:
        judged = earlier.exclude(exposure=Exposure.ADJUDICATION)
        newest = judged.aggregate(newest=Max("revision"))["newest"] or 0
    reveal = Reveal.objects.filter(item=item, person=annotator).first()
    shown = dict(assignment.shown or {})
    if submission.veil:
        shown["veil"] = submission.veil
    if reveal is not None:
        shown["votes"] = reveal.votes
    return Annotation.objects.create(
        item=item,
        annotator=annotator,
        repeat=assignment.repeat,
        revision=newest + 1,
        answers=answers,
        exposure=assignment.exposure if reveal is None else Exposure.POST_REVEAL,
        taxonomy_version_id=item.project.taxonomy_version_id,
        guideline=item.project.guideline,
        client_id=submission.client_id,
        seconds=submission.seconds,
        shown=shown or None,
    )


def _refuse_stale(project: Project, submission: Submission) -> None:
    guideline = project.guideline
    if submission.taxonomy_version_id != project.taxonomy_version_id:
        raise StaleForm("The taxonomy of this project changed while you were answering. Look again, then submit.")
    if submission.guideline_id != (guideline.pk if guideline else None):
        raise StaleForm("The guidelines changed while you were answering. Look again, then submit.")


@transaction.atomic
def flag(
    person: User, item: Item, reason: str, note: str = "", category: str = "", client_id: UUID | None = None
) -> Flag:
    """Say that something is wrong with an item. `not_again` also blocks it for everybody at once.

    Returns:
        The flag; the same one again if this client id was stored before.
    """
    if client_id is not None:
        stored = Flag.objects.filter(raised_by=person, client_id=client_id).first()
        if stored is not None:
            return stored
    raised = Flag.objects.create(
        item=item,
        raised_by=person,
        reason=Flag.Reason(reason),
        note=note,
        category=category,
        client_id=client_id,
    )
    if raised.reason == Flag.Reason.NOT_AGAIN:
        Item.objects.filter(pk=item.pk).update(blocked=True)
    return raised


def newest_annotation(annotator: User, item: Item) -> Annotation | None:
    """The annotator's own answers on the item as they stand now, a change of mind after the reveal included."""
    mine = Annotation.objects.filter(annotator=annotator, item=item, part="", repeat=0)
    return mine.exclude(exposure=Exposure.ADJUDICATION).order_by("-revision", "-id").first()


def last_submitted(annotator: User, project: Project) -> Item | None:
    """The item that the annotator answered last."""
    annotation = (
        Annotation.objects.filter(annotator=annotator, item__project=project)
        .exclude(exposure__in=[Exposure.ADJUDICATION, Exposure.IMPORTED])
        .select_related("item")
        .order_by("-id")
        .first()
    )
    return annotation.item if annotation else None


def count_submitted(annotator: User, project: Project) -> int:
    """How many items of the project the annotator has answered; members have a counter, admins are counted."""
    counted = (
        Membership.objects.filter(project=project, user=annotator).values_list("submitted", flat=True).first()
    )
    if counted is not None:
        return counted
    submitted = Assignment.objects.filter(annotator=annotator, state=Assignment.State.SUBMITTED)
    return submitted.filter(item__project=project).count()


def was_handed(annotator: User, item: Item) -> bool:
    """Whether the item was ever handed to this person."""
    return Assignment.objects.filter(annotator=annotator, item=item).exists()
