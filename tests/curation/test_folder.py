"""Killed at any point: the old folder or the new one, never half."""

import errno
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from curation import folder as folder_module
from curation.errors import FolderRefused
from curation.folder import replaced
from tests.curation.conftest import ROOT, command, finish


def is_whole(folder: Path) -> str:
    """The digest of a folder whose every file is as its manifest says."""
    manifest = json.loads((folder / "manifest.json").read_text())
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {*manifest["files"], "manifest.json"}
    for name, file in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    return manifest["dataset_digest"]


def test_killed_at_random_points_the_old_or_the_new_stands_there_whole(rows, tmp_path):
    rows.labelled(3000)
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "mix"
    words = ("build_mix", "mixable", recipe, "--out", out)
    recipe.write_text("")
    began = time.monotonic()
    finish(command(*words))
    usual = time.monotonic() - began
    known = {is_whole(out)}
    chance = random.Random(4)
    killed = 0
    for seed in range(12):
        recipe.write_text(f"balance: prompt_harm\nper_cell: {100 + seed}\n")
        process = command(*words)
        time.sleep(usual * chance.uniform(0.5, 1.05))
        killed += process.poll() is None
        process.kill()
        process.communicate()
        known.add(is_whole(out))
    assert killed >= 8
    finish(command(*words))
    assert is_whole(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mix", "recipe.yaml"], "leftovers are cleaned up"


def test_killed_inside_the_writing_nothing_stands_under_the_name(tmp_path):
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from curation.folder import replaced
with replaced(Path({str(tmp_path / "mix")!r})) as folder:
    (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60)
    assert done.returncode == -signal.SIGKILL
    (leftover,) = tmp_path.iterdir()
    assert leftover.name.startswith(".mix.building-")
    with replaced(tmp_path / "mix") as building:
        (building / "manifest.json").write_text('{"jurybox": 1}')
        assert not leftover.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["mix"]


def test_a_build_that_goes_on_is_no_leftover(tmp_path):
    with replaced(tmp_path / "mix") as first:
        name = first.rename(first.with_name(".mix.building-other"))
        with replaced(tmp_path / "mix") as second:
            assert name.exists()
            (second / "manifest.json").write_text('{"jurybox": 1}')
        name.rename(first)
        (first / "manifest.json").write_text('{"jurybox": 2}')
    assert (tmp_path / "mix/manifest.json").read_text() == '{"jurybox": 2}'


def test_whoever_looks_while_folders_are_swapped_always_sees_a_whole_one(tmp_path):
    out, stop, seen = tmp_path / "mix", threading.Event(), set()

    def write(number: int) -> None:
        with replaced(out) as building:
            (building / "other").write_text(str(number))
            (building / "manifest.json").write_text(json.dumps({"jurybox": number}))

    def look() -> None:
        while not stop.is_set():
            handle = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
            names = os.listdir(handle)
            os.close(handle)
            seen.add(tuple(sorted(names)))

    write(0)
    looker = threading.Thread(target=look)
    looker.start()
    for number in range(40):
        write(number)
    stop.set()
    looker.join()
    assert ("manifest.json", "other") in seen
    assert json.loads((out / "manifest.json").read_text())["jurybox"] == 39


@pytest.mark.parametrize("manifest", [None, "not JSON", '{"name": "something else"}', "[]"])
def test_p12_a_folder_that_is_not_ours_is_left_alone(tmp_path, manifest: str | None):
    other = tmp_path / "mix"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    if manifest is not None:
        (other / "manifest.json").write_text(manifest)
    with pytest.raises(FolderRefused, match="was not made by build_mix"), replaced(other):
        pass
    assert (other / "thesis.txt").read_text() == "years of work"


def test_p12_a_file_under_the_name_is_left_alone_and_an_empty_folder_is_used(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(FolderRefused), replaced(tmp_path / "file"):
        pass
    (tmp_path / "empty").mkdir()
    with replaced(tmp_path / "empty") as building:
        (building / "manifest.json").write_text("{}")
    assert (tmp_path / "empty/manifest.json").exists()


def test_p12_where_folders_can_not_be_swapped_the_old_one_stays(tmp_path, monkeypatch):
    for text in ('{"jurybox": 1}', '{"jurybox": 2}'):
        if "2" in text:
            monkeypatch.setattr(folder_module, "EXCHANGE", 1 << 20)  # a flag that no kernel knows: EINVAL
            with pytest.raises(FolderRefused, match="choose a new --out"), replaced(tmp_path / "mix") as building:
                (building / "manifest.json").write_text(text)
        else:
            with replaced(tmp_path / "mix") as building:
                (building / "manifest.json").write_text(text)
    assert (tmp_path / "mix/manifest.json").read_text() == '{"jurybox": 1}'
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_the_old_folder_and_says_so(rows, tmp_path):
    """A limit on the size of files stands for the full disk: writing beyond it fails in the same way."""
    rows.labelled(2000)
    (tmp_path / "recipe.yaml").write_text("")
    words = ("build_mix", "mixable", tmp_path / "recipe.yaml", "--out", tmp_path / "mix")
    finish(command(*words))
    digest = is_whole(tmp_path / "mix")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        process = command(*words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert os.strerror(errno.EFBIG) in errors
    assert "Traceback" not in errors
    assert is_whole(tmp_path / "mix") == digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mix", "recipe.yaml"]


def test_p12_the_command_refuses_in_one_line(rows, tmp_path):
    rows.labelled(5)
    (tmp_path / "recipe.yaml").write_text("sed: 1\n")
    for project, recipe, message in (
        ("mixable", tmp_path / "recipe.yaml", "line 1, sed: no such key"),
        ("nothing", tmp_path / "recipe.yaml", "There is no project 'nothing'; there are: mixable."),
        ("mixable", tmp_path / "absent.yaml", "No such file or directory"),
    ):
        process = command("build_mix", project, recipe, "--out", tmp_path / "mix")
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert message in errors
        assert "Traceback" not in errors
        assert out == ""
    assert not (tmp_path / "mix").exists()
