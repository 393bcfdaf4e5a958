"""Strict CSV (RFC 4180, UTF-8, comma, header required).

The csv module is not used: even its strict mode keeps stray quotation marks, it lets an unclosed one
swallow the rest of the file, and its cell limit is one setting for the whole process.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from annotate.door.refuse import FileRefused, Rejection, Row, RowRefused, excerpt, reject
from annotate.door.unpack import LINE_BYTES, LONE_CR, Line, decode_line

_CELL = re.compile(r'(?:"((?:[^"]++|"")*+)"|([^",\r]*+))(,|\Z)')
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_csv(
    lines: Iterable[Line], check_columns: Callable[[list[str]], None] | None = None
) -> Iterator[Row | Rejection]:
    """Rows by header name, numbered by the line they start on. An empty cell is None (absent).

    `check_columns` gets the header before the first row and may raise FileRefused.
    """
    records = _split_records(lines)
    line, raw = next(records, (1, b""))
    if not raw:
        return
    header = _read_header(line, raw)
    if check_columns:
        check_columns(header)
    for line, raw in records:
        try:
            cells = split_cells(decode_line(raw))
            if len(cells) != len(header):
                reason = f"the row has {len(cells)} cells, the header has {len(header)}"
                raise RowRefused("ragged", header[min(len(cells), len(header) - 1)], reason)
            values = dict(zip(header, [cell or None for cell in cells], strict=True))
            if b"\0" in raw:
                field = next(name for name, cell in values.items() if cell and "\0" in cell)
                raise RowRefused("nul", field, "holds a NUL character, which cannot be stored: remove it")
        except RowRefused as fault:
            yield reject(line, fault, raw)
        else:
            yield Row(line, values)


def _split_records(lines: Iterable[Line]) -> Iterator[tuple[int, bytes]]:
    """(first line, bytes) of each record: a line end inside quotation marks belongs to its cell.

    In RFC 4180 every cell holds an even number of marks, so an odd sum means that a cell is still open.
    """
    held: list[bytes] = []
    start = size = 0
    is_open = False
    for number, raw, lost in lines:
        if not is_open and (not raw or raw.isspace()):
            continue
        if not is_open:
            held, start, size = [], number, 0
        is_open ^= bool((raw.count(b'"') + lost) % 2)
        if size <= LINE_BYTES + 1:  # beyond, what is held is too long already
            held.append(raw)
        size += len(raw) + 1
        if not is_open:
            yield start, b"\n".join(held)
    if is_open:
        raise FileRefused(
            f"a quotation mark in the row that starts in line {start} is never closed:"
            ' close it, and double the marks inside a cell ("")'
        )


def split_cells(record: str) -> list[str]:
    """The cells of one record, verbatim; RowRefused for stray quotation marks and carriage returns."""
    if '"' not in record and "\r" not in record:
        return record.split(",")
    cells: list[str] = []
    at = 0
    while match := _CELL.match(record, at):
        quoted, plain, delimiter = match.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        if not delimiter:
            return cells
        at = match.end()
    if "\r" in record[at:].partition('"')[0]:
        raise RowRefused("lone_cr", "", LONE_CR)
    reason = f'cell {len(cells) + 1} has a stray quotation mark: quote whole cells, double the marks inside ("")'
    raise RowRefused("quoting", "", reason)


def _read_header(line: int, raw: bytes) -> list[str]:
    try:
        header = split_cells(decode_line(raw))
    except RowRefused as fault:
        raise FileRefused(f"the header in line {line} cannot be read: {fault.reason}") from fault
    if len(header) == 1:
        for delimiter, name in _OTHER_DELIMITERS.items():
            if delimiter in header[0]:
                raise FileRefused(f"the columns are parted by {name}: save the file with commas")
    for name in header:
        if header.count(name) > 1:
            raise FileRefused(f"the header names the column {excerpt(name)!r} twice: rename one")
    if "" in header or "\0" in "".join(header):
        raise FileRefused("a column has no readable name in the header: name every column")
    return header
