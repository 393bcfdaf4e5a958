"""What a build says about itself: counts that add up, cells, files with checksums. Pure Polars."""

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl

from curation.balance import SIDES
from curation.layout import Layout
from curation.recipe import Recipe

VERSION = "0.1.0"
MANIFEST_FORMAT = 1


def counts_of(rows: pl.DataFrame, reasons: pl.DataFrame, items: int) -> dict[str, Any]:
    """How many items there are, how many went out on each side, and why the others did not (P7).

    Args:
        rows: the exported rows: `item`, `side`.
        reasons: `item`, `reason` of every other item.
        items: all items of the project; the parts add up to it.
    """
    exported = rows.unique("item").group_by("side").len()
    by_side = dict(exported.iter_rows())
    dropped = reasons.group_by("reason").len().sort("reason")
    return {
        "items": {
            "total": items,
            "exported": sum(by_side.values()),
            **{side: by_side.get(side, 0) for side in SIDES},
            "dropped": reasons.height,
        },
        "rows": {side: rows.filter(side=side).height for side in SIDES},
        "dropped": dict(dropped.iter_rows()),
    }


def cells_of(cells: pl.DataFrame, keys: list[str]) -> list[dict[str, Any]]:
    """The cells as a list; `keys` are the columns that hold a cell's values as JSON text."""
    return [
        {
            "cell": {key.removeprefix("cell."): json.loads(row[key]) for key in keys},
            "side": row["side"],
            "wanted": row["wanted"],
            "available": row["available"],
            "taken": row["taken"],
        }
        for row in cells.iter_rows(named=True)
    ]


def contents_of(rows: pl.DataFrame, labels: pl.DataFrame, layout: Layout) -> dict[str, Any]:
    """What the exported rows hold: sources with licences, languages, kinds, and labels by source."""
    sources = rows.group_by("source", "license", "side").len("rows").sort("source", "license", "side")
    by_question = labels.group_by("question", "label_source").len("labels").sort("question", "label_source")
    return {
        "columns": list(layout.schema),
        "kinds": dict(rows.group_by("kind").len().sort("kind").iter_rows()),
        "languages": dict(rows.group_by("lang").len().sort("lang").iter_rows()),
        "sources": sources.to_dicts(),
        "labels": by_question.to_dicts(),
        "taxonomy_versions": labels["taxonomy_version"].drop_nulls().unique().sort().to_list(),
    }


def manifest_of(project: str, recipe: Recipe, body: dict[str, Any]) -> dict[str, Any]:
    """The manifest but for its files. No time, machine or path is in it: same rows, same bytes (P9)."""
    return {
        "jurybox": VERSION,
        "manifest_format": MANIFEST_FORMAT,
        "project": project,
        "recipe": recipe.as_dict(),
        **body,
    }


def files_of(folder: Path, rows: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Size, SHA-256 and number of rows of every file in the folder."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            found[name] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
            if name in rows:
                found[name]["rows"] = rows[name]
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_text(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
