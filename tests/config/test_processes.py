import sys
import time
from pathlib import Path

import pytest

from config.embedded import EmbeddedError, web
from config.embedded.processes import RESTARTS, Child, end
from config.embedded.state import AlreadyRunning, make_state_dir, only_one


def wait_for_crash(child: Child) -> str:
    for _ in range(200):
        if crashed := child.crash():
            return crashed
        time.sleep(0.05)
    raise AssertionError("it did not crash")


def test_a_crash_names_the_process_its_exit_status_and_its_log(home: Path) -> None:
    make_state_dir()
    child = Child("broken", [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"])
    child.start()
    crashed = wait_for_crash(child)
    assert "broken" in crashed
    assert "exit status 3" in crashed
    assert str(child.log) in crashed
    assert "the reason" in child.log.read_text()
    assert child.log.stat().st_mode & 0o077 == 0


def test_restarts_are_bounded(home: Path) -> None:
    make_state_dir()
    child = Child("broken", ["/bin/false"])
    child.start()
    for _ in range(RESTARTS):
        wait_for_crash(child)
        child.restart()
    wait_for_crash(child)
    with pytest.raises(EmbeddedError, match="broken crashed"):
        child.restart()


def test_ending_takes_a_stubborn_process_and_its_children_along(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.embedded.processes.GRACE_SECONDS", 0.5)
    make_state_dir()
    stubborn = "trap '' TERM; sleep 987 & echo $!; wait; wait; sleep 987"
    child = Child("stubborn", ["/bin/sh", "-c", stubborn])
    child.start()
    while not child.log.read_text():
        time.sleep(0.02)
    grandchild = Path("/proc") / child.log.read_text().strip()
    assert _alive(grandchild)
    end([child])
    assert child.crash()
    assert not _alive(grandchild)


def _alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_taken_port_gives_the_next_free_one() -> None:
    with web.listen(18000) as first:
        taken = first.getsockname()[1]
        with web.listen(taken) as second:
            assert second.getsockname()[1] > taken


def test_a_second_holder_is_told_who_holds_the_lock(home: Path) -> None:
    with only_one("up") as says:
        says.write_text("http://127.0.0.1:8000/")
        with pytest.raises(AlreadyRunning, match="8000"), only_one("up"):
            pass
    with only_one("up"):
        pass
