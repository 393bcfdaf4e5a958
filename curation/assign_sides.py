"""Put rows on the train or the test side, for good (P6)."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from django.db import connection, transaction

from annotate.models import Project
from curation.groups import copies, linked
from curation.models import SplitSide
from curation.near_duplicates import near_duplicates
from curation.read_pool import Texts, read_texts
from curation.snapshot import Progress, Snapshot
from curation.split import TEST, TRAIN, Candidates, choose_sides

Keys = Sequence[Hashable | None]
Numbers = npt.NDArray[np.int64]

STORE = """
INSERT INTO curation_splitside (project_id, split, item_id, side)
SELECT %s, %s, item.id, given.side
FROM unnest(%s::bigint[], %s::text[]) AS given (item, side)
JOIN annotate_item item ON item.id = given.item
"""


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """What decides sides: every item of the project, and which of them the mix may export."""

    project: Project
    split: str
    test_share: float
    items: pl.DataFrame
    wanted: pl.DataFrame
    strata: pl.DataFrame


def assign_sides(snapshot: Snapshot, asked: SplitRequest, progress: Progress) -> pl.DataFrame:
    """Choose and store the sides of the wanted items; those stored earlier stay.

    The caller holds the split's lock (`open_snapshot`), so two builds at once agree.

    Returns:
        `item`, `outcome`: "train", "test", or the reason why the item can be on neither side.
    """
    stored = _stored(asked)
    items = asked.items.join(stored, on="item", how="left", maintain_order="left").with_columns(
        pl.col("stored").fill_null(""),
        pl.col("item").is_in(asked.wanted["item"].implode()).alias("wanted"),
    )
    compared = items.filter(pl.col("wanted") | (pl.col("stored") != ""))
    texts = read_texts(snapshot, compared["item"].to_list(), progress)
    alike = near_duplicates(texts.words, lambda done, total: progress("near-duplicates", done, total))
    candidates = _candidates(items, compared, texts, alike, asked.strata)
    outcome = choose_sides(candidates, asked.test_share, f"{asked.project.slug} {asked.split}")
    found = compared.select("item", "stored", "wanted").with_columns(pl.Series("outcome", outcome.tolist()))
    found = found.filter("wanted")
    _store(asked, found.filter(pl.col("stored") == "", pl.col("outcome").is_in((TRAIN, TEST))))
    return found.select("item", "outcome")


def _stored(asked: SplitRequest) -> pl.DataFrame:
    sides = SplitSide.objects.filter(project=asked.project, split=asked.split).values_list("item_id", "side")
    return pl.DataFrame(list(sides), {"item": pl.Int64, "stored": pl.String}, orient="row")


def _candidates(
    items: pl.DataFrame, compared: pl.DataFrame, texts: Texts, alike: Numbers, strata: pl.DataFrame
) -> Candidates:
    """Groups over all items (an item outside the mix may link two inside), cut to those compared."""
    row_of = {item: row for row, item in enumerate(items["item"].to_list())}
    rows = [row_of[item] for item in texts.items]
    declared: list[Keys] = [
        [key or None for key in items["group"].to_list()],
        copies(items["id"].to_list(), items["parent"].to_list()),
        _spread(texts.same_text, rows, items.height),
        _spread(texts.same_image, rows, items.height),
    ]
    related = _spread(alike.tolist(), rows, items.height)
    is_stored = (items["stored"] != "").to_list()
    among_stored = [
        [key if kept else None for key, kept in zip(keys, is_stored, strict=True)] for keys in declared
    ]
    places = [row_of[item] for item in compared["item"].to_list()]
    by_item = dict(strata.iter_rows())
    return Candidates(
        ids=compared["id"].to_list(),
        group=linked(items.height, [*declared, related]).numbers()[places],
        stored=compared["stored"].to_numpy().astype("<U40"),
        stored_group=linked(items.height, among_stored).numbers()[places],
        use=compared["use"].to_numpy().astype("<U40"),
        wanted=compared["wanted"].to_numpy(),
        strata=[by_item.get(item, ()) for item in compared["item"].to_list()],
    )


def _spread(keys: Keys, rows: list[int], count: int) -> Keys:
    """The keys at their rows of a list of `count`, None elsewhere."""
    spread: list[Hashable | None] = [None] * count
    for row, key in zip(rows, keys, strict=True):
        spread[row] = key
    return spread


@transaction.atomic
def _store(asked: SplitRequest, new: pl.DataFrame) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            STORE,
            [asked.project.pk, asked.split, new["item"].to_list(), new["outcome"].to_list()],
        )
