"""Parquet through a process of its own; every row then passes the same gate as a line of JSON.

One damaged byte in a page header makes polars 2.1 abort its process, which no exception handler sees. A
process of its own also keeps polars out of the web process.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from annotate.door.read_json import parse_object, read_jsonl
from annotate.door.refuse import FileRefused, Rejection, Row, RowRefused, excerpt
from annotate.door.unpack import decode_line, read_chunks, split_lines

PROGRAM = Path(__file__).with_name("parquet_lines.py")
UNREADABLE = "the Parquet file cannot be read (damaged, cut or encrypted): write it again"


def read_parquet(
    source: Path | BinaryIO, check_columns: Callable[[list[str]], None] | None = None
) -> Iterator[Row | Rejection]:
    """Rows numbered from 1; an open file is copied to disk first.

    `check_columns` gets the column names before the first row and may raise FileRefused.
    """
    with _on_disk(source) as path, _converter(path) as converter:
        # The first line holds the columns, so that rows are numbered from 1.
        chunks = read_chunks(cast(BinaryIO, converter.stdout))
        lines = ((number - 1, raw, lost) for number, raw, lost in split_lines(chunks))
        _read_head(next(lines, (0, b"", 0))[1], check_columns)
        yield from read_jsonl(lines)
        if converter.wait() != 0:
            raise FileRefused(UNREADABLE)


def _read_head(head: bytes, check_columns: Callable[[list[str]], None] | None) -> None:
    try:
        told = parse_object(decode_line(head))
    except RowRefused as fault:
        raise FileRefused(UNREADABLE) from fault
    if "refused" in told:
        column, kind = excerpt(told["refused"]), excerpt(told["type"])
        raise FileRefused(f"the column {column!r} is {kind}: cast it to string (ids are strings)")
    if check_columns:
        check_columns(told["columns"])


@contextmanager
def _on_disk(source: Path | BinaryIO) -> Iterator[Path]:
    if isinstance(source, Path):
        yield source
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)


@contextmanager
def _converter(path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The running program; it ends with the block, also when the rows are not read to the end."""
    with subprocess.Popen(
        [sys.executable, "-P", str(PROGRAM), str(path.absolute())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"POLARS_MAX_THREADS": "1"},
    ) as converter:
        try:
            yield converter
        finally:
            converter.kill()
