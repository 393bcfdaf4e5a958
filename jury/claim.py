"""Claim work: rows of one seat for one worker, with a lease by the database's clock and counted attempts.

An attempt is counted before it is made. A row that was attempted before is claimed alone, so that an item
that kills its worker takes no neighbours along; after three attempts it is parked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from annotate.models import Item
from jury.models import Failure, Run, Seat, Verdict, Work

MOST_ATTEMPTS = 3

CLAIM = """
WITH pick AS (
    SELECT id FROM jury_work
    WHERE seat_id = %(seat)s AND state = 'due' AND attempts {attempts}
      AND (leased_until IS NULL OR leased_until < now())
    ORDER BY attempts, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE jury_work work
SET attempts = work.attempts + 1, leased_until = now() + make_interval(secs => %(lease)s)
FROM pick WHERE work.id = pick.id
RETURNING work.id, work.item_id, work.attempts
"""
PARK = """
WITH pick AS (
    SELECT id FROM jury_work
    WHERE seat_id = %(seat)s AND state = 'due' AND attempts >= %(most)s AND leased_until < now()
    FOR UPDATE SKIP LOCKED
)
UPDATE jury_work work SET state = 'parked', leased_until = NULL, reason = %(reason)s
FROM pick WHERE work.id = pick.id
RETURNING work.item_id
"""
GIVE_BACK = """
UPDATE jury_work work SET leased_until = {until}, attempts = work.attempts - {less}
FROM unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS mine(id, attempts)
WHERE work.id = mine.id AND work.attempts = mine.attempts AND work.state = 'due'
"""
REASON = "The worker died or ran out of time on this item three times."


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed row. `attempt` is the fence: whoever claims it later holds a higher one."""

    work_id: int
    item_id: int
    attempt: int


def claim(seat: Seat, chunk: int) -> list[Claimed]:
    """Up to `chunk` fresh rows, or else one that was attempted before; empty if none may be claimed now."""
    return _claim(seat, "= 0", chunk) or _claim(seat, f"BETWEEN 1 AND {MOST_ATTEMPTS - 1}", 1)


def _claim(seat: Seat, attempts: str, limit: int) -> list[Claimed]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            CLAIM.format(attempts=attempts),
            {
                "seat": seat.pk,
                "limit": limit,
                "lease": settings.JURY_LEASE_SECONDS,
            },
        )
        return sorted((Claimed(*row) for row in cursor.fetchall()), key=lambda row: row.item_id)


def give_back(claimed: Sequence[Claimed], *, tried: bool) -> None:
    """Return rows that stay due: not tried ones at once and uncounted, tried ones after a growing pause."""
    until = "now() + make_interval(secs => %(lease)s / 6.0 * work.attempts)" if tried else "NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            GIVE_BACK.format(until=until, less=0 if tried else 1),
            {
                "ids": [row.work_id for row in claimed],
                "attempts": [row.attempt for row in claimed],
                "lease": settings.JURY_LEASE_SECONDS,
            },
        )


@transaction.atomic
def park_exhausted(seat: Seat) -> int:
    """Park rows whose last attempt ended without a word, each with a verdict that says so; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(PARK, {"seat": seat.pk, "most": MOST_ATTEMPTS, "reason": REASON})
        item_ids = [item_id for (item_id,) in cursor.fetchall()]
    Verdict.objects.bulk_create(
        (
            Verdict(
                item_id=item_id,
                juror_id=seat.juror_id,
                prompt_version=seat.prompt_version,
                run_id=seat.run_id,
                failure=Failure.ERROR,
            )
            for item_id in item_ids
        ),
        ignore_conflicts=True,
    )
    Item.objects.filter(pk__in=item_ids).update(labels_stale=True)
    return len(item_ids)


def finish_if_done(run: Run) -> bool:
    """Close a running run that has no due work left; True if this call closed it."""
    still_due = Work.objects.filter(seat__run=run, state=Work.State.DUE)
    running = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING)
    if still_due.exists():
        return False
    return bool(running.update(state=Run.State.DONE, finished_at=Now()))
