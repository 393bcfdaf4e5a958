"""Making the folders and the secret that a start needs, readable for their owner only."""

import fcntl
import os
import pwd
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import paths


class EmbeddedError(Exception):
    """An embedded service cannot be used; the message says why and what to do."""


class AlreadyRunning(EmbeddedError):
    """Another process of this checkout does this already."""


def make_state_dir() -> Path:
    """Create the state folder and its missing parents, 0700.

    For root it is 0710 with the group of PostgreSQL's account, which has to pass through to its data.
    """
    folder = paths.state_dir()
    account = paths.unprivileged_account()
    for step in reversed((folder, *folder.parents)):
        try:
            step.mkdir(mode=0o700)
        except FileExistsError:
            continue
        if account:
            os.chown(step, -1, account.pw_gid)
            step.chmod(0o710)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedError(f"{folder} belongs to another user. Run as that user, or set JURYBOX_HOME.")
    return folder


def make_private_dir(folder: Path, account: pwd.struct_passwd | None = None) -> None:
    """Create a 0700 folder for the account (None: the caller), or check that it is one.

    Raises:
        EmbeddedError: somebody else's folder has that name.
    """
    uid = account.pw_uid if account else os.geteuid()
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        found = folder.lstat()
        if not folder.is_dir() or folder.is_symlink() or found.st_uid != uid or found.st_mode & 0o077:
            raise EmbeddedError(
                f"{folder} must be a folder with mode 0700 that belongs to user {uid}. "
                "Remove it if it is not needed, or set JURYBOX_HOME to another folder."
            ) from None
        return
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)


def make_secret_key() -> None:
    """Write Django's secret key, once."""
    path = paths.secret_key_path()
    with exclusive("state"):
        if not path.exists():
            write_private(path, secrets.token_urlsafe(50))


def write_private(path: Path, text: str) -> None:
    """Write a 0600 file, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """One process at a time; the kernel lets go when the holder dies."""
    with open(make_state_dir() / f"{name}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def only_one(name: str) -> Iterator[Path]:
    """Hold a lock that others do not wait for; gives the file where the holder may say who it is.

    Raises:
        AlreadyRunning: another process holds it; carries what that process said.
    """
    path = make_state_dir() / f"{name}.lock"
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(path.read_text().strip()) from None
        path.write_text("")
        yield path
