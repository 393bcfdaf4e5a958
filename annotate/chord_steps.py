"""What stands at each step of a taxonomy's key chords, and what its editor should know. Pure arithmetic."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotate.chords import Named, factors, halves, product_groups

MOST_CHILDREN = 36
MOST_KEYS = 3


@dataclass(frozen=True, slots=True)
class Step:
    """What stands behind a chord or the beginning of one: a group, a facet or a category."""

    chord: str
    name: str


def steps(categories: Sequence[Named], chords: Mapping[str, str]) -> list[Step]:
    """Every stop on the way to a category that has a chord, in the categories' order, beginnings first.

    A beginning is named for its group; if it has none, for the half that all names below share (a facet), or
    else for the first names below. A category behind a facet is named by its other half.
    """
    below: dict[str, list[str]] = {}
    leaves: dict[str, str] = {}
    for category in categories:
        chord = chords.get(category.code, "")
        if chord and not category.group:
            leaves[chord] = category.name
            for length in range(1, len(chord)):
                below.setdefault(chord[:length], []).append(category.name)
    groups: dict[str, str] = {}
    for category in categories:
        if category.group and chords.get(category.code):
            groups.setdefault(chords[category.code], category.name)
    shared = {chord: _shared_half(names) for chord, names in below.items() if chord not in groups}
    found: dict[str, Step] = {}
    for chord, name in leaves.items():
        for length in range(1, len(chord)):
            start = chord[:length]
            found.setdefault(start, Step(start, groups.get(start) or shared[start] or _first_names(below[start])))
        facet = any(shared.get(chord[:length]) for length in range(1, len(chord)))
        found[chord] = Step(chord, halves(name)[1] if facet else name)
    return list(found.values())


def _shared_half(names: Sequence[str]) -> str:
    heads = {halves(name)[0] for name in names if halves(name)[1]}
    return heads.pop() if len(heads) == 1 and all(halves(name)[1] for name in names) else ""


def _first_names(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (" …" if len(names) > 2 else "")


@dataclass(frozen=True, slots=True)
class Concerns:
    """What makes categories slow to reach: names of groups ("" is the top level) and how many categories."""

    crowded: dict[str, int]
    """More than `MOST_CHILDREN` stops on one level."""
    unsplit: dict[str, int]
    """The names below are a product, but stand in one list: two groups, one for each half, would split it."""
    long: int
    """Categories whose chord has more than `MOST_KEYS` keys."""


def concerns(categories: Sequence[Named], chords: Mapping[str, str]) -> Concerns:
    """What an editor of the taxonomy should know before publishing it."""
    products = product_groups(categories)
    names = {category.code: category.name for category in categories}
    below: dict[str, list[Named]] = {}
    for category in categories:
        for parent in category.parents or ("",):
            below.setdefault(parent, []).append(category)
    lists = {code: members for code, members in below.items() if code not in products}
    unsplit = {
        names.get(code, ""): len(members)
        for code, members in lists.items()
        if not any(member.group for member in members) and factors([member.name for member in members])
    }
    widths = Counter(len(chords.get(category.code, "")) for category in categories if not category.group)
    crowds = {code: len(members) for code, members in lists.items() if len(members) > MOST_CHILDREN}
    return Concerns(
        crowded={names.get(code, ""): number for code, number in crowds.items()},
        unsplit=unsplit,
        long=sum(number for width, number in widths.items() if width > MOST_KEYS),
    )
