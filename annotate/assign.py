"""Hand out items: exact overlap, a short queue each, an order that says nothing of the jury (P2, P3)."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from annotate import gold
from annotate.care import Limits, keep_sitting, limits_of, notice_of, open_items
from annotate.exposure import exposures_for
from annotate.filters import items_of
from annotate.models import Assignment, Item, Membership, Project, Purpose, User

LEASE = timedelta(minutes=settings.ANNOTATION_LEASE_MINUTES)
# As many as a page may hold at once; a larger one would keep items from others.
LONGEST_QUEUE = 10
BEFORE_ALL = -(2**63)


def one_at_a_time(annotator: User, project: Project) -> None:
    """Make this person's requests in this project wait for each other until the transaction ends.

    Taken before any row lock, so that two tabs of one person can't block each other for good.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"annotate {project.pk} {annotator.pk}"]
        )


def next_item(annotator: User, project: Project) -> Assignment | None:
    """The first of the person's items, or None if nothing is left for this person."""
    return next(iter(next_items(annotator, project, 1)), None)


@transaction.atomic
def next_items(annotator: User, project: Project, count: int) -> list[Assignment]:
    """The person's open leases, made longer, then new ones up to `count` in all, in the order to answer them.

    Two requests of one person wait for each other, so a double click leases nothing twice. Items whose lease
    ran out come back first, if a slot is still free.
    """
    one_at_a_time(annotator, project)
    membership = Membership.objects.filter(project=project, user=annotator).first()
    limits = limits_of(annotator, project)
    leased = list(_open_leases(annotator, project).select_related("item"))
    if any(one.created_at < limits.since or limits.avoids(one.item) for one in leased):
        # Of an earlier sitting, or to be withheld by now. One alone would leave a gap that brings severe items
        # together: all go back, the rest is taken anew.
        give_back(annotator, project)
        leased, limits = [], limits_of(annotator, project)
    count = min(count, LONGEST_QUEUE)
    held = _held([one for one in leased if not one.item.blocked], annotator, project, limits, count)
    missing, run = count - len(held), limits.run
    if missing > 0:
        due = gold.due(annotator, project, membership, missing)
        if gold.may_work(project, membership):
            extras = [(item, repeat) for item, repeat in due if _bearable(item, limits)]
            fresh = _pick(annotator, project, membership, limits, missing - len(extras))
            held += _lease(annotator, project, _mixed(fresh, extras, limits, run))
        else:
            # The warm-up keeps its order.
            held += _lease(annotator, project, [extra for extra in due if limits.take(extra[0])])
    if held:
        keep_sitting(annotator, project, limits)
    return held


def _bearable(extra: Item, limits: Limits) -> bool:
    """Whether the limits allow it beside new items; a mild one ends no run, since it may come after it."""
    return limits.take(extra) if limits.severe.holds(extra) else not limits.avoids(extra)


def _open_leases(annotator: User, project: Project) -> QuerySet[Assignment]:
    return Assignment.objects.filter(
        annotator=annotator, item__project=project, state=Assignment.State.LEASED
    ).order_by("created_at", "id")


def _held(
    held: list[Assignment], annotator: User, project: Project, limits: Limits, count: int
) -> list[Assignment]:
    """The person's open leases, made longer, and those that ran out, as far as their slots are still free."""
    if held:
        until = timezone.now() + LEASE
        Assignment.objects.filter(pk__in=[one.pk for one in held]).update(leased_until=until)
        for assignment in held:
            assignment.leased_until = until
    if len(held) < count:
        for assignment in _ran_out(annotator, project, limits)[: 2 * count]:
            if len(held) < count and limits.may_take(assignment.item) and retake(assignment):
                limits.take(assignment.item)
                held.append(assignment)
    return held


def _ran_out(annotator: User, project: Project, limits: Limits) -> QuerySet[Assignment]:
    """The person's leases that ran out or were given back, of items that could be taken again."""
    open_again = limits.seen_items(project).filter(blocked=False)
    if not limits.severe_allowed:
        open_again = open_again.filter(limits.not_severe())
    if project.queue_filter is not None:
        chosen = items_of(project, project.queue_filter.conditions).values("pk")
        open_again = open_again.filter(Q(pk__in=chosen) | ~Q(purpose=Purpose.LABEL))
    return (
        Assignment.objects.filter(annotator=annotator, state=Assignment.State.EXPIRED, item__in=open_again)
        .exclude(repeat=0, item__purpose="", item__taken__gte=F("item__wanted"))
        .select_related("item")
        .order_by("created_at", "id")
    )


def retake(assignment: Assignment) -> bool:
    """Lease the item of an expired assignment again; False if its slots are gone meanwhile."""
    if assignment.takes_slot:
        claimed = Item.objects.filter(pk=assignment.item_id, taken__lt=F("wanted")).update(taken=F("taken") + 1)
        if not claimed:
            return False
    now = timezone.now()
    assignment.state, assignment.created_at, assignment.leased_until = Assignment.State.LEASED, now, now + LEASE
    # Handed out now, not when it was first: the caps of a sitting and a day count from here.
    Assignment.objects.filter(pk=assignment.pk).update(
        state=assignment.state, created_at=now, leased_until=assignment.leased_until
    )
    return True


def _pick(
    annotator: User, project: Project, membership: Membership | None, limits: Limits, count: int
) -> list[Item]:
    """Claim up to `count` new items in the order of their ranks, from where this person stands, then round."""
    after = BEFORE_ALL if membership is None or membership.last_rank is None else membership.last_rank
    open_to_person = open_items(annotator, project, limits)
    picked = _claim(open_to_person.filter(rank__gt=after), limits, count, skip_locked=True)
    if picked and membership is not None:
        Membership.objects.filter(pk=membership.pk).update(last_rank=picked[-1].rank)
    if len(picked) < count:
        # Round the end: items behind us that opened again. This time wait for rows that others hold.
        rest = open_to_person.exclude(pk__in=[item.pk for item in picked])
        picked += _claim(rest, limits, count - len(picked), skip_locked=False)
    return picked


def _claim(items: QuerySet[Item], limits: Limits, count: int, *, skip_locked: bool) -> list[Item]:
    """Take a slot of each of up to `count` of these items that the limits allow; the row lock ends all races."""
    claimed: list[Item] = []
    while len(claimed) < count:
        missing = count - len(claimed)
        open_now = items.exclude(pk__in=[item.pk for item in claimed]) if claimed else items
        if not limits.severe_allowed:
            open_now = open_now.filter(limits.not_severe())
        found = list(open_now.select_for_update(skip_locked=skip_locked, of=("self",))[:missing])
        taken = [item for item in found if limits.take(item)]
        Item.objects.filter(pk__in=[item.pk for item in taken]).update(taken=F("taken") + 1)
        claimed += taken
        # What was left out for the limits' sake leaves room; another round fills it, with milder items.
        if len(found) < missing or len(taken) in (0, len(found)):
            break
    return claimed


def _mixed(fresh: Sequence[Item], extras: Sequence[gold.Extra], limits: Limits, run: int) -> Iterator[gold.Extra]:
    """New items in their order, with the extras strewn in so that their places give nothing away.

    Severe extras were counted before the new items: at the head they keep to the limits for sure, and from
    there each goes to a random place where no run of severe ones, begun with `run`, gets too long.
    """
    severe = [extra for extra in extras if limits.severe.holds(extra[0])]
    mild = [extra for extra in extras if extra not in severe]
    base = [*severe, *((item, 0) for item in fresh)]
    for extra in severe:
        base.remove(extra)
        ways = [[*base[:place], extra, *base[place:]] for place in range(len(base) + 1)]
        base = random.choice([way for way in ways if limits.bears((item for item, _ in way), run)])
    places = sorted(random.sample(range(len(base) + len(mild)), len(mild)))
    rest, more = iter(base), iter(mild)
    for place in range(len(base) + len(mild)):
        yield next(more) if place in places else next(rest)


def _lease(annotator: User, project: Project, items: Iterable[gold.Extra]) -> list[Assignment]:
    handed = list(items)
    exposed = exposures_for(project, [item for item, _ in handed])
    until = timezone.now() + LEASE
    return Assignment.objects.bulk_create(
        Assignment(
            item=item,
            annotator=annotator,
            repeat=repeat,
            exposure=exposed[item.pk].exposure,
            shown=_shown_with(item, exposed[item.pk].shown),
            leased_until=until,
        )
        for item, repeat in handed
    )


def _shown_with(item: Item, shown: dict[str, Any] | None) -> dict[str, Any] | None:
    notice = notice_of(item)
    return {**(shown or {}), "notice": notice} if notice else shown


@transaction.atomic
def release(annotator: User, project: Project, held: dict[int, datetime]) -> int:
    """Give back items that a page held but never showed; they stay open to this person. Returns how many.

    Args:
        held: assignment ids with the end of the lease that the page knew; a lease made longer since belongs
            to a newer page and stays.
    """
    one_at_a_time(annotator, project)
    unseen = [
        assignment
        for assignment in Assignment.objects.select_related("item")
        .filter(pk__in=held, annotator=annotator, item__project=project, state=Assignment.State.LEASED)
        .order_by("item_id")
        if assignment.leased_until == held[assignment.pk]
    ]
    for assignment in unseen:
        _give_up(assignment, Assignment.State.EXPIRED, unseen=True)
    return len(unseen)


@transaction.atomic
def give_back(annotator: User, project: Project) -> int:
    """Give back all that the person has in hand here; it stays open to this person. Returns how many."""
    one_at_a_time(annotator, project)
    held = list(_open_leases(annotator, project).select_related("item__project"))
    for assignment in sorted(held, key=lambda one: one.item_id):
        _give_up(assignment, Assignment.State.EXPIRED, unseen=assignment != held[0])
    return len(held)


@transaction.atomic
def skip(assignment: Assignment, *, counted: bool = False) -> None:
    """Give the item to somebody else; this person does not get it again.

    Args:
        counted: an ordinary skip adds to the person's count; one for one's own sake is counted nowhere.
    """
    person, project = assignment.annotator, assignment.item.project
    one_at_a_time(person, project)
    if _give_up(assignment, Assignment.State.SKIPPED) and counted:
        Membership.objects.filter(project=project, user=person).update(skipped=F("skipped") + 1)


def _give_up(assignment: Assignment, state: Assignment.State, *, unseen: bool = False) -> bool:
    """Free the slot. A lease given back unseen ends as it began, so that no dose counts it (annotate.care)."""
    until = F("created_at") if unseen else F("leased_until")
    leased = Assignment.objects.filter(pk=assignment.pk, state=Assignment.State.LEASED)
    released = leased.update(state=state, leased_until=until)
    if released and assignment.takes_slot:
        overlap = assignment.item.project.overlap
        Item.objects.filter(pk=assignment.item_id).update(
            taken=F("taken") - 1, wanted=Greatest(F("taken") - 1, Least(F("wanted"), Value(overlap)))
        )
    return bool(released)


def reopen_expired_leases() -> int:
    """Free the slots of leases that ran out, by the database's clock; returns how many items got some back.

    An item that held more slots than a lowered overlap asks for comes down to it. The sweeper calls this.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH expired AS (
                UPDATE annotate_assignment SET state = 'expired'
                WHERE id IN (
                    SELECT id FROM annotate_assignment
                    WHERE state = 'leased' AND leased_until < now()
                    FOR UPDATE SKIP LOCKED)
                RETURNING item_id, repeat
            )
            UPDATE annotate_item item
            SET taken = item.taken - freed.slots,
                wanted = greatest(item.taken - freed.slots, least(item.wanted, project.overlap))
            FROM (SELECT item_id, count(*) AS slots FROM expired WHERE repeat = 0 GROUP BY item_id) freed,
                annotate_project project
            WHERE item.id = freed.item_id AND project.id = item.project_id AND item.purpose = ''
            """
        )
        return cursor.rowcount
