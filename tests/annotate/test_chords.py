"""Key chords: every category of AIR 2024 in three keys, none begins another, and keys never move (G2)."""

import json
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from annotate.chord_steps import concerns, steps
from annotate.chords import Named, NoKeysLeft, assign_chords, factors

SHIPPED = Path(__file__).resolve().parents[2] / "annotate" / "taxonomies"


def shipped(code: str) -> list[Named]:
    rows = json.loads((SHIPPED / f"{code}.json").read_text("utf-8"))["categories"]
    return [
        Named(row["code"], row["name"], tuple(row["parents"]), row["kind"] == "group")
        for row in rows
        if row["code"] not in ("safe", "benign")
    ]


def of_leaves(categories: list[Named], chords: dict[str, str]) -> dict[str, str]:
    return {category.code: chords[category.code] for category in categories if not category.group}


def assert_unambiguous(categories: list[Named], chords: dict[str, str]) -> None:
    """Each category can be reached, and no chord ends on the way to another."""
    leaves = sorted(of_leaves(categories, chords).values())
    assert all(chord.isascii() and chord.isalpha() and chord.islower() for chord in leaves)
    assert not [pair for pair in pairwise(leaves) if pair[1].startswith(pair[0])]


def flat(number: int) -> list[Named]:
    return [Named(f"c{at}", f"Hazard {at}") for at in range(number)]


@pytest.fixture(scope="module")
def air() -> list[Named]:
    return shipped("air_2024")


@pytest.fixture(scope="module")
def air_chords(air) -> dict[str, str]:
    return assign_chords(air, {})


def test_g2_each_of_air_2024s_314_leaves_in_three_keys_at_most(air, air_chords):
    assert Counter(map(len, of_leaves(air, air_chords).values())) == {3: 303, 2: 11}
    assert_unambiguous(air, air_chords)


def test_groups_carry_the_beginning_of_their_categories_chords(air, air_chords):
    groups = {category.code for category in air if category.group}
    for category in air:
        for parent in category.parents:
            assert air_chords[category.code].startswith(air_chords[parent]), category.code
    assert {code for code in groups if air_chords[code] == ""} == {"L1.1", "L1.2", "L1.3", "L1.4"}


def test_letters_are_mnemonic(air_chords):
    assert air_chords["3"] == "v"  # Violence & Extremism
    assert air_chords["3.11.17"] == "vwg"  # Weapon Usage & Development, Guns
    assert air_chords["12.37.2"] == "tl"  # alone in its level, Types of Defamation takes no key: Libel


@pytest.mark.parametrize(("code", "leaves"), [("aegis_2", 23), ("llama_guard_3", 14), ("wildguard", 14)])
def test_a_short_taxonomy_takes_one_key(code, leaves):
    categories = shipped(code)
    chords = assign_chords(categories, {})
    assert Counter(map(len, of_leaves(categories, chords).values())) == {1: leaves}
    assert_unambiguous(categories, chords)


@pytest.mark.parametrize(("pair", "sides"), [(("14.39", "14.40"), (3, 20)), (("15.41", "15.42"), (8, 9))])
def test_a_product_is_two_facets_with_the_same_letter_everywhere(air, air_chords, pair, sides):
    letters: dict[str, set[str]] = {}
    beginnings: dict[str, set[str]] = {}
    for category in air:
        if category.parents == pair:
            head, _, tail = category.name.partition(" - ")
            beginnings.setdefault(head, set()).add(air_chords[category.code][:-1])
            letters.setdefault(tail, set()).add(air_chords[category.code][-1])
    assert (len(beginnings), len(letters)) == sides
    assert all(len(found) == 1 for found in (*beginnings.values(), *letters.values()))
    assert len(set.union(*letters.values())) == sides[1]


def test_steps_name_groups_facets_and_categories_in_order(air, air_chords):
    found = {step.chord: step.name for step in steps(air, air_chords)}
    assert found["r"] == "Privacy"
    facet = air_chords["15.4142.2"][:-1]
    assert found[facet] == "Unauthorized generation"
    assert found[air_chords["15.4142.2"]] == "Health data"
    assert found["l"] == "Self-harm"
    names = [step.name for step in steps(air, air_chords) if len(step.chord) == 1]
    assert names[:3] == ["Security Risks", "Operational Misuses", "Violence & Extremism"]
    assert len(names) == 16


def test_keys_stay_when_a_category_is_added_renamed_or_moved_and_when_all_are_reordered(air, air_chords):
    changed = [
        Named(category.code, "Firearms" if category.code == "3.11.17" else category.name, *rest(category))
        for category in air
    ]
    changed.insert(5, Named("1.1.99", "Network interception", ("1.1",)))
    moved = next(category for category in changed if category.code == "3.9.9")
    changed[changed.index(moved)] = Named(moved.code, moved.name, ("3.10",))
    random.Random(7).shuffle(changed)
    chords = assign_chords(changed, air_chords)
    assert {code: chord for code, chord in chords.items() if code in air_chords} == air_chords
    assert chords["1.1.99"].startswith("sc")
    assert len(chords["1.1.99"]) == 3
    assert_unambiguous(changed, chords)


def rest(category: Named) -> tuple[tuple[str, ...], bool]:
    return category.parents, category.group


def test_the_keys_of_a_retired_category_are_not_given_to_another(air, air_chords):
    changed = [category for category in air if category.code != "3.11.17"]
    changed.append(Named("3.11.99", "Gas", ("3.11",)))
    chords = assign_chords(changed, air_chords)
    assert chords["3.11.99"].startswith("vw")
    assert chords["3.11.99"] != air_chords["3.11.17"]


def test_a_new_value_of_a_facet_takes_one_letter_everywhere(air, air_chords):
    product = [category for category in air if category.parents[:1] == ("15.41",)]
    heads = dict.fromkeys(category.name.partition(" - ")[0] for category in product)
    added = [Named(f"x{at}", f"{head} - Voice", ("15.41", "15.42")) for at, head in enumerate(heads)]
    chords = assign_chords([*air, *added], air_chords)
    assert len({chords[category.code][-1] for category in added}) == 1
    assert {len(chords[category.code]) for category in added} == {3}
    assert_unambiguous([*air, *added], chords)


def test_a_product_that_is_none_any_more_keeps_its_keys(air, air_chords):
    odd = Named("15.4142.99", "Stalking", ("15.41", "15.42"))
    chords = assign_chords([*air, odd], air_chords)
    assert {code: chord for code, chord in chords.items() if code in air_chords} == air_chords
    assert chords[odd.code].startswith("r")
    assert_unambiguous([*air, odd], chords)


def test_a_new_group_beside_one_that_was_alone_takes_a_free_key(air, air_chords):
    more = [Named("7.99", "Dangerous challenges", ("7",), True), Named("7.99.1", "Choking", ("7.99",))]
    chords = assign_chords([*air, *more], air_chords)
    assert chords["7.99"] == "ld"
    assert chords["7.99.1"] == "ldc"
    assert_unambiguous([*air, *more], chords)


def test_a_category_that_becomes_a_group_keeps_its_letters_for_those_below(air, air_chords):
    split = [Named(c.code, c.name, c.parents, True) if c.code == "3.11.17" else c for c in air]
    split += [Named("3.11.17a", "Rifles", ("3.11.17",)), Named("3.11.17b", "Pistols", ("3.11.17",))]
    chords = assign_chords(split, air_chords)
    assert (chords["3.11.17a"], chords["3.11.17b"]) == ("vwgr", "vwgp")
    assert_unambiguous(split, chords)


@pytest.mark.parametrize("number", [25, 26, 50, 60, 120])
def test_a_crowded_level_goes_on_behind_a_door(number):
    categories = flat(number)
    chords = assign_chords(categories, {})
    assert_unambiguous(categories, chords)
    assert max(map(len, chords.values())) == (number + 24) // 25
    more = assign_chords([*categories, Named("new", "New")], chords)
    assert {code: more[code] for code in chords} == chords
    assert_unambiguous([*categories, Named("new", "New")], more)


def test_a_level_without_end_is_refused():
    with pytest.raises(NoKeysLeft, match="Hazard 200"):
        assign_chords(flat(201), {})


def test_chords_before_that_contradict_each_other_are_given_anew():
    categories = [Named("a", "Arson"), Named("b", "Bombs"), Named("c", "Cults")]
    chords = assign_chords(categories, {"a": "q", "b": "qx", "c": "Z!"})
    assert chords["a"] == "q"
    assert_unambiguous(categories, chords)


def test_names_in_other_scripts_get_keys():
    categories = [Named("a", "暴力"), Named("b", "عنف"), Named("c", "Écoterrorisme")]
    chords = assign_chords(categories, {})
    assert chords["c"] == "e"
    assert_unambiguous(categories, chords)


@pytest.mark.parametrize("seed", range(20))
def test_random_trees_over_three_versions_stay_unambiguous_and_stable(seed):
    draw = random.Random(seed)
    categories: list[Named] = []
    chords: dict[str, str] = {}
    for version in range(3):
        for at in range(draw.randrange(1, 40)):
            groups = [category.code for category in categories if category.group]
            parents = (draw.choice(groups),) if groups and draw.random() < 0.8 else ()
            name = "".join(draw.choices("abcdeé ", k=8))
            categories.append(Named(f"{version}.{at}", name, parents, draw.random() < 0.3))
        draw.shuffle(categories)
        found = assign_chords(categories, chords)
        kept = {code: chord for code, chord in chords.items() if chord}
        assert {code: found[code] for code in kept} == kept
        assert_unambiguous(categories, found)
        chords = found


def test_products_are_known_by_their_names():
    grid = [f"{a} - {b}" for a in ("Selling", "Making") for b in ("guns", "drugs", "bombs")]
    assert factors(grid)
    assert factors(grid[1:])
    assert not factors([*grid, grid[0]])
    assert not factors([*grid, "Other"])
    assert not factors(["Selling - guns", "Making - drugs"])


def test_an_editor_is_told_of_crowds_products_in_one_list_and_long_chords(air, air_chords):
    found = concerns(air, air_chords)
    assert (found.crowded, found.unsplit, found.long) == ({}, {}, 0)
    names = [f"{a} - {b}" for a in ("Selling", "Making") for b in ("guns", "drugs", "bombs")]
    listed = [Named("g", "Trade", (), True), *(Named(name, name, ("g",)) for name in names)]
    assert concerns(listed, {}).unsplit == {"Trade": 6}
    crowd = flat(120)
    found = concerns(crowd, assign_chords(crowd, {}))
    assert (found.crowded, found.long) == ({"": 120}, 45)
