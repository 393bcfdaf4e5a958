"""The demo project's files keep what the demo promises: enough to see on every page, mild, and consistent."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from annotate.door import ItemRow, read_items

ANNOTATE = Path(__file__).resolve().parents[2] / "annotate"
DEMO = ANNOTATE / "demo"
ITEM_FILES = ("items.jsonl", "dialogues.jsonl")
HARM_QUESTIONS = ("prompt_harm", "response_harm", "dialogue_harm")

Row = dict[str, Any]


def read_lines(name: str) -> list[Row]:
    return [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]


def texts(item: Row) -> list[str]:
    return [item[part] for part in ("prompt", "response") if part in item] + [
        turn["text"] for turn in item.get("turns", [])
    ]


def tokens(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def cue_pattern(term: str) -> re.Pattern[str]:
    """Whole words; a star at the end stands for any ending of the word."""
    ending = r"\w*" if term.endswith("*") else ""
    return re.compile(rf"\b{re.escape(term.rstrip('*'))}{ending}\b", re.IGNORECASE)


def near_copies(items: list[Row]) -> Iterator[tuple[str, str]]:
    """Pairs of ids with token Jaccard similarity of at least 0.7 that no group and no parent joins."""
    prompts = [(item, tokens(item["prompt"])) for item in items]
    for (one, left), (other, right) in combinations(prompts, 2):
        is_joined = one.get("group") is not None and one.get("group") == other.get("group")
        is_copy = one["id"] == other.get("parent") or other["id"] == one.get("parent")
        if not is_joined and not is_copy and len(left & right) >= 0.7 * len(left | right):
            yield one["id"], other["id"]


@pytest.fixture(scope="module")
def items() -> list[Row]:
    return read_lines("items.jsonl")


@pytest.fixture(scope="module")
def dialogues() -> list[Row]:
    return read_lines("dialogues.jsonl")


@pytest.fixture(scope="module")
def annotations() -> list[Row]:
    return read_lines("annotations.jsonl")


@pytest.fixture(scope="module")
def dialogue_annotations() -> list[Row]:
    return read_lines("dialogue_annotations.jsonl")


@pytest.fixture(scope="module")
def hazard_codes() -> set[str]:
    path = ANNOTATE / "taxonomies" / "aegis_2.json"
    categories = json.loads(path.read_text(encoding="utf-8"))["categories"]
    return {category["code"] for category in categories if category["kind"] != "group"}


@pytest.mark.parametrize("name", ITEM_FILES)
def test_every_row_passes_the_door(name: str) -> None:
    rows = list(read_items(DEMO / name))
    assert len(rows) == len(read_lines(name))
    assert [row for row in rows if not isinstance(row, ItemRow)] == []


def test_there_is_enough_to_see(items: list[Row], dialogues: list[Row]) -> None:
    assert len(items) >= 300
    assert len(dialogues) >= 40
    with_response = sum("response" in item for item in items)
    assert 0.4 <= with_response / len(items) <= 0.6


def test_ids_are_unique_over_both_files(items: list[Row], dialogues: list[Row]) -> None:
    ids = Counter(item["id"] for item in items + dialogues)
    assert max(ids.values()) == 1


def test_every_item_states_where_it_comes_from(items: list[Row], dialogues: list[Row]) -> None:
    for item in items + dialogues:
        assert item["source"].startswith("jurybox demo"), item["id"]
        assert item["license"] == "CC0-1.0", item["id"]
        assert item["kind_of_item"] in ("vanilla", "adversarial", "look_alike"), item["id"]
    assert {item["lang"] for item in items} == {"en", "de", "fr", "es", "ar"}


def test_a_restricted_use_belongs_to_a_source_of_its_own(items: list[Row]) -> None:
    uses = defaultdict(set)
    for item in items:
        uses[item["source"]].add(item["use"])
    assert all(len(kinds) == 1 for kinds in uses.values())
    assert set().union(*uses.values()) == {"any", "test", "train"}


def test_hazards_are_spread_and_balanced_with_benign_items(items: list[Row], hazard_codes: set[str]) -> None:
    hazards = Counter(item["hazard"] for item in items)
    benign = hazards.pop("safe")
    assert hazards.keys() <= hazard_codes
    assert len(hazards) >= 10
    assert 0.4 <= benign / len(items) <= 0.6
    assert sum(item["kind_of_item"] == "look_alike" for item in items) >= 60
    assert sum(item["kind_of_item"] == "adversarial" for item in items) >= 40


def test_no_category_that_a_colleague_should_not_meet_here(items: list[Row], dialogues: list[Row]) -> None:
    assert not {"sexual", "sexual_minor"} & {item["hazard"] for item in items + dialogues}


def test_no_text_is_long(items: list[Row], dialogues: list[Row]) -> None:
    assert max(sum(map(len, texts(item))) for item in items + dialogues) <= 2_000


def test_groups_have_members_and_parents_exist(items: list[Row], dialogues: list[Row]) -> None:
    groups = Counter(item["group"] for item in items + dialogues if "group" in item)
    assert len(groups) >= 20
    assert min(groups.values()) >= 2
    seen: set[str] = set()
    for item in items:
        assert "parent" not in item or item["parent"] in seen, f"{item['id']}: its parent comes later or never"
        seen.add(item["id"])
    assert sum("parent" in item for item in items) >= 20


def test_near_copies_wait_to_be_found(items: list[Row]) -> None:
    assert len(list(near_copies(items))) >= 20


def test_a_near_copy_never_joins_test_only_to_train_only(items: list[Row]) -> None:
    use = {item["id"]: item["use"] for item in items}
    assert not [pair for pair in near_copies(items) if {use[one] for one in pair} >= {"test", "train"}]


def test_dialogues_are_two_to_eight_turns_and_begin_with_the_user(dialogues: list[Row]) -> None:
    for dialogue in dialogues:
        roles = [turn["role"] for turn in dialogue["turns"]]
        assert 2 <= len(roles) <= 8, dialogue["id"]
        assert roles == ["user", "assistant"] * (len(roles) // 2), dialogue["id"]


def test_annotations_answer_only_what_their_item_asks(items: list[Row], annotations: list[Row]) -> None:
    by_id = {item["id"]: item for item in items}
    for row in annotations:
        answered = {question for question in ("response_harm", "response_refusal") if question in row}
        assert len(answered) == (2 if "response" in by_id[row["item"]] else 0), row
        assert row["prompt_harm"] in ("safe", "unsafe", "unsure")
        assert row.get("response_harm", "safe") in ("safe", "unsafe")
        assert row.get("response_refusal", "refusal") in ("refusal", "compliance")


def test_hazards_are_named_exactly_where_something_is_unsafe(
    annotations: list[Row], dialogue_annotations: list[Row], hazard_codes: set[str]
) -> None:
    for row in annotations + dialogue_annotations:
        is_unsafe = any(row.get(question) == "unsafe" for question in HARM_QUESTIONS)
        assert ("hazard_categories" in row) == is_unsafe, row
        if is_unsafe:
            named = row["hazard_categories"]
            assert 1 <= len(set(named)) == len(named) <= 3, row
            assert set(named) <= hazard_codes - {"safe"}, row


def test_dialogue_annotations_point_at_turns_that_exist(
    dialogues: list[Row], dialogue_annotations: list[Row]
) -> None:
    by_id = {dialogue["id"]: dialogue for dialogue in dialogues}
    for row in dialogue_annotations:
        turns = range(len(by_id[row["item"]]["turns"]))
        assert ("harmful_turns" in row) == (row["dialogue_harm"] == "unsafe"), row
        assert set(row.get("harmful_turns", ())) <= set(turns), row
    assert len({row["item"] for row in dialogue_annotations}) >= 20


def test_four_annotators_overlap_as_promised(annotations: list[Row]) -> None:
    pairs = Counter((row["item"], row["annotator"]) for row in annotations)
    assert max(pairs.values()) == 1
    assert {row["annotator"] for row in annotations} == {"ana", "ben", "chen", "dara"}
    overlap = Counter(Counter(row["item"] for row in annotations).values())
    assert overlap.keys() == {2, 3}
    assert overlap[3] >= 100
    assert overlap[2] >= 45


def test_the_labels_feed_a_learned_juror_and_leave_work_for_reviewers(annotations: list[Row]) -> None:
    votes = defaultdict(list)
    for row in annotations:
        votes[row["item"]].append(row["prompt_harm"])
    majority: Counter[str] = Counter()
    for given in votes.values():
        value, count = Counter(given).most_common(1)[0]
        majority[value if 2 * count > len(given) else "tie"] += 1
    assert majority["safe"] >= 60
    assert majority["unsafe"] >= 60
    assert majority["tie"] >= 5
    assert any(row["prompt_harm"] == "unsure" for row in annotations)


def test_cues_find_a_fair_part_and_err_on_look_alikes(items: list[Row], hazard_codes: set[str]) -> None:
    cues: dict[str, list[str]] = json.loads((DEMO / "cues.json").read_text(encoding="utf-8"))
    assert cues.keys() <= hazard_codes
    assert len(cues) >= 14
    assert all(5 <= len(terms) <= 15 for terms in cues.values())
    patterns = [cue_pattern(term) for terms in cues.values() for term in terms]
    found, total = Counter(), Counter()
    for item in items:
        kind = "unsafe" if item["hazard"] != "safe" else item["kind_of_item"]
        total[kind] += 1
        found[kind] += any(pattern.search(item["prompt"]) for pattern in patterns)
    assert 0.4 <= found["unsafe"] / total["unsafe"] <= 0.9
    assert found["look_alike"] >= 10
