"""The one answer contract for people, jurors and imported annotations."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.errors import BadAnswers

UNSURE = "unsure"
MAX_TEXT = 10_000
LONGEST_SHOWN = 30

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
        problems = {code: "there is no such question in this project" for code in given if code not in known}
        for code, question in known.items():
            if code not in given:
                if question.required and not partial and question.is_asked(given, item_kind):
                    problems[code] = "an answer is needed"
            elif not partial and not question.is_asked(given, item_kind):
                problems[code] = "this question is not asked here, given the other answers"
            else:
                problem = self._problem(question, given[code], content)
                if problem:
                    problems[code] = problem
        if problems:
            raise BadAnswers(problems)
        return given

    def _problem(self, question: AskedQuestion, value: object, content: Mapping[str, Any]) -> str:
        if isinstance(value, str) and not _is_storable(value):
            return "holds a character that can't be stored"
        if value == UNSURE and question.kind != "text":
            return ""
        match question.kind:
            case "choice" | "scale":
                return _option_problem(value, question.options)
            case "categories":
                return _set_problem(value, self.categories, "a category of this taxonomy version")
            case "turns":
                return _turns_problem(value, content)
            case "spans":
                return _spans_problem(value, content)
            case _:
                if not isinstance(value, str) or len(value) > MAX_TEXT:
                    return f"must be text of at most {MAX_TEXT} characters"
                return ""


def _option_problem(value: object, options: Sequence[object]) -> str:
    if value_key(value) in {value_key(option) for option in options}:
        return ""
    shown = ", ".join(value_key(option) for option in options)
    same_text = [option for option in options if str(option) == str(value)]
    hint = f"; it has another type than {value_key(same_text[0])}" if same_text else ""
    return f"{_short(value)} is not one of {shown}{hint}"


def _set_problem(value: object, allowed: Iterable[str], what: str) -> str:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        return "must be a list of codes"
    if len(set(value)) != len(value):
        return "names a code twice"
    unknown = [entry for entry in value if entry not in allowed]
    return f"{_short(unknown[0])} is not {what}" if unknown else ""


def _turns_problem(value: object, content: Mapping[str, Any]) -> str:
    if not isinstance(value, list) or not all(type(entry) is int for entry in value):
        return "must be a list of turn numbers, the first being 0"
    if len(set(value)) != len(value):
        return "names a turn twice"
    turns = content.get("turns")
    if turns is not None and any(not 0 <= entry < len(turns) for entry in value):
        return f"names a turn outside 0..{len(turns) - 1}"
    return ""


def _spans_problem(value: object, content: Mapping[str, Any]) -> str:
    """Spans are [{"start", "end", "label"?, "turn"?}] in code points of the part's stored text."""
    if not isinstance(value, list):
        return "must be a list of spans"
    for span in value:
        if not isinstance(span, dict) or not {"start", "end"} <= span.keys() <= {
            "start",
            "end",
            "label",
            "part",
        }:
            return 'each span needs "start" and "end", and may have "label" and "part"'
        if not all(_is_name(span[name]) for name in ("part", "label") if name in span):
            return "label and part of a span must be text"
        start, end, part = span["start"], span["end"], span.get("part", "text")
        if type(start) is not int or type(end) is not int or not 0 <= start < end:
            return "a span must have 0 <= start < end, in code points"
        text = content.get(part, content.get("prompt") if part == "text" else None)
        if isinstance(text, str) and end > len(text):
            return "a span ends beyond the text"
    return ""


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _is_storable(value)


def _is_storable(text: str) -> bool:
    """PostgreSQL takes neither NUL nor half a surrogate pair."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def _short(value: object) -> str:
    """The value for an error message; a long one may be an item's text in the wrong column, so only its length."""
    shown = value_key(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"a value of {len(shown)} characters"
