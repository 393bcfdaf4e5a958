"""Take items in from a file: read by the strict door, staged by COPY, stored in one transaction."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from annotate.door import ItemRow, Rejection, SeenIds, read_items
from annotate.import_summary import PROGRESS_EVERY, ImportSummary, Progress, RejectionLog, RowsRejected
from annotate.models import Project
from annotate.taxonomy import frozen_categories

# The queue's claim needs fresh statistics after a bulk load; autovacuum would bring them a minute later.
ANALYZE_FROM = 10_000

STAGE = """
CREATE TEMP TABLE staged_item (
    line bigint, external_id text, kind text, content jsonb, content_hash text, source text, licence text,
    use text, lang text, group_key text, parent text, meta jsonb, rank bigint, severity smallint,
    hazards varchar(100)[]
)
"""
# An item that is there already may be declared anew; what a row doesn't say stays as it is.
DECLARE = """
UPDATE annotate_item item
SET severity = coalesce(staged.severity, item.severity), hazards = coalesce(staged.hazards, item.hazards)
FROM staged_item staged
WHERE (staged.severity IS NOT NULL OR staged.hazards IS NOT NULL)
  AND item.project_id = %(project)s AND item.external_id = staged.external_id
  AND item.kind = staged.kind AND item.content_hash = staged.content_hash
  AND (staged.severity <> item.severity OR staged.hazards <> item.hazards)
"""
DROP_SAME = """
DELETE FROM staged_item staged USING annotate_item item
WHERE item.project_id = %(project)s AND item.external_id = staged.external_id
  AND item.kind = staged.kind AND item.content_hash = staged.content_hash
"""
DROP_TAKEN = """
DELETE FROM staged_item staged USING annotate_item item
WHERE item.project_id = %(project)s AND item.external_id = staged.external_id
RETURNING staged.line, staged.external_id
"""
ADD_SOURCES = """
INSERT INTO annotate_source (project_id, name, licence, use, withdrawn)
SELECT DISTINCT %(project)s::bigint, source, licence, use, false FROM staged_item
ON CONFLICT DO NOTHING
"""
ADD_ITEMS = """
INSERT INTO annotate_item (
    project_id, external_id, kind, content, content_hash, source_id, lang, group_key, parent, meta, rank,
    severity, hazards, wanted, taken, blocked, labels_stale, created_at)
SELECT %(project)s, external_id, kind, content, content_hash, source.id, lang, group_key, parent, meta, rank,
    coalesce(severity, 0), coalesce(hazards, '{}'),
    CASE kind WHEN 'reference' THEN 0 ELSE %(overlap)s END, 0, false, false, now()
FROM staged_item staged
JOIN annotate_source source ON (source.project_id, source.name, source.licence, source.use)
    = (%(project)s, staged.source, staged.licence, staged.use)
ORDER BY line
"""


def import_items(
    project: Project,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    reject_file: Path | None = None,
    partial: bool = False,
    allow_references: bool = True,
    name: str | None = None,
    progress: Progress | None = None,
) -> ImportSummary:
    """Add the items of a file (JSONL, CSV or Parquet, also gzipped) to a project: all of them, or none.

    Rows that are in the project already with the same content are counted and left alone, so the same file
    may be imported twice. What a row may hold is said in `annotate.door`.

    Args:
        mapping: names of the file's fields to ours.
        reject_file: import the good rows, and write the others here as JSON lines.
        partial: import the good rows, and write the others nowhere.
        allow_references: take a file without any text, prompt, turns or image as ids that labels refer to.
        name: what the file is called, where `path` does not say.
        progress: called with the number of rows read, about every thousand.

    Raises:
        RowsRejected: rows are rejected and only all or nothing is asked for; it carries the summary.
        ImportRefused: the file as a whole can't be read, or has no rows.
    """
    seen = SeenIds()
    rows = read_items(
        path,
        mapping=mapping,
        allow_references=allow_references,
        categories=_categories(project),
        seen=seen,
        name=name,
    )
    with transaction.atomic(), RejectionLog(reject_file) as log, connection.cursor() as cursor:
        # Two imports into one project wait for each other, and for a change of its overlap.
        project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        summary = ImportSummary()
        cursor.execute(STAGE)
        references = _stage(cursor, project, _good_rows(rows, summary, log, progress))
        _store(cursor, project, summary, log)
        summary.count(log)
        if log.count and not (partial or reject_file):
            raise RowsRejected(summary)
        log.publish()
    summary.notes += _notes(references, seen)
    return summary


def import_rows(project: Project, rows: Sequence[Mapping[str, Any]], **options: Any) -> ImportSummary:
    """Import rows given as dictionaries, by the same road as a file; options and errors of `import_items`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return import_items(project, path, **options)


def item_rank(slug: str, external_id: str) -> int:
    """The item's place in the project's queue: a signed 64-bit number that only its id decides (P3)."""
    digest = hashlib.blake2b(f"{slug}\0{external_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def canonical_json(value: object) -> str:
    """One text for equal values: keys sorted, no spaces, not escaped."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _good_rows(
    rows: Iterator[ItemRow | Rejection],
    summary: ImportSummary,
    log: RejectionLog,
    progress: Progress | None,
) -> Iterator[ItemRow]:
    """Counts what is read and logs what is rejected on the way."""
    for row in rows:
        summary.read += 1
        if progress is not None and summary.read % PROGRESS_EVERY == 0:
            progress(summary.read)
        if isinstance(row, Rejection):
            log.add(row)
        else:
            yield row


def _stage(cursor: CursorWrapper, project: Project, rows: Iterator[ItemRow]) -> bool:
    """Copy the rows into the staging table; True if they are references (then all are)."""
    references = False
    with cursor.copy("COPY staged_item FROM STDIN") as copy:
        for row in rows:
            content = canonical_json(row.content)
            references = row.kind == "reference"
            copy.write_row(
                (
                    row.line,
                    row.external_id,
                    row.kind,
                    content,
                    hashlib.sha256(content.encode()).hexdigest(),
                    row.source or "",
                    row.licence or "",
                    row.use,
                    row.lang or "",
                    row.group_key or "",
                    row.parent or "",
                    canonical_json(row.meta),
                    item_rank(project.slug, row.external_id),
                    row.severity,
                    row.hazards,
                )
            )
    # Temporary tables are never analyzed by themselves, and the joins below would be planned blind.
    cursor.execute("ANALYZE staged_item")
    return references


def _store(cursor: CursorWrapper, project: Project, summary: ImportSummary, log: RejectionLog) -> None:
    values = {"project": project.pk, "overlap": project.overlap}
    cursor.execute(DECLARE, values)
    declared_anew = cursor.rowcount
    cursor.execute(DROP_SAME, values)
    summary.already_there = cursor.rowcount
    cursor.execute(DROP_TAKEN, values)
    for line, external_id in cursor.fetchall():
        reason = "the project has an item with this id already, with other content; give it another id"
        log.add(Rejection(line, "id", "taken", reason, external_id[:80]))
    cursor.execute(ADD_SOURCES, values)
    cursor.execute(ADD_ITEMS, values)
    summary.imported = cursor.rowcount
    cursor.execute("DROP TABLE staged_item")
    if summary.imported >= ANALYZE_FROM:
        cursor.execute("ANALYZE annotate_item")
    if declared_anew:
        summary.notes.append(f"{declared_anew} items that were there already are declared anew.")


def _categories(project: Project) -> frozenset[str]:
    """The codes that a row's hazards may name: categories and groups of the project's taxonomy."""
    version = project.taxonomy_version_id
    return frozenset(category.code for category in frozen_categories(version)) if version else frozenset()


def _notes(references: bool, seen: SeenIds) -> list[str]:
    notes = [f"warning: {warning}" for warning in seen.warnings]
    if seen.warned > len(seen.warnings):
        notes.append(f"warning: {seen.warned - len(seen.warnings)} more ids differ only in case.")
    if references:
        notes.append(
            "WARNING: no row has text, prompt, turns or image. The ids were taken as references: labels can "
            "be attached to them, but nobody can annotate them. If a field holds the text, map it to text."
        )
    return notes
