"""Items come in whole, once, and by one road; bad input leaves everything as it was (P12)."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotate.errors import ImportRefused
from annotate.import_items import import_items, import_rows, item_rank
from annotate.import_summary import RowsRejected
from annotate.models import Item, Project, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return Project.objects.create(slug="p", title="P", overlap=3)


def written(folder: Path, rows: list[Any], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


GOOD = [
    {"id": "a", "text": "one", "score": 1.0, "group": "g", "lang": "en"},
    {"id": "b", "prompt": "two", "response": "three", "license": "MIT", "source": "s", "use": "test"},
    {"id": "c", "turns": [{"role": "user", "text": "four"}], "parent": "a"},
]


def test_rows_become_items_with_overlap_rank_and_source(project: Project) -> None:
    summary = import_rows(project, GOOD)
    assert (summary.read, summary.imported, summary.already_there, summary.rejected) == (3, 3, 0, 0)
    a, b, c = Item.objects.order_by("external_id")
    assert (a.kind, b.kind, c.kind) == ("text", "pair", "dialogue")
    assert b.content == {"prompt": "two", "response": "three"}
    assert json.dumps(a.meta) == '{"score": 1.0}'
    assert (a.group_key, a.lang, c.parent) == ("g", "en", "a")
    assert (b.source.name, b.source.licence, b.source.use) == ("s", "MIT", "test")
    assert {item.wanted for item in (a, b, c)} == {3}
    assert a.rank == item_rank("p", "a")
    assert len({a.rank, b.rank, c.rank, item_rank("other", "a")}) == 4
    assert Source.objects.count() == 2


def test_the_same_file_twice_changes_nothing(project: Project) -> None:
    import_rows(project, GOOD)
    before = list(Item.objects.values())
    summary = import_rows(project, GOOD)
    assert (summary.imported, summary.already_there, summary.rejected) == (0, 3, 0)
    assert list(Item.objects.values()) == before
    assert Source.objects.count() == 2


def test_p12_an_id_with_other_content_is_refused_and_names_its_line(project: Project) -> None:
    import_rows(project, GOOD)
    with pytest.raises(RowsRejected) as refused:
        import_rows(project, [{"id": "new", "text": "x"}, {"id": "a", "text": "changed"}])
    (rejection,) = refused.value.summary.rejections
    assert (rejection.line, rejection.field) == (2, "id")
    assert Item.objects.get(external_id="a").content == {"text": "one"}
    assert not Item.objects.filter(external_id="new").exists()


def test_p12_one_bad_row_of_many_leaves_the_project_untouched(project: Project, tmp_path: Path) -> None:
    rows = [{"id": str(n), "text": "t", "source": f"s{n % 7}"} for n in range(5_000)]
    path = written(tmp_path, [*rows, {"id": "bad", "text": "nul\0"}])
    with pytest.raises(RowsRejected, match="1 of 5001 rows") as refused:
        import_items(project, path)
    assert refused.value.summary.rejections[0].line == 5_001
    assert not Item.objects.exists()
    assert not Source.objects.exists()


def test_with_a_reject_file_the_good_rows_come_in_and_sums_add_up(project: Project, tmp_path: Path) -> None:
    import_rows(project, GOOD[:1])
    too_long, repeated = {"id": "e", "text": "x", "source": "s" * 301}, {"id": "b", "text": "x"}
    rows = [*GOOD, "{broken", {"id": "d"}, too_long, repeated]
    rejects = tmp_path / "rejects.jsonl"
    summary = import_items(project, written(tmp_path, rows), reject_file=rejects)
    assert (summary.imported, summary.already_there, summary.rejected) == (2, 1, 4)
    assert summary.read == summary.imported + summary.already_there + summary.rejected
    assert [json.loads(line)["line"] for line in rejects.read_text().splitlines()] == [4, 5, 6, 7]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rejects.jsonl", "rows.jsonl"]


def test_p12_a_refused_file_leaves_no_reject_file(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in GOOD).encode())
    path.write_bytes(whole[:-12])
    with pytest.raises(ImportRefused):
        import_items(project, path, reject_file=tmp_path / "rejects.jsonl")
    assert not Item.objects.exists()
    assert [found.name for found in tmp_path.iterdir()] == ["cut.jsonl.gz"]


def test_references_want_no_annotators_and_are_said_loudly(project: Project) -> None:
    summary = import_rows(project, [{"id": "1", "gold": 1}, {"id": "2"}])
    assert list(Item.objects.values_list("kind", "wanted").distinct()) == [("reference", 0)]
    assert any("WARNING" in note for note in summary.notes)
    with pytest.raises(RowsRejected):
        import_rows(project, [{"id": "3"}], allow_references=False)


def test_two_projects_may_hold_the_same_ids(project: Project) -> None:
    other = Project.objects.create(slug="q", title="Q")
    import_rows(project, GOOD)
    assert import_rows(other, GOOD).imported == 3


def test_every_published_set_imports_as_it_is(shared_data: Path) -> None:
    paths = sorted(shared_data.glob("*.items.jsonl.gz"))
    assert paths
    counts = Counter()
    for number, path in enumerate(paths):
        summary = import_items(Project.objects.create(slug=f"p{number}", title=path.name), path)
        assert summary.imported == summary.read > 0, path.name
        counts[path.name.removesuffix(".items.jsonl.gz")] = summary.imported
    assert (counts["hatecheck"], counts["convabuse"], counts["toxic_spans"]) == (3_901, 4_185, 16_100)


def test_the_command_shows_where_and_why_and_exits_with_an_error(project: Project, tmp_path: Path) -> None:
    path = written(tmp_path, [{"id": f"x{n}", "text": ""} for n in range(25)])
    with pytest.raises(CommandError) as refused:
        call_command("import_items", "p", str(path))
    assert "line 1, text:" in str(refused.value)
    assert str(refused.value).count("line ") == 20
    assert "and 5 more" in str(refused.value)
    with pytest.raises(CommandError, match="no project 'nope'; there are: p"):
        call_command("import_items", "nope", str(path))


def test_the_command_maps_names_and_writes_json(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, [{"key": "k", "body": "x", "text": "title"}])
    maps = [word for pair in ("key=id", "body=text", "text=title") for word in ("--map", pair)]
    call_command("import_items", "p", str(path), *maps, "--format", "json")
    summary = json.loads(capsys.readouterr().out)
    assert (summary["read"], summary["imported"]) == (1, 1)
    assert Item.objects.get().meta == {"title": "title"}
