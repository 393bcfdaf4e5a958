"""How much seeing the jury's votes moves people towards the jury: assisted against blind answers. Pure NumPy.

A share of answers that agree with the jury, blind and assisted, and the difference with a 95 % interval:
Newcombe's hybrid score interval (method 10 in Newcombe, Statistics in Medicine 17, 1998, 873-890) over counts
that are first divided by their design effect, since answers about one item are not independent (Rao and Scott,
Biometrics 48, 1992, 577-585). That an annotator answers many items is not corrected for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Below this many items on either side a difference says nothing.
FEWEST_ITEMS = 20
Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Side:
    """Answers given blind, or assisted. `agreement` is the share that agrees with the jury's majority."""

    items: int
    answers: int
    agreement: float | None


@dataclass(frozen=True, slots=True)
class Shift:
    """`difference` is assisted less blind, from -1 to 1; None, as its interval, where there is too little."""

    blind: Side
    assisted: Side
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def too_few(self) -> bool:
        """Whether either side has fewer items than a difference can be told from."""
        return min(self.blind.items, self.assisted.items) < FEWEST_ITEMS


def shift(items: Sequence[int], agrees: ArrayLike, assisted: ArrayLike) -> Shift:
    """The shift over answers: row i is one answer, about `items[i]`.

    Args:
        items: item ids; rows of one item are one cluster.
        agrees: whether the answer is the jury's majority.
        assisted: whether the jury's votes stood beside the item.

    Raises:
        ValueError: columns of unequal length.
    """
    ids = np.asarray(items, dtype=np.int64)
    agreed, with_votes = np.asarray(agrees, dtype=bool), np.asarray(assisted, dtype=bool)
    if not ids.shape == agreed.shape == with_votes.shape:
        raise ValueError("items, agrees and assisted must have the same length")
    blind, helped = (_counts(ids[side], agreed[side]) for side in (~with_votes, with_votes))
    found = Shift(_side(*blind), _side(*helped))
    if found.too_few or found.blind.agreement is None or found.assisted.agreement is None:
        return found
    difference = found.assisted.agreement - found.blind.agreement
    low, high = _newcombe(
        found.assisted.agreement, effective_size(*helped), found.blind.agreement, effective_size(*blind)
    )
    return Shift(found.blind, found.assisted, difference, low, high)


def effective_size(agreed: NDArray[np.float64], answers: NDArray[np.float64]) -> float:
    """The number of answers divided by their design effect.

    Never more than there are, and never below what they are worth if all answers about an item are the same
    (Kish: the squared sum of the items' answers over the sum of their squares).

    Args:
        agreed, answers: for each item, how many of its answers agree, and how many it has.
    """
    clusters, total = len(answers), float(answers.sum())
    share = float(agreed.sum()) / total
    binomial = share * (1 - share) / total
    fewest = total**2 / float(answers @ answers)
    if clusters < 2 or binomial == 0:
        # All agree, or none: nothing tells how alike answers about one item are.
        return fewest
    residuals = agreed - share * answers
    clustered = clusters / (clusters - 1) * float(residuals @ residuals) / total**2
    return float(np.clip(total * binomial / clustered if clustered else total, fewest, total))


def _counts(ids: NDArray[np.int64], agreed: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    _, place = np.unique(ids, return_inverse=True)
    return np.bincount(place, weights=agreed).astype(np.float64), np.bincount(place).astype(np.float64)


def _side(agreed: NDArray[np.float64], answers: NDArray[np.float64]) -> Side:
    total = int(answers.sum())
    return Side(len(answers), total, float(agreed.sum()) / total if total else None)


def _newcombe(first: float, first_n: float, second: float, second_n: float) -> tuple[float, float]:
    """The interval of `first - second` from the Wilson intervals of both."""
    difference = first - second
    first_low, first_high = _wilson(first, first_n)
    second_low, second_high = _wilson(second, second_n)
    return (
        max(-1.0, difference - float(np.hypot(first - first_low, second_high - second))),
        min(1.0, difference + float(np.hypot(first_high - first, second - second_low))),
    )


def _wilson(share: float, n: float) -> tuple[float, float]:
    center = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * float(np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)))
    return max(0.0, center - reach), min(1.0, center + reach)
