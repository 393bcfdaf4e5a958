"""Bytes of any source become UTF-8 chunks and lines, in bounded memory."""

import codecs
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from annotate.door.refuse import FileRefused, RowRefused

CHUNK_BYTES = 1 << 18
LINE_BYTES = 1 << 20
LONE_CR = r"a carriage return stands alone: end lines with \n or \r\n"
INFLATED_BYTES = 8 << 30
# Deflate reaches 1,032; lines of ordinary text stay below 50. Small files may be as regular as they like.
INFLATE_RATIO = 200
RATIO_FREE_BYTES = 16 << 20

# Named by the user, never guessed.
LEGACY_ENCODINGS = (
    *("latin-1", "cp1250", "cp1251", "cp1252", "koi8-r", "mac-roman"),
    *("shift-jis", "euc-jp", "gb18030", "big5", "euc-kr"),
)
ENCODINGS = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
    *LEGACY_ENCODINGS,
)

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Where the NUL bytes of an ASCII beginning lie (RFC 4627, section 3).
_NUL_PATTERNS = {
    b"a\0\0\0": "utf-32-le",
    b"\0\0\0a": "utf-32-be",
    b"a\0a\0": "utf-16-le",
    b"\0a\0a": "utf-16-be",
}
# Sequences of a damaged UTF-8 text: overlong forms, surrogates, bytes that UTF-8 never has.
_DAMAGED_UTF8 = re.compile(rb"[\xc0\xc1][\x80-\xbf]|\xed[\xa0-\xbf]|[\xfe\xff]")

Line = tuple[int, bytes, int]


def read_chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in chunks of 256 KiB."""
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def inflate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip (RFC 1952, also several members) inflated in bounded steps; refuses bombs and cut files."""
    member = zlib.decompressobj(wbits=31)
    taken = given = 0
    for chunk in chunks:
        taken += len(chunk)
        while chunk:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            try:
                inflated = member.decompress(chunk, CHUNK_BYTES)
            except zlib.error as error:
                raise FileRefused("the gzip data is damaged: compress the file again") from error
            # Zeros after a member are padding (tape blocks).
            chunk = member.unused_data.lstrip(b"\0") if member.eof else member.unconsumed_tail
            given += len(inflated)
            _refuse_bomb(given, taken - len(chunk))
            if inflated:
                yield inflated
    if not member.eof:
        raise FileRefused("the gzip data ends too early: the upload is incomplete, send the file again")


def _refuse_bomb(given: int, taken: int) -> None:
    if given > INFLATED_BYTES:
        raise FileRefused(f"the gzip data inflates to more than {INFLATED_BYTES >> 30} GiB: split the file")
    if given > RATIO_FREE_BYTES and given > INFLATE_RATIO * taken:
        raise FileRefused(
            f"the gzip data inflates to more than {INFLATE_RATIO} times its size: send the file uncompressed"
        )


def as_utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Text chunks of `encoding` as UTF-8 without byte order mark.

    What calls itself UTF-8 is not decoded here but line by line, so that one bad byte costs one row.
    """
    encoding = encoding.lower().replace("_", "-")
    if encoding not in ENCODINGS:
        raise FileRefused(f"the encoding is not known: use one of {', '.join(ENCODINGS)}")
    chunks = iter(chunks)
    first = next(chunks, b"")
    if encoding != "utf-8":
        return _transcode(chain([first], chunks), encoding)
    _refuse_other_encoding(first)
    return chain([first.removeprefix(codecs.BOM_UTF8)], chunks)


def _transcode(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        first = True
        for chunk in chunks:
            text = decoder.decode(chunk)
            yield (text.removeprefix("\ufeff") if first else text).encode()
            first = False
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        raise FileRefused(f"the file is not {encoding}: choose its true encoding") from error


def _refuse_other_encoding(head: bytes) -> None:
    name = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    name = name or _NUL_PATTERNS.get(re.sub(rb"[^\0]", b"a", head[:4]))
    if name:
        raise FileRefused(f"the file is {name.upper()}: save it as UTF-8, or choose the encoding {name}")
    if _looks_foreign(head):
        raise FileRefused(
            "the text is not UTF-8 but in another encoding: save it as UTF-8, or choose the encoding"
            f" that it is in ({', '.join(LEGACY_ENCODINGS)})"
        )


def _looks_foreign(head: bytes) -> bool:
    """Whether the whole text is in another encoding, as against a few damaged lines of UTF-8.

    It is when no line beyond ASCII is UTF-8, and there are two such lines, or one that is the whole file.
    """
    lines = [line for line in head.split(b"\n")[:-1] if not line.isspace()]
    foreign = 0
    for line in lines:
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError as error:
            foreign += not _DAMAGED_UTF8.match(line, error.start)
        else:
            return False
    return foreign >= 2 or foreign == len(lines) == 1


def split_lines(chunks: Iterable[bytes]) -> Iterator[Line]:
    r"""Lines cut at "\n" only, as (number from 1, bytes without the "\n", lost quotation marks).

    Of a line beyond 1 MiB the first 1 MiB + 1 byte are kept; the quotation marks in the part that was
    dropped are counted, because a CSV reader must know whether its cell is still open.
    """
    number, held, lost = 1, b"", 0
    for chunk in chunks:
        lines = chunk.split(b"\n")
        room = max(LINE_BYTES + 1 - len(held), 0)
        held += lines[0][:room]
        lost += lines[0].count(b'"', room)
        if len(lines) == 1:
            continue
        yield number, held, lost
        for raw in lines[1:-1]:
            number += 1
            yield number, raw, 0
        number += 1
        held, lost = lines[-1], 0
    if held:
        yield number, held, lost


def decode_line(raw: bytes) -> str:
    r"""The text of one line or CSV record, without the "\r" of a "\r\n"."""
    if len(raw) > LINE_BYTES:
        raise RowRefused("too_long", "", f"the row is longer than {LINE_BYTES:,} bytes")
    if raw.endswith(b"\r"):
        raw = raw[:-1]
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} of the row is not UTF-8: mend it, or choose the file's encoding"
        raise RowRefused("encoding", "", reason) from error
