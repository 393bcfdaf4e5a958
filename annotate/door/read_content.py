"""What an item shows: exactly one of text, prompt (and response), turns, image or images (and prompt)."""

import re
from typing import Any, Literal

from annotate.door.read_field import is_blank, read_note, read_required_key, read_text
from annotate.door.refuse import RowRefused, type_name

Kind = Literal["text", "prompt", "pair", "dialogue", "image", "reference"]

CONTENT_FIELDS = ("text", "prompt", "turns", "image", "images")
IMAGE_FIELDS = ("image", "images")
ROLE_POINTS = 40
ALT_POINTS = 2_000
MOST_IMAGES = 50

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
    content: dict[str, Any] = _read_images(values) if field in IMAGE_FIELDS else {}
    if values.get("prompt") is not None:
        content["prompt"] = read_text(values, "prompt")
    if has_response:
        content["response"] = read_text(values, "response")
    return "image" if field in IMAGE_FIELDS else "pair" if has_response else "prompt", content


def refuse_content(values: dict[str, Any]) -> None:
    """RowRefused for a row with content in a file of references."""
    field = next((field for field in (*CONTENT_FIELDS, "response") if values.get(field) is not None), None)
    if field:
        reason = f"the row has {field}, but the first row of the file has no content, so none may have any"
        raise RowRefused("content_in_reference", field, reason)


def _content_field(values: dict[str, Any]) -> str:
    given = [field for field in CONTENT_FIELDS if values.get(field) is not None]
    if len(given) == 2 and given[0] == "prompt" and given[1] in IMAGE_FIELDS:
        return given[1]
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


def _read_images(values: dict[str, Any]) -> dict[str, Any]:
    """{"image", "alt"?} for one, {"images": [{"image", "alt"?}]} for several."""
    if values.get("images") is None:
        return _read_image(values, "")
    if values.get("alt") is not None:
        raise RowRefused("several_contents", "alt", "alt goes with image; write it in each entry of images")
    images = values["images"]
    if type(images) is not list or not 1 <= len(images) <= MOST_IMAGES:
        raise RowRefused("type", "images", f"images must be a list of 1 to {MOST_IMAGES}", images)
    read = [_read_entry(entry, f"images[{index}]") for index, entry in enumerate(images)]
    return read[0] if len(read) == 1 else {"images": read}


def _read_entry(entry: Any, place: str) -> dict[str, str]:
    """A path, or an object of `image` and `alt`."""
    entry = {"image": entry} if type(entry) is str else entry
    if type(entry) is not dict or not {"image"} <= entry.keys() <= {"image", "alt"}:
        raise RowRefused("type", place, "an image must be a path, or an object of image and alt", entry)
    return _read_image(entry, f"{place}.")


def _read_image(values: dict[str, Any], place: str) -> dict[str, str]:
    """A path inside the folder of images: never absolute, never climbing, no scheme, no backslash."""
    try:
        path, alt = read_required_key(values, "image"), read_note(values, "alt", ALT_POINTS)
    except RowRefused as fault:
        raise RowRefused(fault.code, f"{place}{fault.field}", fault.reason, fault.value) from fault
    if "\\" in path or _SCHEME.match(path) or {"", ".", ".."}.intersection(path.split("/")):
        reason = "image must be a plain path inside the folder of images: no leading /, no .., no address"
        raise RowRefused("path", f"{place}image", reason, path)
    return {"image": path} if alt is None else {"image": path, "alt": alt}
