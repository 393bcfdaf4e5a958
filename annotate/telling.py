"""Why a label is contested, and which contested label tells most. Pure: votes in, reasons out.

Votes are entries as labels hold them: {"annotation" | "verdict": id, "voter": name, "value": value, ...}.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

UNSURE = "unsure"

Vote = Mapping[str, Any]


class Why(IntEnum):
    """Why nothing was settled, the most telling first."""

    JURY_AGAINST_PEOPLE = 0
    PEOPLE_SPLIT = 1
    NOBODY_SURE = 2
    JURY_TIES = 3
    NO_MAJORITY = 4


def why(votes: Sequence[Vote]) -> Why:
    """The most telling reason that holds for these votes, those that don't count among them."""
    people = _tally(vote for vote in votes if "annotation" in vote)
    jurors = _tally(vote for vote in votes if "verdict" in vote)
    by_people, by_jurors = _leader(people), _leader(jurors)
    if by_people is not None and by_jurors is not None and by_people != by_jurors:
        return Why.JURY_AGAINST_PEOPLE
    if people and by_people is None:
        return Why.PEOPLE_SPLIT
    if not people and not jurors:
        return Why.NOBODY_SURE
    if jurors and by_jurors is None:
        return Why.JURY_TIES
    return Why.NO_MAJORITY


def majority_key(votes: Sequence[Vote]) -> str | None:
    """The key of the value that more than half of the voters who were sure gave; None if there is none."""
    counted = _tally(votes)
    if not counted:
        return None
    key, most = counted.most_common(1)[0]
    return key if 2 * most > counted.total() else None


def comparable(value: Any) -> str:
    """A value as a key that keeps its type; the order of a set's elements says nothing."""
    if isinstance(value, list):
        value = sorted(value, key=lambda element: json.dumps(element, sort_keys=True))
    return json.dumps(value, sort_keys=True)


def _tally(votes: Iterable[Vote]) -> Counter[str]:
    return Counter(comparable(vote["value"]) for vote in votes if vote["value"] != UNSURE)


def _leader(counted: Counter[str]) -> str | None:
    """The value with the most votes, if no other has as many."""
    first = counted.most_common(2)
    return first[0][0] if first and (len(first) == 1 or first[0][1] > first[1][1]) else None
