"""State folders of their own, where real servers start; nothing of them is left behind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import paths
from config.embedded.postgres import Postgres


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder that PostgreSQL's account can reach."""
    parent = Path(tempfile.mkdtemp(prefix="jurybox-test-"))
    parent.chmod(0o755)
    yield from _use(parent / "state", monkeypatch)
    shutil.rmtree(parent)


@pytest.fixture
def hidden_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder inside a 0700 folder of root's."""
    if os.geteuid() != 0:
        pytest.skip("needs root: only root hands PostgreSQL to another account")
    parent = Path(tempfile.mkdtemp(prefix="jurybox-test-"))
    yield from _use(parent / "state", monkeypatch)
    shutil.rmtree(parent)


def _use(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("JURYBOX_HOME", str(state))
    monkeypatch.setenv("JURYBOX_FSYNC", "off")
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "JURYBOX_POSTGRES", "PG_BINDIR"):
        monkeypatch.delenv(name, raising=False)
    yield state
    if Postgres().answers():
        Postgres().stop()
    for folder in (paths.postgres_dir(), paths.postgres_socket_dir(), paths.valkey_socket().parent):
        shutil.rmtree(folder, ignore_errors=True)
