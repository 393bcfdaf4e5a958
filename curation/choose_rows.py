"""Which rows a recipe may use, and for every other item the one reason why not. Pure Polars.

A row is an item, or one part of it where its labels are about parts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from curation.asked import UNSURE_VALUE, Asked
from curation.balance import NONE
from curation.recipe import Recipe, Scalar

LABEL_SOURCES = {
    "record": None,
    # People who had seen the jury's votes lean towards them, so their labels are taken only where asked for.
    "human": ("human_vote", "adjudication", "imported"),
    "assisted": ("human_vote", "human_assisted", "adjudication", "imported"),
    "jury": ("jury",),
    "none": (),
}
NO_LABEL = ("contested", "too_few", "other_label_source", "no_label")


@dataclass(frozen=True, slots=True)
class Eligible:
    """What filters and labels leave.

    Attributes:
        rows: `item`, `id`, `part` and the items' other columns, sorted by id and part.
        labels: the labels to export: `item`, `part`, `question`, `value` (JSON text), `label_source`,
            `confidence`, …
        reasons: `item`, `reason` for every item without a row.
        blocked: external ids of blocked items that the filters let through.
    """

    rows: pl.DataFrame
    labels: pl.DataFrame
    reasons: pl.DataFrame
    blocked: list[str]


def choose_rows(items: pl.DataFrame, labels: pl.DataFrame, recipe: Recipe, asked: Sequence[Asked]) -> Eligible:
    """Apply the recipe's filters and its label policy.

    Args:
        items: the columns of `read_pool.read_items`, and `found`: whether the saved filter finds them.
        labels: those of `read_pool.read_labels`, in every state.
    """
    judged = items.with_columns(_item_reason(recipe).alias("reason"))
    left = judged.filter(pl.col("reason").is_null()).drop("reason")
    blocked = left.filter("blocked")["id"].to_list()

    rated = labels.join(left.select("item"), on="item", how="semi").with_columns(_status(recipe).alias("status"))
    exported = rated.filter(pl.col("status").is_null()).drop("status")
    if recipe.labels == "none":
        exported = exported.clear()
    rows = _rows(left, exported, rated, recipe)
    rows = _with_answers(rows, rated, recipe, asked)
    rows = rows.with_columns(_row_reason(recipe).alias("reason"))
    kept = rows.filter(pl.col("reason").is_null()).drop("reason", "unlabelled").sort("id", "part")
    lost = rows.join(kept, on="item", how="anti").sort("id", "part").unique("item", keep="first")
    reasons = pl.concat([judged.drop_nulls("reason").select("item", "reason"), lost.select("item", "reason")])
    exported = exported.join(kept, on=["item", "part"], how="semi").sort("id", "part", "question")
    return Eligible(kept, exported, reasons, blocked)


def _item_reason(recipe: Recipe) -> pl.Expr:
    reasons = [pl.when(~pl.col("found")).then(pl.lit("filtered_out.filter"))]
    for kept in recipe.filters:
        if kept.key.startswith("label."):
            continue
        values = _as_json(kept.values) if kept.key.startswith("meta.") else list(kept.values)
        passes = pl.col(kept.key).is_in(values).fill_null(False)
        reasons.append(pl.when(~passes).then(pl.lit(f"filtered_out.{kept.key}")))
    if recipe.exclude_blocked:
        reasons.append(pl.when("blocked").then(pl.lit("blocked_excluded")))
    reasons.append(pl.when("known_answer").then(pl.lit("known_answer")))
    reasons.append(pl.when("withdrawn").then(pl.lit("withdrawn")))
    return pl.coalesce(reasons)


def _as_json(values: tuple[Scalar, ...]) -> list[str]:
    return [json.dumps(value, ensure_ascii=False) for value in values]


def _status(recipe: Recipe) -> pl.Expr:
    """Why a label is not exported; null where it is."""
    sources = LABEL_SOURCES[recipe.labels]
    other = pl.lit(False) if sources is None else ~pl.col("label_source").is_in(sources)
    unsettled = pl.when(pl.col("state") != "settled").then(pl.col("state"))
    return pl.coalesce(unsettled, pl.when(other).then(pl.lit("other_label_source")))


def _rows(left: pl.DataFrame, exported: pl.DataFrame, rated: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """A row for each part that has a label; one with an empty part for an item without any."""
    parts = exported.select("item", "part").unique()
    bare = left.join(parts, on="item", how="anti").select("item", pl.lit("").alias("part"))
    # Of an item without any label, what came closest to one.
    nearest = rated.group_by("item").agg(
        pl.col("status").replace_strict(NO_LABEL, range(4), return_dtype=pl.Int64).min().alias("nearest")
    )
    bare = bare.join(nearest, on="item", how="left").with_columns(
        pl.col("nearest")
        .fill_null(NO_LABEL.index("no_label"))
        .replace_strict(range(4), NO_LABEL, return_dtype=pl.String)
        .alias("unlabelled")
    )
    if recipe.labels == "none":
        bare = bare.with_columns(pl.lit(None, pl.String).alias("unlabelled"))
    labelled = parts.with_columns(pl.lit(None, pl.String).alias("unlabelled"))
    rows = pl.concat([labelled, bare.select("item", "part", "unlabelled")])
    return rows.join(left, on="item")


def _with_answers(rows: pl.DataFrame, rated: pl.DataFrame, recipe: Recipe, asked: Sequence[Asked]) -> pl.DataFrame:
    """The rows with value and status of every question that the recipe filters or balances by."""
    balanced = [question for question in asked if question.code in recipe.balanced_questions]
    needed = [code for question in balanced for code, _ in question.condition]
    for code in dict.fromkeys((*recipe.label_filters, *recipe.balanced_questions, *needed)):
        rows = rows.join(_answers(rated, code), on=["item", "part"], how="left", maintain_order="left")
    for question in balanced:
        if question.condition:
            rows = _fill_not_asked(rows, question)
    return rows


def _answers(rated: pl.DataFrame, question: str) -> pl.DataFrame:
    """One question's values and states under names of their own."""
    return rated.filter(question=question).select(
        "item",
        "part",
        pl.col("value").alias(f"value.{question}"),
        pl.coalesce("status", pl.lit("settled")).alias(f"status.{question}"),
    )


def _fill_not_asked(rows: pl.DataFrame, question: Asked) -> pl.DataFrame:
    """A question that the row's other labels rule out is no gap: for balancing, its value is "(none)"."""
    value, status = f"value.{question.code}", f"status.{question.code}"
    states = [pl.col(f"status.{code}") for code, _ in question.condition]
    holds = [pl.col(f"value.{code}") == wanted for code, wanted in question.condition]
    ruled_out = [
        state.is_null() | ((state == "settled") & ~held) for state, held in zip(states, holds, strict=True)
    ]
    not_asked = (
        pl.col(status).is_null()
        & pl.all_horizontal(ruled_out)
        & pl.any_horizontal([(state == "settled").fill_null(False) for state in states])
    )
    none = pl.lit("[]" if question.is_listed else f'"{NONE}"')
    return rows.with_columns(
        pl.when(not_asked).then(none).otherwise(value).alias(value),
        pl.when(not_asked).then(pl.lit("settled")).otherwise(status).alias(status),
    )


def _row_reason(recipe: Recipe) -> pl.Expr:
    reasons = []
    for question, values in recipe.label_filters.items():
        passes = (pl.col(f"status.{question}") == "settled") & _is_one_of(question, values)
        reasons.append(pl.when(~passes.fill_null(False)).then(pl.lit(f"filtered_out.label.{question}")))
    for question in recipe.balanced_questions:
        status = pl.col(f"status.{question}").fill_null("no_label")
        reasons.append(pl.when(status != "settled").then(status))
        reasons.append(pl.when(pl.col(f"value.{question}") == UNSURE_VALUE).then(pl.lit("unsure")))
    return pl.coalesce(*reasons, "unlabelled")


def _is_one_of(question: str, values: tuple[Scalar, ...]) -> pl.Expr:
    """The value is among the wanted ones, or (a list) holds one of them."""
    value, wanted = pl.col(f"value.{question}"), _as_json(values)
    listed = pl.when(value.str.starts_with("[")).then(value).str.json_decode(pl.List(pl.String))
    texts = [text for text in values if isinstance(text, str)]
    return value.is_in(wanted) | listed.list.set_intersection(texts).list.len().gt(0).fill_null(False)
