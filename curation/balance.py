"""Take as many rows of each cell as the recipe asks for. Pure Polars."""

import polars as pl

from curation.split import TEST, TRAIN

SIDES = (TRAIN, TEST)
NONE = "(none)"


def rarest(rows: pl.DataFrame, column: str) -> pl.Series:
    """One value for each row of a list-valued column: the rarest of its values, ties by name.

    An empty list gives "(none)", a missing one stays missing.
    """
    long = rows.select(pl.int_range(pl.len()).alias("row"), pl.col(column).alias("value"))
    long = long.explode("value", empty_as_null=True).drop_nulls("value")
    counts = long.group_by("value").len("count")
    best = (
        long.join(counts, on="value", maintain_order="left")
        .sort("row", "count", "value")
        .group_by("row", maintain_order=True)
        .first()
    )
    found = pl.Series(column, [None] * rows.height, dtype=pl.String).scatter(best["row"], best["value"])
    empty = rows[column].list.len() == 0
    return found.zip_with(~empty.fill_null(False), pl.Series(column, [NONE], dtype=pl.String))


def balance(
    rows: pl.DataFrame, cells: list[str], per_cell: int | str | None, test_share: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Choose rows cell by cell inside each side.

    A number is asked for over both sides together and parted by `test_share`; "smallest" asks, on each
    side, for as many as its smallest cell has. A smaller mix of the same seed lies inside a larger one.

    Args:
        rows: columns `side` ("train" or "test"), `order` (which row goes first), `id`, `part`, and the cells'.
        cells: columns whose combinations are the cells; none: one cell holds all.
        per_cell: a number, "smallest", or None for all rows.

    Returns:
        The rows with a Boolean column `taken`, and the cells: one row a cell and side with `wanted`,
        `available`, `taken`, sorted.
    """
    table = _wanted(rows, cells, per_cell, test_share)
    keys = [*cells, "side"]
    ranked = rows.sort("side", "order", "id", "part").with_columns(
        pl.int_range(pl.len()).over(keys).alias("place")
    )
    chosen = ranked.join(table.select(*keys, "wanted"), on=keys, how="left", maintain_order="left")
    chosen = chosen.with_columns((pl.col("place") < pl.col("wanted")).alias("taken")).drop("place", "wanted")
    return chosen, table.with_columns(pl.min_horizontal("wanted", "available").alias("taken"))


def _wanted(rows: pl.DataFrame, cells: list[str], per_cell: int | str | None, test_share: float) -> pl.DataFrame:
    """Cells × sides with `available` and `wanted`; a cell that one side lacks is listed with 0."""
    found = rows.group_by([*cells, "side"]).len("available")
    sides = pl.DataFrame({"side": SIDES})
    table = rows.select(cells).unique().join(sides, how="cross") if cells else sides
    table = table.join(found, on=[*cells, "side"], how="left").with_columns(
        pl.col("available").fill_null(0).cast(pl.Int64)
    )
    available = pl.col("available")
    if per_cell is None:
        wanted = available
    elif isinstance(per_cell, int):
        in_test = int(per_cell * test_share + 0.5)
        wanted = pl.when(side=TEST).then(pl.lit(in_test)).otherwise(pl.lit(per_cell - in_test))
    else:
        wanted = available.filter(available > 0).min().over("side").fill_null(0)
    return table.with_columns(wanted.cast(pl.Int64).alias("wanted")).sort(*cells, "side")
