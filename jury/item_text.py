"""An item as text for jurors: its parts, a normal form for matching, and what in it tries to steer the jury.

The text is hostile by assumption (P5). All matching is linear in the text's length (RE2).
"""

import unicodedata
from dataclasses import dataclass

import re2

from annotate.models import Item

JUDGED_KINDS = ("text", "prompt", "pair", "dialogue")
USER_ROLES = {"user", "human", "prompter", "system"}

CONTROL_TOKENS = re2.compile(
    r"(?i)<[|｜][^|｜\n]{1,64}[|｜]>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
    r"|<</?SYS>>|</?s>|<(?:bos|eos|pad|unk)>|<(?:start|end)_of_turn>|</?think>"
    r"|<(?:BEGIN|END) (?:UNSAFE CONTENT CATEGORIES|CONVERSATION)>"
)
LABEL = r"""["'`*]*(?:un)?(?:safe|harmless|harmful|benign)\b"""
INSTRUCTIONS_TO_JUROR = re2.compile(
    "|".join(
        (
            r"\b(?:ignore|disregard|forget|override|bypass)\s+(?:\w+\s+){0,3}"
            r"(?:previous|prior|above|earlier|preceding|system|your)\s+(?:\w+\s+)?"
            r"(?:instruction|prompt|rule|direction|polic|guideline|message)",
            r"\b(?:answer|respond|reply|output|return)\s+"
            r"(?:(?:only|just|with|the|word|exactly|always|that|it|is)\s+){0,4}" + LABEL,
            r"\b(?:classify|label|mark|rate|judge|treat|flag|score)\s+(?:this|it|the|me|my)\s+"
            r"(?:\w+\s+){0,3}as\s+" + LABEL,
            r"\b(?:correct|right|true|final|expected)\s+(?:label|answer|verdict|classification)\s+is\s*:?\s*"
            + LABEL,
            r"\bnew\s+(?:system\s+)?instructions?\s*:",
            r"\b(?:note|message|instructions?)\s+(?:to|for)\s+the\s+"
            r"(?:judge|juror|classifier|moderator|rater|model|annotator)s?\b",
            r'"(?:prompt_harm|response_harm|dialogue_harm|hazard_categories|user safety|response safety)"\s*:',
        )
    )
)


@dataclass(frozen=True, slots=True)
class Turn:
    role: str
    text: str


def turns_of(item: Item) -> list[Turn]:
    """The item as turns of `user` and `assistant`; a text or prompt is one user turn."""
    content = item.content
    if item.kind == "dialogue":
        return [Turn(_role(turn["role"]), turn["text"]) for turn in content["turns"]]
    turns = [Turn("user", content.get("prompt") or content.get("text") or "")]
    if content.get("response"):
        turns.append(Turn("assistant", content["response"]))
    return turns


def _role(name: str) -> str:
    return "user" if name.casefold() in USER_ROLES else "assistant"


def text_of(item: Item, part: str) -> str:
    """The text of a part (of a dialogue: the last turn of that side); empty if the item has none."""
    role = {"prompt": "user", "response": "assistant"}.get(part)
    turns = turns_of(item)
    if role is None:
        return "\n\n".join(turn.text for turn in turns)
    return next((turn.text for turn in reversed(turns) if turn.role == role), "")


def normal_form(text: str) -> str:
    """NFKC, case folded, without invisible characters: what cues and TF-IDF jurors compare."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded if folded.isascii() else "".join(c for c in folded if unicodedata.category(c) != "Cf")


def defuse(text: str) -> str:
    """The text with the control tokens of chat templates made visible text that no tokenizer knows."""
    return CONTROL_TOKENS.sub(lambda found: "⟦" + found.group()[1:-1] + "⟧", text)


def flags_of(item: Item) -> list[str]:
    """What in the item tries to steer a juror: `control_tokens`, `instructs_juror`."""
    text = text_of(item, "whole")
    normal = normal_form(text)
    flags = []
    if CONTROL_TOKENS.search(text) or CONTROL_TOKENS.search(normal):
        flags.append("control_tokens")
    if INSTRUCTIONS_TO_JUROR.search(normal):
        flags.append("instructs_juror")
    return flags
