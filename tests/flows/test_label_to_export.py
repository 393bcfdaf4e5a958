"""The main job, end to end, by commands: items and annotations in, jury, labels of record, a mix out."""

import gzip
import json
from io import StringIO

import pytest
from django.core.management import call_command

from annotate.models import Annotation, Label

pytestmark = pytest.mark.django_db(transaction=True)


def command(*args, **options):
    out = StringIO()
    call_command(*args, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_do_not_answer_from_prompts_to_a_mix(db, shared_data, tmp_path):
    """939 prompts and 22,536 labels of people and three machine judges."""
    command("create_project", "dna", "--template", "plain")
    command("add_question", "dna", "harmful", "--kind", "choice", "--options", "0,1")
    command("add_question", "dna", "action", "--kind", "choice", "--options=-1,0,1,2,3,4,5,6")
    command("import_items", "dna", str(shared_data / "do_not_answer.items.jsonl.gz"))
    labels = str(shared_data / "do_not_answer.labels.jsonl.gz")
    command("import_annotations", "dna", labels, "--part", "model")
    assert Annotation.objects.count() == 22_536
    harmful, action = json.loads(command("weigh", "dna", "--format", "json"))
    for summary in (harmful, action):
        assert summary["settled"] + summary["contested"] + summary["too_few"] == summary["items"] == 939 * 6
    harmful, action = json.loads(command("agreement", "dna", "--format", "json"))
    assert (harmful["raters"], action["raters"]) == (3, 4), "one of the machines says nothing about harm"
    for measured in (harmful, action):
        assert 0 < measured["alpha"]["low"] < measured["alpha"]["value"] < measured["alpha"]["high"] < 1
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("balance: harmful\ntest_share: 0.2\n")
    command("build_mix", "dna", str(recipe), "--out", str(tmp_path / "mix"))
    manifest = json.loads((tmp_path / "mix" / "manifest.json").read_text())
    assert manifest["files"]


def test_the_jury_learns_from_people_and_its_labels_fill_the_gaps(db, shared_data, tmp_path):
    """HateCheck: people label a part, the learned juror the rest; people's labels stay people's."""
    command("create_project", "hc", "--template", "plain", "--voters", "people_first", "--quorum", "1")
    command("add_question", "hc", "label", "--kind", "choice", "--options", "hateful,non-hateful")
    command("import_items", "hc", str(shared_data / "hatecheck.items.jsonl.gz"))
    labels = tmp_path / "labels.jsonl"
    with gzip.open(shared_data / "hatecheck.labels.jsonl.gz", "rt") as rows:
        labels.write_text("".join(line for line in rows if int(json.loads(line)["item"]) % 4 == 0))
    command("import_annotations", "hc", str(labels))
    command("run_jury", "hc", "--wait")
    [weighed] = json.loads(command("weigh", "hc", "--format", "json"))
    assert set(Label.objects.values_list("source", flat=True)) == {"human_vote", "jury"}
    assert weighed["settled"] > 3_000
