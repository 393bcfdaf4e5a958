import random
from statistics import mean

import pytest

from annotate.forecast import forecast


@pytest.mark.parametrize("days", [[], [10], [10, 12], [0, 0, 0]])
def test_too_little_to_say(days):
    assert forecast(days, 100) is None


def test_an_even_pace_leaves_no_doubt():
    found = forecast([20] * 5, 101)
    assert (found.per_day, found.observed, found.days, found.low, found.high) == (20, 5, 6, 6, 6)
    assert forecast([20] * 5, 100).days == 5
    assert forecast([20] * 5, 0).days == 0


def test_uneven_days_give_a_range_around_the_mean():
    found = forecast([10, 30, 20, 5, 35], 1000)
    assert found.low < found.days == 50 < found.high


def test_a_pace_that_may_be_next_to_nothing_has_no_end():
    assert forecast([0, 0, 9], 100).high is None


def test_the_range_holds_the_true_number_of_days_as_often_as_it_says():
    """90 % in name; the percentile bootstrap over 14 days falls a little short, as it is known to."""
    source, held, rounds = random.Random(3), 0, 400
    for _ in range(rounds):
        found = forecast([source.randint(50, 150) for _ in range(14)], 10_000)
        held += found.low <= 100 <= found.high
    assert 0.83 < held / rounds < 0.95


def test_the_mean_is_the_mean():
    assert forecast([3, 4, 8], 10).per_day == mean([3, 4, 8])
