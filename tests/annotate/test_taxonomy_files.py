"""The shipped taxonomy files: whole, well-formed trees whose codes and names are those of the sources."""

import json
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "annotate" / "taxonomies"
PUBLISHED = ROOT.parent / "shared" / "taxonomies"
TAXONOMIES = ["aegis_2", "wildguard", "llama_guard_3", "air_2024"]
KINDS = {"group", "hazard", "catch_all", "non_unsafe"}
RELATIONS = {"exact", "broader", "narrower", "close", "related"}
FIELDS = {"code", "name", "parents", "tier", "kind", "definition", "examples", "counter_examples", "tags"}


def shipped(code: str) -> dict:
    return json.loads((SHIPPED / f"{code}.json").read_text("utf-8"))


def published(code: str) -> dict:
    path = PUBLISHED / f"{code}.json"
    if not path.exists():
        pytest.skip(f"no published codes to compare with: {path.name} is not in ../shared/taxonomies")
    return json.loads(path.read_text("utf-8"))


def published_parents(category: dict) -> list[str]:
    return category.get("parents") or [code for code in [category["parent"]] if code]


@pytest.fixture(params=TAXONOMIES)
def tree(request: pytest.FixtureRequest) -> dict:
    return shipped(request.param)


def test_a_file_is_named_for_its_code_and_says_where_it_comes_from(tree):
    assert tree.keys() == {"code", "title", "version", "source", "categories"}
    assert tree["code"] in TAXONOMIES
    assert all(tree[field] for field in ("title", "version", "source"))


def test_every_category_has_all_fields_of_the_right_type(tree):
    for category in tree["categories"]:
        assert category.keys() - {"model_code"} == FIELDS, category["code"]
        assert category["kind"] in KINDS, category["code"]
        assert isinstance(category["tier"], int), category["code"]
        for field in ("parents", "examples", "counter_examples", "tags"):
            assert all(isinstance(text, str) and text.strip() == text != "" for text in category[field])


def test_codes_are_unique(tree):
    counts = Counter(category["code"] for category in tree["categories"])
    assert [code for code, n in counts.items() if n > 1] == []


def test_every_parent_is_a_group_of_a_higher_tier_that_comes_earlier(tree):
    """Earlier parents also rule out cycles."""
    earlier: dict[str, dict] = {}
    for category in tree["categories"]:
        assert len(category["parents"]) == len(set(category["parents"])), category["code"]
        for parent in category["parents"]:
            assert parent in earlier, f"{category['code']} comes before its parent {parent}"
            assert earlier[parent]["kind"] == "group", parent
            assert earlier[parent]["tier"] == category["tier"] - 1, category["code"]
        earlier[category["code"]] = category


def test_every_group_has_members_and_nothing_else_has(tree):
    parents = {parent for category in tree["categories"] for parent in category["parents"]}
    assert parents == {category["code"] for category in tree["categories"] if category["kind"] == "group"}


def test_every_category_has_a_definition_of_its_own(tree):
    definitions = Counter(category["definition"] for category in tree["categories"])
    assert [text for text, n in definitions.items() if n > 1] == []
    assert [text for text in definitions if not 20 <= len(text) <= 400 or not text.endswith(".")] == []


def test_no_text_is_an_example_twice(tree):
    """The nearest-category juror could not tell two categories apart by such an example."""
    examples = Counter(text for category in tree["categories"] for text in category["examples"])
    assert [text for text, n in examples.items() if n > 1] == []
    for category in tree["categories"]:
        assert not set(category["examples"]) & set(category["counter_examples"]), category["code"]


@pytest.mark.parametrize("code", ["aegis_2", "wildguard", "llama_guard_3"])
def test_every_category_of_a_short_taxonomy_has_examples_and_look_alikes(code):
    short = [
        category["code"]
        for category in shipped(code)["categories"]
        if len(category["examples"]) < 2 or len(category["counter_examples"]) < 2
    ]
    assert short == []


def test_every_third_tier_node_of_air_2024_has_an_example_and_a_look_alike():
    third_tier = [category for category in shipped("air_2024")["categories"] if category["tier"] == 3]
    assert [c["code"] for c in third_tier if not (c["examples"] and c["counter_examples"])] == []


def test_aegis_2_has_12_core_and_9_fine_grained_hazards_and_23_model_codes():
    categories = shipped("aegis_2")["categories"]
    assert Counter(parent for category in categories for parent in category["parents"]) == {
        "core": 12,
        "fine_grained": 9,
        "non_unsafe": 2,
    }
    not_hazards = {c["code"]: c["kind"] for c in categories if c["kind"] in ("catch_all", "non_unsafe")}
    assert not_hazards == {"other": "catch_all", "safe": "non_unsafe", "needs_caution": "non_unsafe"}
    model_codes = {category["model_code"] for category in categories if "model_code" in category}
    assert model_codes == {f"S{number}" for number in range(1, 24)}


def test_wildguard_has_4_groups_13_hazards_other_harms_and_benign():
    categories = shipped("wildguard")["categories"]
    assert Counter(category["kind"] for category in categories) == {
        "group": 4,
        "hazard": 13,
        "catch_all": 1,
        "non_unsafe": 1,
    }


def test_llama_guard_3_has_the_14_hazards_in_order():
    categories = shipped("llama_guard_3")["categories"]
    assert [category["code"] for category in categories] == [f"S{number}" for number in range(1, 15)]
    assert {category["kind"] for category in categories} == {"hazard"}


def test_air_2024_has_4_16_45_and_314_nodes_and_132_leaves_with_two_parents():
    categories = shipped("air_2024")["categories"]
    assert Counter(category["tier"] for category in categories) == {1: 4, 2: 16, 3: 45, 4: 314}
    assert {category["tier"] for category in categories if category["kind"] == "hazard"} == {4}
    two_parents = Counter(tuple(c["parents"]) for c in categories if len(c["parents"]) == 2)
    assert two_parents == {("14.39", "14.40"): 60, ("15.41", "15.42"): 72}


def test_codes_names_tiers_and_parents_are_those_published(tree):
    ours = {c["code"]: (c["name"], c["tier"], c["parents"], c.get("model_code")) for c in tree["categories"]}
    theirs = {
        c["code"]: (c["name"], c["tier"], published_parents(c), c.get("model_code"))
        for c in published(tree["code"])["categories"]
    }
    assert ours == theirs


def test_both_ends_of_every_correspondence_exist():
    codes = {code: {category["code"] for category in shipped(code)["categories"]} for code in TAXONOMIES}
    crosswalk = shipped("crosswalk")
    assert crosswalk["pairs"]
    assert crosswalk["relations"].keys() == RELATIONS
    for pair in crosswalk["pairs"]:
        assert pair.keys() == {"from", "from_code", "to", "to_code", "relation", "basis"}
        assert pair["from"] != pair["to"]
        assert pair["from_code"] in codes[pair["from"]], pair
        assert pair["to_code"] in codes[pair["to"]], pair
        assert pair["relation"] in crosswalk["relations"], pair
        assert pair["basis"] in crosswalk["basis"], pair


def test_no_two_correspondences_join_the_same_categories():
    ends = [
        frozenset({(pair["from"], pair["from_code"]), (pair["to"], pair["to_code"])})
        for pair in shipped("crosswalk")["pairs"]
    ]
    assert len(ends) == len(set(ends))


def test_the_correspondences_are_those_published_between_the_shipped_taxonomies():
    ends = ("from", "from_code", "to", "to_code")
    theirs = {
        tuple(pair[end] for end in ends)
        for pair in published("crosswalk")["pairs"]
        if pair["from"] in TAXONOMIES and pair["to"] in TAXONOMIES
    }
    assert {tuple(pair[end] for end in ends) for pair in shipped("crosswalk")["pairs"]} == theirs


@pytest.mark.parametrize("name", [*TAXONOMIES, "crosswalk"])
def test_a_file_is_written_in_the_one_agreed_form(name):
    text = (SHIPPED / f"{name}.json").read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
