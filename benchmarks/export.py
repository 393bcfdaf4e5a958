"""Export 100,000 labelled items: what `manage.py build_mix` does, in a database of its own.

    .venv/bin/python -m benchmarks.export [ITEMS]

The anchor is the naive way, in the same run: Django's value iterator over the labels, one json.dumps a row. It
groups nothing, splits nothing and keeps no lineage.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.own_database import own_database

ROOT = Path(__file__).resolve().parent.parent
WORDS_PER_ITEM = 30
VOCABULARY = 20_000
SHARE_OF_COPIES = 10  # every tenth item is a near-copy of the one before

# Words by a skewed draw (square of a uniform number), as texts have them; the same in every run.
FILL = """
SELECT setseed(0.42);
INSERT INTO annotate_source (project_id, name, licence, use, withdrawn)
    VALUES ({project}, 'synthetic', 'CC0-1.0', 'any', false);
INSERT INTO annotate_item (project_id, external_id, kind, content, content_hash, source_id, lang, group_key,
    parent, meta, blocked, rank, wanted, taken, labels_stale, created_at)
SELECT {project}, 'item-' || lpad(n::text, 8, '0'), 'prompt', jsonb_build_object('prompt', words.text),
    md5(words.text), (SELECT id FROM annotate_source WHERE project_id = {project}), 'en', '', '',
    jsonb_build_object('n', n), false, n, 3, 0, false, now()
FROM generate_series(1, {count}) n
CROSS JOIN LATERAL (
    SELECT string_agg('w' || floor(power(random(), 2) * {vocabulary})::int || 'x', ' ') AS text
    FROM generate_series(1, {words} + 0 * n)) words;
UPDATE annotate_item copy SET content = jsonb_build_object('prompt', upper(original.content ->> 'prompt') || '!')
    FROM annotate_item original WHERE copy.rank % {copies} = 0 AND original.rank = copy.rank - 1;
INSERT INTO annotate_annotation (item_id, annotator_id, part, repeat, revision, answers, exposure, client_id,
    taxonomy_version_id, created_at)
SELECT item.id, person.id, '', 0, 1,
    jsonb_build_object('prompt_harm', CASE WHEN item.rank % 3 = 0 THEN 'unsafe' ELSE 'safe' END), 'blind',
    gen_random_uuid(), {version}, now()
FROM annotate_item item CROSS JOIN annotate_user person;
INSERT INTO annotate_label (item_id, question_id, part, state, value, source, confidence, agreement, votes,
    taxonomy_version_id, rule, decided_at)
SELECT item_id, {question}, '', 'settled', min((answers -> 'prompt_harm')::text)::jsonb, 'human_vote', 1, 1,
    jsonb_agg(jsonb_build_object(
        'annotation', id, 'voter', annotator_id::text, 'value', answers -> 'prompt_harm')),
    {version}, 'majority', now()
FROM annotate_annotation GROUP BY item_id;
ANALYZE;
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with own_database() as home:
        fill(count)
        measure(count, home)


def fill(count: int) -> None:
    """A project of synthetic prompts, three annotators' answers to one question, and their labels."""
    from django.db import connection

    from annotate.models import TaxonomyVersion, User
    from annotate.questions import NewProject, create_project

    for number in range(3):
        User.objects.create_user(f"annotator{number}")
    project = create_project(NewProject(slug="bench"))
    question = project.questions.get(code="prompt_harm")
    version = TaxonomyVersion.objects.get(pk=project.taxonomy_version_id)
    with connection.cursor() as cursor:
        cursor.execute(
            FILL.format(
                project=project.pk,
                question=question.pk,
                version=version.pk,
                count=count,
                words=WORDS_PER_ITEM,
                vocabulary=VOCABULARY,
                copies=SHARE_OF_COPIES,
            )
        )


def measure(count: int, home: Path) -> None:
    began = time.perf_counter()
    naive(home / "naive.jsonl")
    anchor = count / (time.perf_counter() - began)
    print(f"anchor: {anchor:,.0f} items/s, {count:,} items, labels and contents to one JSONL file")

    (home / "recipe.yaml").write_text("")
    words = [
        sys.executable,
        "manage.py",
        "build_mix",
        "bench",
        str(home / "recipe.yaml"),
        "--out",
        str(home / "mix"),
    ]
    began = time.perf_counter()
    subprocess.run([*words, "--format", "json"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    ours = count / seconds
    print(
        f"build_mix: {ours:,.0f} items/s, {count:,} items in {seconds:.1f} s with start-up, peak {peak:,.0f} MiB; "
        "near-duplicates, split, Parquet, JSONL, lineage, checksums"
    )
    result = {"name": "export", "n": count, "ours": ours, "anchor": anchor, "ratio": ours / anchor}
    print(
        json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in result.items()})
    )


def naive(path: Path) -> None:
    """The anchor."""
    from annotate.models import Label

    columns = ("item__external_id", "item__content", "item__meta", "value", "source", "confidence", "votes")
    with path.open("w") as file:
        for row in Label.objects.order_by("item__external_id").values(*columns).iterator():
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
