"""How far people (or jurors) agree on one question: alpha, Fleiss, AC1 and Cohen's kappa for each pair.

Takes three parallel columns, one row a judgement, and knows nothing of the database. The arithmetic is in
`agreement_coefficients`, the distances between values in `agreement_weights`.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from annotate.agreement_coefficients import (
    DEFAULT_RESAMPLING,
    CountTable,
    IntArray,
    NotComputable,
    Resampling,
    Result,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    krippendorff_alpha,
    krippendorff_ordinal_alpha,
    percent_agreement,
)
from annotate.agreement_weights import disagreement, masi

Column: TypeAlias = Sequence[object] | NDArray[np.generic]
Order: TypeAlias = Sequence[Hashable] | None
Numbers: TypeAlias = Mapping[Hashable, float] | None

MIN_SHARED_ITEMS = 2
MAX_PAIRS = 200


@dataclass(frozen=True)
class CohenPair:
    """Cohen's (unweighted) kappa of two raters over the items that both answered."""

    raters: tuple[Hashable, Hashable]
    items: int
    kappa: Result

    def as_json(self) -> dict[str, object]:
        return {"raters": list(self.raters), "items": self.items, **self.kappa.as_json()}


@dataclass(frozen=True)
class QuestionAgreement:
    """Agreement on one question.

    ``items`` have a value at all, ``pairable_items`` from two raters or more. ``alpha_level`` names the
    difference that alpha uses: nominal, ordinal, interval or masi. ``cohen_pairs_left_out`` counts the pairs
    of raters that share an item but are not listed.
    """

    items: int
    pairable_items: int
    raters: int
    percent_agreement: Result
    alpha_level: str
    alpha: Result
    fleiss: Result
    ac1: Result
    cohen_pairs: tuple[CohenPair, ...]
    cohen_pairs_left_out: int

    def as_json(self) -> dict[str, object]:
        return {
            "items": self.items,
            "pairable_items": self.pairable_items,
            "raters": self.raters,
            "percent_agreement": self.percent_agreement.as_json(),
            "alpha_level": self.alpha_level,
            "alpha": self.alpha.as_json(),
            "fleiss": self.fleiss.as_json(),
            "ac1": self.ac1.as_json(),
            "cohen_pairs": [pair.as_json() for pair in self.cohen_pairs],
            "cohen_pairs_left_out": self.cohen_pairs_left_out,
        }


@dataclass(frozen=True)
class _Judgements:
    """Three columns as codes from 0, and what the codes of raters and values stand for."""

    units: IntArray
    raters: IntArray
    values: IntArray
    rater_names: list[Hashable]
    distinct_values: list[Hashable]


def agreement(
    units: Column,
    raters: Column,
    values: Column,
    *,
    options: Sequence[Hashable] = (),
    ordinal_order: Order = None,
    numeric: Numbers = None,
    min_shared: int = MIN_SHARED_ITEMS,
    max_pairs: int = MAX_PAIRS,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> QuestionAgreement:
    """Agreement over judgements: row i says that ``raters[i]`` gave ``values[i]`` to ``units[i]``.

    A value of None is absent and its row is left out. Values of different types are different values (1, 1.0,
    True and "1"). ``options`` are all answers that the question offers; AC1's chance depends on how many.
    Alpha is nominal; ordinal with ``ordinal_order`` (values from lowest to highest); interval with
    ``numeric`` (a number for each value). Where every value is a set or list, alpha uses MASI distance
    (Passonneau 2006) and the others take equal sets for one value; one category of many is a call of its own,
    with True and False. Cohen's kappa is unweighted and given for the ``max_pairs`` pairs of raters that
    share most units, none of them fewer than ``min_shared``.

    Raises ValueError on columns of unequal length, on two values by one rater for one unit (the caller
    chooses which counts), on an order that names a value twice, and on an order together with numbers.
    """
    _refuse_scale(ordinal_order, numeric)
    judgements = _read(units, raters, values, options)
    table = CountTable.of(_counts(judgements))
    identity = disagreement("identity", range(table.counts.shape[1]))
    level, alpha = _alpha(table, judgements.distinct_values, ordinal_order, numeric, resampling)
    pairs, left_out = _cohen_pairs(judgements, min_shared, max_pairs, resampling)
    return QuestionAgreement(
        items=int(table.items.sum()),
        pairable_items=int(table.pairable().items.sum()),
        raters=len(judgements.rater_names),
        percent_agreement=percent_agreement(table, identity, resampling),
        alpha_level=level,
        alpha=alpha,
        fleiss=fleiss_kappa(table, identity, resampling),
        ac1=gwet_ac(table, identity, resampling),
        cohen_pairs=pairs,
        cohen_pairs_left_out=left_out,
    )


def _refuse_scale(order: Order, numeric: Numbers) -> None:
    if order is not None and numeric is not None:
        raise ValueError("give ordinal_order or numeric, not both")
    if order is not None and len({*map(_key, order)}) < len(order):
        raise ValueError("ordinal_order names a value twice")


def _alpha(
    table: CountTable, distinct: list[Hashable], order: Order, numeric: Numbers, resampling: Resampling
) -> tuple[str, Result]:
    """The level of measurement and alpha at that level, over the values in use."""
    columns = np.flatnonzero(table.items @ table.counts)
    used = [distinct[column] for column in columns]
    if order is not None:
        column_of = {_key(value): column for value, column in zip(used, columns, strict=True)}
        if strange := [value for value in used if _key(value) not in map(_key, order)]:
            return "ordinal", NotComputable(f"ordinal alpha needs an order; {strange[0]!r} has no place in it")
        ranked = [column_of[_key(value)] for value in order if _key(value) in column_of]
        return "ordinal", krippendorff_ordinal_alpha(table.of_values(ranked), resampling)
    table = table.of_values(columns)
    if numeric is not None:
        numbers = [numeric.get(value, np.nan) for value in used]
        if strange := [value for value, number in zip(used, numbers, strict=True) if not np.isfinite(number)]:
            return "interval", NotComputable(f"interval alpha needs numbers; {strange[0]!r} has none")
        return "interval", krippendorff_alpha(table, disagreement("quadratic", numbers), resampling)
    sets = [value for value in used if isinstance(value, frozenset)]
    if sets and len(sets) == len(used):
        return "masi", krippendorff_alpha(table, masi(sets), resampling)
    return "nominal", krippendorff_alpha(table, disagreement("identity", range(len(used))), resampling)


def _read(units: Column, raters: Column, values: Column, options: Sequence[Hashable]) -> _Judgements:
    if not len(units) == len(raters) == len(values):
        raise ValueError(f"columns differ in length: {len(units)}, {len(raters)} and {len(values)}")
    rows = zip(_plain(units), _plain(raters), _plain(values), strict=True)
    answered = [row for row in rows if row[2] is not None]
    unit_codes, unit_names = _encode(unit for unit, _, _ in answered)
    rater_codes, rater_names = _encode(rater for _, rater, _ in answered)
    value_codes, distinct = _encode((value for _, _, value in answered), options)
    judgements = _Judgements(unit_codes, rater_codes, value_codes, rater_names, distinct)
    _refuse_repeats(judgements, unit_names)
    return judgements


def _plain(column: Column) -> Iterable[object]:
    """Python values, so that a NumPy integer and an int are one value."""
    return column.tolist() if isinstance(column, np.ndarray) else column


def _encode(column: Iterable[object], known: Sequence[Hashable] = ()) -> tuple[IntArray, list[Hashable]]:
    """Codes from 0, and the distinct values in an order that does not depend on the order of the rows."""
    keys = [_key(value) for value in column]
    distinct = sorted({*keys, *map(_key, known)}, key=_sort_key)
    codes = {key: code for code, key in enumerate(distinct)}
    return np.array([codes[key] for key in keys], dtype=np.int64), [value for _, value in distinct]


def _key(value: object) -> tuple[type, Hashable]:
    """The type beside the value, because 1 == 1.0 == True in Python."""
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset, frozenset(value)
    if not isinstance(value, Hashable):
        raise ValueError(f"a {type(value).__name__} cannot be compared as one answer")
    return type(value), value


def _sort_key(key: tuple[type, Hashable]) -> tuple[str, str]:
    kind, value = key
    return kind.__name__, repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _refuse_repeats(judgements: _Judgements, unit_names: list[Hashable]) -> None:
    keys = judgements.units * len(judgements.rater_names) + judgements.raters
    distinct, times = np.unique(keys, return_counts=True)
    if distinct.size < keys.size:
        unit, rater = divmod(int(distinct[times > 1][0]), len(judgements.rater_names))
        raise ValueError(
            f"unit {unit_names[unit]!r} has more than one value by rater {judgements.rater_names[rater]!r};"
            " keep one for each unit and rater"
        )


def _counts(judgements: _Judgements) -> IntArray:
    """How often each value was given to each unit (units x values)."""
    columns = len(judgements.distinct_values)
    units = int(judgements.units.max(initial=-1)) + 1
    cells = judgements.units * columns + judgements.values
    return np.bincount(cells, minlength=units * columns).reshape(units, columns)


def _cohen_pairs(
    judgements: _Judgements, min_shared: int, max_pairs: int, resampling: Resampling
) -> tuple[tuple[CohenPair, ...], int]:
    """Cohen's kappa of the pairs that share most items, and how many sharing pairs were left out."""
    names, values = judgements.rater_names, len(judgements.distinct_values)
    cells, items = _shared_cells(judgements)
    cell_pairs, answers = np.divmod(cells, max(values, 1) ** 2)
    pairs, starts = np.unique(cell_pairs, return_index=True)
    shared = np.add.reduceat(items, starts) if pairs.size else pairs
    stops = np.append(starts[1:], cells.size)
    most_first = np.lexsort((pairs, -shared))
    most_first = most_first[shared[most_first] >= min_shared][:max_pairs]
    identity = disagreement("identity", range(values))
    listed = []
    for pair in most_first:
        mine = slice(int(starts[pair]), int(stops[pair]))
        one, other = divmod(int(pairs[pair]), len(names))
        ratings = np.column_stack(np.divmod(answers[mine], values))
        kappa = conger_kappa(ratings, identity, resampling, items[mine])
        listed.append(CohenPair((names[one], names[other]), int(shared[pair]), kappa))
    return tuple(listed), pairs.size - len(listed)


def _shared_cells(judgements: _Judgements) -> tuple[IntArray, IntArray]:
    """Every (pair of raters, value of the one, value of the other) that occurs, as one number, and its items.

    Rows are sorted by unit and rater, so that row i and row i + step of one unit make a pair; this holds only
    one step in memory, however many raters there are.
    """
    raters, values = len(judgements.rater_names), len(judgements.distinct_values)
    order = np.lexsort((judgements.raters, judgements.units))
    unit, rater, value = judgements.units[order], judgements.raters[order], judgements.values[order]
    found: list[IntArray] = [np.zeros((2, 0), dtype=np.int64)]
    for step in range(1, int(np.bincount(unit).max(initial=0))):
        first = np.flatnonzero(unit[step:] == unit[:-step])
        second = first + step
        cell = ((rater[first] * raters + rater[second]) * values + value[first]) * values + value[second]
        found.append(np.stack(np.unique(cell, return_counts=True)))
    cells, items = np.concatenate(found, axis=1)
    distinct, place = np.unique(cells, return_inverse=True)
    return distinct, np.bincount(place, weights=items, minlength=distinct.size).astype(np.int64)
