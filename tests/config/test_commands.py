"""The commands as a user calls them, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from config.embedded import database, paths
from config.embedded.postgres import Postgres

MANAGE = [sys.executable, str(paths.REPOSITORY / "manage.py")]
PRODUCTION = {
    "JURYBOX_MODE": "production",
    "SECRET_KEY": "only for this test " * 4,
    "DATABASE_URL": "postgresql://jurybox@database.example/jurybox",
    "CELERY_BROKER_URL": "amqp://broker.example",
    "ALLOWED_HOSTS": "jurybox.example",
}


def manage(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MANAGE, *words], capture_output=True, text=True, env=os.environ | more, timeout=120)


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def processes_of(home: Path) -> dict[int, str]:
    """Living processes that were started for this state folder."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if str(home).encode() in command + (process / "environ").read_bytes():
                found[int(process.name)] = command.replace(b"\0", b" ").decode()
        except OSError:
            continue
    return {pid: command for pid, command in found.items() if command and pid != os.getpid()}


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "ALLOWED_HOSTS"])
def test_production_refuses_to_start_and_says_what_to_set(missing: str) -> None:
    refused = manage("check", **PRODUCTION | {missing: ""})
    assert refused.returncode != 0
    assert f"{missing} is not set" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_production_starts_when_all_is_set() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_a_command_alone_brings_a_current_database_and_stops_it_again(home: Path) -> None:
    count = "from annotate.models import Category; print(Category.objects.count())"
    for _ in range(2):
        done = manage("shell", "-v", "0", "-c", count)
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) > 0
        assert not Postgres().answers()


def test_a_terminated_command_stops_its_database(home: Path) -> None:
    wait = "import time; print('up', flush=True); time.sleep(60)"
    command = [*MANAGE, "shell", "-v", "0", "-c", wait]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert not Postgres().answers()


def test_every_process_sends_its_tasks_to_the_configured_broker(home: Path) -> None:
    done = manage("shell", "-v", "0", "-c", "from celery import current_app; print(current_app.conf.broker_url)")
    assert done.stdout.strip() == paths.broker_url()


def test_doctor_reports_as_json(home: Path) -> None:
    assert manage("migrate", "-v", "0").returncode == 0
    done = manage("doctor", "--format", "json")
    report = json.loads(done.stdout)
    assert report["usable"] == (done.returncode == 0)
    names = {finding["name"]: finding["status"] for finding in report["findings"]}
    assert names["postgres"] == names["postgres socket"] == names["migrations"] == "ok"


def test_doctor_names_what_is_broken(home: Path) -> None:
    done = manage("doctor")
    assert done.returncode == 1
    assert "migrations" in done.stdout
    assert "FAIL" in done.stdout


@pytest.fixture
def up(home: Path) -> "Up":
    return Up(home)


class Up:
    """A running `manage.py up`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.output = home.parent / "up.txt"

    def __enter__(self) -> "Up":
        with self.output.open("w") as output:
            command = [*MANAGE, "up", "--port", "18200"]
            self.process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        wait_until(lambda: "Ctrl-C" in self.said() or self.process.poll() is not None, 90, "up is slow")
        assert self.process.poll() is None, self.said()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def said(self) -> str:
        return self.output.read_text()

    def address(self) -> str:
        return next(word for word in self.said().split() if word.startswith("http://"))

    def pid(self, part: str) -> int:
        """The oldest process whose command holds this part."""
        return min(pid for pid, command in processes_of(self.home).items() if part in command)


def test_up_says_its_address_and_sign_ins_and_leaves_nothing_after_ctrl_c(up: Up) -> None:
    with up:
        with urllib.request.urlopen(up.address() + "healthz") as page:
            assert page.status == 200
        for name, password in json.loads(paths.credentials_path().read_text()).items():
            assert name in up.said()
            assert password in up.said()
        second = manage("up")
        assert second.returncode == 1
        assert up.address() in second.stderr
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(30) == 0
        assert processes_of(up.home) == {}


def test_up_says_and_mends_a_crash(up: Up) -> None:
    with up:
        for part, name in (("gunicorn", "web"), ("celery", "worker"), ("valkey-server", "valkey")):
            killed = up.pid(part)
            os.kill(killed, signal.SIGKILL)
            wait_until(lambda name=name: f"{name} " in up.said().partition("Ctrl-C")[2], 10, f"{name} not said")
            wait_until(lambda part=part: part in str(processes_of(up.home)), 10, f"{name} not mended")
        os.kill(up.pid("postgres -D"), signal.SIGKILL)
        wait_until(lambda: "postgres is gone" in up.said(), 10, "postgres not said")
        wait_until(lambda: Postgres().answers(), 20, "postgres not mended")
        with urllib.request.urlopen(up.address() + "healthz") as page:
            assert page.status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: the kernel ends the children")
def test_a_killed_up_leaves_at_most_postgresql_and_the_next_command_ends_it(up: Up) -> None:
    with up:
        up.process.kill()
        up.process.wait()
        wait_until(lambda: all("postgres" in it for it in processes_of(up.home).values()), 20, "processes left")
        with database():
            pass
        assert processes_of(up.home) == {}
