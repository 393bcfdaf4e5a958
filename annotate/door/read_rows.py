"""Any upload as rows: finds out what the file is by its content, then by its name, and reads it strictly."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Literal

from annotate.door.read_csv import read_csv
from annotate.door.read_json import read_array, read_jsonl
from annotate.door.read_parquet import read_parquet
from annotate.door.refuse import FileRefused, Rejection, Row
from annotate.door.unpack import as_utf8, inflate, read_chunks, split_lines

Format = Literal["jsonl", "array", "csv", "parquet"]
Source = str | PathLike[str] | BinaryIO
CheckColumns = Callable[[list[str]], None]

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
_REFUSED_KINDS = {
    GZIP: "gzip inside gzip",
    b"PK\x03\x04": "a zip archive (or an office document)",
    b"PK\x05\x06": "an empty zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\xfd7zXZ\x00": "xz data",
    b"(\xb5/\xfd": "zstd data",
    b"BZh": "bzip2 data",
    b"ARROW1": "an Arrow file",
    b"%PDF": "a PDF document",
}


def read_rows(
    source: Source,
    *,
    format: Format | None = None,
    encoding: str = "utf-8",
    name: str | None = None,
    check_columns: CheckColumns | None = None,
) -> Iterator[Row | Rejection]:
    """The rows of a JSONL, CSV (both also gzipped), JSON array or Parquet file, in bounded memory.

    `name` is the file's name when it is not the one of `source` (an upload). `check_columns` gets the
    columns of a CSV or Parquet file before its first row and may raise FileRefused.

    Raises FileRefused, also in the middle, so nothing may be kept before the end is reached.
    """
    with _opened(source) as file:
        name = name or str(getattr(source, "name", source))
        rows = _rows_of(source, file, name, format, encoding, check_columns)
        first = next(rows, None)
        if first is None:
            raise FileRefused("the file has no rows")
        yield first
        yield from rows


def _opened(source: Source) -> AbstractContextManager[BinaryIO]:
    if not isinstance(source, str | PathLike):
        return nullcontext(source)
    try:
        return open(source, "rb")
    except OSError as error:
        raise FileRefused(f"the file cannot be opened: {error.strerror}") from error


def _rows_of(
    source: Source,
    file: BinaryIO,
    name: str,
    format: Format | None,
    encoding: str,
    check_columns: CheckColumns | None,
) -> Iterator[Row | Rejection]:
    chunks = read_chunks(file)
    head = next(chunks, b"")
    if head.startswith(PARQUET):
        _refuse_contradiction("parquet", format)
        return read_parquet(_path_or_rewound(source, file), check_columns)
    chunks = chain([head], chunks)
    if head.startswith(GZIP):
        chunks = inflate(chunks)
        head = next(chunks, b"")
        chunks = chain([head], chunks)
    _refuse_kind(head)
    chunks = as_utf8(chunks, encoding)
    head = next(chunks, b"")
    chunks = chain([head], chunks)
    format = format or _find_format(head, name)
    if format == "array":
        return read_array(chunks)
    if format == "csv":
        return read_csv(split_lines(chunks), check_columns)
    if format == "jsonl":
        return read_jsonl(split_lines(chunks))
    raise FileRefused("this is not a Parquet file, though it is called one: give it its true name or format")


def _path_or_rewound(source: Source, file: BinaryIO) -> Path | BinaryIO:
    if isinstance(source, str | PathLike):
        return Path(source)
    file.seek(0)
    return file


def _refuse_contradiction(found: Format, asked: Format | None) -> None:
    if asked not in (None, found):
        raise FileRefused(f"this is a {found} file, not {asked}: choose the format {found}")


def _refuse_kind(head: bytes) -> None:
    if head.startswith(PARQUET):
        raise FileRefused("this is Parquet inside gzip: send the Parquet file itself")
    for magic, kind in _REFUSED_KINDS.items():
        if head.startswith(magic):
            raise FileRefused(f"this is {kind}, which is not read: send JSON Lines, CSV or Parquet")


def _find_format(head: bytes, name: str) -> Format:
    """By the first character where it is telling, else by the name without .gz; CSV when nothing tells."""
    text = head.lstrip()
    if text.startswith(b"{"):
        return "jsonl"
    if text.startswith(b"["):
        line, _, rest = text.partition(b"\n")
        is_row = line.rstrip().endswith(b"]") and rest.strip()
        return "jsonl" if is_row else "array"
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    if suffix == ".parquet":
        return "parquet"
    return "jsonl" if suffix in (".jsonl", ".ndjson", ".json") else "csv"
