"""Agreement on a question: its definitions by brute force, its intervals, what cannot be computed, real data.

The `brute_` functions are the definitions over lists of ratings; they take nothing from the code under test.
"""

import gzip
import itertools
import json
import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.agreement import QuestionAgreement, agreement
from annotate.agreement_coefficients import (
    CountTable,
    NotComputable,
    Resampling,
    Result,
    Statistic,
    krippendorff_alpha,
)
from annotate.agreement_weights import disagreement, masi

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
Judgement = tuple[object, object, object]


def by_unit(rows: list[Judgement]) -> list[list[object]]:
    units: dict[object, list[object]] = {}
    for unit, _, value in rows:
        units.setdefault(unit, []).append(value)
    return list(units.values())


def brute_alpha(rows: list[Judgement], distance: Callable[[object, object], float]) -> float | None:
    units = [values for values in by_unit(rows) if len(values) > 1]
    pooled = [value for values in units for value in values]
    seen = sum(distance(a, b) / (len(unit) - 1) for unit in units for a, b in itertools.permutations(unit, 2))
    by_chance = sum(distance(a, b) for a, b in itertools.permutations(pooled, 2))
    return 1 - seen / len(pooled) / (by_chance / (len(pooled) * (len(pooled) - 1))) if by_chance else None


def ordinal_distance(rows: list[Judgement], order: list[object]) -> Callable[[object, object], float]:
    """Krippendorff: (sum of n_g for g from c to k, less half of n_c and n_k) squared."""
    used = Counter(value for values in by_unit(rows) if len(values) > 1 for value in values)

    def distance(one: object, other: object) -> float:
        low, high = sorted((order.index(one), order.index(other)))
        between = sum(used[value] for value in order[low : high + 1])
        return float(between - (used[one] + used[other]) / 2) ** 2 if low != high else 0.0

    return distance


def brute_observed(rows: list[Judgement]) -> float:
    units = [values for values in by_unit(rows) if len(values) > 1]
    shares = [sum(a == b for a, b in itertools.permutations(u, 2)) / (len(u) * (len(u) - 1)) for u in units]
    return sum(shares) / len(shares)


def mean_shares(rows: list[Judgement], options: list[object]) -> list[float]:
    units = by_unit(rows)
    return [sum(values.count(option) / len(values) for values in units) / len(units) for option in options]


def brute_ac1(rows: list[Judgement], options: list[object]) -> float:
    chance = sum(p * (1 - p) for p in mean_shares(rows, options)) / (len(options) - 1)
    return (brute_observed(rows) - chance) / (1 - chance)


def brute_fleiss(rows: list[Judgement], options: list[object]) -> float | None:
    chance = sum(p**2 for p in mean_shares(rows, options))
    return (brute_observed(rows) - chance) / (1 - chance) if chance < 1 - 1e-9 else None


def brute_cohen(rows: list[Judgement], one: object, other: object) -> tuple[int, float | None]:
    answers = {(unit, rater): value for unit, rater, value in rows}
    both = [(answers[u, one], answers[u, other]) for u, r in answers if r == one and (u, other) in answers]
    if not both:
        return 0, None
    observed = sum(a == b for a, b in both) / len(both)
    first, second = (Counter(answer) for answer in zip(*both, strict=True))
    chance = sum(first[value] * second[value] for value in first) / len(both) ** 2
    return len(both), (observed - chance) / (1 - chance) if chance < 1 - 1e-9 else None


OPTIONS = [1, 2, 4, 7]


@st.composite
def judgements(draw: st.DrawFn, options: list[object] = OPTIONS, missing: bool = True) -> list[Judgement]:
    units, raters = draw(st.integers(2, 8)), draw(st.integers(2, 5))
    answer = st.sampled_from([*options, None] if missing else options)
    return [
        (unit, f"rater {rater}", value)
        for unit in range(units)
        for rater in range(raters)
        if (value := draw(answer)) is not None
    ]


def measure(rows: list[Judgement], **settings_: object) -> QuestionAgreement:
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    with np.errstate(all="raise"):
        return agreement(*columns, resampling=Resampling(replicates=200), **settings_)


def assert_same(result: Result, expected: float | None, pairable: int) -> None:
    if pairable < 2 or expected is None:
        assert isinstance(result, NotComputable)
    else:
        assert isinstance(result, Statistic), result
        assert result.value == pytest.approx(expected, abs=1e-9)


def pairable(rows: list[Judgement]) -> int:
    return sum(len(values) > 1 for values in by_unit(rows))


@given(judgements())
@settings(deadline=None)
def test_alpha_is_the_pairwise_definition_at_every_level(rows):
    nominal = brute_alpha(rows, lambda a, b: float(a != b))
    assert_same(measure(rows).alpha, nominal, pairable(rows))
    interval = brute_alpha(rows, lambda a, b: float(a - b) ** 2)
    assert_same(measure(rows, numeric={v: v for v in OPTIONS}).alpha, interval, pairable(rows))
    for order in (OPTIONS, [4, 1, 7, 2]):
        ordinal = brute_alpha(rows, ordinal_distance(rows, order))
        assert_same(measure(rows, ordinal_order=order).alpha, ordinal, pairable(rows))
    ratio = brute_alpha(rows, lambda a, b: ((a - b) / (a + b)) ** 2)
    counts = np.array([[unit.count(v) for v in OPTIONS] for unit in by_unit(rows)]).reshape(-1, len(OPTIONS))
    result = krippendorff_alpha(CountTable.of(counts), disagreement("ratio", OPTIONS))
    assert_same(result, ratio, pairable(rows))


@given(judgements())
@settings(deadline=None)
def test_ac1_and_percent_agreement_are_their_definitions(rows):
    result = measure(rows, options=OPTIONS)
    enough = pairable(rows) >= 2
    assert_same(result.ac1, brute_ac1(rows, OPTIONS) if enough else None, pairable(rows))
    assert_same(result.percent_agreement, brute_observed(rows) if enough else None, pairable(rows))


@given(judgements(missing=False))
@settings(deadline=None)
def test_fleiss_is_its_definition(rows):
    assert_same(measure(rows).fleiss, brute_fleiss(rows, OPTIONS), pairable(rows))


@given(judgements())
@settings(deadline=None)
def test_every_cohen_pair_is_its_definition_and_none_is_lost(rows):
    result = measure(rows)
    listed = {pair.raters: pair for pair in result.cohen_pairs}
    sharing = 0
    for one, other in itertools.combinations(sorted({rater for _, rater, _ in rows}), 2):
        items, kappa = brute_cohen(rows, one, other)
        sharing += items > 0
        if items >= 2:
            assert listed[one, other].items == items
            assert_same(listed[one, other].kappa, kappa, items)
        else:
            assert (one, other) not in listed
    assert result.cohen_pairs_left_out == sharing - len(listed)


SETS = [frozenset(), frozenset("a"), frozenset("ab"), frozenset("bc"), frozenset("abc")]
# 1 - |A and B| / |A or B| x m by hand, for the pairs of SETS in the order of itertools.combinations
MASI_BY_HAND = [1, 1, 1, 1, 1 - 1 / 3, 1, 1 - 2 / 9, 1 - 1 / 9, 1 - 4 / 9, 1 - 4 / 9]


def test_masi_distances_are_those_worked_out_by_hand():
    table = masi(SETS)
    assert [table[i, j] for i, j in itertools.combinations(range(len(SETS)), 2)] == pytest.approx(MASI_BY_HAND)
    assert np.array_equal(table, table.T)
    assert not table.diagonal().any()


@given(judgements(options=SETS))
@settings(deadline=None)
def test_alpha_of_sets_uses_masi(rows):
    by_hand = dict(zip(itertools.combinations(SETS, 2), MASI_BY_HAND, strict=True))
    expected = brute_alpha(rows, lambda a, b: by_hand.get((a, b), by_hand.get((b, a), 0.0)))
    result = measure([(unit, rater, sorted(value)) for unit, rater, value in rows])
    assert_same(result.alpha, expected, pairable(rows))
    assert result.alpha_level == ("masi" if rows else "nominal")


def noisy_rows(items: int, raters: int, seed: int, accuracy: float = 0.8) -> list[Judgement]:
    source = random.Random(seed)
    rows: list[Judgement] = []
    for item in range(items):
        truth = source.choice("aab")
        for rater in range(raters):
            answer = truth if source.random() < accuracy else source.choice("abc")
            rows.append((item, rater, answer))
    return rows


def test_interval_is_that_of_resampling_items_one_by_one():
    rows = noisy_rows(40, 3, seed=1)
    units = by_unit(rows)
    source = random.Random(2)
    values = []
    for _ in range(1000):
        drawn = source.choices(units, k=len(units))
        again = [(place, rater, v) for place, unit in enumerate(drawn) for rater, v in enumerate(unit)]
        values.append(brute_alpha(again, lambda a, b: float(a != b)))
    low, high = np.quantile([value for value in values if value is not None], [0.025, 0.975])
    result = agreement(*zip(*rows, strict=True), resampling=Resampling(4000)).alpha
    assert result.low == pytest.approx(low, abs=0.03)
    assert result.high == pytest.approx(high, abs=0.03)


def test_intervals_hold_the_true_value_about_95_times_in_100():
    options = {"resampling": Resampling(1000), "max_pairs": 1}
    truth = agreement(*zip(*noisy_rows(40_000, 3, seed=3), strict=True)).as_json()
    held = Counter()
    for seed in range(100, 200):
        result = agreement(*zip(*noisy_rows(150, 3, seed), strict=True), **options)
        pair = result.cohen_pairs[0].kappa
        held["alpha"] += result.alpha.low <= truth["alpha"]["value"] <= result.alpha.high
        held["fleiss"] += result.fleiss.low <= truth["fleiss"]["value"] <= result.fleiss.high
        held["ac1"] += result.ac1.low <= truth["ac1"]["value"] <= result.ac1.high
        held["cohen"] += pair.low <= truth["cohen_pairs"][0]["value"] <= pair.high
    assert all(88 <= times <= 100 for times in held.values()), held


def test_same_rows_in_any_order_give_the_same_figures_and_another_seed_does_not():
    rows = noisy_rows(60, 4, seed=4)
    shuffled = random.Random(5).sample(rows, len(rows))
    first = agreement(*zip(*rows, strict=True)).as_json()
    assert agreement(*zip(*shuffled, strict=True)).as_json() == first
    other = agreement(*zip(*rows, strict=True), resampling=Resampling(seed=1)).as_json()
    assert other["alpha"]["value"] == first["alpha"]["value"]
    assert other["alpha"]["low"] != first["alpha"]["low"]


def test_many_distinct_rows_are_resampled_in_blocks_to_the_same_interval(monkeypatch):
    rows = noisy_rows(60, 4, seed=6)
    whole = agreement(*zip(*rows, strict=True))
    monkeypatch.setattr("annotate.agreement_coefficients.NUMBERS_HELD", 100)
    assert agreement(*zip(*rows, strict=True)) == whole


@given(judgements(options=[1, 2]))
@settings(deadline=None)
def test_figures_are_never_nan(rows):
    text = json.dumps(measure(rows).as_json(), allow_nan=False)
    assert "NaN" not in text


def test_no_rows_at_all_is_not_computable():
    result = agreement([], [], [], options=["safe", "unsafe"]).as_json()
    assert result["items"] == result["raters"] == 0
    assert result["cohen_pairs"] == []
    for name in ("alpha", "fleiss", "ac1", "percent_agreement"):
        assert result[name]["value"] is None
        assert "0 have them" in result[name]["reason"]


def test_one_rater_on_every_item_is_not_computable():
    result = agreement([1, 2, 3], ["ann", "ben", "ann"], ["safe", "unsafe", "safe"])
    assert (result.items, result.pairable_items, result.raters) == (3, 0, 2)
    assert isinstance(result.alpha, NotComputable)
    assert "two raters" in result.alpha.reason


def test_a_single_value_leaves_alpha_without_variation_but_ac1_full():
    result = agreement([1, 1, 2, 2], ["ann", "ben"] * 2, ["safe"] * 4, options=["safe", "unsafe"])
    for statistic in (result.alpha, result.fleiss, result.cohen_pairs[0].kappa):
        assert isinstance(statistic, NotComputable)
        assert "all values are the same" in statistic.reason
    assert result.ac1 == result.percent_agreement == Statistic(1.0, 1.0, 1.0)


def test_unequal_numbers_of_values_leave_fleiss_out_and_say_how_many():
    rows = [*noisy_rows(5, 3, seed=7), ("extra", 0, "a"), ("extra", 1, "b")]
    result = agreement(*zip(*rows, strict=True))
    assert isinstance(result.fleiss, NotComputable)
    assert "1 of 6 items do not have 3" in result.fleiss.reason
    assert isinstance(result.alpha, Statistic)


@pytest.mark.parametrize(
    ("scale", "level", "reason"),
    [
        ({"ordinal_order": ["mild", "severe"]}, "ordinal", "'unsure' has no place"),
        ({"numeric": {"mild": 1, "severe": 3}}, "interval", "'unsure' has none"),
        ({"numeric": {"mild": 1, "severe": 3, "unsure": math.inf}}, "interval", "'unsure' has none"),
    ],
)
def test_a_value_off_the_scale_leaves_alpha_out_and_is_named(scale, level, reason):
    result = agreement([1, 1, 2, 2], ["ann", "ben"] * 2, ["mild", "severe", "mild", "unsure"], **scale)
    assert result.alpha_level == level
    assert isinstance(result.alpha, NotComputable)
    assert reason in result.alpha.reason
    assert isinstance(result.ac1, Statistic)


def test_two_values_by_one_rater_for_one_item_are_refused_by_name():
    with pytest.raises(ValueError, match=r"'i7' has more than one value by rater 'ann'"):
        agreement(["i7", "i7", "i8"], ["ann", "ann", "ben"], [1, 2, 1])


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="differ in length: 2, 1 and 2"):
        agreement([1, 2], ["ann"], [1, 2])


def test_two_scales_or_a_doubled_order_are_refused():
    with pytest.raises(ValueError, match="not both"):
        agreement([], [], [], ordinal_order=[1], numeric={1: 1})
    with pytest.raises(ValueError, match="twice"):
        agreement([], [], [], ordinal_order=[1, 2, 1])


def test_values_of_different_types_are_different_values():
    result = agreement([1, 1, 2, 2, 3, 3, 4, 4], ["ann", "ben"] * 4, [1, "1", 1, 1.0, 1, True, 0, False])
    assert result.percent_agreement == Statistic(0.0, 0.0, 0.0)


def test_an_absent_value_is_no_value():
    absent = agreement([1, 1, 2, 2, 3, 3], ["ann", "ben"] * 3, ["a", "a", "b", "b", "a", None])
    left_out = agreement([1, 1, 2, 2, 3], ["ann", "ben", "ann", "ben", "ann"], ["a", "a", "b", "b", "a"])
    assert absent == left_out
    assert (absent.items, absent.pairable_items) == (3, 2)


def test_ac1_depends_on_how_many_options_there_were():
    rows = noisy_rows(30, 3, seed=8)
    few = agreement(*zip(*rows, strict=True)).ac1
    many = agreement(*zip(*rows, strict=True), options=list("abcdefgh")).ac1
    assert few.value < many.value == pytest.approx(brute_ac1(rows, list("abcdefgh")))


def test_pairs_are_capped_most_shared_first_and_the_rest_counted():
    rows = [row for row in noisy_rows(50, 6, seed=9) if row[0] % (row[1] + 1) == 0]
    whole = agreement(*zip(*rows, strict=True))
    capped = agreement(*zip(*rows, strict=True), max_pairs=3, min_shared=5)
    assert [pair.items for pair in capped.cohen_pairs] == sorted(
        (pair.items for pair in whole.cohen_pairs), reverse=True
    )[:3]
    assert capped.cohen_pairs == whole.cohen_pairs[:3]
    assert capped.cohen_pairs_left_out == 15 - 3
    assert capped.as_json()["cohen_pairs"][0].keys() == {"raters", "items", "value", "low", "high"}


def real_labels(name: str) -> list[dict]:
    path = DATA / f"{name}.labels.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no shared/data/{path.name}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_hatecheck_agrees_as_published():
    labels = real_labels("hatecheck")
    rows = [(label["item"], label["annotator"], label["label"]) for label in labels]
    result = agreement(*zip(*rows, strict=True), options=["hateful", "non-hateful"])
    assert (result.items, result.raters) == (3901, 10)
    assert result.fleiss.value == pytest.approx(0.9285, abs=0.00005)
    assert result.fleiss.low < 0.9285 < result.fleiss.high
    assert result.alpha.value == pytest.approx(0.9285, abs=0.00005)


def test_convabuse_ordinal_alpha_of_first_judgements():
    first: dict[tuple[str, str], int] = {}
    for label in real_labels("convabuse"):
        first.setdefault((label["item"], label["annotator"]), label["severity"])
    rows = [(item, annotator, severity) for (item, annotator), severity in first.items()]
    result = agreement(*zip(*rows, strict=True), ordinal_order=[-3, -2, -1, 0, 1])
    assert (result.items, result.raters, result.alpha_level) == (4185, 8, "ordinal")
    assert result.alpha.value == pytest.approx(0.660, abs=0.0005)
    assert isinstance(result.fleiss, NotComputable)
    assert len(result.cohen_pairs) == 28
