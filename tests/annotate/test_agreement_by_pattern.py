"""The figures from patterns are those from single judgements."""

import random

import pytest

from annotate.agreement import agreement
from annotate.agreement_by_pattern import MOST_SETS, alpha_of, presence_alpha
from annotate.agreement_coefficients import NotComputable


def judgements(values, items=200, voters=(1, 2, 3, 4), seed=1):
    """Rows of (item, rater, value); half of the raters follow the item's truth."""
    source = random.Random(seed)
    rows = []
    for item in range(items):
        truth = source.choice(values)
        for rater in range(source.choice(voters)):
            rows.append((item, rater, truth if source.random() < 0.5 else source.choice(values)))
    return rows


def patterns(rows):
    by_item = {}
    for item, _rater, value in rows:
        by_item.setdefault(item, []).append(value)
    return [(values, 1) for values in by_item.values()]


@pytest.mark.parametrize(
    ("level", "values", "more"),
    [
        ("nominal", ["safe", "unsafe", "controversial"], {}),
        ("ordinal", ["low", "middle", "high"], {"ordinal_order": ["low", "middle", "high"]}),
        ("interval", [1, 2, 3.5], {"numeric": {1: 1.0, 2: 2.0, 3.5: 3.5}}),
        ("sets", [frozenset(), frozenset("a"), frozenset("ab"), frozenset("c")], {}),
    ],
)
def test_the_same_value_as_from_single_judgements(level, values, more):
    rows = judgements(values)
    expected = agreement(*zip(*rows, strict=True), **more).alpha
    found = alpha_of(patterns(rows), level, values)
    assert found.value == pytest.approx(expected.value)
    assert found.low < found.value < found.high
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03)


def test_presence_is_agreement_on_yes_and_no():
    rows = judgements([True, False])
    counts = {}
    for values, _ in patterns(rows):
        key = (sum(values), len(values))
        counts[key] = counts.get(key, 0) + 1
    expected = agreement(*zip(*rows, strict=True)).alpha
    assert presence_alpha(counts).value == pytest.approx(expected.value)


@pytest.mark.parametrize("empty", [[], [((), 4)], [(("safe",), 50)], [(("safe", "safe"), 50)]])
def test_too_few_is_said(empty):
    assert isinstance(alpha_of(empty, "nominal"), NotComputable)


def test_too_many_different_sets_are_refused_before_memory_is():
    many = [((frozenset({str(n)}), frozenset({str(n), "x"})), 1) for n in range(MOST_SETS)]
    assert "different answers" in alpha_of(many, "sets").reason
