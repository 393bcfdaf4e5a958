"""Values on a command line and values in a file: 1, 1.0 and "1" are told apart or refused, never merged.

An unquoted number (or true, false) on a command line stands for the number or for the text, whichever the
file uses. The first such value met settles it for the question, and from then on the other type is refused.
A word in double quotes is text and nothing else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from annotate.answers import UNSURE, AskedQuestion, value_key
from annotate.errors import BadQuestion, ImportRefused

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_OPTION = rf'{_QUOTED}|[^",]+'
_OPTIONS = re.compile(rf"(?:{_OPTION})(?:,(?:{_OPTION}))*")
_TRANSLATION = re.compile(rf"(?s)(?:(?P<column>[^:=\"]+):)?(?P<theirs>{_QUOTED}|[^=]*)=(?P<ours>.*)")


def read_word(word: str) -> tuple[object, ...]:
    """The values that a word may stand for: `1` gives (1, "1"), `"1"` gives ("1",), `a` gives ("a",)."""
    try:
        value = json.loads(word)
    except ValueError:
        return (word,)
    if isinstance(value, str):
        return (value,)
    # 1e3 or 007 would not come back as they were written: those are text.
    is_scalar = isinstance(value, bool | int | float) and json.dumps(value) == word
    return (value, word) if is_scalar else (word,)


def read_options(words: str) -> list[object]:
    """The options in `a,b,c`: unquoted numbers become numbers, until a file shows that they are text.

    Raises:
        BadQuestion: an empty option, or quotes that are not closed.
    """
    if not _OPTIONS.fullmatch(words):
        raise BadQuestion(f"{words!r} is not of the form a,b,c; put an option with a comma in double quotes.")
    return [read_word(word.strip())[0] for word in re.findall(_OPTION, words)]


@dataclass(frozen=True, slots=True)
class Translation:
    """`THEIRS=OURS`, or `COLUMN:THEIRS=OURS` for one column only; no value of ours: the answer is absent."""

    column: str
    theirs: tuple[object, ...]
    ours: tuple[object, ...]
    written: str


def read_translation(word: str, columns: Sequence[str]) -> Translation:
    """One `--value`; a colon belongs to the value unless a column's name stands before it.

    Raises:
        ImportRefused: no `=`, or nothing before it.
    """
    match = _TRANSLATION.fullmatch(word)
    if match is None or not (match["theirs"] or match["column"]):
        raise ImportRefused(f"--value {word}: write THEIRS=OURS or COLUMN:THEIRS=OURS.")
    column, theirs = match["column"] or "", match["theirs"]
    if column and column not in columns:
        column, theirs = "", f"{column}:{theirs}"
    return Translation(column, read_word(theirs), read_word(match["ours"]) if match["ours"] else (None,), word)


class MixedTypes(Exception):
    """A number where the file had text before, or the other way round; the message says which."""


@dataclass(slots=True)
class QuestionValues:
    """How the values of one of the file's columns become answers to one question.

    `is_open`: nothing is stored yet for the question, so the file may still show its numbers to be text.
    """

    question: AskedQuestion
    categories: frozenset[str]
    is_open: bool
    options: tuple[object, ...] = field(init=False)
    _ours: dict[str, object] = field(default_factory=dict)
    _loose: set[str] = field(default_factory=set)
    _settled: str = ""
    _settled_at: int = 0

    def __post_init__(self) -> None:
        self.options = self.question.options
        if self.is_open:
            numbers = {value_key(option) for option in self.options if not isinstance(option, str)}
            # Where 1 and "1" are both options there is nothing to settle.
            self._loose = numbers.difference(option for option in self.options if isinstance(option, str))

    @property
    def retyped(self) -> bool:
        """Whether the file has shown the question's numbers to be text."""
        return self.options != self.question.options

    def learn(self, translation: Translation) -> bool:
        """Use the translation if its target is an answer to this question; says whether it is."""
        allowed = {value_key(value): value for value in (*self.options, *self.categories, UNSURE, None)}
        target = next((key for value in translation.ours if (key := value_key(value)) in allowed), None)
        if target is None:
            return False
        for theirs in translation.theirs:
            self._ours[value_key(theirs)] = allowed[target]
        if len(translation.theirs) > 1:
            self._loose.add(value_key(translation.theirs[0]))
        return True

    def read(self, value: object, line: int) -> object:
        """The answer that a value of the file stands for; sets are translated entry by entry.

        Raises:
            MixedTypes: text where numbers were before, or numbers where text was.
        """
        if isinstance(value, list):
            return [self.read(entry, line) if isinstance(entry, str) else entry for entry in value]
        if isinstance(value, dict):
            return value
        key = value_key(value)
        word = value if isinstance(value, str) else key
        if word in self._loose:
            self._settle("text" if isinstance(value, str) else "a number", key, line)
        return self._ours.get(key, value)

    def _settle(self, kind: str, key: str, line: int) -> None:
        if not self._settled:
            self._settled, self._settled_at = kind, line
            if kind == "text" and self.is_open:
                self.options = tuple(map(_as_text, self.options))
                self._ours = {theirs: _as_text(ours) for theirs, ours in self._ours.items()}
        elif kind != self._settled:
            raise MixedTypes(
                f"{key} is {kind}, but {self.question.code} had {self._settled} in line {self._settled_at}; "
                '1 and "1" are different answers'
            )


def _as_text(value: object) -> object:
    return value if isinstance(value, str) else value_key(value)


def learn_all(translations: Sequence[Translation], columns: Mapping[str, QuestionValues]) -> None:
    """Give each translation to the columns that it is meant for.

    Raises:
        ImportRefused: one that no column can use; the message lists the answers there are.
    """
    for translation in translations:
        meant = [
            values
            for column, values in columns.items()
            if translation.column in ("", column, values.question.code)
        ]
        # Every one of them learns it: no short cut at the first.
        if not sum(values.learn(translation) for values in meant):
            answers = "; ".join(
                f"{values.question.code}: {', '.join(map(value_key, values.options)) or values.question.kind}"
                for values in meant
            )
            raise ImportRefused(f"--value {translation.written}: no such answer. There are: {answers or 'none'}.")
