"""Hand out items: exact overlap, one lease at a time, an order that says nothing of the jury (P2, P3)."""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Least, Now

from annotate.models import Assignment, Item, Membership, Project, User

LEASE = timedelta(minutes=settings.ANNOTATION_LEASE_MINUTES)

# The claim is one conditional update: taken can't pass wanted, whoever races for it.
CLAIM = """
WITH pick AS (
    SELECT item.id FROM annotate_item item
    WHERE item.project_id = %(project)s AND item.taken < item.wanted AND NOT item.blocked
      AND item.rank > %(after)s
      AND NOT EXISTS (
          SELECT 1 FROM annotate_assignment mine
          WHERE mine.item_id = item.id AND mine.annotator_id = %(annotator)s)
    ORDER BY item.rank
    LIMIT 1
    FOR UPDATE OF item {wait}
), claim AS (
    UPDATE annotate_item item SET taken = item.taken + 1
    FROM pick WHERE item.id = pick.id AND item.taken < item.wanted
    RETURNING item.id, item.rank
), lease AS (
    INSERT INTO annotate_assignment (item_id, annotator_id, state, leased_until, created_at)
    SELECT id, %(annotator)s, 'leased', now() + %(lease)s::interval, now() FROM claim
    RETURNING id
)
SELECT lease.id, claim.rank FROM lease, claim
"""
BEFORE_ALL = -(2**63)


def one_at_a_time(annotator: User, project: Project) -> None:
    """Make this person's requests in this project wait for each other until the transaction ends.

    Taken before any row lock, so that two tabs of one person can't block each other for good.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"annotate {project.pk} {annotator.pk}"]
        )


@transaction.atomic
def next_item(annotator: User, project: Project) -> Assignment | None:
    """The annotator's open lease, or a new one on the next item; None if nothing is left for this person.

    Two requests of one person wait for each other, so a double click leases one item. An item whose lease
    ran out comes back first, if a slot is still free.
    """
    one_at_a_time(annotator, project)
    membership = Membership.objects.filter(project=project, user=annotator).first()
    open_lease = _own_lease(annotator, project)
    if open_lease is not None:
        return open_lease
    after = BEFORE_ALL if membership is None or membership.last_rank is None else membership.last_rank
    claimed = _claim(annotator, project, after, "SKIP LOCKED")
    if claimed is None:
        # Round the end: items behind us that opened again. This time wait for rows that others hold.
        claimed = _claim(annotator, project, BEFORE_ALL, "")
    if claimed is None:
        return None
    assignment_id, rank = claimed
    if membership is not None:
        Membership.objects.filter(pk=membership.pk).update(last_rank=rank)
    return Assignment.objects.select_related("item").get(pk=assignment_id)


def _claim(annotator: User, project: Project, after: int, wait: str) -> tuple[int, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM.format(wait=wait),
            {"project": project.pk, "annotator": annotator.pk, "after": after, "lease": str(LEASE)},
        )
        return cursor.fetchone()


def _own_lease(annotator: User, project: Project) -> Assignment | None:
    """The person's open lease, made longer; else an item whose lease ran out, if a slot is still free."""
    leased = Q(state=Assignment.State.LEASED)
    free_again = Q(state=Assignment.State.EXPIRED, item__taken__lt=F("item__wanted"))
    mine = Assignment.objects.select_related("item").filter(
        leased | free_again, annotator=annotator, item__project=project, item__blocked=False
    )
    for assignment in mine.order_by("-state", "id")[:5]:
        if assignment.state == Assignment.State.LEASED:
            Assignment.objects.filter(pk=assignment.pk).update(leased_until=Now() + LEASE)
            return assignment
        if retake(assignment):
            return assignment
    return None


def retake(assignment: Assignment) -> bool:
    """Lease the item of an expired assignment again; False if its slots are gone meanwhile."""
    claimed = Item.objects.filter(pk=assignment.item_id, taken__lt=F("wanted")).update(taken=F("taken") + 1)
    if not claimed:
        return False
    assignment.state = Assignment.State.LEASED
    Assignment.objects.filter(pk=assignment.pk).update(state=assignment.state, leased_until=Now() + LEASE)
    return True


@transaction.atomic
def skip(assignment: Assignment) -> None:
    """Give the item to somebody else; this person does not get it again."""
    one_at_a_time(assignment.annotator, assignment.item.project)
    released = Assignment.objects.filter(pk=assignment.pk, state=Assignment.State.LEASED).update(
        state=Assignment.State.SKIPPED
    )
    if released:
        overlap = assignment.item.project.overlap
        Item.objects.filter(pk=assignment.item_id).update(
            taken=F("taken") - 1, wanted=Greatest(F("taken") - 1, Least(F("wanted"), Value(overlap)))
        )


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
                RETURNING item_id
            )
            UPDATE annotate_item item
            SET taken = item.taken - freed.slots,
                wanted = greatest(item.taken - freed.slots, least(item.wanted, project.overlap))
            FROM (SELECT item_id, count(*) AS slots FROM expired GROUP BY item_id) freed, annotate_project project
            WHERE item.id = freed.item_id AND project.id = item.project_id
            """
        )
        return cursor.rowcount
