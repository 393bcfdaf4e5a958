"""Which side each item is on: stored sides stay, new groups fill the test set evenly. Pure NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

TRAIN, TEST = "train", "test"
BRIDGES = "bridges_train_and_test"
TEST_ONLY = "test_only_source_in_train_group"
TRAIN_ONLY = "train_only_source_in_test_group"
GROUP_IN_TEST = "group_is_in_test"
# How far a label may pass its share of the test set.
OVERSHOOT = 1.02

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The items to be put on a side, with those that have one already; every array has shape (items,).

    Attributes:
        ids: external ids.
        group: number of the group that must stay together.
        stored: the side stored earlier, "train" or "test", or "".
        stored_group: group numbers where only items with a stored side, and what they share, are linked.
        use: what the item's source may be used for: "any", "train" or "test".
        wanted: whether this mix may export the item; others only hold their group's side.
        strata: for each item the numbers of the strata (label values) that it counts in.
    """

    ids: Sequence[str]
    group: Ints
    stored: Words
    stored_group: Ints
    use: Words
    wanted: npt.NDArray[np.bool_]
    strata: Sequence[Sequence[int]]


def choose_sides(items: Candidates, test_share: float, key: str) -> Words:
    """The side of each item, or the reason why it can have none.

    An item with a stored side keeps it. A new one follows its group; where its group is on both sides
    already, it is left out. Groups with a test-only source go to test, with a train-only one to train; the
    others by `steer`.

    Args:
        test_share: the share of the wanted items, and of each stratum, that belongs into test.
        key: keys the hash that orders new groups, so that nobody can aim items at a side and no two
            splits share a test set by accident.

    Returns:
        "train", "test", or one of BRIDGES, TEST_ONLY, TRAIN_ONLY, GROUP_IN_TEST; shape (items,).
    """
    numbers, group = np.unique(items.group, return_inverse=True)
    in_train = _any(group, len(numbers), items.stored == TRAIN)
    in_test = _any(group, len(numbers), items.stored == TEST)
    open_groups = ~in_train & ~in_test
    side = np.where(in_test, TEST, np.where(in_train, TRAIN, "")).astype("<U40")
    side[open_groups & _any(group, len(numbers), (items.use == "train") & items.wanted)] = TRAIN
    side[open_groups & _any(group, len(numbers), (items.use == "test") & items.wanted)] = TEST
    steer(items, group, side, test_share, key)

    outcome = side[group]
    outcome[(in_train & in_test)[group]] = BRIDGES
    kept = items.stored != ""
    outcome[kept] = items.stored[kept]
    outcome[(outcome == TRAIN) & kept & _beside_test(items)] = GROUP_IN_TEST
    outcome[(outcome == TRAIN) & (items.use == "test")] = TEST_ONLY
    outcome[(outcome == TEST) & (items.use == "train")] = TRAIN_ONLY
    return outcome


def _any(group: Ints, count: int, which: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.bincount(group[which], minlength=count) > 0


def _beside_test(items: Candidates) -> npt.NDArray[np.bool_]:
    """Items whose group, linked by nothing but what is stored, has test items: a later change linked them."""
    numbers, group = np.unique(items.stored_group, return_inverse=True)
    return _any(group, len(numbers), items.stored == TEST)[group]


def steer(items: Candidates, group: Ints, side: Words, test_share: float, key: str) -> None:
    """Fill in the sides of groups that have none yet, in the order of their hash.

    A group joins test while it mends more of the strata's deficits than it spoils, sum over strata c of
    v_c (T_c - t_c) / T_c > 0, and lets no stratum pass 1.02 T_c + 1, nor the whole 1.02 times its target.
    v_c: the group's items in c; T_c: target; t_c: count so far.
    """
    members, strata = _memberships(items)
    count = int(strata.max(initial=0)) + 1
    target = test_share * np.bincount(strata, minlength=count)
    most = OVERSHOOT * target + 1
    most[0] = max(OVERSHOOT * target[0], 1 if test_share > 0 else 0)
    taken = np.bincount(strata[side[group[members]] == TEST], minlength=count).astype(float)

    order = _order(items, group, side == "", key)
    by_group = np.argsort(group[members], kind="stable")
    members_group, strata = group[members][by_group], strata[by_group]
    starts = np.searchsorted(members_group, order, side="left")
    ends = np.searchsorted(members_group, order, side="right")
    for number, start, end in zip(order, starts, ends, strict=True):
        side[number] = TRAIN
        if taken[0] >= most[0]:
            continue
        adds = np.bincount(strata[start:end], minlength=count)
        mends = (adds * (target - taken) / np.maximum(target, 1e-9)).sum() > 0
        if mends and ((taken + adds <= most) | (adds == 0)).all():
            side[number] = TEST
            taken += adds


def _memberships(items: Candidates) -> tuple[Ints, Ints]:
    """Pairs (item, stratum) of the wanted items; stratum 0 holds all of them."""
    pairs = [
        (item, stratum)
        for item in np.flatnonzero(items.wanted).tolist()
        for stratum in (0, *(stratum + 1 for stratum in items.strata[item]))
    ]
    members, strata = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return members, strata


def _order(items: Candidates, group: Ints, chosen: npt.NDArray[np.bool_], key: str) -> Ints:
    """The chosen groups that have wanted items, in the order of their smallest hash of an id."""
    smallest: dict[int, int] = {}
    for item in np.flatnonzero(items.wanted & chosen[group]).tolist():
        number, hashed = int(group[item]), keyed_hash(items.ids[item], key)
        smallest[number] = min(hashed, smallest.get(number, hashed))
    return np.array(sorted(smallest, key=smallest.__getitem__), dtype=np.int64)


def keyed_hash(text: str, key: str) -> int:
    """BLAKE2b-64 of the text, keyed (RFC 7693)."""
    digest = blake2b(key.encode(), digest_size=32).digest()
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=digest).digest())
