"""The import contract: what a row must and may hold."""

import io
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.door import FileRefused, ItemRow, Rejection, SeenIds, read_items
from annotate.door.read_item import FIELDS
from tests.annotate.bad_input import parquet

DATA = Path(__file__).parents[2].parent / "shared" / "data"
REFERENCE_SETS = ("airbench_taxonomy", "anaesthetists", "bluebirds", "gal_barzan", "snow_")


def read(*rows: dict[str, Any], **options: Any) -> list[ItemRow | Rejection]:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    return list(read_items(io.BytesIO(lines.encode()), **options))


def read_one(**values: Any) -> ItemRow:
    (item,) = read({"id": "x"} | values)
    assert isinstance(item, ItemRow), str(item)
    return item


def reject_one(**values: Any) -> Rejection:
    (rejection,) = read({"id": "x"} | values)
    assert isinstance(rejection, Rejection)
    return rejection


@pytest.mark.parametrize(
    ("values", "kind", "content"),
    [
        ({"text": "t"}, "text", {"text": "t"}),
        ({"prompt": "p"}, "prompt", {"prompt": "p"}),
        ({"prompt": "p", "response": None}, "prompt", {"prompt": "p"}),
        ({"prompt": "p", "response": "r"}, "pair", {"prompt": "p", "response": "r"}),
        ({"turns": [{"role": "user", "text": "t"}]}, "dialogue", {"turns": [{"role": "user", "text": "t"}]}),
        ({"image": "a/b.png"}, "image", {"image": "a/b.png"}),
        ({"image": "b.png", "prompt": "p"}, "image", {"image": "b.png", "prompt": "p"}),
        ({"image": "b.png", "alt": "a dog"}, "image", {"image": "b.png", "alt": "a dog"}),
        ({"images": ["b.png"]}, "image", {"image": "b.png"}),
        (
            {
                "images": ["b.png", {"image": "c.png", "alt": "a cat"}, {"image": "b.png", "alt": None}],
                "prompt": "p",
            },
            "image",
            {
                "images": [{"image": "b.png"}, {"image": "c.png", "alt": "a cat"}, {"image": "b.png"}],
                "prompt": "p",
            },
        ),
    ],
)
def test_each_kind_of_content_is_read(values: dict[str, Any], kind: str, content: dict[str, Any]) -> None:
    item = read_one(**values)
    assert (item.kind, item.content) == (kind, content)


def test_optional_fields_are_read_and_the_rest_is_meta() -> None:
    optional = {"group": "g", "parent": "p", "source": "s", "license": "MIT", "use": "test", "lang": "en"}
    item = read_one(text="t", **optional, score=0.5, __proto__={"a": None})
    assert (item.group_key, item.parent, item.source, item.licence, item.use, item.lang) == (
        *("g", "p", "s", "MIT", "test", "en"),
    )
    assert item.meta == {"score": 0.5, "__proto__": {"a": None}}
    assert item.line == 1


def test_alt_belongs_to_an_image_and_is_a_field_like_any_other_elsewhere() -> None:
    assert read_one(image="a.png", alt="a dog").meta == {}
    assert read_one(text="t", alt="a dog").meta == {"alt": "a dog"}


def test_null_and_missing_optional_fields_are_absent() -> None:
    for item in (
        read_one(text="t"),
        read_one(text="t", group=None, parent=None, source=None, use=None, lang=None),
    ):
        assert (item.group_key, item.parent, item.source, item.licence, item.lang) == (None,) * 5
        assert item.use == "any"
        assert item.meta == {}


def test_more_in_a_turn_is_kept_in_meta_beside_its_turn() -> None:
    item = read_one(turns=[{"role": "user", "text": "t", "id": 7}, {"role": "bot", "text": ""}])
    assert item.content == {"turns": [{"role": "user", "text": "t"}, {"role": "bot", "text": ""}]}
    assert item.meta == {"turns": [{"id": 7}, {}]}


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"text": "t", "prompt": "p"}, "prompt", "several_contents"),
        ({"text": "t", "response": "r"}, "response", "several_contents"),
        ({"image": "a.png", "prompt": "p", "response": "r"}, "response", "several_contents"),
        ({"image": "a.png", "images": ["b.png"]}, "images", "several_contents"),
        ({"images": "a.png"}, "images", "type"),
        ({"images": []}, "images", "type"),
        ({"images": ["a.png"] * 51}, "images", "type"),
        ({"images": ["a.png", 5]}, "images[1]", "type"),
        ({"images": [{"image": "a.png", "size": 5}]}, "images[0]", "type"),
        ({"images": ["a.png", "../b.png"]}, "images[1].image", "path"),
        ({"images": [{"image": "a.png", "alt": 5}]}, "images[0].alt", "type"),
        ({"images": ["a.png"], "alt": "a dog"}, "alt", "several_contents"),
        ({"image": "a.png", "alt": " "}, "alt", "length"),
        ({"text": " \n"}, "text", "empty"),
        ({"prompt": "p", "response": ""}, "response", "empty"),
        ({"turns": {}}, "turns", "type"),
        ({"turns": []}, "turns", "empty"),
        ({"turns": [{"role": "user", "text": " "}]}, "turns", "empty"),
        ({"turns": ["t"]}, "turns[0]", "type"),
        ({"turns": [{"role": "user", "text": "t"}, {"role": " ", "text": "t"}]}, "turns[1].role", "type"),
        ({"turns": [{"role": "r" * 41, "text": "t"}]}, "turns[0].role", "type"),
        ({"turns": [{"role": "user", "text": None}]}, "turns[0].text", "type"),
        ({"text": "t", "use": "Train"}, "use", "value"),
        ({"text": "t", "use": True}, "use", "type"),
        ({"text": "t", "group": 5}, "group", "type"),
        ({"text": "t", "group": "g "}, "group", "space"),
        ({"text": "t", "parent": 5.0}, "parent", "type"),
        ({"text": "t", "lang": ["en"]}, "lang", "type"),
        ({"text": "t", "source": " "}, "source", "length"),
        ({"text": "t", "id": None}, "id", "missing"),
        ({"text": "t", "id": ""}, "id", "length"),
        ({"text": "t", "id": "i" * 201}, "id", "length"),
        ({"text": "t", "id": "a\nb"}, "id", "control"),
        ({"text": "t", "id": "a\u0085b"}, "id", "control"),
        ({"text": "t", "id": "\u00a0a"}, "id", "space"),
        ({"text": "t", "id": True}, "id", "type"),
    ],
)
def test_a_bad_field_is_named(values: dict[str, Any], field: str, code: str) -> None:
    rejection = reject_one(**values)
    assert (rejection.line, rejection.field, rejection.code) == (1, field, code)


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../a.png", "a/../../b.png", "a/..", "./a.png", "a//b.png", "a\\b.png", "C:/a.png"),
        *("http://host/a.png", "//host/a.png", "data:image/png;base64,AA", "file:a.png", "a\tb.png"),
    ],
)
def test_an_image_never_leaves_its_folder(path: str) -> None:
    assert reject_one(image=path).field == "image"


def test_a_reason_never_repeats_the_text() -> None:
    for values in ({"text": "SECRET", "prompt": "p"}, {"id": "SECRET ", "text": "t"}, {"text": ["SECRET"]}):
        assert "SECRET" not in reject_one(**values).reason


def test_names_are_mapped_before_anything_is_read() -> None:
    first, second = read(
        {"key": "a", "body": "one", "text": "other"},
        {"key": "b", "body": "two"},
        mapping={"key": "id", "body": "text", "text": "title"},
    )
    assert isinstance(first, ItemRow)
    assert (first.external_id, first.content, first.meta) == ("a", {"text": "one"}, {"title": "other"})
    assert isinstance(second, ItemRow)
    assert second.content == {"text": "two"}


def test_a_target_given_twice_is_a_rejected_row() -> None:
    good, bad = read(
        {"id": "a", "body": "one"}, {"id": "b", "body": "two", "text": "too"}, mapping={"body": "text"}
    )
    assert isinstance(good, ItemRow)
    assert isinstance(bad, Rejection)
    assert (bad.line, bad.field, bad.code) == (2, "text", "mapped_twice")


def test_a_mapped_name_that_the_first_row_lacks_is_refused() -> None:
    with pytest.raises(FileRefused, match=r"first row has no 'body'.*Found: 'id', 'text'"):
        read({"id": "a", "text": "t"}, mapping={"body": "text"})


@pytest.mark.parametrize("alias", ["item_id", "case_id"])
def test_an_alias_of_id_holds_for_the_whole_file(alias: str) -> None:
    first, second, third = read({alias: "a", "text": "t"}, {alias: "b", "text": "t"}, {"text": "t"})
    assert isinstance(first, ItemRow)
    assert isinstance(second, ItemRow)
    assert (first.external_id, second.external_id) == ("a", "b")
    assert isinstance(third, Rejection)
    assert third.field == "id"


def test_an_alias_beside_an_id_is_meta() -> None:
    assert read_one(text="t", item_id="other").meta == {"item_id": "other"}


def test_references_are_read_only_when_allowed_and_never_mixed_with_content() -> None:
    rows = ({"id": "a", "gold": 1}, {"id": "b"}, {"id": "c", "text": "t"})
    first, second, third = read(*rows, allow_references=True)
    assert isinstance(first, ItemRow)
    assert (first.kind, first.content, first.meta) == ("reference", {}, {"gold": 1})
    assert isinstance(second, ItemRow)
    assert isinstance(third, Rejection)
    assert (third.line, third.field) == (3, "text")
    assert [type(row) for row in read(*rows)] == [Rejection, Rejection, ItemRow]
    assert [type(row) for row in read(*reversed(rows), allow_references=True)] == [
        ItemRow,
        Rejection,
        Rejection,
    ]


def test_duplicate_ids_name_both_lines_and_keep_the_first() -> None:
    rows = [{"id": name, "text": "t"} for name in ("a", "b", "a")]
    *kept, bad = read(*rows)
    assert all(isinstance(item, ItemRow) for item in kept)
    assert isinstance(bad, Rejection)
    assert str(bad).startswith("line 3, id: line 3 repeats the id of line 1")


def test_duplicate_ids_in_an_array_on_one_line_are_found() -> None:
    array = b'[{"id": "a", "text": "t"}, {"id": "a", "text": "t"}]'
    assert [type(row) for row in read_items(io.BytesIO(array))] == [ItemRow, Rejection]


def test_ids_that_differ_in_case_are_warned_of() -> None:
    seen = SeenIds()
    read(*({"id": name, "text": "t"} for name in ("ab", "c", "AB", "D", "d", "e")), seen=seen)
    assert seen.warned == 2
    assert seen.warnings[0] == "line 3: the id AB differs only in case from ab in line 1"
    assert seen.warnings[1] == "line 5: the id d differs only in case from D in line 4"


def test_a_table_with_turns_is_read_from_parquet(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    path.write_bytes(parquet(id=["a", "b"], turns=[[{"role": "user", "text": "t"}], []], n=[1, 2]))
    good, bad = read_items(path)
    assert isinstance(good, ItemRow)
    assert good.content == {"turns": [{"role": "user", "text": "t"}]}
    assert good.meta == {"n": 1}
    assert isinstance(bad, Rejection)
    assert (bad.line, bad.field) == (2, "turns")


def test_all_slices_of_a_parquet_file_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    path.write_bytes(parquet(id=[str(n) for n in range(4500)], text=["t"] * 4500))
    assert [int(item.external_id) for item in read_items(path) if isinstance(item, ItemRow)] == list(range(4500))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(str.strip)
keys = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
turns = st.lists(st.fixed_dictionaries({"role": keys, "text": texts}), min_size=1, max_size=4)
contents = st.one_of(
    st.fixed_dictionaries({"text": texts}),
    st.fixed_dictionaries({"prompt": texts}, optional={"response": texts}),
    st.fixed_dictionaries({"turns": turns}),
)
items = st.tuples(
    keys, contents, st.dictionaries(texts.filter(lambda name: name not in FIELDS), values, max_size=4)
)


@settings(deadline=None)
@given(
    st.lists(items, min_size=1, max_size=8, unique_by=lambda item: unicodedata.normalize("NFC", item[0])),
    st.booleans(),
)
def test_any_valid_items_come_back_as_they_were_written(
    written: list[tuple[str, dict, dict]], escaped: bool
) -> None:
    lines = (json.dumps({"id": name} | content | meta, ensure_ascii=escaped) for name, content, meta in written)
    held = io.BytesIO("".join(f"{line}\n" for line in lines).encode())
    read_back = [
        (item.external_id, item.content, item.meta) if isinstance(item, ItemRow) else str(item)
        for item in read_items(held)
    ]
    assert read_back == written


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not beside this checkout")
def test_every_shared_set_is_read_without_a_rejection() -> None:
    paths = sorted(DATA.glob("*.items.jsonl.gz"))
    assert paths
    for path in paths:
        kinds = set()
        for item in read_items(path, allow_references=True):
            assert isinstance(item, ItemRow), f"{path.name} {item}"
            kinds.add(item.kind)
        assert (kinds == {"reference"}) == path.name.startswith(REFERENCE_SETS), path.name
