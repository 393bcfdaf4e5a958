"""What protects the people who read awful texts: which items a person is handed, and how many strong ones.

What the jury suspects may withhold an item from a person; it is never shown, and it never moves another item.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from annotate.models import Assignment, Item, OptOut, Preferences, Project, Severity, Sitting, User
from annotate.taxonomy import codes_below

REST = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Limits:
    """What one person may be handed now. Codes are those of the project's taxonomy version."""

    avoided: list[str]
    severe: list[str]
    informed_by_jury: bool
    in_row: int
    run: int
    left: int | None

    def is_severe(self, item: Item) -> bool:
        """Whether the item counts towards the caps."""
        codes = set(item.hazards) | (set(item.suspected) if self.informed_by_jury else set())
        return item.severity >= Severity.GRAPHIC or not codes.isdisjoint(self.severe)

    def take(self, item: Item) -> bool:
        """Whether the item may be handed out next; if so it is counted."""
        if not self.is_severe(item):
            self.run = 0
            return True
        if self.run >= self.in_row or self.left == 0:
            return False
        self.run += 1
        self.left = None if self.left is None else self.left - 1
        return True

    def avoids(self, item: Item) -> bool:
        """Whether the item has a hazard that the person does not want to see, declared or suspected."""
        return not set(self.avoided).isdisjoint([*item.hazards, *item.suspected])

    @property
    def severe_allowed(self) -> bool:
        return self.run < self.in_row and self.left != 0

    def not_avoided(self) -> Q:
        """Items without a hazard that the person does not want to see, declared or suspected."""
        if not self.avoided:
            return Q()
        return ~Q(hazards__overlap=self.avoided) & ~Q(suspected__overlap=self.avoided)

    def not_severe(self) -> Q:
        mild = Q(severity__lt=Severity.GRAPHIC)
        if self.severe:
            mild &= ~Q(hazards__overlap=self.severe)
        if self.severe and self.informed_by_jury:
            mild &= ~Q(suspected__overlap=self.severe)
        return mild


def limits_of(person: User, project: Project) -> Limits:
    """The person's limits in the project at this moment; a rest of half an hour begins a new sitting."""
    sitting = _sit_down(person, project)
    own = Preferences.objects.filter(user=person).first() or Preferences()
    avoided: set[str] = set()
    severe: set[str] = set()
    version = project.taxonomy_version_id
    if version is not None:
        wishes = OptOut.objects.filter(user=person, taxonomy__versions=version).values_list("code", flat=True)
        avoided = codes_below(version, wishes)
        severe = codes_below(version, project.severe_categories)
    limits = Limits(
        avoided=sorted(avoided),
        severe=sorted(severe),
        informed_by_jury=project.jury_informs_care,
        in_row=_least(project.severe_in_row, own.severe_in_row) or 1,
        run=0,
        left=None,
    )
    _count_dose(limits, person, project, own, sitting)
    return limits


def _sit_down(person: User, project: Project) -> Sitting:
    now = timezone.now()
    sitting, _ = Sitting.objects.get_or_create(
        user=person, project=project, defaults={"started_at": now, "seen_at": now}
    )
    away = now - sitting.seen_at
    if away >= REST:
        sitting.started_at = now
    if away >= MINUTE:
        sitting.seen_at = now
        sitting.save(update_fields=["started_at", "seen_at"])
    return sitting


def _count_dose(limits: Limits, person: User, project: Project, own: Preferences, sitting: Sitting) -> None:
    """Count what the person was handed, in all projects: the run at the end, and the caps' remainders."""
    day = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    handed = (
        Assignment.objects.filter(annotator=person, created_at__gte=min(day, sitting.started_at))
        .exclude(state=Assignment.State.EXPIRED)
        .select_related("item")
        .only("created_at", "item__severity", "item__hazards", "item__suspected")
        .order_by("-id")
    )
    per_session = _least(project.severe_per_session, own.severe_per_session)
    per_day = _least(project.severe_per_day, own.severe_per_day)
    if per_session is None and per_day is None:
        handed = handed.filter(created_at__gte=sitting.started_at)[: limits.in_row]
    severe = [(assignment.created_at, limits.is_severe(assignment.item)) for assignment in handed]
    in_sitting = [is_severe for at, is_severe in severe if at >= sitting.started_at]
    limits.run = next((n for n, is_severe in enumerate(in_sitting) if not is_severe), len(in_sitting))
    today = sum(is_severe for at, is_severe in severe if at >= day)
    left = [cap - used for cap, used in ((per_session, sum(in_sitting)), (per_day, today)) if cap is not None]
    limits.left = max(0, min(left)) if left else None


def _least(*caps: int | None) -> int | None:
    return min((cap for cap in caps if cap is not None), default=None)
