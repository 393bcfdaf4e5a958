"""Near-duplicate texts by MinHash with banding, every candidate checked by its true Jaccard similarity.

A. Broder, On the resemblance and containment of documents, 1997. Pure NumPy; hashes are BLAKE2b with fixed
constants, so that the result is the same on any machine and in any release of any library.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from curation.fold_text import words_of
from curation.groups import Groups

BANDS, ROWS = 32, 4
THRESHOLD = 0.7
# Two sets of Jaccard 0.7 agree in fewer than this share of 128 hashes once in 10,000 (binomial tail).
LOOKS_SIMILAR = 0.54
STRICTER = 0.1
LARGEST_GROUP, LARGEST_SHARE = 500, 0.005
DOCUMENTS_AT_ONCE = 4096
PAIRS_AT_ONCE = 200_000
# Bounds the work where thousands of texts fill in one template without being alike.
MOST_ROUNDS = 200

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Tick = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class WordSets:
    """Sets of words as rows of a sparse matrix.

    Attributes:
        words: indices into `hashes`, ascending within each text, shape (total,).
        starts: where each text's words begin; shape (texts + 1,).
        hashes: one 64-bit hash for each word of the vocabulary.
    """

    words: Ints
    starts: Ints
    hashes: Hashes

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> Ints:
        return np.diff(self.starts)

    def subset(self, texts: Ints) -> "WordSets":
        """The same for some of the texts."""
        sizes = self.sizes[texts]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return WordSets(self.words[_ranges(self.starts[texts], sizes)], starts, self.hashes)


class WordSetsBuilder:
    """Collects the texts' words one text at a time; the texts themselves are not kept."""

    def __init__(self) -> None:
        self._vocabulary: dict[str, int] = {}
        self._words: list[Ints] = []
        self._buffer: list[int] = []
        self._sizes: list[int] = []

    def add(self, text: str) -> bytes | None:
        """Take a text in; returns a key that texts with the same words in the same order share.

        None for a text without any word.
        """
        words = words_of(text)
        vocabulary = self._vocabulary
        found = sorted({vocabulary.setdefault(word, len(vocabulary)) for word in words})
        self._buffer += found
        self._sizes.append(len(found))
        if len(self._buffer) > 1_000_000:
            self._spill()
        return blake2b(" ".join(words).encode(), digest_size=16).digest() if words else None

    def _spill(self) -> None:
        self._words.append(np.array(self._buffer, dtype=np.int64))
        self._buffer = []

    def finish(self) -> WordSets:
        """The sets of all texts added."""
        self._spill()
        hashes = [int.from_bytes(blake2b(word.encode(), digest_size=8).digest()) for word in self._vocabulary]
        starts = np.concatenate([[0], np.cumsum(self._sizes, dtype=np.int64)])
        return WordSets(np.concatenate(self._words), starts.astype(np.int64), np.array(hashes, dtype=np.uint64))


def word_sets(texts: Iterable[str]) -> WordSets:
    """The sets of words of these texts."""
    builder = WordSetsBuilder()
    for text in texts:
        builder.add(text)
    return builder.finish()


def near_duplicates(sets: WordSets, tick: Tick = lambda done, total: None) -> Ints:
    """Group texts that are alike: word-1 Jaccard of at least 0.7, chained.

    A group larger than 500 texts and 0.5 % of all (a template, as a rule) is taken apart with a stricter
    threshold, so that it does not chain everything together.

    Returns:
        A group number for each text, shape (texts,); texts without words stand alone.
    """
    largest = max(LARGEST_GROUP, int(LARGEST_SHARE * len(sets)))
    return _capped(sets, THRESHOLD, largest, tick)


def _capped(sets: WordSets, threshold: float, largest: int, tick: Tick) -> Ints:
    group = _alike(sets, threshold, tick)
    numbers, sizes = np.unique(group, return_counts=True)
    fresh = len(sets)
    for number in numbers[sizes > largest]:
        if threshold + STRICTER > 1:
            break
        texts = np.flatnonzero(group == number)
        finer = _capped(sets.subset(texts), threshold + STRICTER, largest, lambda done, total: None)
        group[texts] = finer + fresh
        fresh += len(sets)
    return group


def _alike(sets: WordSets, threshold: float, tick: Tick) -> Ints:
    """Groups of chained pairs whose Jaccard similarity reaches the threshold."""
    signatures = minhash(sets)
    groups = Groups(len(sets))
    wordy = np.flatnonzero(sets.sizes > 0)
    for band in range(BANDS):
        tick(band, BANDS)
        keys = _band_key(signatures[wordy, band * ROWS : (band + 1) * ROWS])
        order = np.argsort(keys, kind="stable")
        members, keys = wordy[order], keys[order]
        _join(sets, signatures, groups, threshold, members[:-1], members[1:], keys[:-1] == keys[1:])
        for left, right in _pairs(members, keys, groups):
            _join(sets, signatures, groups, threshold, left, right)
    tick(BANDS, BANDS)
    return groups.numbers()


def _pairs(members: Ints, keys: Hashes, groups: Groups) -> Iterator[tuple[Ints, Ints]]:
    """Pairs that share a band's key: each round compares texts that stand one place further apart.

    Rounds end when all that share a key are in one group, so a cluster of copies costs one round.
    """
    for distance in range(2, MOST_ROUNDS):
        if len(members) <= distance:
            return
        roots = groups.roots(members)
        heads = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        mixed = np.minimum.reduceat(roots, heads) != np.maximum.reduceat(roots, heads)
        lengths = np.diff(np.append(heads, len(keys)))
        keep = np.repeat(mixed & (lengths > distance), lengths)
        members, keys, roots = members[keep], keys[keep], roots[keep]
        meet = (keys[distance:] == keys[:-distance]) & (roots[distance:] != roots[:-distance])
        yield members[:-distance][meet], members[distance:][meet]


def _join(
    sets: WordSets,
    signatures: Hashes,
    groups: Groups,
    threshold: float,
    left: Ints,
    right: Ints,
    which: npt.NDArray[np.bool_] | None = None,
) -> None:
    """Put pairs in one group where they are alike; pairs that are together already cost nothing."""
    if which is not None:
        left, right = left[which], right[which]
    apart = groups.roots(left) != groups.roots(right)
    left, right = left[apart], right[apart]
    for start in range(0, len(left), PAIRS_AT_ONCE):
        a, b = left[start : start + PAIRS_AT_ONCE], right[start : start + PAIRS_AT_ONCE]
        agreeing = np.zeros(len(a), dtype=np.int64)
        for column in signatures.T:
            agreeing += column[a] == column[b]
        likely = agreeing >= LOOKS_SIMILAR * BANDS * ROWS
        a, b = a[likely], b[likely]
        alike = jaccard(sets, a, b) >= threshold
        groups.join(a[alike], b[alike])


def minhash(sets: WordSets) -> Hashes:
    """The smallest of each of 128 hash functions over each text's words.

    Returns:
        shape (texts, 128), stored by column; a text without words gets the largest number.
    """
    multipliers, masks = _constants(BANDS * ROWS)
    signatures = np.full((len(sets), BANDS * ROWS), np.iinfo(np.uint64).max, dtype=np.uint64, order="F")
    for first in range(0, len(sets), DOCUMENTS_AT_ONCE):
        starts = sets.starts[first : first + DOCUMENTS_AT_ONCE + 1]
        wordy = np.flatnonzero(np.diff(starts) > 0)
        if not len(wordy):
            continue
        hashes = sets.hashes[sets.words[starts[0] : starts[-1]]]
        heads = starts[wordy] - starts[0]
        for column, (multiplier, mask) in enumerate(zip(multipliers, masks, strict=True)):
            signatures[first + wordy, column] = np.minimum.reduceat((hashes ^ mask) * multiplier, heads)
    return signatures


def jaccard(sets: WordSets, left: Ints, right: Ints) -> npt.NDArray[np.float64]:
    """The true Jaccard similarity of pairs of texts, shape (pairs,); 0 where both are empty."""
    sizes_left, sizes_right = sets.sizes[left], sets.sizes[right]
    vocabulary = len(sets.hashes)
    pair_left = np.repeat(np.arange(len(left)), sizes_left)
    pair_right = np.repeat(np.arange(len(right)), sizes_right)
    ours = pair_left * vocabulary + sets.words[_ranges(sets.starts[left], sizes_left)]
    theirs = pair_right * vocabulary + sets.words[_ranges(sets.starts[right], sizes_right)]
    if not len(ours) or not len(theirs):
        return np.zeros(len(left))
    # Both ascend: words ascend within a text and pairs follow each other.
    places = np.minimum(np.searchsorted(theirs, ours), len(theirs) - 1)
    shared = np.bincount(pair_left[theirs[places] == ours], minlength=len(left))
    return shared / np.maximum(sizes_left + sizes_right - shared, 1)


def _ranges(starts: Ints, sizes: Ints) -> Ints:
    """The numbers starts[i] … starts[i] + sizes[i] - 1 for each i, one after the other."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + sizes, sizes)


def _constants(count: int) -> tuple[Hashes, Hashes]:
    """Odd multipliers and masks, drawn from BLAKE2b of their position."""
    drawn = [blake2b(b"minhash %d" % i, digest_size=16).digest() for i in range(count)]
    multipliers = [int.from_bytes(digest[:8]) | 1 for digest in drawn]
    masks = [int.from_bytes(digest[8:]) for digest in drawn]
    return np.array(multipliers, dtype=np.uint64), np.array(masks, dtype=np.uint64)


def _band_key(rows: Hashes) -> Hashes:
    """One number for each row of a band, shape (texts, 4) to (texts,)."""
    key = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key
