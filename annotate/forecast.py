"""How many working days the answers still wanted will take, from the days before. Pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_DAYS = 3
REPLICATES = 2_000


@dataclass(frozen=True, slots=True)
class Forecast:
    """`per_day` is the mean; `days` with its 90 % range counts working days, a begun one in full.

    Attributes:
        high: None where the pace is too uneven to give the range an end.
    """

    per_day: float
    observed: int
    days: int
    low: int
    high: int | None


def forecast(answers: Sequence[int], left: int, seed: int = 0) -> Forecast | None:
    """The days until `left` answers are given, at the pace of the days observed.

    The range is the percentile bootstrap over the days (Efron and Tibshirani 1993, chapter 13): what the mean
    pace could be, given how much the days differ. It knows of no holidays and no change in the number of people.

    Args:
        answers: how many were given on each day with any work, at least three days.
        left: answers still wanted.

    Returns:
        None below three days: too little to say.
    """
    if len(answers) < FEWEST_DAYS or sum(answers) == 0:
        return None
    days = np.asarray(answers, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(0, len(days), size=(REPLICATES, len(days)))
    slow, fast = np.quantile(days[draws].mean(axis=1), [0.05, 0.95])
    mean = float(days.mean())
    return Forecast(
        per_day=mean,
        observed=len(days),
        days=_whole(left, mean),
        low=_whole(left, float(fast)),
        high=_whole(left, float(slow)) if slow > 0 else None,
    )


def _whole(left: int, pace: float) -> int:
    # A pace such as 0.1 + 0.2 must not cost a day.
    return int(np.ceil(left / pace - 1e-9))
