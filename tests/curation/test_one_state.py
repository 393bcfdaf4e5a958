"""An export reads one state of the database while others go on writing."""

import json
import threading

import polars as pl
from django.db import connection

SWAP = """
    UPDATE annotate_label SET value = flipped.value,
        votes = jsonb_build_array(jsonb_build_object('annotation', 1, 'voter', 'v', 'value', flipped.value))
    FROM (SELECT id, CASE value WHEN '"safe"' THEN '"unsafe"'::jsonb ELSE '"safe"'::jsonb END AS value
          FROM annotate_label WHERE item_id IN (%s, %s)) flipped
    WHERE annotate_label.id = flipped.id"""


def test_two_items_with_opposite_labels_stay_opposite_and_every_label_agrees_with_its_vote(rows, build, tmp_path):
    one, other = rows.add([{"id": "one"}, {"id": "other"}])
    rows.labelled(500)
    rows.label([one], "prompt_harm", "safe")
    rows.label([other], "prompt_harm", "unsafe")
    stop, swaps = threading.Event(), []

    def swap() -> None:
        try:
            while not stop.is_set():
                with connection.cursor() as cursor:
                    cursor.execute(SWAP, [one.pk, other.pk])
                swaps.append(1)
        finally:
            connection.close()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for number in range(10):
            build("filters:\n  id: [one, other]\ntest_share: 0\n", f"mix {number}")
            lines = (tmp_path / f"mix {number}/data/train.jsonl").read_text().splitlines()
            assert {json.loads(line)["prompt_harm"] for line in lines} == {"safe", "unsafe"}
            lineage = pl.read_parquet(tmp_path / f"mix {number}/lineage.parquet")
            assert lineage["value"].to_list() == lineage["vote_value"].to_list()
    finally:
        stop.set()
        thread.join()
    assert len(swaps) > 20
