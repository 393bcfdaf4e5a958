"""P6 and P8 on the files that come out."""

import pytest

from annotate.models import Item, Label, Source
from curation.errors import BuildRefused
from curation.models import SplitSide

HALF = "test_share: 0.5\n"


def test_p6_groups_copies_and_near_copies_stay_together(rows, build, sides):
    families = []
    for n in range(40):
        words = [f"w{n}x{place}" for place in range(20)]
        near = " ".join([*words[:18], "something", "else"]).upper() + "!"
        families.append(
            [
                {"id": f"{n}-a", "prompt": " ".join(words)},
                {"id": f"{n}-near", "prompt": near},
                {"id": f"{n}-same", "prompt": " ".join(words) + "?"},
                {"id": f"{n}-copy", "parent": f"{n}-a"},
                {"id": f"{n}-copy-of-copy", "parent": f"{n}-copy", "group": f"talk {n}"},
                {"id": f"{n}-talk", "group": f"talk {n}"},
            ]
        )
    items = rows.add([row for family in families for row in family])
    rows.label(items, "prompt_harm", "safe")
    build(HALF)
    found = sides()
    assert len(found) == 240
    for family in families:
        assert len({found[row["id"]] for row in family}) == 1
    assert set(found.values()) == {"train", "test"}


def test_p6_copies_stay_together_when_the_original_is_not_in_the_mix(rows, build, sides):
    originals = rows.add([{"id": f"original {n}"} for n in range(30)])
    middle = rows.add([{"id": f"middle {n}", "parent": f"original {n}"} for n in range(30)])
    copies = rows.add([{"id": f"copy {n}", "parent": f"middle {n}"} for n in range(30)])
    others = rows.add([{"id": f"other {n}", "parent": f"gone {n // 2}"} for n in range(30)])
    rows.label([*originals, *copies, *others], "prompt_harm", "safe")
    assert len(middle) == 30
    build(HALF)
    found = sides()
    assert all(found[f"original {n}"] == found[f"copy {n}"] for n in range(30))
    assert all(found[f"other {n}"] == found[f"other {n + 1}"] for n in range(0, 30, 2))


@pytest.mark.parametrize("more", [10, 100])
def test_p6_items_added_later_move_nothing(rows, build, sides, more: int):
    rows.labelled(100)
    build()
    before = sides()
    later = rows.add(
        [
            {"id": f"later {n}", "group": f"g{n // 3}", "parent": f"i{n:05d}" if n % 4 == 0 else ""}
            for n in range(more)
        ]
    )
    rows.label(later, "prompt_harm", "unsafe")
    build()
    after = sides()
    assert {item: after[item] for item in before} == before
    assert 0.08 <= list(after.values()).count("test") / len(after) <= 0.12


def test_p6_another_recipe_seed_or_share_moves_nothing_but_another_split_may(rows, build, sides):
    rows.labelled(200)
    build()
    before = sides()
    build("seed: 9\ntest_share: 0.9\nbalance: prompt_harm\n")
    assert all(before[item] == side for item, side in sides().items())
    build("split: second\n")
    assert sides() != before


def test_p6_a_new_item_between_the_sides_is_left_out_and_counted(rows, build, sides):
    rows.labelled(60)
    build(HALF)
    before = sides()
    train = next(item for item, side in sorted(before.items()) if side == "train")
    test = next(item for item, side in sorted(before.items()) if side == "test")
    Item.objects.filter(external_id=test).update(group_key="shared")
    bridge = rows.add([{"id": "bridge", "parent": train, "group": "shared"}, {"id": "free"}])
    rows.label(bridge, "prompt_harm", "safe")
    manifest = build(HALF)
    after = sides()
    assert "bridge" not in after
    assert "free" in after
    assert manifest["dropped"] == {"bridges_train_and_test": 1}
    assert {item: after[item] for item in before} == before
    assert not SplitSide.objects.filter(item__external_id="bridge").exists()


def test_p6_stored_items_that_a_later_change_ties_together_leave_train(rows, build, sides):
    rows.labelled(60)
    build(HALF)
    before = sides()
    train = next(item for item, side in sorted(before.items()) if side == "train")
    test = next(item for item, side in sorted(before.items()) if side == "test")
    Item.objects.filter(external_id__in=[train, test]).update(group_key="shared")
    manifest = build(HALF)
    after = sides()
    assert train not in after
    assert after[test] == "test"
    assert manifest["dropped"] == {"group_is_in_test": 1}


def test_p8_test_only_and_withdrawn_sources_never_reach_train(rows, build, sides):
    rows.labelled(60)
    rows.labelled(20, "held", source="hold-out", use="test")
    rows.labelled(20, "only", source="for training", use="train")
    rows.labelled(20, "gone", source="gone")
    Source.objects.filter(name="gone").update(withdrawn=True)
    manifest = build(HALF)
    found = sides()
    assert {side for item, side in found.items() if item.startswith("held")} == {"test"}
    assert {side for item, side in found.items() if item.startswith("only")} == {"train"}
    assert not [item for item in found if item.startswith("gone")]
    assert manifest["dropped"] == {"withdrawn": 20}


def test_p8_a_group_with_test_only_items_goes_to_test_and_leaves_its_train_only_ones(rows, build, sides):
    items = rows.add(
        [
            {"id": "held", "use": "test", "group": "g"},
            {"id": "any", "group": "g"},
            {"id": "only", "use": "train", "group": "g"},
            {"id": "old"},
        ]
    )
    rows.label(items, "prompt_harm", "safe")
    manifest = build("test_share: 0\n")
    assert sides() == {"held": "test", "any": "test", "old": "train"}
    assert manifest["dropped"] == {"train_only_source_in_test_group": 1}
    late = rows.add([{"id": "held too late", "use": "test", "parent": "old"}])
    rows.label(late, "prompt_harm", "safe")
    manifest = build("test_share: 0\n")
    assert sides() == {"held": "test", "any": "test", "old": "train"}
    assert manifest["dropped"]["test_only_source_in_train_group"] == 1


def test_p8_a_source_marked_test_only_later_leaves_train(rows, build, sides):
    rows.labelled(30)
    build()
    Source.objects.update(use="test")
    manifest = build()
    assert set(sides().values()) == {"test"}
    assert manifest["dropped"]["test_only_source_in_train_group"] == 27


def test_p8_a_blocked_item_fails_the_whole_export_and_nothing_is_written(rows, build, sides, tmp_path):
    items = rows.labelled(30)
    Item.objects.filter(pk__in=[item.pk for item in items[:12]]).update(blocked=True)
    with pytest.raises(BuildRefused, match=r"12 blocked.*i00000, i00001.*and 2 more.*`blocked: exclude`"):
        build()
    assert list(tmp_path.iterdir()) == []
    assert not SplitSide.objects.exists()
    manifest = build("filters:\n  blocked: exclude\n")
    assert manifest["dropped"] == {"blocked_excluded": 12}
    assert not {item.external_id for item in items[:12]} & set(sides())


def test_p8_a_blocked_item_without_a_label_fails_it_too_but_not_one_that_is_filtered_out(rows, build):
    rows.labelled(10)
    rows.add([{"id": "bad", "blocked": True, "lang": "de"}])
    with pytest.raises(BuildRefused, match="bad"):
        build()
    assert build("filters:\n  lang: en\n")["dropped"] == {"filtered_out.lang": 1}


def test_nothing_to_export_is_refused_with_the_reasons(rows, build, tmp_path):
    with pytest.raises(BuildRefused, match="the project has none"):
        build()
    rows.labelled(5)
    Label.objects.update(state="contested", value=None)
    with pytest.raises(BuildRefused, match="contested: 5"):
        build()
    assert list(tmp_path.iterdir()) == []
