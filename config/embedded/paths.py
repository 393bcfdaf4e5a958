"""Where Jurybox keeps things on this machine. Cheap and creates nothing: settings import it."""

import hashlib
import os
import pwd
import stat
from pathlib import Path
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parents[2]
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"

# Linux takes 107 bytes for a Unix socket's path, macOS 103.
LONGEST_SOCKET_PATH = 100


def database_is_ours() -> bool:
    """Whether PostgreSQL is the embedded one."""
    return not os.environ.get("DATABASE_URL", "").strip()


def broker_is_ours() -> bool:
    """Whether the broker is the embedded one."""
    return not os.environ.get("CELERY_BROKER_URL", "").strip()


def state_dir() -> Path:
    """The folder of everything that Jurybox stores: `JURYBOX_HOME`, or `.jurybox` beside manage.py."""
    return (REPOSITORY / (os.environ.get("JURYBOX_HOME") or ".jurybox")).resolve()


def secret_key_path() -> Path:
    """The file with Django's secret key."""
    return state_dir() / "secret_key"


def credentials_path() -> Path:
    """The file with the demo's sign-ins: a JSON object from user name to password."""
    return state_dir() / "credentials.json"


def log_dir() -> Path:
    """The folder with one log for each process that `manage.py up` starts."""
    return state_dir() / "logs"


def database_url() -> str:
    """The embedded PostgreSQL's address, over its Unix socket."""
    return f"postgresql://jurybox@:5432/jurybox?host={quote(str(postgres_socket_dir()), safe='/')}"


def broker_url() -> str:
    """The embedded Valkey's address, over its Unix socket."""
    return f"redis+socket://{quote(str(valkey_socket()), safe='/')}"


def postgres_dir() -> Path:
    """The folder of PostgreSQL's data: in the state folder, unless its account could not get there.

    PostgreSQL refuses to run as root, so root hands it to another account, which cannot pass a 0700 home.
    """
    beside = state_dir() / "postgres"
    elsewhere = Path("/var/lib/jurybox") / digest(state_dir())
    for folder in (beside, elsewhere):
        if os.path.exists(folder / "data"):
            return folder
    account = unprivileged_account()
    return beside if account is None or may_pass(account, beside) else elsewhere


def postgres_socket_dir() -> Path:
    """The folder of PostgreSQL's Unix socket."""
    return _short_enough(postgres_dir() / "run", POSTGRES_SOCKET)


def valkey_socket() -> Path:
    """Valkey's Unix socket."""
    return _short_enough(state_dir() / "valkey", VALKEY_SOCKET) / VALKEY_SOCKET


def unprivileged_account() -> pwd.struct_passwd | None:
    """The account that runs PostgreSQL when Jurybox runs as root; None when it runs as the caller."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def may_pass(account: pwd.struct_passwd, path: Path) -> bool:
    """Whether the account may search (or run, where `path` is a file) everything on the way to `path`."""
    for step in (path, *path.parents):
        try:
            found = step.stat()
        except FileNotFoundError:
            continue
        if found.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        else:
            needed = stat.S_IXGRP if found.st_gid == account.pw_gid else stat.S_IXOTH
        if not found.st_mode & needed:
            return False
    return True


def digest(path: Path) -> str:
    """A short name for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _short_enough(folder: Path, socket_name: str) -> Path:
    # Not TMPDIR: every command must find the same socket, and PostgreSQL's account must reach it.
    fits = len(os.fsencode(folder / socket_name)) <= LONGEST_SOCKET_PATH
    return folder if fits else Path("/tmp") / f"jurybox-{digest(folder)}"
