"""Agreement of a project's annotators: published figures come out of the command, the rest is said in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotate.import_annotations import import_annotations
from annotate.import_items import import_rows
from annotate.measure_agreement import measure_agreement
from annotate.models import Annotation, Project
from annotate.questions import NewProject, add_question, create_project

pytestmark = pytest.mark.django_db


def figures(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    call_command("agreement", *words, "--format", "json")
    return json.loads(capsys.readouterr().out)


def test_hatecheck_fleiss_kappa_over_all_cases(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_project", "hc", "--template", "plain")
    call_command("add_question", "hc", "label", "--kind", "choice", "--options", "hateful,non-hateful")
    call_command("import_items", "hc", str(shared_data / "hatecheck.items.jsonl.gz"))
    call_command("import_annotations", "hc", str(shared_data / "hatecheck.labels.jsonl.gz"))
    (label,) = figures(capsys, "hc")
    assert (label["question"], label["items"], label["raters"]) == ("label", 3_901, 10)
    assert label["fleiss"]["value"] == pytest.approx(0.9285, abs=0.0006)
    assert label["fleiss"]["low"] < label["fleiss"]["value"] < label["fleiss"]["high"]


def test_hatecheck_into_the_prompt_response_template(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("load_taxonomies")
    call_command("create_project", "hp", "--template", "prompt-response")
    call_command("import_items", "hp", str(shared_data / "hatecheck.items.jsonl.gz"), "--map", "text=prompt")
    maps = ["--question", "label=prompt_harm", "--value", "hateful=unsafe", "--value", "non-hateful=safe"]
    call_command("import_annotations", "hp", str(shared_data / "hatecheck.labels.jsonl.gz"), *maps)
    (harm,) = figures(capsys, "hp", "--question", "prompt_harm")
    assert harm["fleiss"]["value"] == pytest.approx(0.9285, abs=0.0006)
    assert set(Annotation.objects.values_list("answers__prompt_harm", flat=True)) == {"safe", "unsafe"}


def test_convabuse_ordinal_alpha_of_first_judgements(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_project", "ca", "--template", "plain")
    scale = ["--kind", "choice", "--options", "1,0,-1,-2,-3", "--ordinal"]
    call_command("add_question", "ca", "severity", *scale)
    call_command("import_items", "ca", str(shared_data / "convabuse.items.jsonl.gz"))
    call_command("import_annotations", "ca", str(shared_data / "convabuse.labels.jsonl.gz"))
    # 345 pairs of annotator and dialogue were judged again, some of them twice.
    assert Annotation.objects.filter(repeat=1).count() == 345
    (severity,) = figures(capsys, "ca")
    assert severity["alpha_level"] == "ordinal"
    assert severity["alpha"]["value"] == pytest.approx(0.660, abs=0.0006)
    assert severity["fleiss"]["value"] is None
    assert severity["fleiss"]["reason"]


@pytest.fixture
def project() -> Project:
    project = create_project(NewProject(slug="p", template="plain"))
    import_rows(project, [{"id": str(n), "text": "some text"} for n in range(4)])
    add_question(project, {"code": "label", "kind": "choice", "options": ["a", "b"]})
    return project


def take(project: Project, folder: Path, *rows: dict[str, Any]) -> None:
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_annotations(project, path)


def row(item: int, annotator: str, **answers: Any) -> dict[str, Any]:
    return {"item": str(item), "annotator": annotator, **answers}


def test_unsure_counts_as_no_answer(project: Project, tmp_path: Path) -> None:
    values = ["a", "a", "b", "b"]
    sure = [row(n, who, label=value) for n, value in enumerate(values) for who in "xy"]
    take(project, tmp_path, *sure, row(0, "z", label="unsure"))
    (label,) = measure_agreement(project)
    assert (label["items"], label["raters"]) == (4, 2)
    assert label["alpha"]["value"] == pytest.approx(1.0)


def test_sets_spans_and_free_text_are_compared_or_said_not_to_be(project: Project, tmp_path: Path) -> None:
    add_question(project, {"code": "where", "kind": "spans"})
    add_question(project, {"code": "why", "kind": "text"})
    span = [["x", 0, 2]]
    rows = [row(n, who, where=span if n else [], why=who) for n in range(3) for who in "xy"]
    take(project, tmp_path, *rows)
    label, where, why = measure_agreement(project)
    assert label["alpha"]["value"] is None
    assert where["alpha"]["value"] == pytest.approx(1.0)
    assert why["alpha"] == {"value": None, "reason": "free text can't be compared"}


def test_so_many_different_answers_that_no_table_holds_them_are_said_to_be(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotate.measure_agreement.MOST_VALUES", 1)
    take(project, tmp_path, row(0, "x", label="a"), row(0, "y", label="b"))
    (label,) = measure_agreement(project)
    assert "2 different answers" in label["alpha"]["reason"]


def test_an_imported_annotator_and_a_member_of_one_name_are_two(project: Project, tmp_path: Path) -> None:
    from annotate.models import User

    take(project, tmp_path, row(0, "ann", label="a"))
    Annotation.objects.create(
        item=Annotation.objects.get().item,
        annotator=User.objects.create_user("ann"),
        answers={"label": "a"},
        exposure="blind",
        client_id="0" * 32,
    )
    (label,) = measure_agreement(project)
    assert label["raters"] == 2


def test_an_unknown_question_is_refused_with_those_there_are(project: Project) -> None:
    with pytest.raises(CommandError, match="it has: label"):
        call_command("agreement", "p", "--question", "nothing")
