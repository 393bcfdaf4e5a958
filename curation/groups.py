"""Connected groups by union-find. Pure NumPy.

R. Tarjan, Efficiency of a good but not linear set union algorithm, 1975; here with the smallest member as root.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Groups:
    """Elements 0 … count - 1, each alone at first."""

    def __init__(self, count: int) -> None:
        self._parent = np.arange(count, dtype=np.int64)

    def roots(self, elements: Ints) -> Ints:
        """The root of each element's group, same shape."""
        roots = self._parent[elements]
        while True:
            above = self._parent[roots]
            if np.array_equal(above, roots):
                break
            roots = above
        self._parent[elements] = roots
        return roots

    def join(self, left: Ints, right: Ints) -> None:
        """Put left[i] and right[i] in one group, for every i."""
        while len(left):
            a, b = self.roots(left), self.roots(right)
            apart = a != b
            left, right, a, b = left[apart], right[apart], a[apart], b[apart]
            # Where one root is to hang under several, the smallest wins; the others come round again.
            np.minimum.at(self._parent, np.maximum(a, b), np.minimum(a, b))

    def numbers(self) -> Ints:
        """A group number for each element: the smallest member."""
        return self.roots(np.arange(len(self._parent)))


def linked(count: int, shared_keys: Sequence[Sequence[Hashable | None]]) -> Groups:
    """Groups of elements that share a key of the same family.

    Args:
        count: how many elements there are.
        shared_keys: families of keys; in each, one key (or None) for each element.
    """
    groups = Groups(count)
    for keys in shared_keys:
        first: dict[Hashable, int] = {}
        pairs = [(first.setdefault(key, i), i) for i, key in enumerate(keys) if key is not None]
        left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        groups.join(left, right)
    return groups


def copies(ids: Sequence[str], parents: Sequence[str]) -> list[int]:
    """A key for each item that an original shares with its copies, and theirs, also when the original is gone.

    Args:
        parents: the id of the original of each item; "" for an item that is no copy.
    """
    number = {item: row for row, item in enumerate(ids)}
    pairs = [(row, number.setdefault(parent, len(number))) for row, parent in enumerate(parents) if parent]
    groups = Groups(len(number))
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    groups.join(left, right)
    return groups.numbers()[: len(ids)].tolist()
