"""Migrating the embedded database and loading the taxonomies, only when the files of either have changed."""

import hashlib
import io

import django
from django.core.management import call_command

from config.embedded import paths
from config.embedded.state import exclusive, make_state_dir, write_private

SOURCES = ("*/migrations/*.py", "annotate/taxonomies/*.json")


def bring_up_to_date() -> None:
    """Migrate the embedded database and load the taxonomies, unless it is known to have both.

    Does nothing where DATABASE_URL is set: whoever runs that database decides when it changes.
    """
    if not paths.database_is_ours() or is_current():
        return
    with exclusive("schema"):
        if not is_current():
            wanted = _fingerprint()
            apply()
            write_private(make_state_dir() / "schema", wanted)


def apply() -> None:
    """Migrate and load the taxonomies."""
    django.setup()
    # What the command itself prints may be read by a program: keep its output clean.
    for command, options in (("migrate", {"interactive": False}), ("load_taxonomies", {})):
        call_command(command, verbosity=0, stdout=io.StringIO(), **options)


def is_current() -> bool:
    """Whether the embedded database is known to have every migration and taxonomy. Takes milliseconds."""
    known = paths.state_dir() / "schema"
    return known.exists() and known.read_text() == _fingerprint()


def _fingerprint() -> str:
    # The data folder's birth is part of it: what one database has says nothing of the next.
    made = (paths.postgres_dir() / "data" / "PG_VERSION").stat().st_mtime_ns
    found = hashlib.sha256(f"{made} {django.get_version()}".encode())
    for pattern in SOURCES:
        for path in sorted(paths.REPOSITORY.glob(pattern)):
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()
