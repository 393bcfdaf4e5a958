"""The one answer contract for people, jurors and imported annotations."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotate.errors import BadAnswers

UNSURE = "unsure"
MAX_TEXT = 10_000
LONGEST_SHOWN = 30
TEXT_PARTS = ("text", "prompt", "response")
# A turn's number as people, jurors and files write it: the first is 0, and 01 is not 1.
TURN_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")

Answers = dict[str, Any]


def value_key(value: object) -> str:
    """A value as text that keeps its type: 1, 1.0, "1" and true give four different keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """What the contract needs to know of a question; made from a model once, used for many items."""

    code: str
    kind: str
    options: tuple[object, ...] = ()
    part: str = "whole"
    condition: tuple[Mapping[str, object], ...] = ()
    required: bool = True

    def is_asked(self, answers: Mapping[str, object], item_kind: str) -> bool:
        """Whether the question applies to an item of this kind, given the other answers."""
        if self.part == "response" and item_kind not in ("pair", "dialogue", "reference"):
            return False
        if self.kind == "turns" and item_kind not in ("dialogue", "reference"):
            return False
        if not self.condition:
            return True
        return any(value_key(answers.get(str(c["question"]))) == value_key(c["is"]) for c in self.condition)


@dataclass(frozen=True, slots=True)
class Contract:
    """A project's questions and the category codes that its taxonomy version allows."""

    questions: tuple[AskedQuestion, ...]
    categories: frozenset[str]

    def check(
        self,
        answers: Mapping[str, object],
        content: Mapping[str, Any],
        item_kind: str,
        *,
        partial: bool = False,
    ) -> Answers:
        """The answers, with absent ones left out.

        Args:
            answers: question code to value; None means absent.
            content: the item's content; spans and turns must lie inside it.
            item_kind: decides which questions apply.
            partial: take answers to some of the questions (jurors, imports); people answer all.

        Raises:
            BadAnswers: naming each question whose answer is not allowed, missing or not asked for.
        """
        given = {code: value for code, value in answers.items() if value is not None}
        known = {question.code: question for question in self.questions}
        problems = {code: _("there is no such question in this project") for code in given if code not in known}
        for code, question in known.items():
            if code not in given:
                if question.required and not partial and question.is_asked(given, item_kind):
                    problems[code] = _("an answer is needed")
            elif not partial and not question.is_asked(given, item_kind):
                problems[code] = _("this question is not asked here, given the other answers")
            else:
                problem = self._problem(question, given[code], content)
                if problem:
                    problems[code] = problem
        if problems:
            raise BadAnswers(problems)
        return given

    def _problem(self, question: AskedQuestion, value: object, content: Mapping[str, Any]) -> str:
        if isinstance(value, str) and not _is_storable(value):
            return _("holds a character that can't be stored")
        if value == UNSURE and question.kind != "text":
            return ""
        match question.kind:
            case "choice" | "scale":
                return _option_problem(value, question.options)
            case "categories":
                return _set_problem(value, self.categories, _("a category of this taxonomy version"))
            case "turns":
                return _turns_problem(value, question.options, content)
            case "spans":
                return _spans_problem(value, content)
            case _:
                if not isinstance(value, str) or len(value) > MAX_TEXT:
                    return _("must be text of at most %s characters") % MAX_TEXT
                return ""


def _option_problem(value: object, options: Sequence[object]) -> str:
    if value_key(value) in {value_key(option) for option in options}:
        return ""
    shown = ", ".join(value_key(option) for option in options)
    same_text = [option for option in options if str(option) == str(value)]
    hint = _("; it has another type than %s") % value_key(same_text[0]) if same_text else ""
    return _("%(value)s is not one of %(shown)s") % {"value": _short(value), "shown": shown} + hint


def _set_problem(value: object, allowed: Iterable[str], what: str) -> str:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        return _("must be a list of codes")
    if len(set(value)) != len(value):
        return _("names a code twice")
    unknown = [entry for entry in value if entry not in allowed]
    return _("%(value)s is not %(what)s") % {"value": _short(unknown[0]), "what": what} if unknown else ""


def part_of_turn(number: int) -> str:
    """What spans call the text of a turn, the first being 0."""
    return f"turn {number}"


def text_of_part(content: Mapping[str, Any], part: str) -> str | None:
    """The stored text that a span's offsets count in; None where the content has no such part.

    Args:
        part: `text`, `prompt`, `response` or `turn N`; empty means the text, or the prompt of an item without.
    """
    if part.startswith("turn "):
        turns, number = content.get("turns") or (), part.removeprefix("turn ")
        is_known = TURN_NUMBER.fullmatch(number) is not None and int(number) < len(turns)
        return str(turns[int(number)]["text"]) if is_known else None
    if part in ("", "text"):
        part = "text" if "text" in content else "prompt"
    text = content.get(part) if part in TEXT_PARTS else None
    return text if isinstance(text, str) else None


def _turns_problem(value: object, options: Sequence[object], content: Mapping[str, Any]) -> str:
    """Turn numbers; where the question has options, an object of turn number as text to option."""
    turns = content.get("turns")
    if options:
        return _turn_options_problem(value, options, turns)
    if not isinstance(value, list) or not all(type(entry) is int for entry in value):
        return "must be a list of turn numbers, the first being 0"
    if len(set(value)) != len(value):
        return "names a turn twice"
    return _turn_range_problem(value, turns)


def _turn_options_problem(value: object, options: Sequence[object], turns: Any) -> str:
    if not isinstance(value, dict) or not all(map(TURN_NUMBER.fullmatch, value)):
        return 'must be an object of turn number to option, such as {"0": ...}'
    faults = (_option_problem(option, options) for option in value.values())
    return next(filter(None, faults), "") or _turn_range_problem(map(int, value), turns)


def _turn_range_problem(numbers: Iterable[int], turns: Any) -> str:
    if turns is None or all(0 <= number < len(turns) for number in numbers):
        return ""
    return f"names a turn outside 0..{len(turns) - 1}"


def _spans_problem(value: object, content: Mapping[str, Any]) -> str:
    """Spans are [{"start", "end", "label"?, "part"?}] in code points of the part's stored text."""
    if not isinstance(value, list):
        return "must be a list of spans"
    problems = (_span_problem(span, content) for span in value)
    return next(filter(None, problems), "")


def _span_problem(span: object, content: Mapping[str, Any]) -> str:
    known = {"start", "end", "label", "part"}
    if not isinstance(span, dict) or not {"start", "end"} <= span.keys() <= known:
        return 'each span needs "start" and "end", and may have "label" and "part"'
    if not all(_is_name(span[name]) for name in ("part", "label") if name in span):
        return "label and part of a span must be text"
    start, end, part = span["start"], span["end"], span.get("part", "")
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        return "a span must have 0 <= start < end, in code points"
    text = text_of_part(content, part)
    if text is None:
        # Without the content (a reference), or without a part, there is nothing to hold the span against.
        is_strange = bool(part) and any(name in content for name in (*TEXT_PARTS, "turns"))
        return f"a span names {_short(part)}, which the item has not" if is_strange else ""
    return "a span ends beyond the text" if end > len(text) else ""


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _is_storable(value)


def _is_storable(text: str) -> bool:
    """PostgreSQL takes neither NUL nor half a surrogate pair."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def _short(value: object) -> str:
    """The value for an error message; a long one may be an item's text in the wrong column, so only its length."""
    shown = value_key(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"a value of {len(shown)} characters"
