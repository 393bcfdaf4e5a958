"""Write the data files of a mix piece by piece, so that memory does not grow with the mix."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from curation.fetch_rows import fetch_rows, fetch_votes
from curation.layout import Layout
from curation.snapshot import Progress, Snapshot
from curation.split import TEST, TRAIN

ROWS_PER_FILE = 20_000
ROWS_PER_GROUP = 5_000
LINEAGE_FILE = "lineage.parquet"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What goes into the files.

    Attributes:
        rows: `item`, `id`, `part`, `side`, `kind`, `lang`, `source`, `license`, `group`.
        labels: the exported labels, as `choose_rows.Eligible.labels`.
    """

    rows: pl.DataFrame
    labels: pl.DataFrame
    layout: Layout
    formats: Sequence[str]


@dataclass
class Written:
    """Each file's number of rows, and a digest of all data rows."""

    rows: dict[str, int] = field(default_factory=dict)
    dataset_digest: str = ""


def write_rows(snapshot: Snapshot, chosen: Chosen, folder: Path, progress: Progress) -> Written:
    """Write data/train-*.parquet, data/test-*.parquet, their JSONL, and lineage.parquet.

    Returns:
        The digest is SHA-256 over "train", a line feed, the train rows as JSON lines, then the same for
        test: no file format, compression or thread count enters it.
    """
    (folder / "data").mkdir()
    written, digest, lineage, done = Written(), hashlib.sha256(), [], 0
    for side in (TRAIN, TEST):
        digest.update(f"{side}\n".encode())
        for name, rows in _pieces(chosen.rows, side):
            labels = chosen.labels.join(rows, on=["item", "part"], how="semi")
            table = fetch_rows(snapshot, rows, labels, chosen.layout)
            lines = table.write_ndjson()
            digest.update(lines.encode())
            if "parquet" in chosen.formats:
                write_parquet(table, folder / name)
                written.rows[name] = table.height
            if "jsonl" in chosen.formats:
                _append(lines, folder / f"data/{side}.jsonl")
                written.rows[f"data/{side}.jsonl"] = chosen.rows.filter(side=side).height
            lineage.append(fetch_votes(snapshot, rows, labels))
            done += table.height
            progress("writing rows", done, chosen.rows.height)
    votes = pl.concat(lineage).sort("id", "part", "question", maintain_order=True)
    write_parquet(votes, folder / LINEAGE_FILE)
    written.rows[LINEAGE_FILE] = votes.height
    written.dataset_digest = digest.hexdigest()
    return written


def _pieces(rows: pl.DataFrame, side: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """A side's rows in pieces of one file each, with the files' names; an empty side has one empty piece."""
    rows = rows.filter(side=side).sort("id", "part")
    pieces = max(1, -(-rows.height // ROWS_PER_FILE))
    for number in range(pieces):
        name = f"data/{side}-{number:05d}-of-{pieces:05d}.parquet"
        yield name, rows.slice(number * ROWS_PER_FILE, ROWS_PER_FILE)


def write_parquet(table: pl.DataFrame, path: Path) -> None:
    """One file whose bytes depend on the rows alone (P9): fixed settings, one chunk a column."""
    table.rechunk().write_parquet(
        path,
        compression="zstd",
        compression_level=3,
        statistics=True,
        row_group_size=ROWS_PER_GROUP,
        data_page_size=1024 * 1024,
    )


def _append(lines: str, path: Path) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(lines)
