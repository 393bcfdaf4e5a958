"""How the door says no: one exception for a file, one record for a row.

ImportRefused (annotate/errors.py)
├── FileRefused   nothing of the file may be imported
└── RowRefused    raised inside the door only; leaves it as a Rejection
"""

import json
import re
from typing import Any, NamedTuple

from annotate.errors import ImportRefused

EXCERPT_POINTS = 80

# Printable by category and still drawing nothing: Default_Ignorable_Code_Point and blank letters.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_TYPE_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


class FileRefused(ImportRefused):
    """A fault of the whole file. The message says what is wrong and what to do, and is safe to show."""


class RowRefused(ImportRefused):
    """A fault of one row: `code` for machines, `field` (a path, "" for the whole row), `reason` for people.

    `value` is what the excerpt is taken from; without one it is taken from the row.
    """

    def __init__(self, code: str, field: str, reason: str, value: Any = None) -> None:
        super().__init__(reason)
        self.code, self.field, self.reason, self.value = code, excerpt(field), reason, value


class Row(NamedTuple):
    """A readable row: its values by name, and the line it starts on, counted from 1.

    In a JSON array or Parquet, which have no lines of their own, it is the number of the row.
    """

    line: int
    values: dict[str, Any]


class Rejection(NamedTuple):
    """A row that stays outside. Its strings are escaped and short: fit to be shown or written down."""

    line: int
    field: str
    code: str
    reason: str
    excerpt: str

    def __str__(self) -> str:
        place = f"line {self.line}, {self.field}" if self.field else f"line {self.line}"
        return f"{place}: {self.reason}"


def reject(line: int, fault: RowRefused, row: Any) -> Rejection:
    """The Rejection of `row` (text, bytes or parsed values) for `fault`."""
    shown = row if fault.value is None else fault.value
    return Rejection(line, fault.field, fault.code, fault.reason, excerpt(shown))


def excerpt(value: Any) -> str:
    """The first 80 code points of a value; control, bidi and invisible characters become escapes."""
    if isinstance(value, bytes):
        # 80 code points are at most 320 bytes; a cut character lies beyond them.
        value = value[: 4 * EXCERPT_POINTS + 4].decode("utf-8", "backslashreplace")
    elif not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return "".join(map(_visible, value[:EXCERPT_POINTS]))


def _visible(character: str) -> str:
    if character.isprintable() and not _INVISIBLE.match(character):
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def rejection_line(rejection: Rejection) -> str:
    """One line of a reject file: a JSON object with line, field, code, reason, excerpt, and a line end."""
    return json.dumps(rejection._asdict(), ensure_ascii=False) + "\n"


def type_name(value: Any) -> str:
    """What to call the type of a parsed value in a message: "a string", "null"..."""
    return _TYPE_NAMES.get(type(value), type(value).__name__)
