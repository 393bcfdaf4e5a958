"""What a row declares of an item for the care of people: how strong it may be, and its hazards."""

import json
from typing import Any

from annotate.door.refuse import RowRefused, type_name

SEVERITIES = {"none": 0, "upsetting": 1, "graphic": 2, "0": 0, "1": 1, "2": 2}
ANOTHER_NAME = "map the field to another name if it means something else"


def read_severity(values: dict[str, Any]) -> int | None:
    """0, 1 or 2, as such or as none, upsetting, graphic; None where the row says nothing."""
    value = values.get("severity")
    if value is None:
        return None
    if type(value) is int and value in (0, 1, 2):
        return value
    if type(value) is str and value in SEVERITIES:
        return SEVERITIES[value]
    reason = f"severity must be 0, 1, 2 or none, upsetting, graphic; {ANOTHER_NAME}"
    raise RowRefused("value", "severity", reason, value)


def read_hazards(values: dict[str, Any], known: frozenset[str] | None) -> list[str] | None:
    """Codes of categories, each once; None where the row says nothing.

    Args:
        known: the codes that exist; None takes any. A table has no lists, so there the codes stand in one
            field, as a JSON list or separated by semicolons.
    """
    value = values.get("hazards")
    if value is None:
        return None
    codes = _split(value) if type(value) is str else value
    if type(codes) is not list or any(type(code) is not str for code in codes):
        reason = f"hazards must be a list of category codes, it is {type_name(value)}; {ANOTHER_NAME}"
        raise RowRefused("type", "hazards", reason, value)
    for code in codes:
        if known is not None and code not in known:
            reason = f"hazards names a category that the project's taxonomy does not have; {ANOTHER_NAME}"
            raise RowRefused("unknown", "hazards", reason, code)
    return list(dict.fromkeys(codes))


def _split(text: str) -> Any:
    if not text.startswith("["):
        return [code for code in (part.strip() for part in text.split(";")) if code]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
