"""The SQL of `import_annotations`: from staged answers to stored judgements."""

STAGE = """
CREATE TEMP TABLE staged_answer (
    place bigint, item_id bigint, external_id text, annotator text, part text, question text, answers jsonb,
    seconds double precision)
"""
COPY = "COPY staged_answer FROM STDIN"

# A judgement's id: the same judgement always gets the same one, the second of two equal ones another.
# 128 bits of SHA-256 in the form of a version 8 UUID (RFC 9562).
_JUDGEMENTS = """
CREATE TEMP TABLE staged_judgement AS
SELECT judged.*, person.id AS annotator_id,
    overlay(overlay(encode(substr(sha256(convert_to(jsonb_build_array(
        %(project)s, external_id, annotator, part, answers,
        row_number() OVER (PARTITION BY item_id, annotator, part, answers ORDER BY place)
    )::text, 'UTF8')), 1, 16), 'hex') PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid AS client_id
FROM ({judged}) judged
JOIN annotate_user person
  ON person.username = %(slug)s || '/' || judged.annotator AND person.imported_into_id = %(project)s
"""
_ONE_JUDGEMENT_A_ROW = """
SELECT place, item_id, external_id, annotator, part, answers, seconds, 1 AS rows FROM staged_answer
"""
# The n-th answers of an annotator to the different questions about an item make the n-th judgement.
_ONE_ANSWER_A_ROW = """
SELECT min(place) AS place, item_id, external_id, annotator, part,
    jsonb_object_agg(question, answers -> question) AS answers, NULL::double precision AS seconds,
    count(*) AS rows
FROM (
    SELECT *, row_number() OVER (PARTITION BY item_id, annotator, part, question ORDER BY place) AS nth
    FROM staged_answer
) numbered
GROUP BY item_id, external_id, annotator, part, nth
"""
JUDGEMENTS = {
    False: _JUDGEMENTS.format(judged=_ONE_JUDGEMENT_A_ROW),
    True: _JUDGEMENTS.format(judged=_ONE_ANSWER_A_ROW),
}

DROP_SAME = """
WITH gone AS (
    DELETE FROM staged_judgement staged USING annotate_annotation stored
    WHERE stored.annotator_id = staged.annotator_id AND stored.client_id = staged.client_id
    RETURNING staged.rows)
SELECT coalesce(sum(rows), 0)::bigint FROM gone
"""

# Repeats are counted on from what earlier imports stored.
STORE = """
WITH earlier AS (
    SELECT item_id, annotator_id, part, max(repeat) + 1 AS judgements
    FROM annotate_annotation
    WHERE exposure = 'imported' AND annotator_id IN (SELECT annotator_id FROM staged_judgement)
    GROUP BY item_id, annotator_id, part
), numbered AS (
    SELECT staged.*, earlier.judgements AS before,
        coalesce(earlier.judgements, 0) - 1
        + row_number() OVER (PARTITION BY item_id, annotator_id, part ORDER BY place) AS repeat
    FROM staged_judgement staged LEFT JOIN earlier USING (item_id, annotator_id, part)
), stored AS (
    INSERT INTO annotate_annotation (
        item_id, annotator_id, part, repeat, revision, answers, exposure, taxonomy_version_id, client_id,
        seconds, created_at)
    SELECT item_id, annotator_id, part, repeat, 1, answers, 'imported', %(taxonomy)s, client_id, seconds, now()
    FROM numbered ORDER BY place
)
SELECT coalesce(sum(rows), 0)::bigint, count(*), count(before) FROM numbered
"""

MARK_STALE = """
UPDATE annotate_item SET labels_stale = true
WHERE NOT labels_stale AND id IN (SELECT item_id FROM staged_judgement)
"""

DROP_STAGES = "DROP TABLE staged_answer, staged_judgement"
