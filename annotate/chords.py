"""Key chords of a taxonomy: which letters lead to which category, and what stands at each step. Pure arithmetic.

A chord walks down the groups, one letter a step: group, group below, category. Top-level groups that only bundle
and a group alone in its level take no key. A product ("A - B" under two sibling groups) is walked as two facets,
with the same letter for B under every A. No category's chord begins another's, so none needs an end key.

Keys belong to a version and never move: what had a chord before keeps it, whatever else is added, renamed,
moved or reordered; new categories take keys that are free. A level's letters are a to y; z is never a stop, so
that a full level can always go on behind it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase

LETTERS, DOOR = ascii_lowercase[:-1], "z"
CHORD = re.compile(r"[a-z]{0,7}[a-y]")
MOST = 8
"""As many as the column that stores a chord takes."""
SEPARATOR = " - "
SMALL_WORDS = frozenset(
    re.findall(r"\w+", "a an and as at by e for from g in into not of on or other than that the to with")
)


class NoKeysLeft(ValueError):
    """A chord would need more than `MOST` letters; the message names the category."""


@dataclass(frozen=True, slots=True)
class Named:
    """What chords need to know of a category."""

    code: str
    name: str
    parents: tuple[str, ...] = ()
    group: bool = False


@dataclass(slots=True, eq=False)
class _Node:
    """A stop on the way: a category, a group, or (without a code) one value of a product's first facet."""

    name: str
    code: str = ""
    group: bool = False
    children: list["_Node"] = field(default_factory=list)


def assign_chords(categories: Sequence[Named], before: Mapping[str, str]) -> dict[str, str]:
    """By code: a chord for every category; for every group, what its categories' chords begin with.

    Args:
        categories: of one version, in its order; parents come from the same version.
        before: chords of the version before, by code, groups' too ("" for a group that takes no key). They are
            kept, and those of categories that are gone are not given to others. Empty for a first version.

    Raises:
        NoKeysLeft: so many categories on one level that a chord would get too long to store.
    """
    return _Assignment(categories, before).run()


class _Assignment:
    def __init__(self, categories: Sequence[Named], before: Mapping[str, str]) -> None:
        self.categories = categories
        self.chords = _kept(categories, before)
        self.taken: set[str] = set()
        for chord in (*self.chords.values(), *before.values()):
            self._take(chord)

    def run(self) -> dict[str, str]:
        self._fill("", self._without_bundles(_tree(self.categories)))
        for code in product_groups(self.categories):
            above = next((c.parents for c in self.categories if c.code == code), ())
            self.chords.setdefault(code, self.chords.get(above[0], "") if above else "")
        return {category.code: self.chords.get(category.code, "") for category in self.categories}

    def _without_bundles(self, nodes: list[_Node]) -> list[_Node]:
        """The top level: groups are opened while what is below them fits into one key as well."""
        while True:
            fits = sum(len(node.children) if node.group else 1 for node in nodes) <= len(LETTERS)
            opened = [
                node
                for node in nodes
                if node.group and (self.chords.get(node.code) == "" or (fits and node.code not in self.chords))
            ]
            if not opened:
                return nodes
            self.chords |= {node.code: "" for node in opened}
            nodes = [below for node in nodes for below in (node.children if node in opened else [node])]

    def _fill(self, prefix: str, nodes: list[_Node]) -> None:
        """Chords for the nodes of a level, then for those below."""
        places = {id(node): place for node in nodes if (place := self._place_before(node)) is not None}
        if len(nodes) == 1 and nodes[0].group:
            places.setdefault(id(nodes[0]), prefix)
        places |= self._place(prefix, [node for node in nodes if id(node) not in places])
        self.chords |= {node.code: places[id(node)] for node in nodes if node.code}
        facets = [(places[id(node)], node) for node in nodes if not node.code]
        self._fill_facets(facets)
        for node in nodes:
            self._fill(places[id(node)], node.children)

    def _place_before(self, node: _Node) -> str | None:
        """Where the node was before; a facet has no code, but its categories' chords show its place."""
        if node.code:
            return self.chords.get(node.code)
        kept = (self.chords.get(below.code, "") for below in node.children)
        return next((stem for chord in kept if (stem := _stem(chord))), None)

    def _fill_facets(self, facets: list[tuple[str, _Node]]) -> None:
        """The same letter for the same second half under every first half, where that is free everywhere."""
        endings: dict[str, str] = {}
        for place, facet in facets:
            for below in facet.children:
                chord = self.chords.get(below.code, "")
                if _stem(chord) == place:
                    endings.setdefault(below.name, chord[len(place) :])
        free = [letter for letter in LETTERS if all(place + letter not in self.taken for place, _ in facets)]
        new = dict.fromkeys(below.name for _, facet in facets for below in facet.children)
        names = [name for name in new if name not in endings][: len(free)]
        endings |= dict(zip(names, _mnemonic(names, free), strict=True))
        for place, facet in facets:
            for below in facet.children:
                chord = place + endings.get(below.name, "")
                if below.code not in self.chords and chord != place and chord not in self.taken:
                    self.chords[below.code] = chord
                    self._take(chord)

    def _place(self, prefix: str, nodes: list[_Node]) -> dict[int, str]:
        """A free place below the prefix for each node, by the node's id."""
        if not nodes:
            return {}
        if len(prefix) >= MOST:
            raise NoKeysLeft(f"There is no key left for {nodes[0].name!r}: group the categories.")
        free = [letter for letter in LETTERS if prefix + letter not in self.taken]
        now, later = nodes[: len(free)], nodes[len(free) :]
        letters = _mnemonic([node.name for node in now], free)
        places = {id(node): prefix + letter for node, letter in zip(now, letters, strict=True)}
        for place in places.values():
            self._take(place)
        return places | self._place(prefix + DOOR, later)

    def _take(self, chord: str) -> None:
        self.taken.update(chord[:length] for length in range(1, len(chord) + 1))


def _kept(categories: Sequence[Named], before: Mapping[str, str]) -> dict[str, str]:
    """What can be kept of the chords before: categories' that begin no other's, then groups' beginnings."""
    leaves: dict[str, str] = {}
    stops: set[str] = set()
    beginnings: set[str] = set()
    for category in categories:
        chord = before.get(category.code, "")
        begins = {chord[:length] for length in range(1, len(chord))}
        if not category.group and CHORD.fullmatch(chord) and not (begins & stops or chord in beginnings | stops):
            leaves[category.code] = chord
            stops.add(chord)
            beginnings |= begins
    groups: dict[str, str] = {}
    for category in categories:
        beginning = before.get(category.code)
        if not category.group or beginning is None or not (beginning == "" or CHORD.fullmatch(beginning)):
            continue
        if not stops.intersection(beginning[:length] for length in range(1, len(beginning) + 1)):
            groups[category.code] = beginning
    return groups | leaves


def _stem(chord: str) -> str:
    """Where a category hangs: its chord without its own letter and the doors before that."""
    return chord[:-1].rstrip(DOOR)


def _tree(categories: Sequence[Named]) -> list[_Node]:
    """The top-level nodes; a product's two groups are replaced by the values of its first facet."""
    products = _products(categories)
    below: dict[str, list[Named]] = {}
    known = {category.code for category in categories}
    for category in categories:
        parents = [parent for parent in category.parents if parent in known] or [""]
        below.setdefault(parents[0], []).append(category)

    def node(category: Named) -> _Node:
        return _Node(category.name, category.code, category.group, level(category.code))

    def level(parent: str) -> list[_Node]:
        nodes: list[_Node] = []
        for category in below.get(parent, ()):
            if category.code in products:
                nodes += _facets(products[category.code])
            else:
                nodes.append(node(category))
        return nodes

    return level("")


def _facets(leaves: Iterable[Named]) -> list[_Node]:
    facets: dict[str, _Node] = {}
    for leaf in leaves:
        head, tail = halves(leaf.name)
        facets.setdefault(head, _Node(head)).children.append(_Node(tail, leaf.code))
    return list(facets.values())


def halves(name: str) -> tuple[str, str]:
    """A and B of "A - B"; B is empty where the name is not made so."""
    head, _, tail = name.partition(SEPARATOR)
    return head.strip(), tail.strip()


def factors(names: Sequence[str]) -> bool:
    """Whether the names are those of a product: "A - B" with several As, each with several Bs, none twice."""
    pairs = [halves(name) for name in names]
    heads = {head for head, _ in pairs}
    tails = {tail for _, tail in pairs}
    if "" in tails or len(heads) < 2 or len(tails) < 2 or len(set(pairs)) < len(pairs):
        return False
    return 2 * len(pairs) > len(heads) * len(tails)


def _products(categories: Sequence[Named]) -> dict[str, list[Named]]:
    """The leaves of each product by the code of the first of its two groups; empty lists by the second's."""
    groups = {category.code: category.parents for category in categories if category.group}
    leaves: dict[tuple[str, ...], list[Named]] = {}
    of_group: dict[str, int] = {}
    for category in categories:
        leaves.setdefault(category.parents, []).append(category)
        for parent in category.parents:
            of_group[parent] = of_group.get(parent, 0) + 1
    products: dict[str, list[Named]] = {}
    for pair, members in leaves.items():
        siblings = len(pair) == 2 and set(pair) <= set(groups) and groups[pair[0]] == groups[pair[1]]
        if not siblings or any(of_group[group] != len(members) for group in pair):
            continue
        if not any(member.group for member in members) and factors([member.name for member in members]):
            products[pair[0]], products[pair[1]] = members, []
    return products


def product_groups(categories: Sequence[Named]) -> set[str]:
    """Codes of the groups that are walked as facets."""
    return set(_products(categories))


def _mnemonic(names: Sequence[str], free: Sequence[str]) -> list[str]:
    """A letter of `free` for each name, none twice: its first, of another word, any of its own, any.

    All names get a first letter before any gets a second choice, so that order matters least.
    """
    chosen: dict[int, str] = {}
    wishes = [_wishes(name) for name in names]
    for choice in range(4):
        for at, wished in enumerate(wishes):
            letters = (*wished, free)[choice]
            letter = next((one for one in letters if one in free and one not in chosen.values()), "")
            if letter and at not in chosen:
                chosen[at] = letter
    return [chosen[at] for at in range(len(names))]


def _wishes(name: str) -> tuple[str, str, str]:
    """The first letter, the other words' first letters, and all letters of the name in Latin script."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z]+", plain)
    telling = [word for word in words if word not in SMALL_WORDS] or words
    initials = "".join(word[0] for word in telling)
    return initials[:1], initials[1:], "".join(telling)
