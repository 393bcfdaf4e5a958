import pytest

from annotate.draw import CELL, EDGE, bar_lengths, heat_map, shade_of, short


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1k"), (1250, "1.2k"), (9999, "9.9k"), (12_345, "12k"), (999_999, "999k"),
     (3_000_000, "3M")],
)  # fmt: skip
def test_counts_are_shortened_but_never_rounded_up(count, text):
    assert short(count) == text


def test_shades_rise_with_the_count_and_none_is_none():
    assert [shade_of(count, 8) for count in range(9)] == [0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert shade_of(1, 10**6) == 1
    assert shade_of(0, 0) == 0


def test_cells_stand_in_rows_and_columns():
    drawn = heat_map(["a", "b"], ["a", "b", "c"], {("b", "c"): 4, ("a", "a"): 90}, same_apart=True)
    last = drawn.cells[-1]
    assert (last.x, last.y, last.text, last.shade) == (EDGE + 2 * CELL, EDGE + CELL, "4", 4)
    assert (drawn.cells[0].same, drawn.cells[0].shade, drawn.cells[0].text) == (True, 0, "90")
    assert (drawn.cells[1].text, drawn.cells[1].shade) == ("", 0)
    assert last.x + CELL <= drawn.width
    assert last.y + CELL <= drawn.height
    assert [mark.text for mark in drawn.marks] == ["1", "2", "3", "1", "2"]


def test_bars_are_shares_of_the_largest_and_what_is_there_can_be_seen():
    assert bar_lengths([200, 50, 0, 1]) == [100, 25, 0, 0.5]
    assert bar_lengths([]) == []
    assert bar_lengths([0, 0]) == [0, 0]
