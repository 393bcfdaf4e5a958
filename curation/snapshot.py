"""Read one state of the database while others go on writing."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import polars as pl
import psycopg
from django.db import connection

from annotate.models import Project

Params = Mapping[str, Any] | Sequence[Any]
Progress = Callable[[str, int, int], None]
ROWS_AT_ONCE = 20_000
LOCK_POLL_SECONDS = 0.25


class Snapshot:
    """A connection of its own inside one read-only REPEATABLE READ transaction."""

    def __init__(self, raw: psycopg.Connection[Any], lock: int) -> None:
        self._raw = raw
        self._lock = lock

    def rows(self, sql: str, params: Params) -> Iterator[list[tuple[Any, ...]]]:
        """The result in portions, through a server-side cursor."""
        with self._raw.cursor(name="rows") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(sql, params)
            while portion := cursor.fetchmany(ROWS_AT_ONCE):
                yield portion

    def frame(self, sql: str, params: Params, schema: dict[str, Any]) -> pl.DataFrame:
        """The result as one frame with this schema; the SQL must give its columns in the same order."""
        frames = [pl.DataFrame(portion, schema, orient="row") for portion in self.rows(sql, params)]
        return pl.concat(frames).rechunk() if frames else pl.DataFrame(schema=schema)

    def unlock(self) -> None:
        """Let other builds of this split begin; what they read next includes what was committed by now."""
        self._raw.execute("SELECT pg_advisory_unlock(%s)", [self._lock])


@contextmanager
def open_snapshot(project: Project, split: str, progress: Progress) -> Iterator[Snapshot]:
    """Wait until no other build is choosing sides for this split, then freeze the view of the database.

    The lock belongs to the connection, so it ends with the process, however that ends. It must be taken
    before the transaction begins: the transaction sees the database as it is at its first statement.
    """
    own = connection.copy()
    try:
        own.ensure_connection()
        raw = own.connection
        lock = lock_number(project, split)
        while not raw.execute("SELECT pg_try_advisory_lock(%s)", [lock]).fetchone()[0]:
            progress("waiting for another build", 0, 0)
            time.sleep(LOCK_POLL_SECONDS)
        raw.isolation_level, raw.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        with raw.transaction():
            yield Snapshot(raw, lock)
    finally:
        own.close()


def lock_number(project: Project, split: str) -> int:
    """The advisory lock's number for a project's split, a signed 64-bit integer."""
    digest = blake2b(f"jurybox split {project.pk} {split}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def in_portions(ids: Sequence[int], size: int = ROWS_AT_ONCE) -> Iterator[Sequence[int]]:
    """The ids in runs of at most `size`."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
