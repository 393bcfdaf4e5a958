"""A JSON array of any length, object by object, in bounded memory: Label Studio writes all tasks into one."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from annotate.door.read_json import parse_object
from annotate.door.refuse import FileRefused, Rejection, Row, RowRefused, reject
from annotate.door.unpack import as_utf8, read_chunks

TASK_CHARACTERS = 8 << 20

_BLANK = re.compile(r"[ \t\r\n]*")


def read_array(path: Path) -> Iterator[Row | Rejection]:
    """The objects of the file's array, numbered from 1, each parsed as strictly as rows of other files.

    Raises:
        FileRefused: no array of objects, broken or cut short; also in the middle.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise FileRefused(f"the file cannot be opened: {error.strerror}") from error
    with file:
        window = _Window(_decode(as_utf8(read_chunks(file), "utf-8")))
        if window.mark() != "[":
            raise FileRefused("this is not a JSON array of tasks: export them from Label Studio as JSON")
        window.at += 1
        number = 0
        while (mark := window.mark()) != "]":
            if number and mark != ",":
                raise FileRefused(f"the array is broken after task {number}: a comma or ] is missing")
            window.at += bool(number)
            number += 1
            yield _row(number, window.take_value(number))
        window.at += 1
        if window.mark():
            raise FileRefused("something follows the JSON array: a file holds one array")
        if not number:
            raise FileRefused("the file has no tasks")


@dataclass(slots=True)
class _Window:
    """The part of the text that is being read; `at` is the next character."""

    chunks: Iterator[str]
    text: str = ""
    at: int = 0

    def mark(self) -> str:
        """The next character that is not blank, not yet passed; "" at the end."""
        while True:
            blank = _BLANK.match(self.text, self.at)
            self.at = blank.end() if blank else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._read_on():
                return ""

    def take_value(self, number: int) -> str:
        """The text of the next value, passed."""
        self.mark()
        while True:
            try:
                end = _decoder.raw_decode(self.text, self.at)[1]
            except (ValueError, RecursionError) as error:
                if len(self.text) - self.at > TASK_CHARACTERS or not self._read_on():
                    raise FileRefused(
                        f"task {number} is not JSON, cut short, or longer than {TASK_CHARACTERS:,} characters"
                    ) from error
            else:
                start, self.at = self.at, end
                return self.text[start:end]

    def _read_on(self) -> bool:
        chunk = next(self.chunks, None)
        if chunk is None:
            return False
        self.text, self.at = self.text[self.at :] + chunk, 0
        return True


# Finds where a value ends; the strict parser of the door reads it.
_decoder = json.JSONDecoder()


def _row(number: int, text: str) -> Row | Rejection:
    try:
        return Row(number, parse_object(text))
    except RowRefused as fault:
        return reject(number, fault, text)


def _decode(chunks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise FileRefused("the file is not UTF-8: save it as UTF-8") from error
