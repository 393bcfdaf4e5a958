#!/usr/bin/env python3
"""Jurybox's commands. Without DATABASE_URL they share one embedded PostgreSQL, started where none runs."""

import os
import signal
import sys

# `up` and `doctor` see to the database themselves; the others never touch it.
NO_DATABASE = {
    "check", "collectstatic", "compilemessages", "diffsettings", "doctor", "help", "makemessages", "messages",
    "startapp", "startproject", "up", "version",
}  # fmt: skip
OWN_SCHEMA = {"makemigrations", "migrate", "showmigrations", "sqlmigrate", "squashmigrations", "test"}


def main() -> None:
    """Run the command that the command line names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
    except ModuleNotFoundError as problem:
        sys.exit(f"{problem}. Run `make setup`, then .venv/bin/python manage.py")

    from config.embedded import EmbeddedError

    try:
        run(sys.argv[1] if len(sys.argv) > 1 else "help")
    except (EmbeddedError, ImproperlyConfigured) as problem:
        sys.exit(f"jurybox: {problem}")


def run(command: str) -> None:
    """Run one command, with the database up and its schema current if it needs that."""
    from django.core.management import execute_from_command_line

    from config.embedded import database, schema
    from config.embedded.state import make_secret_key

    if _needs_no_database(command):
        if command == "up":
            make_secret_key()
        execute_from_command_line(sys.argv)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    make_secret_key()
    with database():
        if command not in OWN_SCHEMA:
            schema.bring_up_to_date()
        execute_from_command_line(sys.argv)


def _needs_no_database(command: str) -> bool:
    asks_only = command.startswith("-") or bool({"-h", "--help"} & set(sys.argv))
    return asks_only or (command in NO_DATABASE and "--database" not in sys.argv)


if __name__ == "__main__":
    main()
