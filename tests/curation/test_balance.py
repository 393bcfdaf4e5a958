import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from curation.balance import balance, rarest


def table(cells: list[str], sides: list[str]) -> pl.DataFrame:
    count = len(cells)
    return pl.DataFrame(
        {
            "id": [f"i{n:03d}" for n in range(count)],
            "part": [""] * count,
            "cell": cells,
            "side": sides,
            "order": [(n * 7919) % 1009 for n in range(count)],
        }
    )


rows_of = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["train", "test"])), min_size=1, max_size=60)


@given(rows_of, st.one_of(st.none(), st.just("smallest"), st.integers(1, 20)), st.sampled_from([0, 0.1, 0.5]))
def test_cells_add_up_and_are_as_large_as_they_say(pairs: list, per_cell: int | str | None, share: float):
    rows = table([cell for cell, _ in pairs], [side for _, side in pairs])
    chosen, cells = balance(rows, ["cell"], per_cell, share)
    taken = chosen.filter("taken")
    for cell in cells.iter_rows(named=True):
        here = taken.filter(pl.col("cell") == cell["cell"], pl.col("side") == cell["side"])
        assert here.height == cell["taken"] == min(cell["wanted"], cell["available"])
    assert cells["available"].sum() == rows.height
    if per_cell is None:
        assert taken.height == rows.height
    if per_cell == "smallest":
        sizes = taken.group_by("side", "cell").len()
        assert sizes.group_by("side").agg(pl.col("len").n_unique() == 1)["len"].all()
    if isinstance(per_cell, int):
        assert taken.group_by("cell").len()["len"].max() <= per_cell if taken.height else True


def test_a_smaller_mix_lies_inside_a_larger_one():
    rows = table(["a", "b"] * 50, ["train"] * 80 + ["test"] * 20)
    small = balance(rows, ["cell"], 10, 0.2)[0].filter("taken")["id"]
    large = balance(rows, ["cell"], 20, 0.2)[0].filter("taken")["id"]
    assert set(small) < set(large)


def test_a_row_with_several_categories_counts_in_the_rarest():
    rows = pl.DataFrame({"x": [["a"], ["a", "b"], ["b", "a"], ["c", "a"], [], None, ["a"]]})
    assert rarest(rows, "x").to_list() == ["a", "b", "b", "c", "(none)", None, "a"]
