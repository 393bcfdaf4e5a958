"""Labels made elsewhere come in with their annotators, repeats and types; once, and all or nothing (P12)."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate

from annotate.errors import ImportRefused
from annotate.import_annotations import Names, import_annotations
from annotate.import_items import import_rows
from annotate.import_summary import ImportSummary, RowsRejected
from annotate.models import Annotation, Item, Project, Question, User
from annotate.questions import NewProject, add_question, create_project
from annotate.typed_values import read_options

pytestmark = pytest.mark.django_db

Import = Callable[..., ImportSummary]


@pytest.fixture
def project() -> Project:
    project = create_project(NewProject(slug="p", template="plain"))
    import_rows(project, [{"id": name, "text": f"text of {name}"} for name in "abc"])
    return project


@pytest.fixture
def ask(project: Project) -> Callable[..., Question]:
    def ask(code: str, options: str = "", kind: str = "choice") -> Question:
        described = {"code": code, "kind": kind} | ({"options": read_options(options)} if options else {})
        return add_question(project, described)

    return ask


@pytest.fixture
def take(project: Project, tmp_path: Path) -> Import:
    def take(*rows: Any, names: Names | None = None, **options: Any) -> ImportSummary:
        path = tmp_path / "labels.jsonl"
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return import_annotations(project, path, names=names, **options)

    return take


def row(item: str, annotator: str, **answers: Any) -> dict[str, Any]:
    return {"item": item, "annotator": annotator, **answers}


def stored() -> list[tuple[Any, ...]]:
    fields = ("item__external_id", "annotator__username", "part", "repeat", "answers")
    return list(Annotation.objects.order_by("id").values_list(*fields))


def refused(take: Import, *rows: Any, names: Names | None = None) -> str:
    with pytest.raises(RowsRejected) as problem:
        take(*rows, names=names)
    assert not Annotation.objects.exists()
    return str(problem.value.summary.rejections[0])


def test_a_row_becomes_a_judgement_of_somebody_who_cannot_sign_in(
    ask: Any, take: Import, project: Project
) -> None:
    ask("label", "yes,no")
    summary = take(row("a", "ann", label="yes", country="X"), row("b", "ann", label="no"))
    assert (summary.read, summary.imported) == (2, 2)
    assert stored() == [("a", "p/ann", "", 0, {"label": "yes"}), ("b", "p/ann", "", 0, {"label": "no"})]
    assert summary.notes == ["Not imported: country."]
    person = User.objects.get(username="p/ann")
    assert (person.is_active, person.has_usable_password(), person.imported_into) == (False, False, project)
    assert person.shown_name == "ann"
    assert authenticate(username="p/ann", password="") is None
    assert set(Annotation.objects.values_list("exposure", flat=True)) == {"imported"}
    assert list(Item.objects.filter(labels_stale=True).order_by("external_id").values_list("external_id")) == [
        ("a",),
        ("b",),
    ]


def test_further_judgements_by_one_annotator_are_repeats_in_the_order_of_the_file(ask: Any, take: Import) -> None:
    ask("label", "yes,no")
    take(
        row("a", "x", label="yes"), row("a", "y", label="no"), row("a", "x", label="no"), row("a", "x", label="no")
    )
    assert [(repeat, answers["label"]) for _, who, _, repeat, answers in stored() if who == "p/x"] == [
        (0, "yes"),
        (1, "no"),
        (2, "no"),
    ]


def test_the_same_file_twice_stores_nothing_twice(ask: Any, take: Import) -> None:
    ask("label", "yes,no")
    rows = [row("a", "x", label="yes"), row("a", "x", label="yes"), row("b", "x", label="no")]
    take(*rows)
    before = list(Annotation.objects.order_by("id").values())
    summary = take(*rows)
    assert (summary.imported, summary.already_there) == (0, 3)
    assert list(Annotation.objects.order_by("id").values()) == before


def test_a_later_file_counts_repeats_on_and_says_so(ask: Any, take: Import) -> None:
    ask("label", "yes,no")
    take(row("a", "x", label="yes"))
    summary = take(row("a", "x", label="no"))
    assert [repeat for *_, repeat, _ in stored()] == [0, 1]
    assert any("only first judgements vote" in note for note in summary.notes)


def test_a_part_column_makes_judgements_of_parts_instead_of_repeats(ask: Any, take: Import) -> None:
    ask("label", "yes,no")
    rows = [row("a", "x", label="yes", model=model) for model in ("m1", "m2")]
    take(*rows, names=Names(part_column="model"))
    assert [(part, repeat) for _, _, part, repeat, _ in stored()] == [("m1", 0), ("m2", 0)]


def test_question_and_value_rows_make_one_judgement(ask: Any, take: Import) -> None:
    ask("label", "yes,no")
    ask("mood", "good,bad")
    rows = [
        row("a", "x", question="label", value="yes"),
        row("b", "x", question="label", value="no"),
        row("a", "x", question="mood", value="bad"),
        row("a", "x", question="mood", value="good"),
        row("a", "x", question="colour", value="red"),
    ]
    summary = take(*rows)
    assert stored() == [
        ("a", "p/x", "", 0, {"label": "yes", "mood": "bad"}),
        ("b", "p/x", "", 0, {"label": "no"}),
        ("a", "p/x", "", 1, {"mood": "good"}),
    ]
    assert (summary.read, summary.imported, summary.without_answer) == (5, 4, 1)
    assert take(*rows).already_there == 4


def test_names_of_questions_and_values_are_mapped(ask: Any, take: Import) -> None:
    ask("harm", "safe,unsafe")
    ask("tone", "kind,safe")
    names = Names({"label": "harm"}, ["hateful=unsafe", "label:fine=safe"])
    take(row("a", "x", label="hateful"), row("b", "x", label="fine"), names=names)
    assert [answers for *_, answers in stored()] == [{"harm": "unsafe"}, {"harm": "safe"}]
    with pytest.raises(RowsRejected):
        take(row("a", "x", label="hateful", tone="fine"), names=names)


def test_absent_stays_absent_and_unsure_stays_unsure(ask: Any, take: Import) -> None:
    ask("label", "0,1")
    summary = take(
        row("a", "x", label=None),
        row("b", "x", label="unsure"),
        row("c", "x", label=-1),
        row("c", "y", label=0),
        names=Names(values=["-1="]),
    )
    assert [answers for *_, answers in stored()] == [{"label": "unsure"}, {"label": 0}]
    assert (summary.imported, summary.without_answer) == (2, 2)
    assert summary.read == 4


def test_options_take_the_type_that_the_first_file_uses(ask: Any, take: Import) -> None:
    ask("label", "0,1")
    summary = take(row("a", "x", label="1"))
    assert Question.objects.get(code="label").options == ["0", "1"]
    assert any('now "0", "1"' in note for note in summary.notes)
    with pytest.raises(RowsRejected) as problem:
        take(row("b", "x", label=1))
    said = str(problem.value.summary.rejections[0])
    assert said == 'line 1, label: 1 is not one of "0", "1"; it has another type than "1"'


def test_numbers_and_text_in_one_file_are_refused_not_merged(ask: Any, take: Import) -> None:
    ask("label", "0,1")
    said = refused(take, row("a", "x", label=1), row("b", "x", label="1"))
    assert said.startswith('line 2, label: "1" is text, but label had a number in line 1')
    assert Question.objects.get(code="label").options == [0, 1]
    for other in (1.0, True):
        assert "not one of 0, 1" in refused(take, row("a", "x", label=other))


def test_quoted_options_are_text_and_nothing_else(ask: Any, take: Import) -> None:
    ask("label", '"0","1"')
    assert 'it has another type than "1"' in refused(take, row("a", "x", label=1))


def test_an_unquoted_value_stands_for_the_type_met_first(ask: Any, take: Import) -> None:
    ask("harm", "safe,unsafe")
    names = Names({"label": "harm"}, ["1=unsafe", "0=safe"])
    assert "but harm had text in line 1" in refused(
        take, row("a", "x", label="1"), row("b", "x", label=0), names=names
    )
    quoted = Names({"label": "harm"}, ['"1"=unsafe'])
    assert "not one of" in refused(take, row("a", "x", label=1), names=quoted)
    take(row("a", "x", label=1), row("b", "x", label=0), names=names)
    assert [answers["harm"] for *_, answers in stored()] == ["unsafe", "safe"]


def test_options_with_stored_answers_keep_their_type(ask: Any, take: Import) -> None:
    ask("label", "0,1")
    take(row("a", "x", label=1))
    with pytest.raises(RowsRejected):
        take(row("b", "x", label="1"))
    assert Question.objects.get(code="label").options == [0, 1]


def test_booleans_and_spans_of_published_sets_are_read(ask: Any, take: Import) -> None:
    ask("toxic", "true,false")
    ask("spans", kind="spans")
    take(row("a", "x", toxic=True, spans=[["Insult", 0, 4]]))
    assert stored()[0][-1] == {"toxic": True, "spans": [{"start": 0, "end": 4, "label": "Insult"}]}
    with pytest.raises(RowsRejected) as problem:
        take(row("b", "x", spans=[["Insult", 0, 4_000]]))
    assert "a span ends beyond the text" in str(problem.value.summary.rejections[0])


def test_lists_in_csv_cells_are_json(taxonomy: Any, tmp_path: Path) -> None:
    project = create_project(NewProject(slug="q", template="prompt-response", taxonomy="small"))
    import_rows(project, [{"id": "a", "prompt": "x"}])
    path = tmp_path / "labels.csv"
    with path.open("w", newline="") as file:
        cells = [
            ["item", "annotator", "prompt_harm", "hazard_categories"],
            ["a", "x", "unsafe", '["fraud"]'],
            ["a", "y", "safe", ""],
        ]
        csv.writer(file).writerows(cells)
    import_annotations(project, path)
    assert [answers for *_, answers in stored()] == [
        {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]},
        {"prompt_harm": "safe"},
    ]
    assert Annotation.objects.first().taxonomy_version == taxonomy


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row("nowhere", "x", label="yes"), "line 2, item: the project has no item"),
        (row("b", "", label="yes"), "line 2, annotator:"),
        ({"item": "b", "label": "yes"}, "line 2, annotator: annotator is missing"),
        (row("b", "x" * 160, label="yes"), "line 2, annotator:"),
        (row("b", "x", label="maybe"), 'line 2, label: "maybe" is not one of'),
        (row("b", "x", label=["yes"]), "line 2, label:"),
        ("{cut", "line 2"),
    ],
)
def test_p12_a_bad_row_is_named_and_nothing_is_stored(ask: Any, take: Import, bad: Any, says: str) -> None:
    ask("label", "yes,no")
    assert refused(take, row("a", "x", label="yes"), bad).startswith(says)
    assert not User.objects.filter(username__startswith="p/").exists()
    assert not Item.objects.filter(labels_stale=True).exists()


def test_with_a_reject_file_the_rest_comes_in(ask: Any, take: Import, tmp_path: Path) -> None:
    ask("label", "yes,no")
    rejects = tmp_path / "rejects.jsonl"
    summary = take(row("a", "x", label="yes"), row("b", "x", label="maybe"), reject_file=rejects)
    assert (summary.read, summary.imported, summary.rejected) == (2, 1, 1)
    assert json.loads(rejects.read_text())["line"] == 2


def test_a_file_or_a_name_that_fits_no_question_is_refused_with_what_there_is(ask: Any, take: Import) -> None:
    ask("label", "yes,no")
    good = row("a", "x", label="yes")
    with pytest.raises(ImportRefused, match=r"Columns: colour\. Questions: label"):
        take(row("a", "x", colour="red"))
    with pytest.raises(ImportRefused, match="the questions are label"):
        take(good, names=Names({"colour": "tone"}))
    with pytest.raises(ImportRefused, match="--question colour=label: the file has only label"):
        take(good, names=Names({"colour": "label"}))
    with pytest.raises(ImportRefused, match='label: "yes", "no"'):
        take(good, names=Names(values=["red=green"]))


def test_the_spans_of_real_annotators_come_in_without_the_dirty_ones(
    ask: Any, project: Project, shared_data: Path, tmp_path: Path
) -> None:
    from annotate.import_items import import_items

    ask("spans", kind="spans")
    ask("all_toxic", "true,false")
    import_items(project, shared_data / "toxic_spans.items.jsonl.gz")
    path = shared_data / "toxic_spans.labels.jsonl.gz"
    with pytest.raises(RowsRejected):
        import_annotations(project, path)
    assert not Annotation.objects.exists()
    summary = import_annotations(project, path, reject_file=tmp_path / "rejects.jsonl")
    assert summary.read == 59_215 == summary.imported + summary.rejected
    assert 0 < summary.rejected < 600
