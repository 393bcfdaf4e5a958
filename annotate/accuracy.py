"""How often a person is right on items with known answers, and how often a repeat gets the same answers.

Small counts say little, so every share comes with a 95 % Wilson score interval (Wilson 1927; Brown, Cai and
DasGupta 2001 advise it for small n), and nothing is concluded below 20 items. Pure: answers in, figures out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from annotate.answers import UNSURE, AskedQuestion, value_key

# From so many gold items on a share is shown to its person, and may be flagged.
ENOUGH = 20
# The 97.5 % point of the normal distribution: an interval of 95 %.
Z = 1.959963984540054
EXACT_KINDS = ("choice", "scale", "turns")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One item's answers beside the known ones.

    Attributes:
        questions: for each question compared, whether its answer is right.
        unsure: one of them was answered with unsure, which is not right.
        jaccard: what the two sets of categories share, of all they hold, from 0 to 1; None without known ones.
    """

    questions: Mapping[str, bool]
    unsure: bool = False
    jaccard: float | None = None

    @property
    def right(self) -> bool:
        """Whether every question is."""
        return all(self.questions.values())


@dataclass(frozen=True, slots=True)
class Share:
    """So many of n, with the bounds of the 95 % interval; without any: from 0 to 1."""

    right: int
    n: int
    low: float = field(init=False)
    high: float = field(init=False)

    def __post_init__(self) -> None:
        low, high = wilson(self.right, self.n)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def value(self) -> float | None:
        return self.right / self.n if self.n else None

    @property
    def enough(self) -> bool:
        """Whether there are items enough to speak of a share at all; below, only counts are shown."""
        return self.n >= ENOUGH


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A person's share of right gold items; `unsure` are those not right for being unsure.

    `jaccard` is the mean over the items with known categories, None without any.
    """

    share: Share
    unsure: int = 0
    jaccard: float | None = None

    def below(self, mark: float) -> bool:
        """Whether it is safe to say that the person is right less often than the mark asks for."""
        return self.share.enough and self.share.high < mark


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share, as (low, high); (0, 1) where n is 0.

    Raises:
        ValueError: not 0 <= right <= n.
    """
    if not 0 <= right <= n:
        raise ValueError(f"{right} of {n} is no share")
    if n == 0:
        return 0.0, 1.0
    share, spread = right / n, Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    # At the ends the bound is exact, but for the rounding.
    low = 0.0 if right == 0 else middle - half
    high = 1.0 if right == n else middle + half
    return low, high


def is_compared(question: AskedQuestion) -> bool:
    """Categories are, and what must be answered by a choice; free text and marked passages are not."""
    return question.kind == "categories" or (question.required and question.kind in EXACT_KINDS)


def compare(known: Mapping[str, Any], given: Mapping[str, Any], questions: Iterable[AskedQuestion]) -> Comparison:
    """Answers beside the known ones: choices must be the same, categories the same set.

    Only questions with a known answer are compared. A choice that led away from one makes that one wrong.
    """
    compared = [q for q in questions if is_compared(q) and q.code in known]
    sets = [q.code for q in compared if q.kind == "categories"]
    return Comparison(
        questions={q.code: _same(known[q.code], given.get(q.code)) for q in compared},
        unsure=any(given.get(q.code) == UNSURE for q in compared),
        jaccard=_mean([jaccard(known[code], given.get(code)) for code in sets]),
    )


def jaccard(known: Any, given: Any) -> float:
    """What two sets share, of all they hold; two empty sets are the same, unsure and absent share nothing."""
    if not isinstance(known, list) or not isinstance(given, list):
        return 0.0
    union = {*known, *given}
    return len({*known} & {*given}) / len(union) if union else 1.0


def agrees_with_itself(
    first: Mapping[str, Any], again: Mapping[str, Any], questions: Iterable[AskedQuestion]
) -> bool:
    """Whether a repeat got the same answers to all the questions that either of the two answered."""
    codes = [q.code for q in questions if is_compared(q) and (q.code in first or q.code in again)]
    return all(_same(first.get(code), again.get(code)) for code in codes)


def accuracy(comparisons: Sequence[Comparison]) -> Accuracy:
    """The figures of one person from one comparison for each gold item."""
    return Accuracy(
        share=Share(sum(one.right for one in comparisons), len(comparisons)),
        unsure=sum(one.unsure for one in comparisons),
        jaccard=_mean([one.jaccard for one in comparisons if one.jaccard is not None]),
    )


def consistency(equal: Sequence[bool]) -> Share:
    """The share of repeats that got the same answers."""
    return Share(sum(equal), len(equal))


def _same(known: Any, given: Any) -> bool:
    return given is not None and _key(known) == _key(given)


def _key(value: Any) -> str:
    """As `value_key`; the order in which a set's elements were chosen says nothing."""
    return value_key(sorted(value, key=value_key) if isinstance(value, list) else value)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
