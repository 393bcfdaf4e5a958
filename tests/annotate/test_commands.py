"""The commands of the main job, in this process and through manage.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from annotate.models import Annotation, Item, Project, Question

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_create_project_makes_the_templates_questions(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_taxonomies")
    voters = ["--voters", "pooled", "--overlap", "5", "--quorum", "3", "--title", "My guard"]
    call_command("create_project", "guard", "--template", "dialogue", "--taxonomy", "wildguard", *voters)
    project = Project.objects.get(slug="guard")
    assert (project.title, project.overlap, project.quorum, project.voters) == ("My guard", 5, 3, "pooled")
    assert project.taxonomy_version.taxonomy.code == "wildguard"
    assert "dialogue_harm" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["p", "--template", "plain"], "a project 'p' already"),
        (["q", "--template", "dialogue", "--taxonomy", "nothing"], "No published taxonomy 'nothing'"),
        (["no slug", "--template", "plain"], "slug"),
        (["s" * 61, "--template", "plain"], "slug"),
        (["q", "--template", "plain", "--overlap", "-1"], "overlap"),
    ],
)
def test_p12_a_project_that_cannot_be_is_refused(words: list[str], says: str) -> None:
    call_command("create_project", "p", "--template", "plain")
    with pytest.raises(CommandError, match=says):
        call_command("create_project", *words)
    assert Project.objects.count() == 1


@pytest.mark.django_db
def test_add_question_takes_the_answers_under_which_it_is_asked() -> None:
    call_command("create_project", "p", "--template", "plain")
    call_command("add_question", "p", "harm", "--kind", "choice", "--options", "0,1")
    words = ["evidence", "--kind", "spans", "--optional", "--if", "harm=1", "--if", "harm=unsure"]
    call_command("add_question", "p", *words)
    condition = [{"question": "harm", "is": 1}, {"question": "harm", "is": "unsure"}]
    assert Question.objects.get(code="evidence").condition == condition
    for bad in ("harm=2", "harm", "mood=1", "evidence=1"):
        with pytest.raises(CommandError, match="--if"):
            call_command("add_question", "p", "more", "--kind", "text", "--if", bad)


@pytest.mark.django_db
def test_add_question_reads_numbers_text_and_quotes() -> None:
    call_command("create_project", "p", "--template", "plain")
    call_command("add_question", "p", "severity", "--kind", "choice", "--options=-1,0,1.5", "--ordinal")
    call_command("add_question", "p", "code", "--kind", "choice", "--options", '"1","a, b",007,true')
    severity, code = Question.objects.order_by("position")
    assert (severity.options, severity.ordinal, severity.required) == ([-1, 0, 1.5], True, True)
    assert json.dumps(code.options) == '["1", "a, b", "007", true]'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["p", "label", "--kind", "choice"], "at least two options"),
        (["p", "label", "--kind", "choice", "--options", "a,,b"], "a,b,c"),
        (["p", "label", "--kind", "choice", "--options", '"a,b'], "double quotes"),
        (["p", "label", "--kind", "choice", "--options", "1,1.0"], "the same number"),
        (["p", "Label", "--kind", "text"], "small letters"),
        (["p", "label", "--kind", "categories"], "no taxonomy"),
        (["nope", "label", "--kind", "text"], "no project 'nope'; there are: p"),
        (["p", "label", "--kind", "text", "--text", "x" * 501], "text"),
    ],
)
def test_p12_a_question_that_cannot_be_asked_is_refused(words: list[str], says: str) -> None:
    call_command("create_project", "p", "--template", "plain")
    with pytest.raises(CommandError, match=says):
        call_command("add_question", *words)
    assert not Question.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "words", [["--map", "text"], ["--map", "=text"], ["--map", "a=b", "--map", "a=c"], ["--map", "nothing=text"]]
)
def test_p12_a_map_that_maps_nothing_is_refused(words: list[str], tmp_path: Path) -> None:
    call_command("create_project", "p", "--template", "plain")
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n')
    with pytest.raises(CommandError):
        call_command("import_items", "p", str(path), *words)
    assert not Item.objects.exists()


@pytest.mark.django_db
def test_p12_a_file_that_is_not_there_or_a_reject_file_in_no_folder_is_refused(tmp_path: Path) -> None:
    call_command("create_project", "p", "--template", "plain")
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("import_items", "p", str(tmp_path / "nothing.jsonl"))
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n')
    with pytest.raises(CommandError, match="reject file"):
        call_command("import_items", "p", str(path), "--reject-file", str(tmp_path / "no" / "rejects.jsonl"))
    assert not Item.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_main_job_runs_through_manage_py(tmp_path: Path) -> None:
    """Real processes on the tests' database: project, question, items, annotations, agreement, Label Studio."""
    (tmp_path / "items.jsonl").write_text('{"id": "a", "text": "x"}\n{"id": "b", "text": "y"}\n')
    labels = [{"item": i, "annotator": who, "label": "yes"} for i in "ab" for who in ("p", "q")]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(label) + "\n" for label in labels))

    manage("create_project", "job", "--template", "plain")
    manage("add_question", "job", "label", "--kind", "choice", "--options", "yes,no")
    assert "2 imported" in manage("import_items", "job", str(tmp_path / "items.jsonl"))
    assert "4 imported" in manage("import_annotations", "job", str(tmp_path / "labels.jsonl"))
    assert json.loads(manage("agreement", "job", "--format", "json"))[0]["raters"] == 2
    manage("export_label_studio", "job", "--out", str(tmp_path / "ls"))
    tasks = tmp_path / "ls" / "tasks.json"
    assert len(json.loads(tasks.read_text())) == 2
    manage("create_project", "copy", "--template", "plain")
    manage("add_question", "copy", "label", "--kind", "choice", "--options", "yes,no")
    manage("import_items", "copy", str(tmp_path / "items.jsonl"))
    assert "4 imported" in manage("import_annotations", "copy", str(tasks), "--format", "label-studio")
    assert Annotation.objects.filter(item__project__slug="copy", answers={"label": "yes"}).count() == 4

    failed = run("import_items", "job", str(tmp_path / "labels.jsonl"))
    assert failed.returncode == 1
    assert "line 1, id: id is missing" in failed.stderr
    assert "Traceback" not in failed.stderr


def manage(*words: str) -> str:
    done = run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url()},
        capture_output=True,
        text=True,
        timeout=120,
    )


def database_url() -> str:
    """The tests' own database, as an address."""
    of = connection.settings_dict
    host = f"?host={of['HOST']}" if of["HOST"].startswith("/") else ""
    address = "" if host else of["HOST"]
    return f"postgresql://{of['USER']}:{of['PASSWORD']}@{address}:{of['PORT'] or 5432}/{of['NAME']}{host}"
