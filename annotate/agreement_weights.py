"""How far apart two values are: the disagreement tables that agreement coefficients use.

Each table is square, one row and one column a value, 0 on the diagonal and 1 at its largest entry. Gwet's
weight of agreement is 1 minus the entry (Handbook of Inter-Rater Reliability, 4th edition, chapter 3, as in
irrCAC). Krippendorff's nominal, interval and ratio differences are the same tables up to a factor, which
cancels: ``identity``, ``quadratic``, ``ratio``. His ordinal difference depends on how often each value was
used; `annotate.agreement_coefficients.krippendorff_ordinal_alpha` has it.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = Literal[
    "identity", "bipolar", "circular", "linear", "ordinal", "quadratic", "radical", "ratio"
]


def disagreement(weights: Weights, numbers: Sequence[float] | FloatArray) -> FloatArray:
    """Disagreement (values x values) between values that stand at ``numbers`` on their scale.

    ``identity`` looks only at which value is which, ``ordinal`` only at the order of the numbers; the others
    use the numbers themselves. Raises ValueError where the numbers do not suit the weights.
    """
    scale = np.asarray(numbers, dtype=np.float64)
    if not np.isfinite(scale).all():
        raise ValueError(f"{weights} weights need a finite number for each value")
    if weights == "identity":
        return 1.0 - np.eye(scale.size)
    if weights == "ratio" and (scale < 0).any():
        raise ValueError("ratio weights need numbers of 0 or more")
    if np.unique(scale).size < 2:
        return np.zeros((scale.size, scale.size))
    table = _raw(weights, scale)
    return table / table.max()


def _raw(weights: Weights, scale: FloatArray) -> FloatArray:
    """The table before it is scaled to a largest entry of 1."""
    if weights == "ordinal":
        ranks = np.unique(scale, return_inverse=True)[1]
        steps = np.abs(ranks[:, None] - ranks[None, :])
        return steps * (steps + 1) / 2.0
    if weights == "circular":
        circle = scale.max() - scale.min() + 1.0
        return np.sin(np.pi * (scale[:, None] - scale[None, :]) / circle) ** 2
    scale = scale / np.abs(scale).max()  # squares of very large numbers stay finite
    apart = np.abs(scale[:, None] - scale[None, :])
    if weights == "linear":
        return apart
    if weights == "quadratic":
        return apart**2
    if weights == "radical":
        return np.sqrt(apart)
    if weights == "ratio":
        return _quotient(apart, scale[:, None] + scale[None, :]) ** 2
    above, below = scale - scale.min(), scale.max() - scale
    return _quotient(apart**2, (above[:, None] + above[None, :]) * (below[:, None] + below[None, :]))


def _quotient(part: FloatArray, whole: FloatArray) -> FloatArray:
    """part / whole, and 0 where part is 0 (on the diagonal the whole may be 0 as well)."""
    return np.divide(part, whole, out=np.zeros_like(part), where=part > 0)


def masi(sets: Sequence[frozenset[object]]) -> FloatArray:
    """MASI distance between sets (Passonneau, LREC 2006).

    1 - Jaccard similarity x m, where m is 1 for equal sets, 2/3 where one holds the other, 1/3 where they
    only overlap and 0 where they share nothing. Two empty sets are equal.
    """
    table = np.zeros((len(sets), len(sets)))
    for row, one in enumerate(sets):
        for column, other in enumerate(sets[:row]):
            table[row, column] = table[column, row] = _masi_distance(one, other)
    return table


def _masi_distance(one: frozenset[object], other: frozenset[object]) -> float:
    shared = len(one & other)
    if one == other:
        return 0.0
    if not shared:
        return 1.0
    nested = one <= other or other <= one
    return 1.0 - shared / len(one | other) * (2 / 3 if nested else 1 / 3)
