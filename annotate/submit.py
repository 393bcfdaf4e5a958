"""Store an annotator's answers: once, however often they arrive, and never over an older revision (P1)."""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from annotate import gold
from annotate.answers import Answers
from annotate.assign import one_at_a_time, retake
from annotate.care import NOTICES
from annotate.errors import NotAssigned, SlotTaken, StaleForm
from annotate.flags import SERIOUS
from annotate.models import (
    Annotation,
    Assignment,
    Exposure,
    Flag,
    Item,
    Membership,
    Project,
    Reveal,
    Severity,
    User,
)
from annotate.questions import contract_of

log = logging.getLogger(__name__)
# How many answered items a person can go back to, one by one.
UNDO_STEPS = 10
# Answers that were given elsewhere or as a reviewer.
NOT_OWN = (Exposure.ADJUDICATION, Exposure.IMPORTED)


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
        raise NotAssigned(_("This item was not handed to you; ask for the next one."))
    project = item.project
    _refuse_stale(project, submission)
    answers = contract_of(project).check(submission.answers, item.content, item.kind)
    holds_slot = assignment.state in (Assignment.State.LEASED, Assignment.State.SUBMITTED)
    if not holds_slot and not retake(assignment):
        raise SlotTaken(_("Your time on this item ran out and others have completed it. Nothing was stored."))
    assignment.item = item
    annotation = _store(assignment, submission, answers)
    if assignment.state != Assignment.State.SUBMITTED:
        Assignment.objects.filter(pk=assignment.pk).update(state=Assignment.State.SUBMITTED)
        Membership.objects.filter(project=project, user=annotator).update(submitted=F("submitted") + 1)
    if assignment.takes_slot:
        Item.objects.filter(pk=item.pk).update(labels_stale=True)
    gold.after_submit(annotation)
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
    if item.severity in NOTICES:
        shown["notice"] = NOTICES[Severity(item.severity)]
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
        raise StaleForm(
            _("The taxonomy of this project changed while you were answering. Look again, then submit.")
        )
    if submission.guideline_id != (guideline.pk if guideline else None):
        raise StaleForm(_("The guidelines changed while you were answering. Look again, then submit."))


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
    if raised.reason in SERIOUS:
        # Numbers only: the log may be read by people who must not read the item.
        log.warning("escalate: flag %s (%s) on item %s of project %s", raised.pk, reason, item.pk, item.project_id)
    if raised.reason == Flag.Reason.NOT_AGAIN:
        Item.objects.filter(pk=item.pk).update(blocked=True)
    return raised


def newest_annotation(annotator: User, item: Item, repeat: int = 0) -> Annotation | None:
    """The annotator's own answers on the item as they stand now, a change of mind after the reveal included."""
    mine = Annotation.objects.filter(annotator=annotator, item=item, part="", repeat=repeat)
    return mine.exclude(exposure__in=NOT_OWN).order_by("-revision", "-id").select_related("item").first()


def assignment_of(annotator: User, item: Item, repeat: int = 0) -> Assignment | None:
    """The person's claim on the item, whatever became of it."""
    assignment = Assignment.objects.filter(annotator=annotator, item=item, repeat=repeat).first()
    if assignment is not None:
        assignment.item = item
    return assignment


def last_submitted(annotator: User, project: Project) -> list[tuple[Assignment, Annotation]]:
    """The items that the annotator answered last, newest first, at most ten, each with the newest answers."""
    mine = Annotation.objects.filter(annotator=annotator, item__project=project, item__blocked=False, part="")
    recent = mine.exclude(exposure__in=NOT_OWN).select_related("item").order_by("-id")
    found: dict[tuple[int, int], Annotation] = {}
    for annotation in recent[: 3 * UNDO_STEPS]:
        found.setdefault((annotation.item_id, annotation.repeat), annotation)
    newest = list(found.values())[:UNDO_STEPS]
    claims = Assignment.objects.filter(annotator=annotator, item__in=[one.item_id for one in newest])
    claimed = {(claim.item_id, claim.repeat): claim for claim in claims}
    answered = []
    for annotation in newest:
        claim = claimed.get((annotation.item_id, annotation.repeat))
        if claim is not None:
            annotation.item.project = project
            claim.item = annotation.item
            answered.append((claim, annotation))
    return answered


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
