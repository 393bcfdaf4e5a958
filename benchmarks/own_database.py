"""A database for one benchmark run, in a folder that goes with it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def own_database() -> Iterator[Path]:
    """An embedded database with the current schema, and a folder for files; both are gone afterwards."""
    with tempfile.TemporaryDirectory() as home:
        # The database's own account must be able to pass through.
        os.chmod(home, 0o755)
        os.environ |= {"JURYBOX_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
        # One secret for this process and those that it starts.
        os.environ.setdefault("SECRET_KEY", "benchmark")
        os.environ.pop("DATABASE_URL", None)
        from config.embedded import database, schema

        with database():
            schema.bring_up_to_date()
            yield Path(home)
