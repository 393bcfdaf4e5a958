"""Judge: claim a chunk, ask the juror, store the verdicts and close the work in one transaction."""

import random
import time
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models.functions import Now

from annotate.models import Item
from jury.adapters.contract import Reading, Readings
from jury.bench import Sitting, sitting
from jury.claim import MOST_ATTEMPTS, Claimed, claim, finish_if_done, give_back, park_exhausted
from jury.errors import BadJuror, RunOutdated
from jury.item_text import flags_of
from jury.models import Run, Seat, Verdict

# Closing a row is conditioned on the attempt: a worker whose lease was taken over stores nothing.
CLOSE = """
UPDATE jury_work work SET state = mine.state, leased_until = NULL, reason = mine.reason
FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[]) AS mine(id, attempts, state, reason)
WHERE work.id = mine.id AND work.attempts = mine.attempts AND work.state = 'due'
RETURNING work.item_id
"""
# Rows are locked in one order, so that two jurors' chunks over the same items never block each other for good.
MARK_STALE = """
WITH judged AS (SELECT id FROM annotate_item WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)
UPDATE annotate_item item SET labels_stale = true FROM judged WHERE item.id = judged.id
"""


def deliberate(run: Run, seconds: float) -> bool:
    """Work on a run for about so long; True if there is more to do right now.

    A run whose juror changed under it is stopped, with a note.
    """
    until = time.monotonic() + seconds
    seats = list(run.seats.select_related("juror"))
    # Workers that start together begin with different jurors.
    random.shuffle(seats)
    while seats and Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).exists():
        if time.monotonic() >= until:
            return True
        seat = seats.pop(0)
        try:
            if _work_on(seat):
                seats.append(seat)
        except (BadJuror, RunOutdated) as problem:
            stop_with_note(run, str(problem))
    finish_if_done(run)
    return False


def _work_on(seat: Seat) -> bool:
    """One chunk of a seat's work; False if none may be claimed now."""
    park_exhausted(seat)
    # First ready, then claim: learning may take longer than a lease.
    ready = sitting(seat.pk)
    claimed = claim(seat, ready.chunk)
    if claimed:
        _judge(ready, claimed)
    return bool(claimed)


def _judge(ready: Sitting, claimed: Sequence[Claimed]) -> None:
    items = list(Item.objects.filter(pk__in=[row.item_id for row in claimed]))
    readings = ready.judge(items)
    flags = {item.pk: flags_of(item) for item in items}
    untried, again, decided = [], [], []
    for row in claimed:
        reading = readings.get(row.item_id)
        if reading is None:
            untried.append(row)
        elif reading.passing and row.attempt < MOST_ATTEMPTS:
            again.append(row)
        else:
            decided.append(row)
    store(ready, decided, readings, flags)
    give_back(untried, tried=False)
    give_back(again, tried=True)


@transaction.atomic
def store(
    ready: Sitting, claimed: Sequence[Claimed], readings: Readings, flags: dict[int, list[str]]
) -> list[int]:
    """Store the readings of rows that are still this worker's; returns the ids of their items."""
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, _closings(claimed, readings))
        ours = sorted(item_id for (item_id,) in cursor.fetchall())
        verdicts = [_verdict(ready, item_id, readings[item_id], flags[item_id]) for item_id in ours]
        Verdict.objects.filter(
            item_id__in=ours,
            juror_id=ready.seat.juror_id,
            prompt_version=ready.seat.prompt_version,
            part="",
        ).delete()
        Verdict.objects.bulk_create(verdicts, ignore_conflicts=True)
        cursor.execute(MARK_STALE, [ours])
    return ours


def _closings(claimed: Sequence[Claimed], readings: Readings) -> list[list]:
    """The columns of CLOSE: what failed in passing on the last attempt is parked."""
    rows = []
    for row in claimed:
        reading = readings[row.item_id]
        state, reason = ("parked", f"{reading.failure}, {row.attempt} times") if reading.passing else ("done", "")
        rows.append((row.work_id, row.attempt, state, reason))
    return [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]


def _verdict(ready: Sitting, item_id: int, reading: Reading, flags: list[str]) -> Verdict:
    return Verdict(
        item_id=item_id,
        juror_id=ready.seat.juror_id,
        run_id=ready.seat.run_id,
        prompt_version=ready.seat.prompt_version,
        answers=reading.answers,
        covered_categories=reading.covered,
        probabilities=reading.probabilities,
        failure=reading.failure or "",
        flags=flags,
        raw=reading.raw,
        tokens_in=reading.tokens_in,
        tokens_out=reading.tokens_out,
        latency_ms=reading.latency_ms,
    )


def stop_with_note(run: Run, note: str) -> None:
    """Stop a run that can't go on, and say why."""
    Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).update(
        state=Run.State.STOPPED, finished_at=Now(), notes=[*run.notes, note]
    )
