"""Majority with a quorum. Pure arithmetic over the votes on one cell (one question about one item's part).

Votes come in with their abstentions: `UNSURE` is a vote that was cast and names no value. Only the others
are valid votes and count towards the quorum.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import comb

SETTLED, CONTESTED, TOO_FEW = "settled", "contested", "too_few"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`winner` is None unless settled. `confidence` is the share of valid votes for the winner, `agreement`
    the share of pairs of valid votes that agree (None below two)."""

    state: str
    winner: object = None
    confidence: float | None = None
    agreement: float | None = None


@dataclass(frozen=True, slots=True)
class Ballot:
    """One voter's set, and all that the voter could have named; None: anything."""

    named: frozenset[Hashable]
    could: frozenset[Hashable] | None = None


def of_values(votes: Sequence[Hashable], unsure: int, quorum: int) -> Outcome:
    """More than half of the valid votes settles; a tie or a mere plurality is contested.

    Args:
        votes: the valid votes; equal values must be equal keys.
        unsure: how many more voters were unsure.
        quorum: the fewest valid votes that may settle.
    """
    if not votes:
        return Outcome(CONTESTED if unsure else TOO_FEW)
    counts = Counter(votes)
    value, most = counts.most_common(1)[0]
    agreement = _agreeing_pairs(counts.values(), len(votes))
    if len(votes) < quorum:
        return Outcome(TOO_FEW, agreement=agreement)
    if 2 * most <= len(votes):
        return Outcome(CONTESTED, agreement=agreement)
    return Outcome(SETTLED, value, most / len(votes), agreement)


def of_sets(ballots: Sequence[Ballot], unsure: int, quorum: int) -> Outcome:
    """Each element by itself, over the voters who could have named it: in if more than half did.

    A tie on any element is contested, and so is an empty outcome where most voters named something; an
    element that fewer than the quorum could have named, and most of them did, makes the cell too few.
    Confidence is the share with which the least certain element was decided, agreement the mean over the
    elements that anybody named.
    """
    if not ballots:
        return Outcome(CONTESTED if unsure else TOO_FEW)
    elements = frozenset[Hashable]().union(*(ballot.named for ballot in ballots))
    tallies = {element: _tally(element, ballots) for element in elements}
    pairs = [_agreeing_pairs((named, could - named), could) for named, could in tallies.values()]
    known = [share for share in pairs if share is not None]
    agreement = sum(known) / len(known) if known else (1.0 if len(ballots) > 1 and not elements else None)
    winner = frozenset(element for element, (named, could) in tallies.items() if 2 * named > could)
    if len(ballots) < quorum or any(tallies[element][1] < quorum for element in winner):
        return Outcome(TOO_FEW, agreement=agreement)
    naming = sum(bool(ballot.named) for ballot in ballots)
    if any(2 * named == could for named, could in tallies.values()) or (not winner and 2 * naming > len(ballots)):
        return Outcome(CONTESTED, agreement=agreement)
    confidence = min((max(named, could - named) / could for named, could in tallies.values()), default=1.0)
    return Outcome(SETTLED, winner, confidence, agreement)


def _tally(element: Hashable, ballots: Sequence[Ballot]) -> tuple[int, int]:
    able = [ballot for ballot in ballots if ballot.could is None or element in ballot.could]
    return sum(element in ballot.named for ballot in able), len(able)


def _agreeing_pairs(counts: Iterable[int], total: int) -> float | None:
    return sum(comb(count, 2) for count in counts) / comb(total, 2) if total > 1 else None
