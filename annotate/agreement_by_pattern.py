"""Krippendorff's alpha from patterns: which values an item got, and how many items got exactly those.

For a whole project there are far fewer patterns than judgements, so the database counts and this only weighs.
The figures are those of `annotate.agreement`, which takes the judgements one by one. Pure arithmetic.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from annotate.agreement_coefficients import (
    CountTable,
    NotComputable,
    Result,
    krippendorff_alpha,
    krippendorff_ordinal_alpha,
)
from annotate.agreement_weights import disagreement, masi

Level = Literal["nominal", "ordinal", "interval", "sets"]
# The values given to an item by all who answered, in any order, with how many items have them.
Patterns = Iterable[tuple[Sequence[Hashable], int]]
# Beyond this many different sets the table of their distances takes seconds.
MOST_SETS = 1_500


def alpha_of(patterns: Patterns, level: Level = "nominal", order: Sequence[Hashable] = ()) -> Result:
    """Krippendorff's alpha with its interval (bootstrap over items).

    Args:
        level: which difference between values counts; `sets` is MASI distance over frozensets.
        order: the values from lowest to highest; numbers for `interval`. Values outside it are left out.
    """
    merged = _merged(patterns)
    if level in ("ordinal", "interval"):
        values: list[Hashable] = [value for value in order if any(value in pattern for pattern in merged)]
    else:
        values = sorted({value for pattern in merged for value in pattern}, key=repr)
    if len(values) > MOST_SETS:
        return NotComputable(f"there are {len(values):,} different answers")
    if not values:
        return NotComputable("nobody has answered yet")
    table = _table(merged, values)
    if level == "ordinal":
        return krippendorff_ordinal_alpha(table)
    if level == "interval":
        return krippendorff_alpha(table, disagreement("quadratic", [float(str(value)) for value in values]))
    if level == "sets":
        return krippendorff_alpha(table, masi([frozenset(value) for value in values]))  # type: ignore[call-overload]
    return krippendorff_alpha(table, disagreement("identity", range(len(values))))


def presence_alpha(named: Mapping[tuple[int, int], int]) -> Result:
    """Alpha of whether a category is there, from how many of an item's voters named it.

    Args:
        named: items by (voters who named it, all voters).
    """
    rows = [(yes, voters - yes) for yes, voters in named]
    table = CountTable(
        np.array(rows, dtype=np.float64).reshape(-1, 2), np.array([*named.values()], dtype=np.int64)
    )
    return krippendorff_alpha(table, disagreement("identity", range(2)))


def _merged(patterns: Patterns) -> Counter[tuple[Hashable, ...]]:
    """Equal patterns together; one pattern may come in several orders, and sets in several spellings."""
    merged: Counter[tuple[Hashable, ...]] = Counter()
    for values, items in patterns:
        merged[tuple(sorted(values, key=repr))] += items
    return merged


def _table(patterns: Counter[tuple[Hashable, ...]], values: Sequence[Hashable]) -> CountTable:
    column = {value: place for place, value in enumerate(values)}
    counts = np.zeros((len(patterns), max(len(values), 1)))
    for row, pattern in enumerate(patterns):
        for value in pattern:
            if value in column:
                counts[row, column[value]] += 1
    kept = counts.sum(axis=1) > 0
    return CountTable(counts[kept], np.array([*patterns.values()], dtype=np.int64)[kept])
