"""The processes that `manage.py up` runs: started, watched, restarted, and all ended with it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import paths
from config.embedded.state import EmbeddedError

GRACE_SECONDS = 8
RESTARTS = 5
RESTARTS_WITHIN_SECONDS = 60
LARGEST_LOG_BYTES = 10_000_000

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def ends_with_caller(by: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends the child a signal when this process dies, however it dies."""
    caller = os.getpid()

    def arm() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, by)
            if os.getppid() != caller:
                os._exit(1)

    return arm


@dataclass
class Child:
    """A process in a session of its own, so that Ctrl-C reaches it only through us."""

    name: str
    command: Sequence[str]
    keep_open: tuple[int, ...] = ()
    orphan_signal: signal.Signals = signal.SIGTERM
    restarts: list[float] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where it writes."""
        return paths.log_dir() / f"{self.name}.log"

    def start(self) -> None:
        """Start it; its output is added to its log."""
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with open(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=paths.REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=self.keep_open,
                preexec_fn=ends_with_caller(self.orphan_signal),  # noqa: PLW1509 (`up` has one thread)
            )

    def crash(self) -> str | None:
        """How it ended, if it did."""
        status = self.process.poll() if self.process else None
        if status is None:
            return None
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        return f"{self.name} ended ({how}); its log: {self.log}"

    def kill(self) -> None:
        """Kill it and everything it started."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def restart(self) -> None:
        """Start it again.

        Raises:
            EmbeddedError: it has been started again too often of late.
        """
        now = time.monotonic()
        self.restarts = [when for when in self.restarts if when > now - RESTARTS_WITHIN_SECONDS] + [now]
        if len(self.restarts) > RESTARTS:
            often = f"{len(self.restarts)} times within {RESTARTS_WITHIN_SECONDS} s"
            raise EmbeddedError(f"{self.name} crashed {often}. See {self.log}")
        self.kill()
        self.start()


def end(children: Sequence[Child]) -> None:
    """End every child: ask, wait, then kill what is left."""
    for child in children:
        if child.process:
            child.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            if child.process:
                child.process.wait(max(0.0, deadline - time.monotonic()))
    for child in children:
        child.kill()
