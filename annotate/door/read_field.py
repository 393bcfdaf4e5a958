"""Single fields of a row: types are checked and never converted; null is absence."""

import re
from typing import Any

from annotate.door.refuse import RowRefused, type_name

KEY_POINTS = 200

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def read_string(values: dict[str, Any], field: str) -> str | None:
    """A string as it stands, or None when the field is absent."""
    value = values.get(field)
    if value is None or type(value) is str:
        return value
    hint = ": put it in quotation marks" if field == "id" and type(value) in (int, float) else ""
    raise RowRefused("type", field, f"{field} must be a string, it is {type_name(value)}{hint}", value)


def read_key(values: dict[str, Any], field: str) -> str | None:
    """An id, or a name that items are grouped by: 1 to 200 code points, trimmed, no control characters."""
    key = read_string(values, field)
    if key is None:
        return None
    if not key or len(key) > KEY_POINTS:
        reason = f"{field} must have 1 to {KEY_POINTS} characters, it has {len(key):,}"
        raise RowRefused("length", field, reason, key)
    if key[0].isspace() or key[-1].isspace():
        raise RowRefused("space", field, f"{field} begins or ends with white space: trim it", key)
    if not key.isprintable() and _CONTROL.search(key):
        raise RowRefused("control", field, f"{field} holds a control character: remove it", key)
    return key


def read_required_key(values: dict[str, Any], field: str) -> str:
    """Like read_key, but RowRefused when the field is absent."""
    key = read_key(values, field)
    if key is None:
        raise RowRefused("missing", field, f"{field} is missing")
    return key


def read_note(values: dict[str, Any], field: str, points: int) -> str | None:
    """A short remark of at most `points` code points that is not blank."""
    note = read_string(values, field)
    if note is not None and (is_blank(note) or len(note) > points):
        reason = f"{field} must have 1 to {points:,} characters, not only white space"
        raise RowRefused("length", field, reason, note)
    return note


def read_text(values: dict[str, Any], field: str) -> str:
    """A text that is there and not blank, of any length that the line allows."""
    text = read_string(values, field)
    if text is None or is_blank(text):
        raise RowRefused("empty", field, f"{field} is empty")
    return text


def is_blank(text: str) -> bool:
    """Whether there is nothing but white space."""
    return not text or text.isspace()
