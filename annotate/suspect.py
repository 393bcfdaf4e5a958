"""What the jury suspects in an item: it may withhold the item from a person, and is shown to nobody (P3)."""

import json
from collections.abc import Iterable, Mapping

from django.db import connection


def note_suspicions(suspected: Mapping[int, Iterable[str]]) -> int:
    """Write down what jurors suspect in items; returns how many of them changed. Shown to nobody (P3).

    Args:
        suspected: item id to the codes that any juror named; the whole of it, so no codes clear it.
    """
    rows = sorted((item, sorted(set(codes))) for item, codes in suspected.items())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH told AS (
                SELECT id, codes::varchar(100)[] AS codes
                FROM jsonb_to_recordset(%s::jsonb) AS row (id bigint, codes text[])),
            changed AS (
                SELECT item.id, told.codes FROM annotate_item item JOIN told USING (id)
                WHERE item.suspected IS DISTINCT FROM told.codes
                ORDER BY item.id FOR NO KEY UPDATE OF item)
            UPDATE annotate_item item SET suspected = changed.codes FROM changed WHERE item.id = changed.id
            """,
            [json.dumps([{"id": item, "codes": codes} for item, codes in rows])],
        )
        return cursor.rowcount
