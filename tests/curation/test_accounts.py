"""P7: every label leads to its votes, every item is exported or counted once. And what the cells hold."""

import json

import polars as pl
import pytest

from annotate.models import Annotation, Item, Label, Question, Source
from annotate.questions import add_question
from curation.card import REASONS, card


def data(tmp_path, side: str) -> pl.DataFrame:
    return pl.read_parquet(tmp_path / f"mix/data/{side}-*.parquet")


def everything(tmp_path) -> pl.DataFrame:
    return pl.concat([data(tmp_path, "train"), data(tmp_path, "test")]).sort("id", "part")


@pytest.fixture
def mixed(rows, project):
    """Items of every fate."""
    many = rows.labelled(60)
    rows.label(many[:30], "response_refusal", "refusal")
    rows.labelled(10, "de", lang="de")
    rows.add([{"id": f"bare {n}"} for n in range(7)])
    tied = rows.labelled(5, "tied")
    Label.objects.filter(item__in=tied).update(state="contested", value=None)
    few = rows.labelled(4, "few")
    Label.objects.filter(item__in=few).update(state="too_few", value=None)
    gone = rows.labelled(3, "gone", source="gone")
    Source.objects.filter(name="gone").update(withdrawn=True)
    jury = rows.labelled(6, "jury")
    Label.objects.filter(item__in=jury).update(
        source="jury", votes=[{"verdict": 77, "voter": "guard", "value": "safe"}]
    )
    unsure = rows.add([{"id": f"unsure {n}"} for n in range(2)])
    rows.label(unsure, "prompt_harm", "unsure")
    blocked = rows.labelled(2, "blocked")
    Item.objects.filter(pk__in=[item.pk for item in blocked]).update(blocked=True)
    known = rows.labelled(3, "known")
    Item.objects.filter(pk__in=[item.pk for item in known]).update(purpose="gold")
    assert len(gone) == 3


RECIPE = "filters:\n  lang: en\n  blocked: exclude\nlabels: human\nbalance: prompt_harm\n"


def test_p7_every_item_is_exported_or_counted_under_one_reason(mixed, build, tmp_path):
    manifest = build(RECIPE)
    dropped = manifest["dropped"]
    assert dropped.pop("not_in_cell_quota") == 20
    assert dropped == {
        "filtered_out.lang": 10,
        "no_label": 7,
        "contested": 5,
        "too_few": 4,
        "withdrawn": 3,
        "known_answer": 3,
        "other_label_source": 6,
        "unsure": 2,
        "blocked_excluded": 2,
    }
    items = manifest["items"]
    assert items["total"] == Item.objects.count() == items["exported"] + items["dropped"]
    assert items["dropped"] == 20 + sum(dropped.values())
    assert items["exported"] == items["train"] + items["test"] == everything(tmp_path)["id"].n_unique()


def test_p7_wanted_available_and_taken_are_what_the_files_hold(mixed, build, tmp_path):
    manifest = build(RECIPE.replace("balance: prompt_harm", "balance: prompt_harm\nper_cell: 30"))
    for cell in manifest["cells"]:
        found = data(tmp_path, cell["side"]).filter(prompt_harm=cell["cell"]["prompt_harm"]).height
        assert found == cell["taken"] == min(cell["wanted"], cell["available"])
        assert cell["wanted"] == {"train": 27, "test": 3}[cell["side"]]
    assert sum(cell["taken"] for cell in manifest["cells"]) == sum(manifest["rows"].values())


def test_p7_every_exported_label_leads_to_existing_votes_that_say_the_same(mixed, build, tmp_path):
    build("filters:\n  blocked: exclude\n")
    lineage = pl.read_parquet(tmp_path / "mix/lineage.parquet")
    rows = everything(tmp_path)
    for question in ("prompt_harm", "response_refusal"):
        labels = rows.select("id", "part", pl.col(question).alias("value")).drop_nulls("value")
        traced = lineage.filter(question=question).with_columns(pl.col("value").str.json_decode(pl.String))
        assert labels.sort("id").equals(traced.select("id", "part", "value").sort("id"))
    assert lineage.height == rows.height + 30
    human = lineage.filter(vote_kind="annotation")
    votes = Annotation.objects.in_bulk(human["vote_id"].to_list())
    items = {item.external_id: item.pk for item in Item.objects.all()}
    for row in human.iter_rows(named=True):
        vote = votes[row["vote_id"]]
        assert vote.item_id == items[row["id"]]
        assert json.loads(row["value"]) == vote.answers[row["question"]] == json.loads(row["vote_value"])
        assert row["taxonomy_version"] == str(vote.taxonomy_version)
    machine = lineage.filter(vote_kind="verdict")
    assert machine["vote_id"].to_list() == [77] * 6
    assert machine["label_source"].unique().to_list() == ["jury"]


def test_absent_is_null_and_unsure_is_said_as_such(rows, build, tmp_path):
    items = rows.labelled(20)
    rows.label(items[:3], "hazard_categories", ["violence", "fraud"])
    rows.label(items[3:4], "hazard_categories", "unsure")
    rows.label(items[4:5], "hazard_categories", [])
    rows.label(items[5:6], "response_harm", "unsure")
    build()
    found = {row["id"]: row for row in everything(tmp_path).to_dicts()}
    assert found["i00000"]["hazard_categories"] == ["fraud", "violence"]
    assert found["i00003"]["hazard_categories"] == ["unsure"]
    assert found["i00004"]["hazard_categories"] == []
    assert found["i00006"]["hazard_categories"] is None
    assert found["i00005"]["response_harm"] == "unsure"
    assert found["i00006"]["response_harm"] is None
    assert found["i00006"]["response_harm_source"] is None
    assert found["i00006"]["group"] is None


def test_values_of_other_types_stay_apart(rows, project, build, tmp_path):
    add_question(project, {"code": "level", "kind": "choice", "options": [1, 2, "1"]})
    items = rows.labelled(20)
    rows.label(items[:5], "level", 1)
    rows.label(items[5:10], "level", "1")
    build()
    assert set(everything(tmp_path)["level"].drop_nulls()) == {"1", '"1"'}
    build("filters:\n  label.level: '1'\n")
    assert everything(tmp_path)["id"].to_list() == [f"i{n:05d}" for n in range(5, 10)]


def test_a_question_called_like_a_column_gets_another_column(rows, project, build, tmp_path):
    add_question(project, {"code": "text", "kind": "text"})
    items = rows.labelled(20)
    rows.label(items[:5], "text", 'said "so"')
    build()
    assert everything(tmp_path)["label_text"].drop_nulls().to_list() == ['said "so"'] * 5


def test_labels_of_parts_give_a_row_for_each_part(rows, project, build, tmp_path):
    items = rows.add([{"id": f"i{n}"} for n in range(20)])
    for part in ("a", "b"):
        asked = Question.objects.get(project=project, code="prompt_harm")
        Label.objects.bulk_create(
            Label(item=item, question=asked, part=part, state="settled", value="safe", source="imported")
            for item in items
        )
    manifest = build()
    assert everything(tmp_path).select("id", "part").n_unique() == 40
    assert manifest["items"]["exported"] == 20
    assert sum(manifest["rows"].values()) == 40


def test_dialogues_and_pairs_keep_their_structure(rows, build, tmp_path):
    turns = [{"role": "user", "text": "hello\u2028there"}, {"role": "agent", "text": "🔪 <b>\t\\"}]
    items = rows.add(
        [
            {"id": "talk", "kind": "dialogue", "content": {"turns": turns, "prompt": None}},
            {"id": "pair", "kind": "pair", "content": {"response": "no"}},
            {"id": "one more"},
        ]
    )
    Item.objects.filter(pk=items[0].pk).update(content={"turns": turns})
    rows.label(items, "prompt_harm", "safe")
    build("test_share: 0\n")
    found = {row["id"]: row for row in data(tmp_path, "train").to_dicts()}
    assert found["talk"]["turns"] == turns
    assert found["talk"]["prompt"] is None
    assert found["pair"]["response"] == "no"
    lines = (tmp_path / "mix/data/train.jsonl").read_bytes().decode().split("\n")[:-1]
    assert [json.loads(line) for line in lines] == [found[item] for item in sorted(found)]
    assert lines == [json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":")) for line in lines]


def test_without_labels_every_item_goes_out_bare(rows, build, tmp_path):
    rows.labelled(10)
    rows.add([{"id": "bare"}])
    build("labels: none\n")
    assert everything(tmp_path).height == 11
    assert "prompt_harm" not in everything(tmp_path).columns
    assert pl.read_parquet(tmp_path / "mix/lineage.parquet").is_empty()


def test_items_whose_other_labels_rule_a_question_out_balance_as_none(rows, build, tmp_path):
    items = rows.labelled(60)
    unsafe = [item for item in items if item.pk % 3 == 0]
    rows.label(unsafe, "hazard_categories", lambda item: ["fraud"] if item.pk % 2 else ["violence"])
    manifest = build("balance: [prompt_harm, hazard_categories]\nper_cell: 5\n")
    taken = {tuple(cell["cell"].values()): 0 for cell in manifest["cells"]}
    for cell in manifest["cells"]:
        taken[tuple(cell["cell"].values())] += cell["taken"]
    assert set(taken) == {("safe", "(none)"), ("unsafe", "fraud"), ("unsafe", "violence")}
    assert (
        everything(tmp_path).filter(prompt_harm="safe")["hazard_categories"].null_count()
        == taken["safe", "(none)"]
    )


def test_balance_by_metadata_language_and_kind(rows, build):
    rows.labelled(30, "x", meta={"level": 1})
    rows.labelled(30, "y", meta={"level": "1"}, lang="de")
    rows.labelled(30, "z", lang="de")
    cells = build("balance: [meta.level, lang]\nper_cell: 10\n")["cells"]
    assert [list(cell["cell"].values()) for cell in cells[::2]] == [["1", "de"], [1, "en"], [None, "de"]]
    assert build("filters:\n  meta.level: 1\n")["dropped"] == {"filtered_out.meta.level": 60}


def test_the_card_explains_every_reason_and_shows_hostile_names_as_text(rows, build, tmp_path):
    rows.labelled(10, source="a | b\n# <script>", license="MIT")
    manifest = build()
    text = (tmp_path / "mix/README.md").read_text()
    assert "a \\| b # &lt;script&gt;" in text
    assert "license: mit" in text
    for reason in REASONS:
        assert REASONS[reason] in card(manifest | {"dropped": {reason: 1}})
