"""Store an annotator's answers: once, however often they arrive, and never over an older revision (P1)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max

from annotate.answers import Answers
from annotate.assign import one_at_a_time, retake
from annotate.errors import NotAssigned, SlotTaken, StaleForm
from annotate.models import Annotation, Assignment, Exposure, Flag, Item, Membership, Project, User
from annotate.questions import contract_of


@dataclass(frozen=True, slots=True)
class Submission:
    """What the page sends; the form's versions tell whether the rules changed under it."""

    client_id: UUID
    answers: dict[str, Any]
    taxonomy_version_id: int | None = None
    guideline_id: int | None = None
    seconds: float | None = None


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
    assignment = Assignment.objects.select_for_update(of=("self",)).filter(item=item, annotator=annotator).first()
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
    again = assignment.state == Assignment.State.SUBMITTED
    annotation = _store(annotator, item, submission, answers, again=again)
    if not again:
        Assignment.objects.filter(pk=assignment.pk).update(state=Assignment.State.SUBMITTED)
        Membership.objects.filter(project=project, user=annotator).update(submitted=F("submitted") + 1)
    Item.objects.filter(pk=item.pk).update(labels_stale=True)
    return annotation


def _store(annotator: User, item: Item, submission: Submission, answers: Answers, *, again: bool) -> Annotation:
    project = item.project
    newest = 0
    if again:
        earlier = Annotation.objects.filter(item=item, annotator=annotator, part="", repeat=0)
        newest = earlier.filter(exposure=Exposure.BLIND).aggregate(newest=Max("revision"))["newest"] or 0
    return Annotation.objects.create(
        item=item,
        annotator=annotator,
        revision=newest + 1,
        answers=answers,
        exposure=Exposure.BLIND,
        taxonomy_version_id=project.taxonomy_version_id,
        guideline=project.guideline,
        client_id=submission.client_id,
        seconds=submission.seconds,
    )


def _refuse_stale(project: Project, submission: Submission) -> None:
    guideline = project.guideline
    if submission.taxonomy_version_id != project.taxonomy_version_id:
        raise StaleForm("The taxonomy of this project changed while you were answering. Look again, then submit.")
    if submission.guideline_id != (guideline.pk if guideline else None):
        raise StaleForm("The guidelines changed while you were answering. Look again, then submit.")


@transaction.atomic
def flag(person: User, item: Item, reason: str, note: str = "") -> Flag:
    """Say that something is wrong with an item. `not_again` also blocks it for everybody at once."""
    raised = Flag.objects.create(item=item, raised_by=person, reason=Flag.Reason(reason), note=note)
    if raised.reason == Flag.Reason.NOT_AGAIN:
        Item.objects.filter(pk=item.pk).update(blocked=True)
    return raised


def newest_annotation(annotator: User, item: Item) -> Annotation | None:
    """The annotator's own answers on the item as they stand now."""
    return Annotation.objects.votes().filter(annotator=annotator, item=item, part="").first()


def last_submitted(annotator: User, project: Project) -> Item | None:
    """The item that the annotator answered last."""
    annotation = (
        Annotation.objects.filter(annotator=annotator, item__project=project, exposure=Exposure.BLIND)
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
