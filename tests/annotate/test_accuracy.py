"""How answers are compared with known ones, and what may be said from how many."""

import random

import pytest

from annotate.accuracy import Share, accuracy, agrees_with_itself, compare, consistency, jaccard, wilson
from annotate.answers import AskedQuestion

HARM = AskedQuestion("harm", "choice", ("safe", "unsafe"))
HAZARDS = AskedQuestion("hazards", "categories", condition=({"question": "harm", "is": "unsafe"},))
SEVERITY = AskedQuestion("severity", "scale", (1, 2, 3), required=False)
WHY = AskedQuestion("why", "text")
QUESTIONS = [HARM, HAZARDS, SEVERITY, WHY]
UNSAFE = {"harm": "unsafe", "hazards": ["fraud", "violence"]}


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        # Computed with SciPy 1.17: binomtest(right, n).proportion_ci(method="wilson")
        (8, 10, 0.4901624715, 0.9433178485),
        (0, 20, 0.0, 0.1611251581),
        (20, 20, 0.8388748419, 1.0),
        (1, 1, 0.2065493144, 1.0),
        (15, 25, 0.4073945736, 0.7659669762),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_gives_the_bounds_that_scipy_gives(right, n, low, high):
    assert wilson(right, n) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(("right", "n"), [(-1, 3), (4, 3)])
def test_more_right_than_there_are_is_refused(right, n):
    with pytest.raises(ValueError, match="is no share"):
        wilson(right, n)


@pytest.mark.parametrize("true_share", [0.6, 0.8, 0.9])
def test_the_interval_holds_the_truth_about_95_times_in_100(true_share):
    draw = random.Random(7)
    trials = 4_000
    held = 0
    for _ in range(trials):
        low, high = wilson(sum(draw.random() < true_share for _ in range(40)), 40)
        held += low <= true_share <= high
    assert 0.93 < held / trials < 0.975


@pytest.mark.parametrize(
    ("given", "right", "unsure", "shared"),
    [
        ({"harm": "unsafe", "hazards": ["violence", "fraud"]}, True, False, 1.0),
        ({"harm": "unsafe", "hazards": ["fraud"]}, False, False, 0.5),
        ({"harm": "unsafe", "hazards": ["fraud", "privacy"]}, False, False, 1 / 3),
        ({"harm": "unsafe", "hazards": "unsure"}, False, True, 0.0),
        ({"harm": "safe"}, False, False, 0.0),
        ({"harm": "unsure"}, False, True, 0.0),
        ({}, False, False, 0.0),
    ],
)
def test_categories_count_as_an_exact_set_with_what_is_shared_beside_it(given, right, unsure, shared):
    comparison = compare(UNSAFE, given, QUESTIONS)
    assert (comparison.right, comparison.unsure) == (right, unsure)
    assert comparison.jaccard == pytest.approx(shared)


def test_only_what_must_be_chosen_is_compared():
    known = {"harm": "safe", "severity": 2, "why": "because"}
    comparison = compare(known, {"harm": "safe", "severity": 3, "why": "so"}, QUESTIONS)
    assert comparison.questions == {"harm": True}
    assert comparison.jaccard is None, "no categories are known, so none are missed"


def test_values_keep_their_type():
    score = AskedQuestion("score", "choice", (1, "1"))
    assert not compare({"score": 1}, {"score": "1"}, [score]).right
    assert not compare({"score": 1}, {"score": True}, [score]).right


def test_turns_with_an_answer_each_are_compared_as_a_whole():
    turns = AskedQuestion("turns", "turns", ("safe", "unsafe"))
    assert compare({"turns": {"0": "safe", "1": "unsafe"}}, {"turns": {"1": "unsafe", "0": "safe"}}, [turns]).right
    assert not compare({"turns": {"0": "safe"}}, {"turns": {"0": "unsafe"}}, [turns]).right


def test_two_empty_sets_share_everything():
    assert jaccard([], []) == 1.0
    assert jaccard([], ["fraud"]) == 0.0


def test_unsure_is_not_right_but_is_named():
    figures = accuracy(
        [compare({"harm": "safe"}, {"harm": value}, [HARM]) for value in ("safe", "unsafe", "unsure", "unsure")]
    )
    assert (figures.share.right, figures.share.n, figures.unsure) == (1, 4, 2)


def figures(right, n):
    comparisons = [
        compare({"harm": "safe"}, {"harm": "safe" if k < right else "unsafe"}, [HARM]) for k in range(n)
    ]
    return accuracy(comparisons)


@pytest.mark.parametrize(
    ("right", "n", "mark", "flagged"),
    [
        (0, 19, 0.8, False),  # however bad: too few
        (0, 20, 0.8, True),
        (12, 20, 0.8, True),  # the interval ends at 0.7812
        (13, 20, 0.8, False),  # below the mark, but the interval reaches above it
        (20, 20, 0.8, False),
        (20, 20, 1.0, False),
    ],
)
def test_a_flag_needs_twenty_items_and_an_interval_that_lies_below_the_mark(right, n, mark, flagged):
    assert figures(right, n).below(mark) is flagged


def test_a_repeat_is_equal_if_all_that_either_answered_is():
    assert agrees_with_itself(UNSAFE, {"harm": "unsafe", "hazards": ["violence", "fraud"]}, QUESTIONS)
    assert not agrees_with_itself({"harm": "safe"}, UNSAFE, QUESTIONS)
    assert agrees_with_itself({"harm": "unsure"}, {"harm": "unsure"}, QUESTIONS)
    assert not agrees_with_itself({"harm": "safe"}, {"harm": "unsure"}, QUESTIONS)
    share = consistency([True, True, False])
    assert (share.right, share.n, share.value) == (2, 3, pytest.approx(2 / 3))
    assert share.high < 1


def test_without_any_item_there_is_no_share():
    assert Share(0, 0).value is None
    assert accuracy([]).jaccard is None
