"""P9: the same recipe on the same state gives the same bytes, in any process."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl

from tests.curation.conftest import command, finish

RECIPE = "balance: prompt_harm\nseed: 3\ntest_share: 0.3\n"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_p9_two_processes_with_other_hash_seeds_and_threads_write_the_same_bytes(rows, tmp_path):
    items = rows.labelled(9000)
    rows.label(items[:2000], "hazard_categories", lambda item: ["violence", "fraud"][: item.pk % 3])
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    build = ("build_mix", "mixable", tmp_path / "recipe.yaml", "--format", "json", "--out")
    one = finish(command(*build, tmp_path / "one", PYTHONHASHSEED="1", POLARS_MAX_THREADS="1"))
    two = finish(command(*build, tmp_path / "two", PYTHONHASHSEED="2", POLARS_MAX_THREADS="4"))
    assert json.loads(one) == json.loads(two)
    first, second = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert len(first) == 7


def test_p9_the_manifest_s_checksums_and_digest_can_be_recomputed_without_us(rows, build, tmp_path):
    rows.labelled(50)
    manifest = build(RECIPE)
    found = contents(tmp_path / "mix")
    del found["manifest.json"]
    assert {name: hashlib.sha256(data).hexdigest() for name, data in found.items()} == {
        name: file["sha256"] for name, file in manifest["files"].items()
    }
    rows_as_lines = b"train\n" + found["data/train.jsonl"] + b"test\n" + found["data/test.jsonl"]
    assert hashlib.sha256(rows_as_lines).hexdigest() == manifest["dataset_digest"]
    parquet = pl.read_parquet(tmp_path / "mix/data/train-*.parquet").write_ndjson().encode()
    assert parquet == found["data/train.jsonl"]


def test_p9_only_what_a_mix_depends_on_changes_its_digests(rows, build):
    items = rows.labelled(50)
    before = build(RECIPE)
    assert build(RECIPE, "again") == before
    rows.label(items[:1], "response_harm", "safe")
    after = build(RECIPE)
    assert after["snapshot_digest"] != before["snapshot_digest"]
    assert build("seed: 4\n" + RECIPE.replace("seed: 3\n", ""))["dataset_digest"] != before["dataset_digest"]


LOAD = """
import json, sys
from datasets import load_dataset
loaded = load_dataset(sys.argv[1])
print(json.dumps({split: [sorted(rows["id"]), rows[0]] for split, rows in loaded.items()}))
"""


def load_offline(folder: Path, cache: Path) -> dict:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_folder_loads_with_datasets_offline_in_each_format(rows, build, sides, tmp_path):
    items = rows.labelled(40)
    turns = [{"role": "user", "text": "hello"}]
    talk = rows.add([{"id": "talk", "kind": "dialogue", "content": {"turns": turns}}])
    rows.label([*items[:1], *talk], "hazard_categories", ["fraud"])
    for formats in ("[parquet, jsonl]", "jsonl"):
        manifest = build(f"formats: {formats}\n")
        loaded = load_offline(tmp_path / "mix", tmp_path / "cache")
        assert {split: len(ids) for split, (ids, _) in loaded.items()} == manifest["rows"]
        assert loaded["train"][1]["id"] == "i00000"
    build("formats: parquet\n")
    loaded = load_offline(tmp_path / "mix", tmp_path / "cache")
    assert {item: side for side, (ids, _) in loaded.items() for item in ids} == sides()
    build("test_share: 0\nsplit: all-in-train\n")
    assert list(load_offline(tmp_path / "mix", tmp_path / "cache")) == ["train"]
