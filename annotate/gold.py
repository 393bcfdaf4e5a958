"""Items with known answers: the warm-up that teaches, gold items and repeats that check.

A warm-up item explains itself after the answer. A gold item gives nothing away, at no time: it comes at
random, like any other, and only the sums over many are ever shown. None of them takes a slot (P2).
"""

import random
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from annotate.accuracy import compare
from annotate.draw_known import OWN, agreed_items, has_new, new_gold, repeatable
from annotate.models import Annotation, Assignment, Gold, Item, Membership, Project, Purpose, Role, User
from annotate.questions import contract_of
from annotate.say_answers import category_names, say_answer

# An item and which time it is asked: 0 the first time, above 0 a repeat.
Extra = tuple[Item, int]


def due(person: User, project: Project, membership: Membership | None, count: int) -> list[Extra]:
    """Up to `count` items that come to this person now beside new ones.

    All of the warm-up in its order until the person is through, and nothing else; then gold items and repeats,
    each place drawn at the project's rates. Admins who are no members get none.
    """
    if membership is None or count <= 0:
        return []
    if _must_warm_up(project, membership):
        warm_up = warm_up_of(person, project)
        if not warm_up.passed:
            return warm_up.to_hand_out[:count]
        _qualify(membership)
    gold_drawn = sum(random.random() < project.gold_rate for _ in range(count))
    repeats_drawn = sum(random.random() < project.repeat_rate for _ in range(count - gold_drawn))
    if not gold_drawn and not repeats_drawn:
        return []
    agreed = agreed_items(person, project)
    if not has_new(person, project, membership, agreed):
        # A known item that comes when nothing else does would be seen for what it is.
        return []
    return [
        *((item, 0) for item in new_gold(person, agreed, gold_drawn)),
        *((item, 1) for item in repeatable(person, agreed, repeats_drawn)),
    ]


def may_work(project: Project, membership: Membership | None) -> bool:
    """Whether the person may be handed items whose labels count: no warm-up here, or through it."""
    return membership is None or not _must_warm_up(project, membership)


def after_submit(annotation: Annotation) -> None:
    """Let the person to work if this was the last answer of a warm-up that is passed; in submit's transaction."""
    item = annotation.item
    if item.purpose != Purpose.WARM_UP:
        return
    membership = Membership.objects.filter(project=item.project, user=annotation.annotator).first()
    if membership is None or membership.qualified_at is not None:
        return
    if warm_up_of(annotation.annotator, item.project).passed:
        _qualify(membership)


def _must_warm_up(project: Project, membership: Membership) -> bool:
    # Whoever leads the project knows the answers.
    if membership.qualified_at is not None or membership.role == Role.LEAD:
        return False
    # By way of the gold answers, which are few, and not of the items.
    if membership.has_warm_up is None:
        known = Gold.objects.filter(item__project=project, item__purpose=Purpose.WARM_UP, item__blocked=False)
        membership.has_warm_up = known.exists()
    return membership.has_warm_up


def _qualify(membership: Membership) -> None:
    membership.qualified_at = timezone.now()
    Membership.objects.filter(pk=membership.pk).update(qualified_at=membership.qualified_at)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Where a person stands in the warm-up, in the attempt that runs or ran last (the first being 0).

    `given_back` were skipped or flagged: they count neither as right nor as wrong. `to_hand_out` were never
    handed to the person in this attempt.
    """

    attempt: int = 0
    items: int = 0
    answered: int = 0
    right: int = 0
    given_back: int = 0
    to_hand_out: list[Extra] = field(default_factory=list)
    pass_mark: float = 0.0

    @property
    def finished(self) -> bool:
        return self.answered + self.given_back >= self.items

    @property
    def passed(self) -> bool:
        """All asked, at least half of them answered, and right as often as the project asks for."""
        enough = 2 * self.answered >= self.items
        return self.finished and enough and self.right >= self.pass_mark * self.answered - 1e-9

    @property
    def failed(self) -> bool:
        return self.finished and not self.passed


def warm_up_of(person: User, project: Project) -> WarmUp:
    """The person's warm-up. Items with hazards that the person opted out of are not part of it.

    The first revision of an answer counts: after it, the item explains itself.
    """
    agreed = agreed_items(person, project).filter(purpose=Purpose.WARM_UP)
    known = list(Gold.objects.filter(item__in=agreed).select_related("item").order_by("pk"))
    claims = Assignment.objects.filter(annotator=person, item__in=[one.item_id for one in known])
    handed = {(claim.item_id, claim.repeat): claim.state for claim in claims}
    attempt = max((repeat for _, repeat in handed), default=0)
    states = [handed.get((one.item_id, attempt)) for one in known]
    answers = dict(
        Annotation.objects.filter(annotator=person, item__in=[one.item_id for one in known], repeat=attempt)
        .filter(part="", exposure__in=OWN, revision=1)
        .values_list("item_id", "answers")
    )
    questions = contract_of(project).questions
    return WarmUp(
        attempt=attempt,
        items=len(known),
        answered=states.count(Assignment.State.SUBMITTED),
        right=sum(
            one.item_id in answers and compare(one.answers, answers[one.item_id], questions).right for one in known
        ),
        given_back=states.count(Assignment.State.SKIPPED),
        to_hand_out=[(one.item, attempt) for one, state in zip(known, states, strict=True) if state is None],
        pass_mark=project.pass_mark,
    )


def failed_warm_up(person: User, project: Project) -> WarmUp | None:
    """The warm-up that keeps the person from work until a lead has looked at it; None if nothing does."""
    membership = Membership.objects.filter(project=project, user=person).first()
    if may_work(project, membership):
        return None
    warm_up = warm_up_of(person, project)
    return warm_up if warm_up.failed else None


def let_through(membership: Membership) -> None:
    """The lead says that this person need not pass the warm-up."""
    if membership.qualified_at is None:
        _qualify(membership)


@transaction.atomic
def try_again(membership: Membership) -> bool:
    """Ask the whole warm-up once more, as repeats; False if the person has not failed it."""
    Membership.objects.select_for_update().get(pk=membership.pk)
    person, project = membership.user, membership.project
    warm_up = warm_up_of(person, project)
    if membership.qualified_at is not None or not warm_up.failed:
        return False
    known = Gold.objects.filter(item__in=agreed_items(person, project).filter(purpose=Purpose.WARM_UP))
    # As if they had been handed out and given back: the queue takes such items up first, in this order.
    Assignment.objects.bulk_create(
        Assignment(
            item_id=item,
            annotator=person,
            repeat=warm_up.attempt + 1,
            state=Assignment.State.EXPIRED,
            leased_until=timezone.now(),
        )
        for item in known.order_by("pk").values_list("item_id", flat=True)
    )
    return True


@dataclass(frozen=True, slots=True)
class Explained:
    """One question of a warm-up item. `right`: None where it is not compared."""

    question: str
    given: str
    known: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person is told after answering a warm-up item."""

    right: bool
    questions: list[Explained]
    text: str
    warm_up: WarmUp


def explain(annotation: Annotation) -> Explanation | None:
    """Right or wrong, the known answers and why, for a warm-up item; None for all others: gold gives nothing away.

    `annotation` must be stored: nothing known is shown before the person's own answer.
    """
    item = annotation.item
    known = Gold.objects.filter(item=item).first() if item.purpose == Purpose.WARM_UP else None
    if known is None or annotation.pk is None:
        return None
    project = item.project
    compared = compare(known.answers, annotation.answers, contract_of(project).questions)
    names = category_names(project)
    questions = [
        Explained(
            question=question.text,
            given=say_answer(question, annotation.answers.get(question.code), names),
            known=say_answer(question, known.answers.get(question.code), names),
            right=compared.questions.get(question.code),
        )
        for question in project.asked_questions
        if question.code in known.answers or question.code in annotation.answers
    ]
    return Explanation(compared.right, questions, known.explanation, warm_up_of(annotation.annotator, project))
