"""Follow a recipe to the end: read one state of the database, choose, put on sides, balance, write."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from annotate.models import Project
from curation.asked import Asked
from curation.asked_questions import FILTERABLE, asked_questions
from curation.assign_sides import SplitRequest, assign_sides
from curation.balance import balance, rarest
from curation.card import card
from curation.choose_rows import Eligible, choose_rows
from curation.errors import BuildRefused
from curation.folder import MANIFEST, replaced
from curation.layout import layout_of
from curation.manifest import as_text, cells_of, contents_of, counts_of, files_of, manifest_of
from curation.read_pool import filter_digest, mark_found, read_items, read_labels, snapshot_digest
from curation.recipe import ITEM_CELLS, Recipe, check_questions, parse
from curation.saved_filter import Resolved, as_written, resolve
from curation.snapshot import Progress, Snapshot, open_snapshot
from curation.split import TEST, TRAIN, keyed_hash
from curation.write_rows import Chosen, write_rows

NAMED_AT_MOST = 10
QUOTA = "not_in_cell_quota"


@dataclass(frozen=True, slots=True)
class _Selection:
    """The rows to write, the cells that they were taken from, and every other item's reason."""

    rows: pl.DataFrame
    labels: pl.DataFrame
    reasons: pl.DataFrame
    cells: list[dict[str, Any]]
    items: int
    snapshot_digest: str


def build_mix(project: Project, recipe_text: str, out: Path, progress: Progress) -> dict[str, Any]:
    """Build a mix into the folder `out`, which appears, or is replaced, in one step.

    All reading sees one state of the database, however long it takes. Sides are stored before the rows are
    written, so a build that fails later leaves them: they are the same next time.

    Args:
        progress: called with a phase, how much of it is done, and its total.

    Returns:
        The manifest.

    Raises:
        RecipeRefused: the recipe says something that it can't say.
        BuildRefused: a blocked item is in the pool (P8), or nothing is left to export.
        FolderRefused: `out` must not, or can't, be replaced.
    """
    recipe = parse(recipe_text)
    asked = asked_questions(project)
    check_questions(recipe, {q.code: q.options for q in asked if q.kind in FILTERABLE})
    chosen_by = resolve(project, recipe)
    with replaced(out) as folder:
        with open_snapshot(project, recipe.split, progress) as snapshot:
            selection = _select(snapshot, project, recipe, asked, chosen_by, progress)
            exported = asked if recipe.labels != "none" else []
            layout = layout_of(set(selection.rows["kind"].unique()), exported)
            chosen = Chosen(selection.rows, selection.labels, layout, recipe.formats)
            written = write_rows(snapshot, chosen, folder, progress)
        body = {
            "snapshot_digest": selection.snapshot_digest,
            "dataset_digest": written.dataset_digest,
            **counts_of(selection.rows, selection.reasons, selection.items),
            "cells": selection.cells,
            "contents": contents_of(selection.rows, selection.labels, layout),
        }
        manifest = manifest_of(project.slug, as_written(recipe, chosen_by), body)
        (folder / "README.md").write_text(card(manifest), encoding="utf-8")
        manifest["files"] = files_of(folder, written.rows)
        (folder / MANIFEST).write_text(as_text(manifest), encoding="utf-8")
    return manifest


def _select(
    snapshot: Snapshot,
    project: Project,
    recipe: Recipe,
    asked: list[Asked],
    chosen_by: Resolved | None,
    progress: Progress,
) -> _Selection:
    progress("reading items", 0, 0)
    items = mark_found(snapshot, project, read_items(snapshot, project, recipe), chosen_by)
    progress("reading labels", 0, 0)
    labels = read_labels(snapshot, project, items)
    eligible = choose_rows(items, labels, recipe, asked)
    _refuse_blocked(eligible.blocked)
    _refuse_empty(eligible.rows, eligible.reasons)
    request = SplitRequest(
        project=project,
        split=recipe.split,
        test_share=recipe.test_share,
        items=items,
        wanted=eligible.rows.select("item").unique(),
        strata=_strata(eligible, asked),
    )
    sides = assign_sides(snapshot, request, progress)
    snapshot.unlock()
    on_a_side = pl.col("outcome").is_in((TRAIN, TEST))
    reasons = sides.filter(~on_a_side).select("item", pl.col("outcome").alias("reason"))
    rows = eligible.rows.join(sides.filter(on_a_side), on="item").rename({"outcome": "side"})
    taken, cells = _balance(rows, recipe, asked)
    full = rows.join(taken, on="item", how="anti").select("item", pl.lit(QUOTA).alias("reason")).unique("item")
    reasons = pl.concat([eligible.reasons, reasons, full])
    _refuse_empty(taken, reasons)
    return _Selection(
        rows=taken.sort("side", "id", "part"),
        labels=eligible.labels.join(taken, on=["item", "part"], how="semi").sort("id", "part", "question"),
        reasons=reasons,
        cells=cells,
        items=items.height,
        snapshot_digest=snapshot_digest(items, labels, filter_digest(chosen_by, items)),
    )


def _refuse_blocked(blocked: list[str]) -> None:
    """P8: one blocked item stops the whole build."""
    if not blocked:
        return
    more = len(blocked) - NAMED_AT_MOST
    named = ", ".join(blocked[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
    raise BuildRefused(
        f"{len(blocked)} blocked item(s) would be exported: {named}. Nothing was written. "
        "To leave blocked items out, set `blocked: exclude` under `filters`."
    )


def _refuse_empty(rows: pl.DataFrame, reasons: pl.DataFrame) -> None:
    if rows.is_empty():
        counts = reasons.group_by("reason").len().sort("reason").iter_rows()
        why = ", ".join(f"{reason}: {count}" for reason, count in counts)
        raise BuildRefused(f"No item is left to export ({why or 'the project has none'}).")


def _strata(eligible: Eligible, asked: list[Asked]) -> pl.DataFrame:
    """For each item the numbers of the label values that it counts in: `item`, `strata`."""
    counted = [question.code for question in asked if question.kind in ("choice", "scale", "categories")]
    labels = eligible.labels.filter(pl.col("question").is_in(counted)).select("item", "question", "value")
    listed = pl.when(pl.col("value").str.starts_with("[")).then("value").str.json_decode(pl.List(pl.String))
    labels = labels.with_columns(pl.coalesce(listed, pl.concat_list("value")).alias("value"))
    values = labels.explode("value", empty_as_null=True).fill_null(value="").unique()
    strata = values.select("question", "value").unique().sort("question", "value").with_row_index("stratum")
    numbered = values.join(strata, on=["question", "value"]).sort("item", "stratum")
    return numbered.group_by("item", maintain_order=True).agg(pl.col("stratum").cast(pl.Int64))


def _balance(rows: pl.DataFrame, recipe: Recipe, asked: list[Asked]) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    listed = {question.code for question in asked if question.is_listed}
    keys = [f"cell.{key}" for key in recipe.balance]
    rows = rows.with_columns(*(_cell(rows, key, key in listed).alias(f"cell.{key}") for key in recipe.balance))
    order = [
        keyed_hash(f"{item}\0{part}", f"seed {recipe.seed}")
        for item, part in rows.select("id", "part").iter_rows()
    ]
    rows = rows.with_columns(pl.Series("order", order, dtype=pl.UInt64))
    chosen, cells = balance(rows, keys, recipe.per_cell, recipe.test_share)
    return chosen.filter("taken"), cells_of(cells, keys)


def _cell(rows: pl.DataFrame, key: str, is_listed: bool) -> pl.Series:
    """A row's value of a cell's key, as JSON text."""
    if key.startswith("meta."):
        return rows[key].fill_null("null")
    if key in ITEM_CELLS:
        return _quoted(rows[key])
    if is_listed:
        codes = rows.select(pl.col(f"value.{key}").str.json_decode(pl.List(pl.String)))
        return _quoted(rarest(codes, f"value.{key}"))
    return rows[f"value.{key}"]


def _quoted(texts: pl.Series) -> pl.Series:
    """Texts as JSON texts."""
    return pl.Series([json.dumps(text, ensure_ascii=False) for text in texts], dtype=pl.String)
