from collections import Counter

import pytest

from annotate.confusion import confusions, most_confused


def test_a_pair_counts_once_an_item_however_many_show_it():
    cells = [
        (1, [["a"], ["b"], ["b"]]),
        (1, [["a"], ["b"]]),  # another part of the same item
        (2, [["b"], ["a", "c"]]),
        (3, [["a"], ["a", "b"]]),  # one names more: nothing is taken for something else
        (4, [["a"], []]),
        (5, [["a"]]),
    ]
    assert confusions(cells) == Counter({("a", "b"): 2, ("b", "c"): 1})


def test_sets_that_share_something_are_confused_only_in_the_rest():
    assert confusions([(1, [["a", "b"], ["b", "c"]])]) == {("a", "c"): 1}


@pytest.mark.parametrize(("most", "shown"), [(3, ["b", "a", "c"]), (1, ["b"])])
def test_those_with_most_confusions_come_first(most, shown):
    assert most_confused(Counter({("a", "b"): 5, ("b", "c"): 2, ("c", "d"): 1}), most) == shown


def test_nothing_confused():
    assert confusions([]) == {}
    assert most_confused(Counter(), 5) == []
