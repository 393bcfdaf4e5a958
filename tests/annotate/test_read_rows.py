"""The door lets in what is right, and says where and why it does not let in the rest (P12)."""

import csv
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.door import FileRefused, ItemRow, Rejection, Row, excerpt, read_items, read_rows, rejection_line
from annotate.door.read_csv import split_cells
from annotate.door.refuse import EXCERPT_POINTS
from annotate.door.unpack import LINE_BYTES
from tests.annotate.bad_input import CASES, FIRST, LATIN, Case, encoded, parquet

ROOT = Path(__file__).parents[2]
MEMORY_KIB = 64 * 1024


def shown_text(item: ItemRow) -> str:
    return item.content.get("text") or item.content["prompt"]


def test_the_corpus_has_all_84_kinds() -> None:
    kinds = {int(case.key.rstrip("abcde")) for case in CASES}
    assert kinds >= set(range(1, 85))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.key}-{case.what}")
def test_p12_bad_input_gets_the_expected_answer(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    started = time.perf_counter()
    if case.outcome == "file":
        with pytest.raises(FileRefused, match=re.escape(case.says)) as refusal:
            list(read_items(path))
        assert str(refusal.value).isprintable()
    else:
        rows = list(read_items(path))
        rejections = [row for row in rows if isinstance(row, Rejection)]
        assert [rejection.line for rejection in rejections] == list(case.lines)
        for rejection in rejections:
            assert case.says in rejection.reason
            assert rejection.field == case.field
            assert f"line {rejection.line}" in str(rejection)
        items = [row for row in rows if isinstance(row, ItemRow)]
        assert items or case.key == "51"
        if case.texts is not None:
            assert [shown_text(item) for item in items] == list(case.texts)
    assert time.perf_counter() - started < 2


def test_numbers_and_words_in_meta_keep_their_type(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    meta = {"n": 10**30, "a": "false", "b": 0, "c": 1.0}
    path.write_text(json.dumps({"id": "x", "text": "t"} | meta))
    (item,) = read_items(path)
    assert isinstance(item, ItemRow)
    assert repr(item.meta) == repr(meta)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32"])
def test_a_named_encoding_is_used(encoding: str) -> None:
    items = read_items(io.BytesIO(encoded(LATIN, encoding)), encoding=encoding)
    assert tuple(shown_text(item) for item in items if isinstance(item, ItemRow)) == LATIN


def test_an_unknown_or_wrong_encoding_is_refused() -> None:
    with pytest.raises(FileRefused, match="use one of utf-8"):
        list(read_rows(io.BytesIO(FIRST), encoding="rot13"))
    with pytest.raises(FileRefused, match="not shift-jis"):
        list(read_rows(io.BytesIO(b'{"id": "\xff"}\n'), encoding="shift-jis"))


def test_one_damaged_line_of_many_is_a_rejected_row_not_another_encoding() -> None:
    good = '{"id": "a", "text": "caf\u00e9"}\n'.encode()
    damaged = b'{"id": "b", "text": "caf\xe9"}\n'
    rows = list(read_rows(io.BytesIO(good + damaged + damaged)))
    assert [type(row) for row in rows] == [Row, Rejection, Rejection]


def test_an_upload_is_read_by_its_name_and_content() -> None:
    upload = io.BytesIO(b"id,text\na,one\n")
    assert list(read_rows(upload, name="items.csv")) == [Row(2, {"id": "a", "text": "one"})]
    with pytest.raises(FileRefused, match="cannot be opened"):
        list(read_rows("no/such/file.jsonl"))


def test_an_excerpt_is_short_and_shows_what_is_hidden() -> None:
    assert len(excerpt("a" * 1000)) == EXCERPT_POINTS
    shown = excerpt("\x1b[2J \u202e\u200b\ufe0f \U000e0041 \ud800 \n")
    assert shown == r"\x1b[2J \u202e\u200b\ufe0f \U000e0041 \ud800 \n"
    assert excerpt(b"caf\xc3\xa9 \xff") == r"café \xff"


def test_a_rejection_becomes_one_line_of_json() -> None:
    line = rejection_line(Rejection(7, "text", "nul", "holds a NUL character", "a\\x00"))
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "line": 7,
        "field": "text",
        "code": "nul",
        "reason": "holds a NUL character",
        "excerpt": "a\\x00",
    }


def test_a_reject_file_never_carries_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'{"id": "\\u001b[2J", "text": "t", "k\\u202e": 1, "k\\u202e": 2}\n')
    (rejection,) = read_rows(path)
    assert isinstance(rejection, Rejection)
    assert rejection.field == r"k\u202e"
    assert rejection_line(rejection).rstrip("\n").isprintable()


@pytest.mark.parametrize("missing", range(-3, 4))
def test_a_row_at_the_limit_comes_in_whole_or_not_at_all(missing: int) -> None:
    text = "a" * (LINE_BYTES - 20 - missing) + "\n" + "b" * 13
    for tail in (text, text + "\nc", text + "\n"):
        record = f'x,"{tail}"'
        first, last = read_rows(io.BytesIO(f"id,text\n{record}\nlast,end\n".encode()), name="items.csv")
        if len(record) <= LINE_BYTES:
            assert first == Row(2, {"id": "x", "text": tail})
        else:
            assert isinstance(first, Rejection)
            assert first.code == "too_long"
        assert last.line == 3 + tail.count("\n")


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_cells_come_back_as_the_csv_module_wrote_them(cells: list[str]) -> None:
    held = io.StringIO()
    csv.writer(held, quoting=csv.QUOTE_ALL if cells == [""] else csv.QUOTE_MINIMAL).writerow(cells)
    assert split_cells(held.getvalue().removesuffix("\r\n")) == cells


@given(st.binary() | st.text().map(str.encode), st.sampled_from(["a.jsonl", "a.csv", "a.parquet"]))
def test_no_bytes_make_the_door_fall(content: bytes, name: str) -> None:
    for beginning in (b"", FIRST, b"id,text\n", b"[", b"\x1f\x8b\x08"):
        try:
            rows = list(read_items(io.BytesIO(beginning + content), name=name))
        except FileRefused:
            continue
        assert all(isinstance(row, ItemRow | Rejection) for row in rows)


def test_a_damaged_parquet_file_never_ends_this_process() -> None:
    """One byte of a page header is enough for polars 2.1 to ask for 2 EiB of memory and abort."""
    damaged = bytearray(parquet(id=[f"i{n}" for n in range(300)], text=[f"some text {n}" for n in range(300)]))
    damaged[14] = 237
    with pytest.raises(FileRefused, match="cannot be read"):
        list(read_rows(io.BytesIO(damaged)))


def test_a_parquet_file_may_be_left_half_read(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    path.write_bytes(parquet(id=[str(n) for n in range(50_000)], text=["t" * 50] * 50_000))
    rows = read_rows(path)
    assert next(rows) == Row(1, {"id": "0", "text": "t" * 50})
    rows.close()  # type: ignore[attr-defined]


PEAK_SCRIPT = """
import sys
from annotate.door import FileRefused, read_items

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

before = peak()
try:
    for row in read_items(sys.argv[1]):
        pass
except FileRefused:
    pass
print(peak() - before, "polars" in sys.modules)
"""


def write_long_line(path: Path) -> None:
    path.write_bytes(FIRST + b'{"id": "x", "text": "' + b"a" * 100_000_000 + b'"}\n')


def write_long_cell(path: Path) -> None:
    path.write_bytes(b'id,text\na,"' + (b"a" * 99 + b"\n") * 1_000_000 + b'"\n')


def write_bomb(path: Path) -> None:
    path.write_bytes(next(case for case in CASES if case.what == "gzip bomb").content())  # type: ignore[operator]


def write_wide_array(path: Path) -> None:
    row = '{"id": "%d", "text": "\U0001f600"}'
    path.write_text("[" + ",".join(row % number for number in range(240_000)) + "]")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc (Linux)")
@pytest.mark.parametrize("write", [write_long_line, write_long_cell, write_bomb, write_wide_array])
def test_memory_stays_bounded_and_polars_unloaded(write, tmp_path: Path) -> None:
    path = tmp_path / ("items.csv" if write is write_long_cell else "items.jsonl")
    write(path)
    run = [sys.executable, "-c", PEAK_SCRIPT, str(path)]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    grown, polars_loaded = done.stdout.split()
    assert int(grown) < MEMORY_KIB
    assert polars_loaded == "False"
