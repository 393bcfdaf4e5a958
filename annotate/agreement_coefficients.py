"""Agreement coefficients over counts of values, each with a bootstrap interval.

Every coefficient is 1 - D_o / D_e: the disagreement seen within items over the disagreement that chance
would bring. They differ in what they call chance. Both parts follow from sums over items, so an item enters
only as a row of features, and resampling items is drawing how often each distinct row occurs (multinomial)
and one matrix product.

Sources: Krippendorff, Content Analysis (2nd edition, chapter 11); Fleiss 1971; Scott 1955; Cohen 1960 and
1968; Conger 1980; Brennan and Prediger 1981; Gwet, Handbook of Inter-Rater Reliability (4th edition).
`tests/annotate/test_agreement.py` holds them to published values.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from annotate.agreement_weights import FloatArray

IntArray: TypeAlias = NDArray[np.int64]
# totals (replicates x features) -> observed and expected disagreement, each (replicates,)
Formula: TypeAlias = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

NUMBERS_HELD = 2_000_000  # most numbers in one block of resampled counts (16 MB)


@dataclass(frozen=True)
class Statistic:
    """A coefficient and its 95 % percentile interval from resampled items."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, object]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class NotComputable:
    """Why there is no coefficient, in words for a person."""

    reason: str

    def as_json(self) -> dict[str, object]:
        return {"value": None, "reason": self.reason}


Result: TypeAlias = Statistic | NotComputable


@dataclass(frozen=True)
class Resampling:
    """How many times the items are drawn again for an interval, and from which seed."""

    replicates: int = 1000
    seed: int = 0


DEFAULT_RESAMPLING = Resampling()


@dataclass(frozen=True)
class CountTable:
    """How often each value was given to an item: distinct rows and the number of items that show each.

    ``counts`` is (rows x values) without empty rows, ``items`` is (rows,).
    """

    counts: FloatArray
    items: IntArray

    @classmethod
    def of(cls, counts: NDArray[np.integer]) -> "CountTable":
        """From counts (items x values), one row an item; items without any value are left out."""
        rows, items = np.unique(counts[counts.sum(axis=1) > 0], axis=0, return_counts=True)
        return cls(rows.astype(np.float64), items.astype(np.int64))

    def of_values(self, columns: Sequence[int] | IntArray) -> "CountTable":
        """Only the values in ``columns``, in that order; they must hold all that were given."""
        return CountTable(self.counts[:, columns], self.items)

    def pairable(self) -> "CountTable":
        """Only the items with two values or more."""
        keep = self.counts.sum(axis=1) >= 2
        return CountTable(self.counts[keep], self.items[keep])


def krippendorff_alpha(
    table: CountTable, disagreement: FloatArray, resampling: Resampling = DEFAULT_RESAMPLING
) -> Result:
    """Krippendorff's alpha under a fixed disagreement (values x values); values may be missing.

    Items with fewer than two values are ignored.
    """
    table = table.pairable()
    ratings = table.counts.sum(axis=1)
    within = _pair_sums(table.counts, disagreement) / (ratings - 1)

    def formula(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
        used = totals[:, 1:]
        return totals[:, 0] * (used.sum(axis=1) - 1), _pair_sums(used, disagreement)

    return _estimate(table, np.column_stack([within, table.counts]), formula, resampling)


def krippendorff_ordinal_alpha(table: CountTable, resampling: Resampling = DEFAULT_RESAMPLING) -> Result:
    """Krippendorff's alpha for values in columns from lowest to highest.

    His ordinal difference between two values is the squared distance of their middle ranks, so it follows
    the values in use and is worked out anew in every replicate.
    """
    table = table.pairable()
    counts, values = table.counts, table.counts.shape[1]
    pairs = counts[:, :, None] * (counts[:, None, :] - np.eye(values))
    coincidences = pairs / (counts.sum(axis=1) - 1)[:, None, None]

    def formula(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
        seen = totals.reshape(-1, values, values)
        used = seen.sum(axis=2)
        rank = used.cumsum(axis=1) - used / 2
        apart = (rank[:, :, None] - rank[:, None, :]) ** 2
        expected = (used[:, :, None] * used[:, None, :] * apart).sum(axis=(1, 2))
        return (seen * apart).sum(axis=(1, 2)) * (used.sum(axis=1) - 1), expected

    return _estimate(table, coincidences.reshape(len(counts), values**2), formula, resampling)


def fleiss_kappa(
    table: CountTable, disagreement: FloatArray, resampling: Resampling = DEFAULT_RESAMPLING
) -> Result:
    """Fleiss' kappa; refused unless every item has the same number of values."""
    ratings = table.counts.sum(axis=1).astype(np.int64)
    if np.unique(ratings).size > 1:
        usual = int(np.bincount(ratings, weights=table.items).argmax())
        other = int(table.items[ratings != usual].sum())
        return NotComputable(
            f"Fleiss' kappa needs the same number of values on every item; {other} of"
            f" {table.items.sum()} items do not have {usual}"
        )
    return generalised_pi(table, disagreement, resampling)


def generalised_pi(
    table: CountTable, disagreement: FloatArray, resampling: Resampling = DEFAULT_RESAMPLING
) -> Result:
    """Scott's pi for two raters and Fleiss' kappa for more, where values may be missing (Gwet)."""
    return _from_shares(table, disagreement, lambda shares: _pair_sums(shares, disagreement), resampling)


def gwet_ac(table: CountTable, disagreement: FloatArray, resampling: Resampling = DEFAULT_RESAMPLING) -> Result:
    """Gwet's AC1 (identity weights) or AC2 (any other); the columns must be all values on offer."""
    values = max(len(disagreement), 2)  # a lone value is a choice between it and some other
    agreement_weight = (values**2 - disagreement.sum()) / (values * (values - 1))

    def chance(shares: FloatArray) -> FloatArray:
        return 1 - agreement_weight * (shares * (1 - shares)).sum(axis=1)

    return _from_shares(table, disagreement, chance, resampling)


def brennan_prediger(
    table: CountTable, disagreement: FloatArray, resampling: Resampling = DEFAULT_RESAMPLING
) -> Result:
    """Brennan and Prediger's coefficient: chance picks every value equally often."""
    return _from_shares(table, disagreement, lambda shares: np.full(len(shares), disagreement.mean()), resampling)


def percent_agreement(
    table: CountTable, disagreement: FloatArray, resampling: Resampling = DEFAULT_RESAMPLING
) -> Result:
    """The mean over items of the share of rater pairs that agree, with no correction for chance."""
    return _from_shares(table, disagreement, lambda shares: np.ones(len(shares)), resampling)


def conger_kappa(
    ratings: IntArray,
    disagreement: FloatArray,
    resampling: Resampling = DEFAULT_RESAMPLING,
    items: IntArray | None = None,
) -> Result:
    """Conger's kappa, which is Cohen's (weighted) kappa for two raters: chance keeps each rater's habits.

    ``ratings`` is (rows x raters), value codes from 0, -1 where missing; ``items`` says how many items show
    each row, one where left out.
    """
    values, raters = len(disagreement), ratings.shape[1]
    given = (ratings[:, :, None] == np.arange(values)).astype(np.float64)
    items = np.ones(len(ratings), dtype=np.int64) if items is None else items
    table = CountTable(given.sum(axis=1), items)

    def formula(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
        used = totals[:, 2:].reshape(-1, raters, values)
        shares = used / np.maximum(used.sum(axis=2, keepdims=True), 1)
        present = (used.sum(axis=2) > 0).sum(axis=1)
        own = _pair_sums(shares, disagreement).sum(axis=1)
        between = _pair_sums(shares.sum(axis=1), disagreement) - own
        return totals[:, 0], totals[:, 1] * between / np.maximum(present * (present - 1), 1)

    habits = given.reshape(len(ratings), raters * values)
    features = np.column_stack([*_within_items(table, disagreement), habits])
    return _estimate(table, features, formula, resampling)


def _pair_sums(counts: FloatArray, disagreement: FloatArray) -> FloatArray:
    """Disagreement summed over all ordered pairs of the values counted along the last axis."""
    return ((counts @ disagreement) * counts).sum(axis=-1)


def _within_items(table: CountTable, disagreement: FloatArray) -> tuple[FloatArray, FloatArray]:
    """For each row the mean disagreement over its pairs of values, and whether it has a pair at all."""
    ratings = table.counts.sum(axis=1)
    pairs = np.maximum(ratings * (ratings - 1), 1)
    return _pair_sums(table.counts, disagreement) / pairs, (ratings >= 2).astype(np.float64)


def _from_shares(
    table: CountTable,
    disagreement: FloatArray,
    chance: Callable[[FloatArray], FloatArray],
    resampling: Resampling,
) -> Result:
    """A coefficient whose chance disagreement depends on the mean share of each value over all items."""

    def formula(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
        shares = totals[:, 2:] / totals[:, 2:].sum(axis=1, keepdims=True)
        return totals[:, 0], totals[:, 1] * chance(shares)

    shares = table.counts / table.counts.sum(axis=1, keepdims=True)
    features = np.column_stack([*_within_items(table, disagreement), shares])
    return _estimate(table, features, formula, resampling)


def _estimate(table: CountTable, features: FloatArray, formula: Formula, resampling: Resampling) -> Result:
    """The coefficient over the items of ``table``, with its interval; ``features`` is (rows x features).

    A replicate without any variation has no coefficient and is left out of the interval.
    """
    pairable = int(table.pairable().items.sum())
    if pairable < 2:
        return NotComputable(f"values from two raters are needed on at least 2 items; {pairable} have them")
    value = _coefficients(formula, (table.items @ features)[None, :])
    if not value.size:
        return NotComputable("all values are the same, so chance alone would bring full agreement")
    random = np.random.default_rng(resampling.seed)
    total = int(table.items.sum())
    block = max(1, NUMBERS_HELD // max(features.shape))
    replicates = []
    for start in range(0, resampling.replicates, block):
        draws = random.multinomial(total, table.items / total, size=min(block, resampling.replicates - start))
        replicates.append(_coefficients(formula, draws.astype(np.float64) @ features))
    # the items as they stand count as one draw, so there is always one to take a percentile of
    low, high = np.quantile(np.concatenate([value, *replicates]), [0.025, 0.975])
    return Statistic(float(value[0]), float(low), float(high))


def _coefficients(formula: Formula, totals: FloatArray) -> FloatArray:
    """1 - D_o / D_e for each row of totals that has an expected disagreement; the others are left out."""
    observed, expected = formula(totals)
    defined = expected > 0
    return 1 - observed[defined] / expected[defined]
