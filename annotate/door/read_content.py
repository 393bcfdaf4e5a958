"""What an item shows: exactly one of text, prompt (and response), turns, image (and prompt)."""

import re
from typing import Any, Literal

from annotate.door.read_field import is_blank, read_required_key, read_text
from annotate.door.refuse import RowRefused, type_name

Kind = Literal["text", "prompt", "pair", "dialogue", "image", "reference"]

CONTENT_FIELDS = ("text", "prompt", "turns", "image")
ROLE_POINTS = 40

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def read_content(values: dict[str, Any], meta: dict[str, Any]) -> tuple[Kind, dict[str, Any]]:
    """Kind and content of a row; what its turns hold beside role and text goes to `meta`."""
    field = _content_field(values)
    has_response = values.get("response") is not None
    if has_response and field != "prompt":
        reason = f"response goes with prompt only, the row has {field}"
        raise RowRefused("several_contents", "response", reason)
    if field == "text":
        return "text", {"text": read_text(values, "text")}
    if field == "turns":
        return "dialogue", {"turns": _read_turns(values["turns"], meta)}
    content = {"image": _read_image(values)} if field == "image" else {}
    if values.get("prompt") is not None:
        content["prompt"] = read_text(values, "prompt")
    if has_response:
        content["response"] = read_text(values, "response")
    return "image" if field == "image" else "pair" if has_response else "prompt", content


def refuse_content(values: dict[str, Any]) -> None:
    """RowRefused for a row with content in a file of references."""
    field = next((field for field in (*CONTENT_FIELDS, "response") if values.get(field) is not None), None)
    if field:
        reason = f"the row has {field}, but the first row of the file has no content, so none may have any"
        raise RowRefused("content_in_reference", field, reason)


def _content_field(values: dict[str, Any]) -> str:
    given = [field for field in CONTENT_FIELDS if values.get(field) is not None]
    if given == ["prompt", "image"]:
        return "image"
    if not given:
        field = next((field for field in CONTENT_FIELDS if field in values), "text")
        raise RowRefused("missing", field, f"the row has no content: give {' or '.join(CONTENT_FIELDS)}")
    if len(given) > 1:
        reason = f"the row has {' and '.join(given)}: only one of them is allowed"
        raise RowRefused("several_contents", given[1], reason)
    return given[0]


def _read_turns(turns: Any, meta: dict[str, Any]) -> list[dict[str, str]]:
    if type(turns) is not list:
        raise RowRefused("type", "turns", f"turns must be a list, it is {type_name(turns)}", turns)
    kept = [_read_turn(turn, f"turns[{index}]") for index, turn in enumerate(turns)]
    if all(is_blank(turn["text"]) for turn in kept):
        raise RowRefused("empty", "turns", "no turn has any text")
    extras = [{name: value for name, value in turn.items() if name not in ("role", "text")} for turn in turns]
    if any(extras):
        meta["turns"] = extras
    return kept


def _read_turn(turn: Any, path: str) -> dict[str, str]:
    if type(turn) is not dict:
        raise RowRefused("type", path, f"a turn must be an object, it is {type_name(turn)}", turn)
    role, text = turn.get("role"), turn.get("text")
    if type(role) is not str or is_blank(role) or len(role) > ROLE_POINTS:
        reason = f"role must be a string of 1 to {ROLE_POINTS} characters"
        raise RowRefused("type", f"{path}.role", reason, role)
    if type(text) is not str:
        raise RowRefused("type", f"{path}.text", f"text must be a string, it is {type_name(text)}", text)
    return {"role": role, "text": text}


def _read_image(values: dict[str, Any]) -> str:
    """A path inside the folder of images: never absolute, never climbing, no scheme, no backslash."""
    path = read_required_key(values, "image")
    if "\\" in path or _SCHEME.match(path) or {"", ".", ".."}.intersection(path.split("/")):
        reason = "image must be a plain path inside the folder of images: no leading /, no .., no address"
        raise RowRefused("path", "image", reason, path)
    return path
