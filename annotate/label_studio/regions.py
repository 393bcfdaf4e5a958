"""Answers as Label Studio's results, and back, with the checks that its SDK leaves out.

The SDK (2.1) lets two values in a single choice pass, paths to inner nodes, spans beyond the text or the wrong
way round, regions with one id and annotations without a required answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotate.answers import UNSURE, value_key
from annotate.door import excerpt
from annotate.errors import BadAnswers
from annotate.label_studio.layout import Control, Layout, label_of, word_for

Region = dict[str, Any]


class CannotBeSaid(Exception):
    """An answer for which the format has no form; the message says which."""


class BadRegion(Exception):
    """A region that can't be an answer: `place` is its control, or where it stands; the message says why."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = excerpt(place)
        super().__init__(reason)


def regions_of(
    layout: Layout, answers: Mapping[str, object], content: Mapping[str, Any]
) -> tuple[list[Region], dict[str, str]]:
    """The results that say these answers, and the codes of those that can't be said, with the reason.

    Span offsets are code points, as in Label Studio since version 1.4 (its pull request 1559).
    """
    regions: list[Region] = []
    unsaid: dict[str, str] = {}
    for code, answer in answers.items():
        try:
            layout.contract.check({code: answer}, content, "", partial=True)
            regions += _said(layout, code, answer, content)
        except BadAnswers:
            unsaid[code] = "answers that the project's questions don't allow any more"
        except CannotBeSaid as problem:
            unsaid[code] = str(problem)
    return regions, unsaid


def _said(layout: Layout, code: str, answer: Any, content: Mapping[str, Any]) -> list[Region]:
    control = layout.controls.get(code)
    if control is None:
        return _spans_said(layout, code, answer, content)
    if control.tag == "TextArea":
        return [_region(control, {"text": [answer]})]
    if control.tag == "Taxonomy":
        paths = [[UNSURE]] if answer == UNSURE else [list(layout.path_of[category]) for category in answer]
        return [_region(control, {"taxonomy": paths})]
    if isinstance(answer, dict):
        raise CannotBeSaid("an option for each turn")
    values = answer if control.is_multiple and answer != UNSURE else [answer]
    return [_region(control, {"choices": [_word(control, value) for value in values]})]


def _word(control: Control, value: object) -> str:
    word = next((word for word, known in control.words.items() if value_key(known) == value_key(value)), None)
    if word is None:
        raise CannotBeSaid("turns that no dialogue of the project has")
    return word


def _region(control: Control, value: dict[str, Any], region_id: str = "") -> Region:
    return {
        "id": region_id or control.name,
        "from_name": control.name,
        "to_name": control.to_name,
        "type": control.type,
        "value": value,
    }


def _spans_said(layout: Layout, code: str, answer: Any, content: Mapping[str, Any]) -> list[Region]:
    if answer == UNSURE or not answer:
        control = layout.controls[f"{code}__none"]
        return [_region(control, {"choices": [_word(control, answer)]})]
    return [_span_said(layout, code, number, span, content) for number, span in enumerate(answer)]


def _span_said(
    layout: Layout, code: str, number: int, span: Mapping[str, Any], content: Mapping[str, Any]
) -> Region:
    shown = span.get("part") or _default_text(content)
    control, text, label = layout.controls.get(f"{code}__{shown}"), content.get(shown), span.get("label")
    if control is None or not isinstance(text, str):
        raise CannotBeSaid("spans in what is not shown as a text of its own")
    if not isinstance(label, str | None):
        raise CannotBeSaid("spans whose label is not text")
    value = {"start": span["start"], "end": span["end"], "text": text[span["start"] : span["end"]]}
    return _region(control, value | {"labels": [word_for(label)]}, f"{control.name}-{number}")


def _default_text(content: Mapping[str, Any]) -> str:
    """The text that a span without a part is about (as the answer contract has it)."""
    return "text" if "text" in content else "prompt"


def answers_in(layout: Layout, result: Sequence[Any], content: Mapping[str, Any]) -> dict[str, object]:
    """The answers that results say; the answer contract has still to check them.

    Raises:
        BadRegion: a region that is not of this layout, said twice, or not readable.
    """
    answers: dict[str, Any] = {}
    answered_by: dict[str, str] = {}
    for control, region in _placed(layout, result):
        code = control.question.code
        if code in answers and not control.tag == answered_by[code] == "Labels":
            raise BadRegion(control.name, "is answered twice")
        answered_by[code] = control.tag
        if control.tag == "Labels":
            answers.setdefault(code, []).append(_span_in(control, region["value"], content))
        else:
            answers[code] = _answer_in(layout, control, region["value"])
    return answers


def _placed(layout: Layout, result: Sequence[Any]) -> Iterator[tuple[Control, Region]]:
    """The regions with their controls, checked for shape, id and place."""
    seen: set[str] = set()
    for number, region in enumerate(result):
        place = f"result[{number}]"
        if not isinstance(region, dict) or not isinstance(region.get("value"), dict):
            raise BadRegion(place, "a region must be an object with a value")
        region_id, name = region.get("id"), region.get("from_name")
        control = layout.controls.get(name) if isinstance(name, str) else None
        if control is None:
            raise BadRegion(place, f"from_name is {excerpt(name)}; there are {', '.join(layout.controls)}")
        if not isinstance(region_id, str) or region_id in seen:
            problem = "two regions have the same id" if isinstance(region_id, str) else "a region has no id"
            raise BadRegion(control.name, problem)
        seen.add(region_id)
        if region.get("to_name") != control.to_name:
            raise BadRegion(control.name, f"to_name must be {control.to_name}")
        if region.get("type") != control.type:
            raise BadRegion(control.name, f"type must be {control.type}")
        yield control, region


def _answer_in(layout: Layout, control: Control, value: Mapping[str, Any]) -> object:
    key = "text" if control.tag == "TextArea" else control.type
    said = value.get(key)
    if not isinstance(said, list):
        raise BadRegion(control.name, f"value must have a list called {key}")
    if control.tag == "Taxonomy":
        if said == [[UNSURE]]:
            return UNSURE
        # Both paths to a category with two parents may be chosen.
        return list(dict.fromkeys(_category(layout, control, path) for path in said))
    if control.is_multiple and said != [UNSURE]:
        return [_choice(control, word) for word in said]
    if len(said) != 1:
        raise BadRegion(control.name, f"must have exactly one value, it has {len(said)}")
    if control.tag == "TextArea":
        return said[0]
    return _choice(control, said[0])


def _category(layout: Layout, control: Control, path: Any) -> str:
    code = layout.paths.get(tuple(path)) if isinstance(path, list) and _is_words(path) else None
    if code is None:
        raise BadRegion(control.name, f"{excerpt(path)} is not the path of codes to a category")
    return code


def _is_words(path: list[Any]) -> bool:
    return all(isinstance(word, str) for word in path)


def _choice(control: Control, word: Any) -> object:
    if not isinstance(word, str) or word not in control.words:
        raise BadRegion(control.name, f"{excerpt(word)} is not one of {', '.join(control.words)}")
    return control.words[word]


def _span_in(control: Control, value: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    labels, start, end = value.get("labels"), value.get("start"), value.get("end")
    text = content.get(control.shown)
    if not isinstance(labels, list) or len(labels) != 1 or not isinstance(labels[0], str):
        raise BadRegion(control.name, "a span must have exactly one label")
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise BadRegion(control.name, "a span must have 0 <= start < end, in code points")
    if not isinstance(text, str) or end > len(text):
        raise BadRegion(control.name, "a span ends beyond the text")
    if value.get("text", text[start:end]) != text[start:end]:
        raise BadRegion(control.name, "a span's text is not what stands there; offsets must be code points")
    span: dict[str, Any] = {"start": start, "end": end}
    if (label := label_of(labels[0])) is not None:
        span["label"] = label
    if control.shown != _default_text(content):
        span["part"] = control.shown
    return span
