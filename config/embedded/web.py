"""What the web server needs before it starts: a free port, collected static files; and is it up yet."""

import errno
import hashlib
import http.client
import socket
import time
from collections.abc import Callable
from pathlib import Path

from config.embedded import paths
from config.embedded.state import EmbeddedError

HOST = "127.0.0.1"
PORTS_TRIED = 100
PATIENCE_SECONDS = 60


def listen(port: int) -> socket.socket:
    """A listening socket on the first free port from `port` on.

    The caller keeps it open, so the address stays ours while the web server restarts.

    Raises:
        EmbeddedError: a hundred ports are taken.
    """
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        try:
            return socket.create_server((HOST, candidate), backlog=512)
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise EmbeddedError(f"Port {candidate} cannot be used: {problem.strerror}") from problem
    raise EmbeddedError(f"No free port from {port} on. Pass another one: manage.py up --port 9000")


def wait_until_up(port: int, crash: Callable[[], str | None]) -> None:
    """Wait until the web server answers.

    Raises:
        EmbeddedError: it crashed, or does not answer within a minute.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _healthy(port):
        if crashed := crash():
            raise EmbeddedError(crashed)
        if time.monotonic() > deadline:
            raise EmbeddedError(f"The web server does not answer; see {paths.log_dir()}/web.log")


def static_files_changed(root: Path) -> str | None:
    """The static files' fingerprint if `root` was collected from others, else None."""
    found = hashlib.sha256()
    for path in sorted(paths.REPOSITORY.glob("[!.]*/static/**/*")):
        if path.is_file():
            found.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    found.update((paths.REPOSITORY / "requirements.txt").read_bytes())
    wanted = found.hexdigest()
    known = root / "fingerprint.txt"
    return None if known.exists() and known.read_text() == wanted else wanted


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        time.sleep(0.05)
        return False
    finally:
        connection.close()
