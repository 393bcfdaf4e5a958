"""What protects the people who read awful texts: which items a person is handed, and how many strong ones.

What the jury suspects may withhold an item from a person; it is never shown, and it never moves another item.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from annotate.filters import items_of
from annotate.models import (
    Assignment,
    Item,
    OptOut,
    Preferences,
    Project,
    Severity,
    Sitting,
    User,
)
from annotate.related_codes import Family, family_of

REST = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
# What a notice before an item says, and what is stored with the annotation; nothing known gives no notice.
NOTICES = {Severity.UPSETTING: "upsetting", Severity.GRAPHIC: "graphic"}


@dataclass(frozen=True, slots=True)
class Severe:
    """What a project counts as severe; codes are those below its severe categories, in any version."""

    codes: frozenset[str] = frozenset()
    informed_by_jury: bool = False

    def holds(self, item: Item, *, declared_only: bool = False) -> bool:
        """Whether the item counts towards the caps."""
        suspected = item.suspected if self.informed_by_jury and not declared_only else ()
        return item.severity >= Severity.GRAPHIC or not self.codes.isdisjoint([*item.hazards, *suspected])

    def condition(self, *, declared_only: bool = False) -> Q:
        """The same as `holds`, for the database."""
        found = Q(severity__gte=Severity.GRAPHIC)
        if self.codes:
            found |= Q(hazards__overlap=sorted(self.codes))
        if self.codes and self.informed_by_jury and not declared_only:
            found |= Q(suspected__overlap=sorted(self.codes))
        return found


@dataclass(slots=True)
class Limits:
    """What one person may be handed now, and when the sitting began that the caps count from.

    `run` is how many severe items the person was handed last without a mild one between; `left` is how many
    more a sitting and day allow, None for any number; `kept` says that the sitting was noted a moment ago.
    """

    avoided: frozenset[str]
    severe: Severe
    in_row: int
    run: int
    left: int | None
    since: datetime
    kept: bool

    def may_take(self, item: Item) -> bool:
        """Whether the item may be handed out next."""
        if self.avoids(item):
            return False
        return self.severe_allowed or not self.severe.holds(item)

    def take(self, item: Item) -> bool:
        """Whether the item may be handed out next; if so it is counted."""
        if not self.may_take(item):
            return False
        if not self.severe.holds(item):
            self.run = 0
            return True
        self.run += 1
        self.left = None if self.left is None else self.left - 1
        return True

    def avoids(self, item: Item) -> bool:
        """Whether the item has a hazard that the person does not want to see, declared or suspected."""
        return not self.avoided.isdisjoint([*item.hazards, *item.suspected])

    @property
    def severe_allowed(self) -> bool:
        return self.run < self.in_row and self.left != 0

    def bears(self, items: Iterable[Item], run: int) -> bool:
        """Whether these items, after a run of so many severe ones, keep to the longest run allowed."""
        for item in items:
            run = run + 1 if self.severe.holds(item) else 0
            if run > self.in_row:
                return False
        return True

    def not_avoided(self) -> Q:
        """Items without a hazard that the person does not want to see, declared or suspected."""
        if not self.avoided:
            return Q()
        codes = sorted(self.avoided)
        return ~Q(hazards__overlap=codes) & ~Q(suspected__overlap=codes)

    def seen_items(self, project: Project) -> QuerySet[Item]:
        """Items of the project that the person agreed to see."""
        return Item.objects.filter(self.not_avoided(), project=project)

    def not_severe(self) -> Q:
        return ~self.severe.condition()


def limits_of(person: User, project: Project) -> Limits:
    """The person's limits in the project at this moment.

    Until the transaction ends, the person's requests in all projects wait here for each other: two pages in
    two projects could otherwise both take the last severe item that a cap allows.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('care', %s))", [person.pk])
    own = Preferences.objects.filter(user=person).first() or Preferences()
    families: dict[int, Family] = {}
    since, kept = _sitting_of(person)
    limits = Limits(
        avoided=avoided_codes(person, project, families),
        severe=severe_of(project, families),
        in_row=_least(project.severe_in_row, own.severe_in_row) or 0,
        run=0,
        left=None,
        since=since,
        kept=kept,
    )
    _count_dose(limits, person, project, own, families)
    return limits


def _codes_meant(version_id: int, codes: list[str], families: dict[int, Family] | None) -> frozenset[str]:
    """As `Family.meant`. `families`: those that the caller has fetched already, by version."""
    if not codes:
        return frozenset()
    families = {} if families is None else families
    if version_id not in families:
        families[version_id] = family_of(version_id)
    return families[version_id].meant(codes)


def avoided_codes(person: User, project: Project, families: dict[int, Family] | None = None) -> frozenset[str]:
    """What the person opted out of under the project's taxonomy, with all that lies below."""
    if project.taxonomy_version_id is None:
        return frozenset()
    wishes = OptOut.objects.filter(user=person, taxonomy__versions=project.taxonomy_version_id)
    return _codes_meant(project.taxonomy_version_id, list(wishes.values_list("code", flat=True)), families)


def severe_of(project: Project, families: dict[int, Family] | None = None) -> Severe:
    """What the project counts as severe."""
    if project.taxonomy_version_id is None:
        return Severe()
    codes = _codes_meant(project.taxonomy_version_id, project.severe_categories, families)
    return Severe(codes, project.jury_informs_care)


def _sitting_of(person: User) -> tuple[datetime, bool]:
    """When the person's stretch of work began, in whatever project, and whether that was noted this minute.

    Half an hour without items ends it.
    """
    now = timezone.now()
    last = Sitting.objects.filter(user=person).order_by("-seen_at").first()
    if last is None or now - last.seen_at >= REST:
        return now, False
    return last.started_at, now - last.seen_at < MINUTE


def keep_sitting(person: User, project: Project, limits: Limits) -> None:
    """The person has items in hand: the sitting goes on. Looking at an empty page is no work, so it ends."""
    if limits.kept:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO annotate_sitting (user_id, project_id, started_at, seen_at) VALUES (%s, %s, %s, %s)
            ON CONFLICT (user_id, project_id) DO UPDATE
            SET started_at = EXCLUDED.started_at, seen_at = EXCLUDED.seen_at
            """,
            [person.pk, project.pk, limits.since, timezone.now()],
        )


def _count_dose(
    limits: Limits, person: User, project: Project, own: Preferences, families: dict[int, Family]
) -> None:
    """Count what the person was handed, in all projects: the run at the end, and the caps' remainders.

    Each item is as severe as its own project says. What was given back unseen doesn't count; what ran out may
    have been seen, and does. Taken again it counts from then.
    """
    day = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    in_hand = Q(state=Assignment.State.LEASED)
    handed = (
        Assignment.objects.filter(in_hand | Q(created_at__gte=min(day, limits.since)), annotator=person)
        .exclude(state=Assignment.State.EXPIRED, leased_until=F("created_at"))
        .select_related("item")
        .only("created_at", "state", "item__project_id", "item__severity", "item__hazards", "item__suspected")
        .order_by("-created_at", "-id")
    )
    per_session = _least(project.severe_per_session, own.severe_per_session)
    per_day = _least(project.severe_per_day, own.severe_per_day)
    if per_session is None and per_day is None:
        handed = handed.filter(in_hand | Q(created_at__gte=limits.since))[: limits.in_row]
    elsewhere = {one.item.project_id for one in handed} - {project.pk}
    rules = {project.pk: limits.severe}
    if elsewhere:
        rules |= {other.pk: severe_of(other, families) for other in Project.objects.filter(pk__in=elsewhere)}
    severe, in_sitting, today = [], 0, 0
    for one in handed:
        is_severe = rules[one.item.project_id].holds(one.item)
        now = one.state == Assignment.State.LEASED
        if now or one.created_at >= limits.since:
            severe.append(is_severe)
            in_sitting += is_severe
        today += is_severe and (now or one.created_at >= day)
    limits.run = next((n for n, is_severe in enumerate(severe) if not is_severe), len(severe))
    left = [cap - used for cap, used in ((per_session, in_sitting), (per_day, today)) if cap is not None]
    limits.left = max(0, min(left)) if left else None


def _least(*caps: int | None) -> int | None:
    return min((cap for cap in caps if cap is not None), default=None)


def open_items(person: User, project: Project, limits: Limits) -> QuerySet[Item]:
    """Items that have a slot free and are new to this person, without what the person does not want to see."""
    mine = Assignment.objects.filter(item=OuterRef("pk"), annotator=person)
    items = Item.objects.filter(
        limits.not_avoided(), ~Exists(mine), project=project, taken__lt=F("wanted"), blocked=False
    )
    if project.queue_filter is not None:
        items = items.filter(pk__in=items_of(project, project.queue_filter.conditions).values("pk"))
    return items.order_by("rank")


def waiting_reason(person: User, project: Project) -> str:
    """Why there is nothing for the person, where care is the reason.

    `resting`: the cap of a sitting or a day is reached; `mild_only`: several strong items came in a row, and
    no milder one is left; empty: neither. Only what the import declared decides, so that the answer says
    nothing of the jury (P3).
    """
    limits = limits_of(person, project)
    declared = limits.severe.condition(declared_only=True)
    if limits.severe_allowed or not open_items(person, project, limits).filter(declared).exists():
        return ""
    return "resting" if limits.left == 0 else "mild_only"


def notice_of(item: Item) -> str:
    """What the notice before the item says: `upsetting`, `graphic` or nothing; only what the import declared."""
    return NOTICES.get(Severity(item.severity), "")
