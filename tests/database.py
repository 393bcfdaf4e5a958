"""A pytest plugin, loaded before pytest-django reads the settings: the tests' own PostgreSQL, fsync off."""

import contextlib
import os
from pathlib import Path

import pytest

# Never the state of a running `make run`: its broker would take the tests' wake-ups.
os.environ.setdefault("JURYBOX_HOME", str(Path(__file__).resolve().parent.parent / ".jurybox" / "test"))
os.environ["JURYBOX_FSYNC"] = "off"

running = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    from config.embedded import database

    running.enter_context(database())
    ease_settings()


def ease_settings() -> None:
    """Static files without collecting them, and passwords without the cost that guards real ones."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True


def pytest_unconfigure(config: pytest.Config) -> None:
    running.close()
