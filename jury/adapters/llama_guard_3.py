"""Llama Guard 3: chat turns to the model's own template; `safe`, or `unsafe` and a line of codes S1..S14.

The model judges the last turn of a conversation, so each part is asked with the turns up to it.
Source: model card of Llama Guard 3 8B.
"""

import re
from collections.abc import Sequence

from django.utils.translation import gettext_noop as _

from annotate.models import Item
from jury.adapters.contract import (
    ABSTAINED,
    EndpointAdapter,
    Finding,
    Payload,
    Reading,
    Reply,
    answers_from,
    harm_questions,
)
from jury.brief import Brief
from jury.item_text import Turn, defuse, turns_of
from jury.models import Failure, Juror

MAX_TURNS = 40
CODE = r"S(?:1[0-4]|[1-9])"
ANSWER = re.compile(rf"\n{{0,4}}(?:safe|(?P<unsafe>unsafe)(?:\n(?P<codes>{CODE}(?:, ?{CODE})*))?)\s{{0,4}}")
OPENING = Turn("user", "(The conversation begins.)")
ROLES = {"whole": ("user", "assistant"), "prompt": ("user",), "response": ("assistant",)}


def build(item: Item, juror: Juror, brief: Brief) -> list[Payload]:
    """One request a turn that is judged, each with the conversation up to that turn."""
    turns = _alternating(turns_of(item))
    return [
        {
            "messages": [{"role": turn.role, "content": defuse(turn.text)} for turn in turns[: end + 1]],
            "max_tokens": 32,
        }
        for end in _judged(turns, _parts(juror, brief))
    ]


def read(replies: Sequence[Reply], item: Item, juror: Juror, brief: Brief) -> Reading:
    """The answers to all requests together; one that can't be read makes the whole verdict a failure."""
    turns, parts = _alternating(turns_of(item)), _parts(juror, brief)
    if len(turns) > MAX_TURNS:
        return Reading(failure=Failure.TOO_LONG)
    found: list[tuple[str, Finding]] = []
    for end, reply in zip(_judged(turns, parts), replies, strict=True):
        finding = _finding(reply.text, juror, brief)
        if finding is None:
            return Reading(failure=Failure.UNPARSEABLE)
        found.append((turns[end].role, finding))
    findings = {}
    for part in parts:
        of_part = [finding for role, finding in found if role in ROLES[part]]
        # Of a dialogue the last turn of a side is its part; the whole is unsafe if any turn is.
        of_part = of_part if part == "whole" else of_part[-1:]
        if of_part:
            categories = frozenset[str]().union(*(finding.categories for finding in of_part))
            findings[part] = Finding(any(finding.unsafe for finding in of_part), categories)
    answers = answers_from(findings, item, juror, brief)
    return Reading(answers=answers, covered=sorted(_covered(juror, brief))) if answers else ABSTAINED


def _finding(text: str, juror: Juror, brief: Brief) -> Finding | None:
    answer = ANSWER.fullmatch(text)
    if answer is None:
        return None
    codes = answer["codes"].replace(" ", "").split(",") if answer["codes"] else []
    categories = frozenset[str]().union(*(juror.category_map.get(code, []) for code in codes))
    return Finding(answer["unsafe"] is not None, categories & _covered(juror, brief))


def _covered(juror: Juror, brief: Brief) -> set[str]:
    return {category.code for category in brief.categories} & set().union(*juror.category_map.values())


def _parts(juror: Juror, brief: Brief) -> list[str]:
    return sorted({question.part for question in harm_questions(juror, brief)})


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """The model's template wants a user first and then strictly by turns."""
    merged: list[Turn] = []
    for turn in turns:
        if not turn.text.strip():
            continue
        if merged and merged[-1].role == turn.role:
            merged[-1] = Turn(turn.role, f"{merged[-1].text}\n\n{turn.text}")
        elif not merged and turn.role == "assistant":
            merged += [OPENING, turn]
        else:
            merged.append(turn)
    return merged


def _judged(turns: Sequence[Turn], parts: Sequence[str]) -> list[int]:
    """The places of the turns that the model is asked about; none in a dialogue that is too long."""
    if len(turns) > MAX_TURNS:
        return []
    by_role: dict[str, list[int]] = {"user": [], "assistant": []}
    for place, turn in enumerate(turns):
        if turn is not OPENING:
            by_role[turn.role].append(place)
    every = "whole" in parts
    return sorted(
        place
        for part in parts
        if part == "whole" or not every
        for role in ROLES[part]
        for place in (by_role[role] if every else by_role[role][-1:])
    )


def _answers(juror: Juror, brief: Brief) -> bool:
    return bool(harm_questions(juror, brief))


ADAPTER = EndpointAdapter(
    version=1, what=_("Llama Guard 3, its own template"), answers=_answers, build=build, read=read
)
