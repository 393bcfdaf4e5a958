"""Which known items could come to a person now: gold items new to them, own items from a while ago, by lot."""

import random
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from annotate.care import avoided_codes
from annotate.filters import items_of
from annotate.models import Annotation, Assignment, Exposure, Item, Membership, Project, Purpose, Reveal, User

# By then few remember what they answered.
REPEAT_AFTER_ITEMS = 50
REPEAT_AFTER = timedelta(hours=24)
# Repeats are drawn from a person's newest answers, in handfuls.
REMEMBERED = 5_000
DRAWN_AT_ONCE = 50
OWN = (Exposure.BLIND, Exposure.ASSISTED)


def agreed_items(person: User, project: Project) -> QuerySet[Item]:
    """The project's items that may be shown, but for those with hazards that the person does not want to see."""
    codes = sorted(avoided_codes(person, project))
    avoided = Q(hazards__overlap=codes) | Q(suspected__overlap=codes) if codes else Q(pk__in=[])
    return Item.objects.filter(~avoided, project=project, blocked=False)


def _claimed(person: User, **which: object) -> Exists:
    return Exists(Assignment.objects.filter(item=OuterRef("pk"), annotator=person, **which))


def has_new(person: User, project: Project, membership: Membership, agreed: QuerySet[Item]) -> bool:
    """Whether there is an item to be labelled that has a slot free and is new to the person."""
    items = agreed.filter(~_claimed(person), taken__lt=F("wanted"))
    if project.queue_filter is not None:
        items = items.filter(pk__in=items_of(project, project.queue_filter.conditions).values("pk"))
    # As a rule there is one right behind the last that this person got; only then are all looked through.
    ahead = membership.last_rank is not None and items.filter(rank__gt=membership.last_rank).exists()
    return ahead or items.exists()


def new_gold(person: User, agreed: QuerySet[Item], count: int) -> list[Item]:
    """Gold items that never came to this person, drawn by lot."""
    if not count:
        return []
    return list(agreed.filter(~_claimed(person), purpose=Purpose.GOLD, gold__isnull=False).order_by("?")[:count])


def repeatable(person: User, agreed: QuerySet[Item], count: int) -> list[Item]:
    """Items that the person answered a while ago, once and blind to what others said, drawn by lot."""
    if not count:
        return []
    known = set(Reveal.objects.filter(person=person).values_list("item_id", flat=True))
    known |= set(Assignment.objects.filter(annotator=person, repeat__gte=1).values_list("item_id", flat=True))
    candidates = [item for item in _answered_long_ago(person) if item not in known]
    random.shuffle(candidates)
    # Whoever reads what review decided repeats that.
    settled = Annotation.objects.filter(item=OuterRef("pk"), exposure=Exposure.ADJUDICATION)
    fit = agreed.filter(~Exists(settled), purpose=Purpose.LABEL)
    found: list[Item] = []
    while candidates and len(found) < count:
        some, candidates = candidates[:DRAWN_AT_ONCE], candidates[DRAWN_AT_ONCE:]
        found += fit.filter(pk__in=some)
    random.shuffle(found)
    return found[:count]


def _answered_long_ago(person: User) -> list[int]:
    """Ids of items whose newest answer lies a day back or has fifty others after it, in whatever project."""
    mine = Annotation.objects.filter(annotator=person, exposure__in=OWN, part="").order_by("-pk")
    long_ago = timezone.now() - REPEAT_AFTER
    seen: dict[tuple[int, int], bool] = {}
    for item, repeat, at in mine.values_list("item_id", "repeat", "created_at")[:REMEMBERED]:
        seen.setdefault((item, repeat), at <= long_ago or len(seen) >= REPEAT_AFTER_ITEMS)
    return [item for (item, repeat), old in seen.items() if old and repeat == 0]
