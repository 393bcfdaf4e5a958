"""P6 and P8 for the arithmetic alone: random items, groups, stored sides and sources."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.split import BRIDGES, GROUP_IN_TEST, TEST, TEST_ONLY, TRAIN, TRAIN_ONLY, Candidates, choose_sides


@dataclass
class Items:
    """Items with small groups, as a test writes them."""

    group: list[int]
    stored: list[str]
    use: list[str]
    strata: list[list[int]]

    def candidates(self, stored_group: list[int] | None = None) -> Candidates:
        count = len(self.group)
        return Candidates(
            ids=[f"item {n}" for n in range(count)],
            group=np.array(self.group, dtype=np.int64),
            stored=np.array(self.stored, dtype="<U40"),
            stored_group=np.array(stored_group or list(range(count)), dtype=np.int64),
            use=np.array(self.use, dtype="<U40"),
            wanted=np.ones(count, dtype=bool),
            strata=self.strata,
        )


@st.composite
def many_items(draw: st.DrawFn) -> Items:
    count = draw(st.integers(1, 60))

    def column(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=count, max_size=count))

    return Items(
        group=column(st.integers(0, 25)),
        stored=column(st.sampled_from(["", "", "", TRAIN, TEST])),
        use=column(st.sampled_from(["any", "any", "any", "train", "test"])),
        strata=column(st.lists(st.integers(0, 3), unique=True, max_size=3)),
    )


@settings(max_examples=300, deadline=None)
@given(many_items(), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_p6_p8_no_group_is_split_nothing_moves_and_sources_are_obeyed(items: Items, share: float):
    outcome = choose_sides(items.candidates(), share, "key").tolist()
    both = {
        g
        for g in items.group
        if {TRAIN, TEST} <= {s for h, s in zip(items.group, items.stored, strict=True) if h == g}
    }
    for group in set(items.group) - both:
        on = {out for g, out in zip(items.group, outcome, strict=True) if g == group}
        assert not {TRAIN, TEST} <= on
    for group, stored, use, out in zip(items.group, items.stored, items.use, outcome, strict=True):
        assert out in (TRAIN, TEST, BRIDGES, TEST_ONLY, TRAIN_ONLY)
        assert not (out == TRAIN and use == "test")
        assert not (out == TEST and use == "train")
        if stored:
            assert out in (stored, TEST_ONLY, TRAIN_ONLY)
        elif group in both:
            assert out == BRIDGES or (use != "any" and out in (TEST_ONLY, TRAIN_ONLY))


@settings(max_examples=100, deadline=None)
@given(many_items(), many_items())
def test_p6_items_added_later_move_nothing(items: Items, later: Items):
    items.stored = [""] * len(items.stored)
    first = choose_sides(items.candidates(), 0.3, "key").tolist()
    kept = [side if side in (TRAIN, TEST) else "" for side in first]
    grown = Items(
        group=items.group + [group + 10 for group in later.group],
        stored=kept + [""] * len(later.group),
        use=items.use + later.use,
        strata=items.strata + later.strata,
    )
    second = choose_sides(grown.candidates(), 0.3, "key").tolist()
    for before, after in zip(first, second[: len(first)], strict=True):
        if before in (TRAIN, TEST):
            assert after == before


def test_every_stratum_keeps_its_share_of_test():
    random = np.random.default_rng(1)
    strata = [[0] if random.random() < 0.9 else [1, 2 + int(random.integers(8))] for _ in range(20_000)]
    group = random.integers(0, 12_000, 20_000).tolist()
    items = Items(group, [""] * 20_000, ["any"] * 20_000, strata)
    outcome = choose_sides(items.candidates(), 0.1, "key")
    assert 1990 <= (outcome == TEST).sum() <= 2040
    for stratum in range(10):
        inside = np.array([stratum in own for own in strata])
        share = (outcome[inside] == TEST).mean()
        assert 0.09 <= share <= 0.11, (stratum, share)


def test_the_order_of_the_items_does_not_matter_but_the_key_does():
    items = Items([n // 2 for n in range(400)], [""] * 400, ["any"] * 400, [[n % 3] for n in range(400)])
    straight = items.candidates()
    turned = Candidates(
        straight.ids[::-1],
        straight.group[::-1],
        straight.stored,
        straight.stored_group,
        straight.use,
        straight.wanted,
        straight.strata[::-1],
    )
    assert choose_sides(straight, 0.1, "key").tolist() == choose_sides(turned, 0.1, "key").tolist()[::-1]
    assert choose_sides(straight, 0.1, "key").tolist() != choose_sides(straight, 0.1, "other").tolist()


def test_p6_train_items_that_a_later_change_ties_to_test_items_leave():
    items = Items([0, 0, 1], [TRAIN, TEST, TRAIN], ["any"] * 3, [[], [], []])
    assert choose_sides(items.candidates([0, 0, 1]), 0.1, "key").tolist() == [GROUP_IN_TEST, TEST, TRAIN]


def test_a_group_larger_than_the_test_set_goes_to_train():
    items = Items([0] * 50 + list(range(1, 51)), [""] * 100, ["any"] * 100, [[]] * 100)
    outcome = choose_sides(items.candidates(), 0.1, "key")
    assert set(outcome[:50]) == {TRAIN}
    assert (outcome == TEST).sum() == 10
