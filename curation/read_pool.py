"""The narrow half of a build's reading: what decides which rows are taken, without their texts."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from annotate.filters import items_of
from annotate.models import Project
from curation.near_duplicates import WordSets, WordSetsBuilder
from curation.recipe import Recipe
from curation.saved_filter import Resolved
from curation.snapshot import Progress, Snapshot, in_portions

ITEMS = """
SELECT item.id, external_id, kind, content_hash, source.name, source.licence, source.use, source.withdrawn,
    lang, group_key, parent, blocked, md5(meta::text), purpose <> ''{meta}
FROM annotate_item item JOIN annotate_source source ON source.id = item.source_id
WHERE item.project_id = %(project)s
"""
ITEM_COLUMNS: dict[str, Any] = {
    "item": pl.Int64,
    "id": pl.String,
    "kind": pl.String,
    "content_hash": pl.String,
    "source": pl.String,
    "license": pl.String,
    "use": pl.String,
    "withdrawn": pl.Boolean,
    "lang": pl.String,
    "group": pl.String,
    "parent": pl.String,
    "blocked": pl.Boolean,
    "meta_hash": pl.String,
    "known_answer": pl.Boolean,
}
LABELS = """
SELECT label.item_id, label.part, question.code, label.state, label.value::text, label.source,
    label.confidence, taxonomy.code || ' ' || version.version, label.rule, md5(label.votes::text)
FROM annotate_label label
JOIN annotate_question question ON question.id = label.question_id
LEFT JOIN annotate_taxonomyversion version ON version.id = label.taxonomy_version_id
LEFT JOIN annotate_taxonomy taxonomy ON taxonomy.id = version.taxonomy_id
WHERE question.project_id = %(project)s
"""
LABEL_COLUMNS: dict[str, Any] = {
    "item": pl.Int64,
    "part": pl.String,
    "question": pl.String,
    "state": pl.String,
    "value": pl.String,
    "label_source": pl.String,
    "confidence": pl.Float64,
    "taxonomy_version": pl.String,
    "rule": pl.String,
    "votes_hash": pl.String,
}
TEXTS = """
SELECT id, coalesce(
    content ->> 'text', content ->> 'prompt',
    (SELECT string_agg(turn ->> 'text', E'\\n' ORDER BY place)
     FROM jsonb_array_elements(content -> 'turns') WITH ORDINALITY AS spoken (turn, place)), ''),
    coalesce(content ->> 'image', (content -> 'images')::text)
FROM annotate_item WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id
"""


def read_items(snapshot: Snapshot, project: Project, recipe: Recipe) -> pl.DataFrame:
    """Every item of the project, sorted by external id; `meta.NAME` columns hold JSON text."""
    names = {f"meta{i}": name for i, name in enumerate(recipe.meta_names)}
    more = "".join(f", (meta -> %({param})s::text)::text" for param in names)
    schema = ITEM_COLUMNS | {f"meta.{name}": pl.String for name in names.values()}
    return snapshot.frame(ITEMS.format(meta=more), {"project": project.pk, **names}, schema).sort("id")


def mark_found(
    snapshot: Snapshot, project: Project, items: pl.DataFrame, resolved: Resolved | None
) -> pl.DataFrame:
    """The items with a column `found`: whether the filter finds them in this state of the database."""
    if resolved is None:
        return items.with_columns(pl.lit(True).alias("found"))
    text, params = items_of(project, resolved.conditions).values("pk").query.sql_with_params()
    ids = snapshot.frame(text, params, {"item": pl.Int64})
    return items.with_columns(pl.col("item").is_in(ids["item"].implode()).alias("found"))


def filter_digest(resolved: Resolved | None, items: pl.DataFrame) -> bytes:
    """What the filter adds to the snapshot's digest: it may ask for flags and votes, which that doesn't hold."""
    if resolved is None:
        return b""
    found = items.filter("found")["id"].sort().to_list()
    return json.dumps([resolved.conditions, found], ensure_ascii=False, sort_keys=True).encode()


def read_labels(snapshot: Snapshot, project: Project, items: pl.DataFrame) -> pl.DataFrame:
    """Every label of record of the project, sorted by external id, part and question."""
    labels = snapshot.frame(LABELS, {"project": project.pk}, LABEL_COLUMNS)
    return labels.join(items.select("item", "id"), on="item").sort("id", "part", "question")


def snapshot_digest(items: pl.DataFrame, labels: pl.DataFrame, more: bytes = b"") -> str:
    """SHA-256 over everything that a mix can depend on, as canonical JSON lines; `more` is a filter's part."""
    found = hashlib.sha256(more)
    for frame in (items.select(*list(ITEM_COLUMNS)[1:]), labels.drop("item")):
        for part in frame.iter_slices(50_000):
            found.update(part.write_ndjson().encode())
    return found.hexdigest()


@dataclass(frozen=True, slots=True)
class Texts:
    """What the texts of some items say about each other; lists are parallel to `items`."""

    items: list[int]
    same_text: list[bytes | None]
    same_image: list[str | None]
    words: WordSets


def read_texts(snapshot: Snapshot, item_ids: list[int], progress: Progress) -> Texts:
    """Read the texts once, portion by portion, and keep only their words' numbers."""
    builder = WordSetsBuilder()
    items: list[int] = []
    same_text: list[bytes | None] = []
    same_image: list[str | None] = []
    for item, text, image in _texts(snapshot, item_ids):
        items.append(item)
        same_text.append(builder.add(text))
        same_image.append(image)
        if len(items) % 5000 == 0:
            progress("reading texts", len(items), len(item_ids))
    return Texts(items, same_text, same_image, builder.finish())


def _texts(snapshot: Snapshot, item_ids: list[int]) -> Iterator[tuple[int, str, str | None]]:
    for ids in in_portions(sorted(item_ids)):
        for portion in snapshot.rows(TEXTS, {"ids": list(ids)}):
            yield from portion
