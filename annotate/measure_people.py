"""How right people are on gold items, and how far they agree with themselves; the arithmetic is in `accuracy`."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from annotate.accuracy import Accuracy, Comparison, Share, accuracy, agrees_with_itself, compare, consistency
from annotate.draw_known import OWN
from annotate.gold import WarmUp, may_work, warm_up_of
from annotate.models import Annotation, Membership, Project, Purpose
from annotate.questions import contract_of


@dataclass(frozen=True, slots=True)
class Figures:
    """One person's figures in a project."""

    accuracy: Accuracy
    consistency: Share


def measure_people(
    project: Project, people: Collection[int], before: datetime | None = None
) -> dict[int, Figures]:
    """Each of these people's figures by user id, zeros where nothing is known yet (four queries).

    Gold items count with the newest answers, since nothing is shown after the first; a repeat is set beside the
    first answers in their newest revision.

    Args:
        people: ids of users.
        before: leave out what was answered from this moment on.
    """
    right = _gold_comparisons(project, people, before)
    equal = _repeats(project, people, before)
    return {
        person: Figures(accuracy(right.get(person, [])), consistency(equal.get(person, []))) for person in people
    }


def _gold_comparisons(
    project: Project, people: Collection[int], before: datetime | None
) -> dict[int, list[Comparison]]:
    answered = Annotation.objects.filter(
        item__gold__isnull=False, item__project=project, item__purpose=Purpose.GOLD, part=""
    ).filter(annotator__in=people, exposure__in=OWN)
    if before is not None:
        answered = answered.filter(created_at__lt=before)
    questions = contract_of(project).questions
    found: dict[int, list[Comparison]] = defaultdict(list)
    for person, known, given in answered.votes().values_list("annotator_id", "item__gold__answers", "answers"):
        found[person].append(compare(known, given, questions))
    return found


def _repeats(project: Project, people: Collection[int], before: datetime | None) -> dict[int, list[bool]]:
    judged = Annotation.objects.filter(item__project=project, item__purpose=Purpose.LABEL, part="").filter(
        annotator__in=people, exposure__in=OWN
    )
    again = judged.filter(repeat__gte=1)
    if before is not None:
        again = again.filter(created_at__lt=before)
    newest = again.order_by("item_id", "annotator_id", "repeat", "-revision").distinct(
        "item_id", "annotator_id", "repeat"
    )
    first = {
        (item, person): answers
        for item, person, answers in judged.filter(item__in=again.order_by().values("item"))
        .votes()
        .values_list("item_id", "annotator_id", "answers")
    }
    questions = contract_of(project).questions
    found: dict[int, list[bool]] = defaultdict(list)
    for item, person, answers in newest.values_list("item_id", "annotator_id", "answers"):
        if (item, person) in first:
            found[person].append(agrees_with_itself(first[item, person], answers, questions))
    return found


@dataclass(frozen=True, slots=True)
class Quality:
    """One member as the lead's quality page shows them. `warm_up`: None for whoever is not asked or is through."""

    membership: Membership
    figures: Figures
    flagged: bool
    warm_up: WarmUp | None


def quality_of(project: Project) -> list[Quality]:
    """The project's members in the order of their names, which says nothing of how well they do."""
    members = list(project.memberships.select_related("user"))
    members.sort(key=lambda member: (member.user.shown_name.casefold(), member.user.username))
    figures = measure_people(project, [member.user_id for member in members])
    return [
        Quality(
            membership=member,
            figures=figures[member.user_id],
            flagged=figures[member.user_id].accuracy.below(project.pass_mark),
            warm_up=None if may_work(project, member) else warm_up_of(member.user, project),
        )
        for member in members
    ]
