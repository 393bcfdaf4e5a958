"""What a person sees of their own work in a project: theirs to know, and no page of others shows it so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from annotate.adjudicate import differences
from annotate.draw_known import OWN
from annotate.measure_people import Figures, measure_people
from annotate.models import Annotation, Guideline, Item, Membership, Project, User
from annotate.say_answers import category_names, say_answer

# The pace is that of the newest items, and said from so many on.
PACED = 500
PACE_FROM = 10
MOST_DIFFERENCES = 100


@dataclass(frozen=True, slots=True)
class Differed:
    """An own answer that review decided otherwise, in words; by whom is not told."""

    item: Item
    question: str
    own: str
    decided: str
    reason: str
    rationale: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class OwnWork:
    """A person's own counts and figures.

    `figures` hold what was answered before `until` only. Were they of this moment, each would tell by its
    step whether the item answered last was a gold item. `pace` is the median of active seconds an item.
    """

    answered: int
    today: int
    week: int
    pace: float | None
    paced: int
    figures: Figures
    until: datetime
    differed: list[Differed]


def own_work(person: User, project: Project) -> OwnWork:
    """The person's own page. What was skipped is not in it."""
    today = start_of_day()
    answered = _answered(person, project)
    counts = answered.aggregate(
        all=Count("pk"),
        today=Count("pk", filter=Q(created_at__gte=today)),
        week=Count("pk", filter=Q(created_at__gte=today - timedelta(days=6))),
    )
    timed = answered.filter(seconds__isnull=False).order_by("-pk")
    seconds = [one for one in timed.values_list("seconds", flat=True)[:PACED] if one is not None]
    return OwnWork(
        answered=counts["all"],
        today=counts["today"],
        week=counts["week"],
        pace=median(seconds) if len(seconds) >= PACE_FROM else None,
        paced=len(seconds),
        figures=measure_people(project, [person.pk], before=today)[person.pk],
        until=today,
        differed=_differed(person, project),
    )


def start_of_day() -> datetime:
    """When this day began, in the server's time zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _answered(person: User, project: Project) -> QuerySet[Annotation]:
    """One annotation for each time that the person answered an item: changes of mind don't count again."""
    return Annotation.objects.filter(annotator=person, item__project=project, exposure__in=OWN, revision=1)


def _differed(person: User, project: Project) -> list[Differed]:
    questions = {question.code: question for question in project.asked_questions}
    names = category_names(project)
    return [
        Differed(
            item=one.item,
            question=one.question,
            own=say_answer(questions[one.code], one.own, names),
            decided=say_answer(questions[one.code], one.decided, names),
            reason=one.reason,
            rationale=one.rationale,
            decided_at=one.decided_at,
        )
        for one in differences(person, project)[:MOST_DIFFERENCES]
    ]


def own_annotations(person: User, project: Project) -> Iterator[dict[str, Any]]:
    """All that the person answered here, as plain data, the oldest first; items by their number, without text.

    An item's id is left out: some leads' ids say which items are gold.
    """
    rows = (
        Annotation.objects.filter(annotator=person, item__project=project)
        .select_related("guideline", "taxonomy_version__taxonomy")
        .order_by("pk")
    )
    for row in rows.iterator(chunk_size=2_000):
        yield {
            "project": project.slug,
            "item": row.item_id,
            "part": row.part,
            "repeat": row.repeat,
            "revision": row.revision,
            "answers": row.answers,
            "exposure": row.exposure,
            "seconds": row.seconds,
            "reason": row.reason,
            "rationale": row.rationale,
            "guidelines": row.guideline.version if row.guideline else None,
            "taxonomy": str(row.taxonomy_version) if row.taxonomy_version else None,
            "created_at": row.created_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class GuidelineNews:
    """The guidelines in force, of which a person was not told yet, with what changed, the newest first."""

    version: int
    changes: list[Guideline]


def unseen_guideline(person: User, project: Project) -> GuidelineNews | None:
    """What to tell the person of the guidelines; None if they know the version in force, or are no member.

    Whoever missed several versions is told the changes of each; whoever is new, of the newest one.
    """
    newest = project.guideline
    if newest is None:
        return None
    seen = Membership.objects.filter(project=project, user=person).values_list("guideline_seen", flat=True).first()
    if seen is None or seen >= newest.version:
        return None
    missed = project.guidelines.filter(version__gt=seen if seen else newest.version - 1)
    return GuidelineNews(newest.version, list(missed.exclude(changes="").order_by("-version")))


def saw_guideline(person: User, project: Project, version: int) -> None:
    """The person was told of this version of the guidelines, and of those before."""
    if version <= (project.guideline.version if project.guideline else 0):
        Membership.objects.filter(project=project, user=person, guideline_seen__lt=version).update(
            guideline_seen=version
        )
