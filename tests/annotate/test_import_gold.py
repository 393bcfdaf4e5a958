"""Known answers come from a file: all of it or nothing, with row and field named (P12)."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotate.import_gold import import_gold
from annotate.import_summary import RowsRejected
from annotate.models import Assignment, Gold, Item, Purpose

SAFE = {"prompt_harm": "safe"}


def rejected(cast, tmp_path, *rows):
    path = tmp_path / "known.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    with pytest.raises(RowsRejected) as refused:
        import_gold(cast.project, path, Purpose.GOLD)
    return [(one.line, one.field, one.code) for one in refused.value.summary.rejections]


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({"id": "nowhere", "answers": SAFE}, "id", "unknown_item"),
        ({"answers": SAFE}, "id", "type"),
        ({"id": 7, "answers": SAFE}, "id", "type"),
        ({"id": "good", "answers": SAFE}, "id", "twice"),
        ({"id": "plain1"}, "answers", "type"),
        ({"id": "plain1", "answers": "safe"}, "answers", "type"),
        ({"id": "plain1", "answers": {"prompt_harm": "no"}}, "answers.prompt_harm", "answer"),
        ({"id": "plain1", "answers": {"prompt_harm": "unsafe"}}, "answers.hazard_categories", "answer"),
        ({"id": "plain1", "answers": {"prompt_harm": "unsure"}}, "answers.prompt_harm", "unsure"),
        ({"id": "plain1", "answers": SAFE | {"other": 1}}, "answers.other", "answer"),
        ({"id": "plain1", "answers": SAFE, "explanation": 5}, "explanation", "type"),
        ({"id": "plain1", "answers": SAFE, "explanation": "\0"}, "explanation", "nul"),
        ({"id": "plain1", "answers": SAFE, "explaination": "typo"}, "explaination", "unknown_field"),
        ({"id": "handed", "answers": SAFE}, "id", "handed_out"),
        ({"id": "blocked", "answers": SAFE}, "id", "not_shown"),
    ],
)
def test_p12_a_bad_row_names_line_and_field_and_nothing_is_stored(cast, add_items, tmp_path, row, field, code):
    add_items(cast.project, [{"id": name, "prompt": name} for name in ("plain1", "good", "handed", "blocked")])
    Item.objects.filter(external_id="blocked").update(blocked=True)
    Assignment.objects.create(
        item=Item.objects.get(external_id="handed"),
        annotator=cast.second,
        state=Assignment.State.EXPIRED,
        leased_until=timezone.now(),
    )
    assert rejected(cast, tmp_path, {"id": "good", "answers": SAFE}, row) == [(2, field, code)]
    assert not Gold.objects.exists()
    assert not Item.objects.exclude(purpose="").exists()


def test_the_command(cast, add_items, tmp_path, capsys):
    add_items(cast.project, [{"id": "plain0", "prompt": "words"}])
    path = tmp_path / "gold.jsonl"
    path.write_text('{"id": "plain0", "answers": {"prompt_harm": "safe"}}\n')
    call_command("import_gold", "guard", str(path), "--as", "gold")
    assert "1 imported" in capsys.readouterr().out
    item = Item.objects.get(external_id="plain0")
    assert (item.purpose, item.wanted, item.gold.answers) == (Purpose.GOLD, 0, SAFE)
    call_command("import_gold", "guard", str(path), "--as", "gold")
    assert "1 already there" in capsys.readouterr().out
    path.write_text('{"id": "plain0", "answers": {"prompt_harm": "safe"}}\n{"id": "no", "answers": {}}\n')
    with pytest.raises(CommandError, match="line 2, answers"):
        call_command("import_gold", "guard", str(path), "--as", "gold")
