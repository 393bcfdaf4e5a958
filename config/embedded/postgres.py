"""The embedded PostgreSQL: made once, started, stopped, adopted.

Only its account and root get to it: there is no TCP port, and the socket is 0700 in a 0700 folder, which is
why `trust` is enough behind it.
"""

import os
import pwd
import shutil
import socket
import struct
import subprocess
import time

from config.embedded import paths
from config.embedded.binaries import Binaries, choose, usable_by
from config.embedded.state import EmbeddedError, make_private_dir, make_state_dir

PATIENCE_SECONDS = 15

# "May I use TLS?": the shortest message that a PostgreSQL server answers ("no", as the socket is local).
SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class Postgres:
    """The PostgreSQL of the state folder."""

    def __init__(self) -> None:
        self.folder = paths.postgres_dir()
        self.data = self.folder / "data"
        self.socket_dir = paths.postgres_socket_dir()
        self.log = self.folder / "postgres.log"

    def answers(self) -> bool:
        """Whether the server is up and takes connections."""
        try:
            status = (self.data / "postmaster.pid").read_text().splitlines()[-1].strip()
            with socket.socket(socket.AF_UNIX) as door:
                door.settimeout(5)
                door.connect(str(self.socket_dir / paths.POSTGRES_SOCKET))
                door.sendall(SSL_REQUEST)
                return status == "ready" and door.recv(1) == b"N"
        except (OSError, IndexError):
            return False

    def start(self) -> None:
        """Start the server unless it answers, making its data on the first start.

        Raises:
            EmbeddedError: it does not start; the message has the end of its log.
        """
        if self.answers():
            return
        self._make_folders()
        binaries = self.binaries()
        if not self.data.exists():
            self._make_data(binaries)
        deadline = time.monotonic() + PATIENCE_SECONDS
        # A postmaster that was killed stays listed until it is reaped, and its postmaster.pid keeps the
        # next one from starting.
        while not (self._launch(binaries) or self.answers()):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL does not start. The end of {self.log}:\n{self._log_end()}")
            time.sleep(1)

    def stop(self) -> None:
        """Stop the server; open transactions are rolled back.

        Raises:
            EmbeddedError: it still runs after a minute.
        """
        done = self._run(self.binaries(), "pg_ctl", "stop", "-m", "fast", "-w", "-t", "60", "-D", str(self.data))
        if done.returncode and self.answers():
            raise EmbeddedError(f"PostgreSQL does not stop: {done.stderr.strip()}")

    def binaries(self) -> Binaries:
        """The programs in use.

        Raises:
            EmbeddedError: none fits.
        """
        return usable_by(self.account(), choose(self.data), keep_in=self.folder)

    def account(self) -> pwd.struct_passwd | None:
        """The account that the server runs as; None for the caller's own."""
        if os.geteuid() == 0 and self.data.exists():
            return pwd.getpwuid(self.data.stat().st_uid)
        return paths.unprivileged_account()

    def _make_folders(self) -> None:
        state_dir = make_state_dir()
        if not self.folder.is_relative_to(state_dir):
            self.folder.parent.mkdir(mode=0o711, exist_ok=True)
            note = f"PostgreSQL runs under its own account, which cannot get here. Its data: {self.folder}\n"
            (state_dir / "postgres.txt").write_text(note)
        for folder in (self.folder, self.socket_dir):
            make_private_dir(folder, self.account())

    def _make_data(self, binaries: Binaries) -> None:
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if binaries.major < 17:
            locale = ["--locale=C.UTF-8"]
        options = ["-U", "jurybox", "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", *locale]
        options += ["--data-checksums", "--no-instructions", *(["--no-sync"] if _unsafe_but_fast() else [])]
        made = self._run(binaries, "initdb", "-D", str(draft), *options)
        if made.returncode == 0:
            create = "CREATE DATABASE jurybox\n"
            made = self._run(binaries, "postgres", "--single", "-D", str(draft), "postgres", typed=create)
        if made.returncode:
            raise EmbeddedError(f"PostgreSQL could not make its data in {self.folder}: {made.stderr.strip()}")
        draft.rename(self.data)

    def _launch(self, binaries: Binaries) -> bool:
        settings = ["listen_addresses=''", "port=5432", "unix_socket_permissions=0700"]
        # Statements and rows hold what people submitted: never in a log.
        settings += ["log_min_error_statement=panic", "log_error_verbosity=terse"]
        if _unsafe_but_fast():
            settings += ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        options = " ".join(f"-c {setting}" for setting in settings) + f" -k '{self.socket_dir}'"
        where = ["-D", str(self.data), "-l", str(self.log), "-o", options]
        return self._run(binaries, "pg_ctl", "-w", "-t", "60", *where, "start").returncode == 0

    def _run(
        self, binaries: Binaries, program: str, *options: str, typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        account = self.account()
        return subprocess.run(
            [str(binaries.folder / program), *options],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def _log_end(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        except OSError as problem:
            return f"(no log: {problem})"


def _unsafe_but_fast() -> bool:
    """For tests: data that need not survive a power cut."""
    return os.environ.get("JURYBOX_FSYNC") == "off"
