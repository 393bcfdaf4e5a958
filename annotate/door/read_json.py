"""Strict JSON (RFC 8259, and I-JSON, RFC 7493, on keys and strings): lines or one array of objects."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from annotate.door.refuse import FileRefused, Rejection, Row, RowRefused, reject, type_name
from annotate.door.unpack import LINE_BYTES, LONE_CR, Line, decode_line

MAX_DEPTH = 32
MAX_KEYS = 256
ARRAY_BYTES = 8 << 20

_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_NOT_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[^\[\]{}"]++', re.DOTALL)
_BLANK = re.compile(r"[ \t\r\n]*")


def read_jsonl(lines: Iterable[Line]) -> Iterator[Row | Rejection]:
    """One object a line; blank lines are skipped, line numbers stay true.

    Raises FileRefused when the objects are not one a line (pretty-printed, or several on a line).
    """
    first = True
    for number, raw, _ in lines:
        if not raw or raw.isspace():
            continue
        try:
            text = decode_line(raw)
            if "\r" in text:
                raise RowRefused("lone_cr", "", LONE_CR)
            values = parse_object(text)
        except RowRefused as fault:
            _refuse_other_layout(fault, number, first and raw.rstrip()[-1:] in (b"{", b"[", b","))
            yield reject(number, fault, raw)
        else:
            yield Row(number, values)
        first = False


def _refuse_other_layout(fault: RowRefused, number: int, opens_only: bool) -> None:
    if fault.code == "several_objects":
        raise FileRefused(f"line {number} holds several objects: write one object a line") from fault
    if fault.code == "cut_short" and opens_only:
        raise FileRefused(
            f"line {number} begins an object that goes on in the next line (pretty-printed JSON):"
            " write one object a line, without line breaks inside"
        ) from fault


def read_array(chunks: Iterable[bytes]) -> Iterator[Row | Rejection]:
    """The objects of one JSON array of at most 8 MiB, numbered from 1."""
    text = _array_text(chunks)
    at = _skip_blank(text, text.index("[") + 1)
    number, ended = 0, text.startswith("]", at)
    while not ended:
        number += 1
        end = _value_end(text, at, number)
        yield _array_row(number, text[at:end])
        at = _skip_blank(text, end)
        ended = text.startswith("]", at)
        if not ended and not text.startswith(",", at):
            raise FileRefused(f"the JSON array is broken after object {number}: a comma or ] is missing")
        if not ended:
            at = _skip_blank(text, at + 1)
    if text[at + 1 :].strip():
        raise FileRefused("something follows the JSON array: write one array, or one object a line")


def _array_row(number: int, text: str) -> Row | Rejection:
    try:
        if len(text) > LINE_BYTES:
            raise RowRefused("too_long", "", f"the object is longer than {LINE_BYTES:,} characters")
        return Row(number, parse_object(text))
    except RowRefused as fault:
        return reject(number, fault, text)


def _array_text(chunks: Iterable[bytes]) -> str:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > ARRAY_BYTES:
            raise FileRefused(
                f"the JSON array is larger than {ARRAY_BYTES >> 20} MiB:"
                " write one object a line instead (JSON Lines; jq -c '.[]' does it)"
            )
    if not held.lstrip().startswith(b"["):
        raise FileRefused("this is not a JSON array: choose another format")
    try:
        return held.decode()
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} of the array is not UTF-8: mend it, or choose the file's encoding"
        raise FileRefused(reason) from error


def _skip_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _value_end(text: str, start: int, number: int) -> int:
    try:
        return _lenient.raw_decode(text, start)[1]
    except (json.JSONDecodeError, RecursionError) as error:
        raise FileRefused(f"the JSON array is broken in object {number}: mend it, or write one a line") from error


def parse_object(text: str) -> dict[str, Any]:
    """The object that a line of JSON holds, or RowRefused.

    Refused beyond bad JSON: depth over 32, over 256 keys in an object, duplicate keys, NaN, Infinity and
    numbers out of range, NUL characters, lone surrogates.
    """
    # Counting is a cheap upper bound of the depth; brackets may lie in strings.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _refuse_depth(text)
    try:
        values = _strict.decode(text)
    except json.JSONDecodeError as error:
        raise _not_json(text, error) from error
    except (_BadNumber, ValueError) as error:  # int() refuses more than 4,300 digits by a ValueError
        raise _bad_number(text) from error
    if type(values) is not dict:
        raise RowRefused("not_an_object", "", f"the row is {type_name(values)}, it must be an object")
    if "\\u" in text and _SUSPECT_ESCAPE.search(text):
        _refuse_unstorable(values)
    return values


class _BadNumber(Exception):
    """NaN, Infinity, or a number beyond the range of a double."""


def _refuse_depth(text: str) -> None:
    depth = 0
    for bracket in _NOT_BRACKETS.sub("", text):
        depth += 1 if bracket in "{[" else -1
        if depth > MAX_DEPTH:
            raise RowRefused("too_deep", "", f"the row is nested more than {MAX_DEPTH} levels deep")


def _not_json(text: str, error: json.JSONDecodeError) -> RowRefused:
    if error.msg == "Extra data" and text[error.pos] in "{[":
        return RowRefused("several_objects", "", "the line holds several objects")
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return RowRefused("cut_short", "", "the row is cut short (truncated): is the upload complete?")
    return RowRefused("not_json", "", f"not valid JSON at character {error.pos + 1}: {error.msg}")


def _bad_number(text: str) -> RowRefused:
    try:
        field = find_field(_lenient.decode(text), lambda value: isinstance(value, float))
    except json.JSONDecodeError:
        field = None
    reason = "NaN, Infinity and numbers beyond a double's range are not JSON: use null or a string"
    return RowRefused("number", field or "", reason)


def _refuse_unstorable(values: dict[str, Any]) -> None:
    field = find_field(values, lambda value: isinstance(value, str) and "\0" in value)
    if field is not None:
        raise RowRefused("nul", field, r"holds a NUL character (\u0000), which cannot be stored: remove it")
    field = find_field(values, _has_lone_surrogate)
    if field is not None:
        raise RowRefused("surrogate", field, r"holds half of a surrogate pair (\ud800 to \udfff): mend it")


def _has_lone_surrogate(value: Any) -> bool:
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def find_field(value: Any, is_bad: Callable[[Any], bool], path: str = "") -> str | None:
    """The path of the first key or value that is bad, such as turns[0].text; None when there is none."""
    if is_bad(value):
        return path
    children: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        bad_key = next((key for key in value if is_bad(key)), None)
        if bad_key is not None:
            return f"{path}.{bad_key}".lstrip(".")
        children = ((f"{path}.{key}".lstrip("."), child) for key, child in value.items())
    elif isinstance(value, list):
        children = ((f"{path}[{index}]", child) for index, child in enumerate(value))
    found = (find_field(child, is_bad, child_path) for child_path, child in children)
    return next((field for field in found if field is not None), None)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(pairs) > MAX_KEYS:
        raise RowRefused("too_many_keys", "", f"an object has {len(pairs):,} keys, {MAX_KEYS} are allowed")
    if len(values) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise RowRefused("duplicate_key", twice, "the key stands twice in one object: keep one")
    return values


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _BadNumber
    return number


def _constant(name: str) -> float:
    raise _BadNumber


_strict = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
# Finds ends and places in text that the strict decoder refuses: only bad numbers become floats.
_lenient = json.JSONDecoder(
    parse_int=lambda digits: math.nan if len(digits) > 4300 else 0,
    parse_float=lambda digits: math.nan if math.isinf(float(digits)) else 0,
    parse_constant=lambda name: math.nan,
)
