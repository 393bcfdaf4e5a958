"""The corpus of bad input: 84 kinds of file, what the door must do with each, and what it must say.

Three outcomes: "accept" (every row), "row" (the named lines stay outside, the others come in), "file"
(nothing comes in). Kinds that several files show have one case each, told apart by a letter.

Two kinds are met in another way than by a refusal, because no field of the import contract is a bounded
number or a boolean: 34 (a 30-digit integer) and 43 ("false" for false) stay in `meta` as they came.
"""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["accept", "row", "file"]

FIRST = b'{"id": "first", "text": "one"}\n'
LAST = b'{"id": "last", "text": "end"}\n'


@dataclass(frozen=True)
class Case:
    """`lines` and `field` are those of the rejections; `says` stands in every reason or in the message;
    `texts` are the texts that come in, where they must come in verbatim."""

    key: str
    what: str
    content: bytes | Callable[[], bytes]
    outcome: Outcome
    says: str = ""
    lines: tuple[int, ...] = ()
    field: str = ""
    texts: tuple[str, ...] | None = None
    name: str = "items.jsonl"

    def write(self, folder: Path) -> Path:
        """Writes the file into `folder` and returns its path."""
        path = folder / self.name
        path.write_bytes(self.content if isinstance(self.content, bytes) else self.content())
        return path


def between(line: bytes) -> bytes:
    """A file with `line` as line 2 of 3."""
    return FIRST + line + b"\n" + LAST


def row(**values: Any) -> bytes:
    """One line of JSON without the line end."""
    return json.dumps(values, ensure_ascii=False).encode()


def bad(key: str, what: str, line: bytes, says: str, field: str = "") -> Case:
    """A file whose second line must be rejected, and only that."""
    return Case(key, what, between(line), "row", says, (2,), field, ("one", "end"))


def kept(key: str, what: str, text: str) -> Case:
    """A file whose second line holds `text`, which must come in verbatim."""
    return Case(key, what, between(row(id="x", text=text)), "accept", texts=("one", text, "end"))


def encoded(texts: tuple[str, ...], encoding: str) -> bytes:
    """A JSONL file of these texts in another encoding."""
    lines = [json.dumps({"id": str(n), "text": text}, ensure_ascii=False) for n, text in enumerate(texts)]
    return "".join(f"{line}\n" for line in lines).encode(encoding)


def csv_case(key: str, what: str, content: bytes, outcome: Outcome, says: str = "", **more: Any) -> Case:
    """A case in a file called items.csv."""
    return Case(key, what, content, outcome, says, name="items.csv", **more)


def parquet(**columns: list[Any]) -> bytes:
    """A Parquet file of these columns."""
    import polars

    held = io.BytesIO()
    polars.DataFrame(columns).write_parquet(held)
    return held.getvalue()


def empty_parquet() -> bytes:
    import polars

    held = io.BytesIO()
    polars.DataFrame(schema={"id": polars.String, "text": polars.String}).write_parquet(held)
    return held.getvalue()


def bomb() -> bytes:
    """200 KB of gzip that inflate to 200 MB."""
    return gzip.compress(FIRST + b'{"id": "x", "text": "' + b"a" * 200_000_000 + b'"}\n', compresslevel=9)


def zip_archive() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("../items.jsonl", FIRST)
        archive.writestr("/etc/items.jsonl", FIRST)
    return held.getvalue()


def late(line: bytes) -> bytes:
    """A file with 2,000 good rows before `line`."""
    return b"".join(row(id=str(n), text="fine") + b"\n" for n in range(2000)) + line + b"\n"


def two_ids(first: str, second: str) -> bytes:
    return row(id=first, text="one") + b"\n" + row(id=second, text="two") + b"\n"


LATIN = ("d\u00e9j\u00e0 vu", "plain", "na\u00efve caf\u00e9")
JAPANESE = ("\u65e5\u672c\u8a9e\u306e\u6587\u7ae0", "\u3061\u3087\u3063\u3068\u5f85\u3063\u3066")
CHINESE = ("\u4f60\u597d\u4e16\u754c", "\u52aa\u529b\u5b66\u4e60", "\u4e2d\u6587\u6587\u672c")
EMOJI = "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1ee\U0001f1f3 \U0001f44d\U0001f3fd"
TAGS = "see\U000e0073\U000e0065\U000e0065 me"
NESTED = b'{"id": "x", "text": "t", "deep": %s%s}'

CASES = [
    Case("1", "byte order mark", b"\xef\xbb\xbf" + FIRST, "accept", texts=("one",)),
    Case("2", "UTF-16 with mark", encoded(LATIN, "utf-16"), "file", "UTF-16"),
    Case("3a", "UTF-16 little end first", encoded(LATIN, "utf-16-le"), "file", "UTF-16-LE"),
    Case("3b", "UTF-16 big end first", encoded(LATIN, "utf-16-be"), "file", "UTF-16-BE"),
    Case("4a", "UTF-32 with mark", encoded(LATIN, "utf-32"), "file", "UTF-32"),
    Case("4b", "UTF-32 without mark", encoded(LATIN, "utf-32-le"), "file", "UTF-32-LE"),
    Case("5", "Latin-1", encoded(LATIN, "latin-1"), "file", "latin-1"),
    Case("6", "cp1252", encoded(("\u201chi\u201d", "caf\u00e9 \u20ac"), "cp1252"), "file", "cp1252"),
    Case("7", "Shift-JIS", encoded(JAPANESE, "shift-jis"), "file", "shift-jis"),
    Case("8", "GB18030", encoded(CHINESE, "gb18030"), "file", "gb18030"),
    bad("9", "bad byte", b'{"id": "x", "text": "a\xffb"}', "byte 23 of the row is not UTF-8"),
    bad("10", "overlong slash", b'{"id": "x", "text": "a\xc0\xafb"}', "not UTF-8"),
    Case("11", "character cut at the end", FIRST + b'{"id": "x", "text": "caf\xc3', "row", "not UTF-8", (2,)),
    bad("12", "escaped NUL", rb'{"id": "x", "text": "a\u0000b"}', "NUL character", "text"),
    bad("13", "raw NUL", b'{"id": "x", "text": "a\0b"}', "not valid JSON"),
    csv_case("14", "NUL in CSV", b"id,text\na,x\0y\nb,fine\n", "row", "NUL", lines=(2,), field="text"),
    bad("15", "NUL in a key", rb'{"id": "x", "text": "t", "m": {"k\u0000": 1}}', "NUL", r"m.k\x00"),
    bad("16", "lone high surrogate", rb'{"id": "x", "text": "a\ud83d"}', "surrogate", "text"),
    bad("17", "lone low surrogate", rb'{"id": "x", "text": "\uDE00a"}', "surrogate", "text"),
    bad("18", "swapped surrogates", rb'{"id": "x", "turns": ["\ude00\ud83d"]}', "surrogate", "turns[0]"),
    bad("19", "surrogate as bytes", b'{"id": "x", "text": "\xed\xa0\xbd"}', "not UTF-8"),
    bad("20", "raw escape character", b'{"id": "x", "text": "\x1b[31mred"}', "not valid JSON"),
    Case(
        "21",
        "escaped control characters",
        between(rb'{"id": "x", "text": "\u001b[31m\u0007"}'),
        "accept",
        texts=("one", "\x1b[31m\x07", "end"),
    ),
    kept("22", "bidi override", "user \u202e txt.exe"),
    kept("23", "800 combining marks", "a" + "\u0301" * 800),
    kept("24", "emoji sequences", EMOJI),
    kept("25", "zero-width characters", "a\u200bb\u2060c\ufeffd"),
    Case("26", "ids equal after NFC", two_ids("caf\u00e9", "cafe\u0301"), "row", "line 1", (2,), "id", ("one",)),
    Case("27", "ids that look alike", two_ids("paypal", "p\u0430ypal"), "accept", texts=("one", "two")),
    kept("28", "Unicode line separators", "a\u2028b\u2029c\u0085d"),
    kept("29", "invisible tag characters", TAGS),
    kept("30", "noncharacters", "a\ufdd0b\uffff\U0010ffff"),
    bad("31", "trailing comma", b'{"id": "x", "text": "t",}', "not valid JSON"),
    bad("32", "single quotes", b"{'id': 'x', 'text': 't'}", "not valid JSON"),
    bad("33a", "NaN", b'{"id": "x", "text": "t", "score": {"a": [1, NaN]}}', "NaN", "score.a[1]"),
    bad("33b", "Infinity", b'{"id": "x", "text": "t", "score": -Infinity}', "Infinity", "score"),
    Case("34", "30-digit integer", between(row(id="x", text="t", n=10**30)), "accept"),
    bad("35", "5,000-digit integer", b'{"id": "x", "text": "t", "n": %s}' % (b"9" * 5000), "range", "n"),
    bad("36", "1e400", b'{"id": "x", "text": "t", "n": 1e400}', "range", "n"),
    Case(
        "37",
        "ids 1, '1', 1.0",
        b"".join(row(id=value, text=f"{value!r}") + b"\n" for value in (1, "1", 1.0)),
        "row",
        "id must be a string, it is a number",
        (1, 3),
        "id",
        ("'1'",),
    ),
    Case("38", "ids beyond 2^53", two_ids(str(2**53), str(2**53 + 1)), "accept", texts=("one", "two")),
    bad("39", "duplicate key", b'{"id": "x", "text": "a", "text": "b"}', "stands twice", "text"),
    Case("40", "duplicate ids", two_ids("x", "x"), "row", "line 2 repeats the id of line 1", (2,), "id"),
    bad("41a", "id with trailing space", row(id="x ", text="t"), "white space", "id"),
    Case("41b", "ids that differ in case", two_ids("abc", "ABC"), "accept", texts=("one", "two")),
    bad("42a", "prompt is a list", row(id="x", prompt=["t"]), "it is a list", "prompt"),
    bad("42b", "prompt is an object", row(id="x", prompt={}), "it is an object", "prompt"),
    bad("42c", "prompt is null", row(id="x", prompt=None), "no content", "prompt"),
    bad("42d", "prompt is a number", row(id="x", prompt=5), "it is a number", "prompt"),
    bad("42e", "prompt is a boolean", row(id="x", prompt=True), "it is a boolean", "prompt"),
    Case("43", "'false' and 0 for a boolean", between(row(id="x", text="t", a="false", b=0)), "accept"),
    Case("44", "type changes late", late(row(id="x", text=7)), "row", "it is a number", (2001,), "text"),
    Case("45", "new field late", late(row(id="x", text="t", new="kept")), "accept"),
    bad("46a", "content missing", row(id="x"), "no content", "text"),
    bad("46b", "id missing", row(text="t"), "id is missing", "id"),
    Case("47", "one JSON array", b"[\n" + FIRST + b" , " + LAST + b"]\n", "accept", texts=("one", "end")),
    Case("48", "objects on one line", FIRST + FIRST.strip() + LAST, "file", "line 2 holds several objects"),
    Case("49a", "pretty-printed object", b'{\n  "id": "x",\n  "text": "t"\n}\n', "file", "pretty-printed"),
    Case("49b", "pretty-printed with fields at once", b'{"id": "x",\n "text": "t"}\n', "file", "pretty-printed"),
    Case("50", "blank lines", b"\n\r\n" + FIRST + b" \n7\n" + LAST, "row", "a number", (5,), "", ("one", "end")),
    Case("51", "scalars as rows", b'1\n"x"\nnull\n[]\ntrue\n', "row", "must be an object", (1, 2, 3, 4, 5)),
    bad("52", "100,000 levels", b'{"id": "x", "text": ' + b"[" * 100_000, "nested more than 32"),
    bad("53", "400 levels", NESTED % (b"[" * 400, b"]" * 400), "nested more than 32"),
    bad("54a", "100,000 keys", row(id="x", text="t", **{f"k{n}": 0 for n in range(100_000)}), "longer than"),
    bad("54b", "300 keys", row(id="x", text="t", m={f"k{n}": 0 for n in range(300)}), "300 keys"),
    Case("55a", "last line cut in a string", FIRST + LAST[:20], "row", "upload complete", (2,), "", ("one",)),
    Case("55b", "last line cut after a comma", FIRST + LAST[:14], "row", "upload complete", (2,), "", ("one",)),
    Case("56", "keys of JavaScript", between(row(id="x", text="t", __proto__={"a": 1})), "accept"),
    bad("57", "lone carriage return", row(id="x", text="t") + b"\r" + row(id="y", text="t"), "carriage return"),
    csv_case("58", "CSV with \\r only", b"id,text\ra,one\rb,two\r", "file", "carriage return"),
    csv_case(
        "59",
        "line end inside quotes",
        b'id,text\r\na,"one\r\n\ntwo"\r\nb,x,y\r\n',
        "row",
        "3 cells",
        lines=(5,),
        field="text",
        texts=("one\r\n\ntwo",),
    ),
    csv_case("60", "semicolons", b"id;text\na;one\n", "file", "semicolons"),
    csv_case("61", "tabs", b"id\ttext\na\tone\n", "file", "tabs"),
    csv_case("62", "unclosed quote", b'id,text\na,one\nb,"two\nc,three\n', "file", "starts in line 3"),
    csv_case(
        "63",
        "backslash before a quote",
        b'id,text\na,"say \\"hi\\" now"\nb,two\n',
        "row",
        "stray quotation mark",
        lines=(2,),
        texts=("two",),
    ),
    csv_case("64", "ragged rows", b"id,text\na\nb,two\nc,x,y\n", "row", "cells", lines=(2, 4), field="text"),
    csv_case("65", "duplicate header", b"id,text,text\na,b,c\n", "file", "'text' twice"),
    csv_case("66", "no header", b"a,hello\nb,there\n", "file", "no column is called id"),
    csv_case("67", "header only", b"id,text\n", "file", "no rows"),
    csv_case("68", "empty CSV", b"", "file", "no rows"),
    Case("69", "empty JSONL", b"", "file", "no rows"),
    Case("70", "white space only", b" \n\n\t\n", "file", "no rows"),
    csv_case(
        "71",
        "cells like formulas",
        b"id,text\na,=1+1\nb,+1\nc,-1\nd,@x\n",
        "accept",
        texts=("=1+1", "+1", "-1", "@x"),
    ),
    csv_case(
        "72",
        "words for nothing",
        b"id,prompt\na,NA\nb,null\nc,None\nd,nan\ne,\n",
        "row",
        "no content",
        lines=(6,),
        field="prompt",
        texts=("NA", "null", "None", "nan"),
    ),
    csv_case("73", "ids like numbers", b"id,text\n007,a\n7,b\n1e3,c\n", "accept", texts=("a", "b", "c")),
    bad("74", "line of 20 MB", b'{"id": "x", "text": "' + b"a" * 20_000_000 + b'"}', "longer than 1,048,576"),
    Case("75", "gzip bomb", bomb, "file", "200 times", name="items.jsonl.gz"),
    Case("76", "cut gzip", gzip.compress(FIRST + LAST)[:-9], "file", "incomplete", name="items.jsonl.gz"),
    Case("77", "plain text called .gz", FIRST, "accept", texts=("one",), name="items.jsonl.gz"),
    Case("78", "zip archive", zip_archive, "file", "zip archive"),
    Case(
        "79",
        "Parquet with other columns",
        lambda: parquet(name=["a"], body=["b"]),
        "file",
        "no column is called id: add a header, or map the column that holds it. Found: 'name', 'body'",
        name="items.parquet",
    ),
    Case(
        "80",
        "Parquet with bytes",
        lambda: parquet(id=["a"], text=[b"b"]),
        "file",
        "'text' is Binary",
        name="i.parquet",
    ),
    Case(
        "81",
        "Parquet with NUL",
        lambda: parquet(id=["a", "b"], text=["x\0y", "fine"]),
        "row",
        "NUL",
        (1,),
        "text",
        ("fine",),
        name="items.parquet",
    ),
    Case(
        "82",
        "cut Parquet",
        lambda: parquet(id=["a"], text=["b"])[:-20],
        "file",
        "cannot be read",
        name="items.parquet",
    ),
    Case("83", "CSV called .parquet", b"id,text\na,b\n", "file", "not a Parquet file", name="items.parquet"),
    Case("84", "Parquet without rows", empty_parquet, "file", "no rows", name="items.parquet"),
    # Beyond the 84: what else an upload may be.
    Case(
        "85",
        "number ids in Parquet",
        lambda: parquet(id=[1], text=["a"]),
        "file",
        "'id' is Int64",
        name="i.parquet",
    ),
    Case("86", "gzip in gzip", gzip.compress(gzip.compress(FIRST)), "file", "gzip inside gzip"),
    Case("87", "damaged gzip", gzip.compress(FIRST)[:-8] + struct.pack("<II", 1, 1), "file", "damaged"),
    Case(
        "88",
        "gzip of two members",
        gzip.compress(FIRST) + gzip.compress(LAST),
        "accept",
        texts=("one", "end"),
    ),
    Case("89", "broken array", b'[{"id": "x", "text": "t"} {"id": "y"}]', "file", "after object 1"),
    Case("90", "deep array", b"[" * 100_000, "file", "broken in object 1"),
    Case(
        "91",
        "array with a bad row",
        b'[{"id":"a","text":"x"},{"id":1,"text":"y"}]',
        "row",
        "number",
        (2,),
        "id",
    ),
    Case("92", "large array", b"[" + b" " * (9 << 20) + b"]", "file", "larger than 8 MiB"),
    Case("93", "directory of brackets in a text", between(row(id="x", text="[" * 5000)), "accept"),
    csv_case("94", "mark inside a bare cell", b'id,text\na,5"x"\nb,two\n', "row", "stray", lines=(2,)),
    csv_case("95", "nameless column", b"id,text,\na,b,c\n", "file", "name every column"),
    Case("96", "escape that only looks like NUL", between(rb'{"id": "x", "text": "\\u0000 \\ud800"}'), "accept"),
    csv_case(
        "97",
        "quoted cell of 2 MB",
        b'id,text\na,"' + b"a" * 2_000_000 + b'"\nb,two\n',
        "row",
        "longer than",
        lines=(2,),
        texts=("two",),
    ),
]
