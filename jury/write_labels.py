"""Write labels of record in bulk: COPY to a temporary table, then one upsert and one delete."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotate.models import Label, Project
from jury.votes import Vote

# What weighing makes; labels that came from elsewhere are not its to remove.
WEIGHED = (Label.Source.HUMAN_VOTE, Label.Source.HUMAN_ASSISTED, Label.Source.JURY, Label.Source.ADJUDICATION)

STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS weighed (
    item_id bigint, question_id bigint, part text, state text, value jsonb, source text,
    confidence float8, agreement float8, votes jsonb) ON COMMIT DROP;
TRUNCATE weighed
"""
UPSERT = """
INSERT INTO annotate_label AS label
    (item_id, question_id, part, state, value, source, confidence, agreement, votes, taxonomy_version_id, rule,
     decided_at)
SELECT item_id, question_id, part, state, value, source, confidence, agreement, votes, %s,
    CASE source WHEN 'adjudication' THEN 'adjudication' ELSE %s END, now()
FROM weighed
ON CONFLICT (item_id, part, question_id) DO UPDATE SET
    state = EXCLUDED.state, value = EXCLUDED.value, source = EXCLUDED.source, confidence = EXCLUDED.confidence,
    agreement = EXCLUDED.agreement, votes = EXCLUDED.votes,
    taxonomy_version_id = EXCLUDED.taxonomy_version_id, rule = EXCLUDED.rule, decided_at = EXCLUDED.decided_at
WHERE (label.state, label.value, label.source, label.confidence, label.agreement, label.votes,
       label.taxonomy_version_id, label.rule)
   IS DISTINCT FROM
      (EXCLUDED.state, EXCLUDED.value, EXCLUDED.source, EXCLUDED.confidence, EXCLUDED.agreement, EXCLUDED.votes,
       EXCLUDED.taxonomy_version_id, EXCLUDED.rule)
"""
DELETE = """
DELETE FROM annotate_label label
WHERE label.item_id = ANY(%s) AND label.source = ANY(%s) AND NOT EXISTS (
    SELECT 1 FROM weighed
    WHERE weighed.item_id = label.item_id AND weighed.part = label.part
      AND weighed.question_id = label.question_id)
"""


@dataclass(slots=True)
class LabelRow:
    """A label to be written; item, part and question's code are filled in once it is sure to be.

    `others` are votes that decide nothing here; a reviewer of a contested label sees them, too.
    """

    state: str
    value: Any
    source: str
    confidence: float | None
    agreement: float | None
    votes: Sequence[Vote]
    item_id: int = 0
    part: str = ""
    question: str = ""
    others: Sequence[Vote] = ()


def write_labels(rows: Sequence[LabelRow], item_ids: Sequence[int], project: Project) -> None:
    """Make these the weighed labels of these items: rows that didn't change stay untouched, others go."""
    question_ids = dict(project.questions.values_list("code", "pk"))
    rule = f"{project.label_rule}, quorum {project.quorum}, {project.voters}"
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy("COPY weighed FROM STDIN") as copy:
            for row in rows:
                copy.write_row(_columns(row, question_ids[row.question]))
        cursor.execute(UPSERT, [project.taxonomy_version_id, rule])
        cursor.execute(DELETE, [list(item_ids), list(WEIGHED)])


def _columns(row: LabelRow, question_id: int) -> tuple:
    value = None if row.value is None else json.dumps(row.value)
    votes = [vote.entry() for vote in row.votes] + [vote.entry(counts=False) for vote in row.others]
    return (
        row.item_id,
        question_id,
        row.part,
        row.state,
        value,
        row.source,
        row.confidence,
        row.agreement,
        json.dumps(votes),
    )
