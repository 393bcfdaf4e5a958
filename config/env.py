"""Readers for environment variables that refuse what they cannot read, instead of guessing."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The variable, stripped; the default where it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def required(name: str, purpose: str) -> str:
    """The variable.

    Raises:
        ImproperlyConfigured: it is unset or empty; the message says what to set and what for.
    """
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Production needs it: {purpose}. See docs/operate.md.")
    return value


def boolean(name: str, default: bool) -> bool:
    """`true` or `false` (or `1`, `0`).

    Raises:
        ImproperlyConfigured: any other word, so that `yes` never silently means no.
    """
    value = text(name).lower()
    if not value:
        return default
    if value in ("true", "1"):
        return True
    if value in ("false", "0"):
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; set it to true or false.")


def integer(name: str, default: int, *, at_least: int = 0) -> int:
    """A whole number.

    Raises:
        ImproperlyConfigured: not a whole number, or below `at_least`.
    """
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or int(value) < at_least:
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to a whole number of at least {at_least}.")
    return int(value)


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A list of words separated by commas."""
    value = text(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)


def pairs(name: str) -> dict[str, str]:
    """A list `name=value,name=value`.

    Raises:
        ImproperlyConfigured: a part without `=`, or a name given twice.
    """
    found: dict[str, str] = {}
    for word in words(name):
        key, separator, value = word.partition("=")
        if not separator or not key.strip() or not value.strip() or key.strip() in found:
            raise ImproperlyConfigured(f"{name}: write name=address,name=address, each name once.")
        found[key.strip()] = value.strip()
    return found


def postgres(url: str) -> dict[str, object]:
    """Django's DATABASES entry for a `postgresql://user:password@host:port/name?option=value` address.

    Raises:
        ImproperlyConfigured: another scheme, or no database name. The address itself is never repeated,
            since it may hold a password.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    try:
        port = parts.port
    except ValueError:
        # urlsplit's own message would quote a piece of the password.
        raise ImproperlyConfigured(
            "DATABASE_URL can't be read; write special characters of the password as %XX."
        ) from None
    if parts.scheme not in ("postgres", "postgresql") or not name:
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(port or ""),
        "OPTIONS": options,
    }
