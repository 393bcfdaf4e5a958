"""One server for any number of processes: the first starts it, the last one out stops it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from config.embedded.state import exclusive, make_state_dir


class Server(Protocol):
    """A process that commands share. `start` does nothing where it runs already."""

    def answers(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


@contextmanager
def lease(name: str, server: Server) -> Iterator[None]:
    """Hold the server for the length of the block.

    Every holder keeps a shared lock; who can turn it into an exclusive one is alone. The kernel drops the
    locks of killed processes, so at worst a server stays up, and the next holder adopts it.
    """
    with open(make_state_dir() / f"{name}.users.lock", "a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            with exclusive(f"{name}.start"):
                server.start()
            yield
        finally:
            with exclusive(f"{name}.start"):
                if _is_last(users.fileno()):
                    server.stop()


def revive(name: str, server: Server) -> None:
    """Start a server again that died while this process holds it."""
    with exclusive(f"{name}.start"):
        server.start()


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
