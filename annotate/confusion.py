"""Which categories are taken for one another: pairs of sets that differ, counted. Pure arithmetic."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable
from itertools import combinations


def confusions(cells: Iterable[tuple[Hashable, Collection[Collection[str]]]]) -> Counter[tuple[str, str]]:
    """For each two categories the number of items on which they were confused.

    They are confused on an item if, of two annotators of the same part, one named only the first of them and
    the other only the second. An item counts once for a pair, however many annotators or parts show it.

    Args:
        cells: an item, and the sets of categories that its annotators named, for each part judged; an item
            may come more than once.

    Returns:
        Items by pair, the categories of a pair in order of their codes.
    """
    items: dict[tuple[str, str], set[Hashable]] = {}
    for item, sets in cells:
        distinct = {frozenset(named) for named in sets}
        for one, other in combinations(distinct, 2):
            for mine in one - other:
                for theirs in other - one:
                    items.setdefault((min(mine, theirs), max(mine, theirs)), set()).add(item)
    return Counter({pair: len(found) for pair, found in items.items()})


def most_confused(counts: Counter[tuple[str, str]], most: int) -> list[str]:
    """The categories with the most confusions, at most `most` of them, in that order."""
    totals: Counter[str] = Counter()
    for (one, other), count in counts.items():
        totals[one] += count
        totals[other] += count
    return sorted(totals, key=lambda code: (-totals[code], code))[:most]
