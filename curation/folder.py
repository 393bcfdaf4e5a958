"""Put a finished folder in place in one step: whoever looks sees the old one or the new one, never half."""

import ctypes
import errno
import fcntl
import glob
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from curation.errors import FolderRefused

MANIFEST = "manifest.json"
# linux/fs.h RENAME_EXCHANGE and macOS sys/stdio.h RENAME_SWAP happen to be the same number.
EXCHANGE = 2
AT_FDCWD = -100
CAN_NOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV)


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """An empty folder beside `out` that takes its place when the block ends well; else nothing changes.

    Raises:
        FolderRefused: `out` is not a mix of ours, or its file system can't swap folders.
    """
    out = out.resolve()
    _check_is_ours(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(out)
    building = out.with_name(f".{out.name}.building-{os.getpid()}")
    lock = _make_locked(building)
    try:
        yield building
        _flush(building)
        _put_in_place(building, out)
        _flush_folder(out.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)
        os.close(lock)


def _check_is_ours(out: Path) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        ours = "jurybox" in json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise FolderRefused(f"{out} is there and was not made by build_mix; choose another --out.")


def _make_locked(building: Path) -> int:
    """Make the folder and hold a lock on it for as long as this process lives; returns the descriptor."""
    while True:
        building.mkdir(exist_ok=True)
        descriptor = os.open(building, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), building.stat()):
                return descriptor
        # Another build took it for a leftover between the two calls.
        os.close(descriptor)


def _remove_leftovers(out: Path) -> None:
    """Folders of builds that were killed: nobody holds their lock."""
    for leftover in out.parent.glob(f".{glob.escape(out.name)}.building-*"):
        with suppress(FileNotFoundError, NotADirectoryError):
            descriptor = os.open(leftover, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover, ignore_errors=True)
            except BlockingIOError:
                pass
            finally:
                os.close(descriptor)


def _put_in_place(building: Path, out: Path) -> None:
    if not out.exists() or not any(out.iterdir()):
        try:
            building.rename(out)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
    _check_is_ours(out)
    _swap(building, out)


def _swap(one: Path, other: Path) -> None:
    """Exchange two folders atomically: renameat2(2) on Linux, renamex_np(2) on macOS."""
    libc = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "darwin":
            failed = libc.renamex_np(*paths, ctypes.c_uint(EXCHANGE))
        else:
            failed = libc.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], ctypes.c_uint(EXCHANGE))
        number = ctypes.get_errno() if failed else 0
    except AttributeError:
        number = errno.ENOSYS
    if number in CAN_NOT:
        raise FolderRefused(
            f"{other} is there, and this file system can't replace a folder in one step; choose a new --out."
        )
    if number:
        raise OSError(number, os.strerror(number), str(other))


def _flush(folder: Path) -> None:
    """Bring every file and folder to the disk before the name points to it."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            _flush_folder(path)
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
