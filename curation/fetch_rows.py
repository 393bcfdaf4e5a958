"""The wide half of a build's reading: the contents of the chosen rows and the votes behind their labels."""

from typing import Any

import polars as pl

from curation.layout import ROLE_AND_TEXT, Layout, label_columns
from curation.snapshot import Snapshot

CONTENTS = """
SELECT id, content ->> 'text', content ->> 'prompt', content ->> 'response', (content -> 'turns')::text,
    coalesce(content ->> 'image', (content -> 'images')::text), meta::text
FROM annotate_item WHERE id = ANY(%(ids)s::bigint[])
"""
CONTENT_COLUMNS: dict[str, Any] = {
    "item": pl.Int64,
    "text": pl.String,
    "prompt": pl.String,
    "response": pl.String,
    "turns": pl.String,
    "image": pl.String,
    "meta": pl.String,
}
VOTES = """
SELECT label.item_id, label.part, question.code, voted.place::integer,
    CASE WHEN voted.vote ? 'annotation' THEN 'annotation' WHEN voted.vote ? 'verdict' THEN 'verdict' END,
    coalesce(voted.vote ->> 'annotation', voted.vote ->> 'verdict')::bigint,
    voted.vote ->> 'voter', (voted.vote -> 'value')::text
FROM annotate_label label
JOIN annotate_question question ON question.id = label.question_id
LEFT JOIN LATERAL jsonb_array_elements(label.votes) WITH ORDINALITY AS voted (vote, place) ON true
WHERE label.item_id = ANY(%(ids)s::bigint[])
"""
VOTE_COLUMNS: dict[str, Any] = {
    "item": pl.Int64,
    "part": pl.String,
    "question": pl.String,
    "place": pl.Int32,
    "vote_kind": pl.String,
    "vote_id": pl.Int64,
    "voter": pl.String,
    "vote_value": pl.String,
}
LINEAGE = (
    "id",
    "part",
    "question",
    "value",
    "label_source",
    "vote_kind",
    "vote_id",
    "voter",
    "vote_value",
    "taxonomy_version",
    "rule",
)


def fetch_rows(snapshot: Snapshot, chosen: pl.DataFrame, labels: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The rows as the data files hold them, sorted by id and part; what nobody said is null.

    Args:
        chosen: `item`, `id`, `part`, `kind`, `lang`, `source`, `license`, `group` of the rows.
        labels: the labels of these rows that are exported.
    """
    contents = snapshot.frame(CONTENTS, _ids(chosen), CONTENT_COLUMNS)
    table = chosen.join(contents, on="item", how="left").with_columns(
        pl.col("turns").str.json_decode(ROLE_AND_TEXT),
        pl.col("lang", "source", "license", "group").replace("", None),
    )
    for name, question in layout.questions.items():
        columns = label_columns(labels, name, question)
        table = table.join(columns, on=["item", "part"], how="left", maintain_order="left")
    return table.sort("id", "part").select(*layout.schema).cast(pl.Schema(layout.schema)).rechunk()


def fetch_votes(snapshot: Snapshot, chosen: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """One row for each vote behind each exported label; a label without votes has one row without a vote."""
    votes = snapshot.frame(VOTES, _ids(chosen), VOTE_COLUMNS)
    found = labels.join(votes, on=["item", "part", "question"], how="left")
    return found.sort("id", "part", "question", "place").select(LINEAGE).rechunk()


def _ids(chosen: pl.DataFrame) -> dict[str, Any]:
    return {"ids": chosen["item"].unique().sort().to_list()}
