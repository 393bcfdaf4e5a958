"""Out to Label Studio's format and back: nothing is lost that it can say, and the rest is listed."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotate.door.refuse import FileRefused, Rejection
from annotate.import_items import import_rows
from annotate.import_summary import RowsRejected
from annotate.label_studio.config import config_xml
from annotate.label_studio.export import FILES, ExportRefused, Prediction, Written, export_label_studio
from annotate.label_studio.layout import layout_of
from annotate.label_studio.read import import_tasks
from annotate.label_studio.read_array import read_array
from annotate.label_studio.sdk import ConfigRefused, annotation_check
from annotate.models import Annotation, Item, Project, Source, User
from annotate.questions import NewProject, add_question, create_project
from annotate.taxonomy import Draft, publish, write_draft
from jury.models import Juror, Verdict

pytestmark = pytest.mark.django_db

TEXT = "an 👩🏽 emoji, and words"
TYPED = [1, "1", False, "false", "yes", "1.0", "null", '"1"', " x", "a\tb", "<&'"]
QUESTIONS = [
    {"code": "typed", "kind": "choice", "options": TYPED},
    {"code": "scale", "kind": "scale", "options": [-1, 0, 1.5]},
    {"code": "hazards", "kind": "categories", "required": False},
    {"code": "which", "kind": "turns", "required": False},
    {"code": "where", "kind": "spans", "required": False},
    {"code": "text", "kind": "text", "required": False},
]
ITEMS = [
    {"id": "text", "text": TEXT},
    {"id": "pair", "prompt": TEXT, "response": TEXT},
    {"id": "talk", "turns": [{"role": "user", "text": "a"}, {"role": "bot", "text": "b"}]},
]


def make_project(slug: str) -> Project:
    project = create_project(NewProject(slug=slug, template="plain", taxonomy="small"))
    for question in QUESTIONS:
        add_question(project, question)
    import_rows(project, ITEMS)
    return project


@pytest.fixture
def project(taxonomy: Any) -> Project:
    return make_project("from")


def nobody(item_ids: Iterable[int]) -> list[Prediction]:
    return []


def judge(project: Project, item: str, who: str, answers: dict[str, Any], **more: Any) -> Annotation:
    """Store a person's judgement; a second one of the same item (and part) becomes a repeat."""
    person, _ = User.objects.get_or_create(username=who)
    judged = Item.objects.get(project=project, external_id=item)
    earlier = Annotation.objects.filter(item=judged, annotator=person, part=more.get("part", ""))
    fields = {"repeat": earlier.count(), "exposure": "blind", "client_id": uuid4()} | more
    return Annotation.objects.create(item=judged, annotator=person, answers=answers, **fields)


def there_and_back(project: Project, folder: Path) -> tuple[Written, Project]:
    written = export_label_studio(project, folder / "out", nobody)
    after = create_project(NewProject(slug=f"to-{uuid4()}", template="plain", taxonomy="small"))
    for question in project.questions.all():
        question.pk, question.project = None, after
        question.save()
    import_rows(after, ITEMS)
    if written.annotations:
        import_tasks(after, folder / "out" / "tasks.json")
    return written, after


def judgements(project: Project) -> list[str]:
    """Everything that the format can say of a project's annotations; the types of values included."""
    rows = Annotation.objects.filter(item__project=project).select_related("annotator", "item")
    return sorted(
        json.dumps(
            [row.item.external_id, row.annotator.shown_name, row.part, row.repeat, row.answers, row.seconds],
            sort_keys=True,
        )
        for row in rows
    )


def spans(parts: list[str]) -> st.SearchStrategy[Any]:
    labels = st.sampled_from([{}, {"label": "rude"}, {"label": "null"}, {"label": '<&"x'}])
    some_parts = st.sampled_from([{}, *({"part": part} for part in parts)])
    span = st.builds(
        lambda start, length, label, part: {"start": start, "end": start + length} | label | part,
        st.integers(0, 5),
        st.integers(1, 5),
        labels,
        some_parts,
    )
    return st.just("unsure") | st.lists(span, max_size=3)


def judgement(item: str, spans: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    answers = {
        "typed": st.sampled_from([*TYPED, "unsure"]),
        "scale": st.sampled_from([-1, 0, 1.5, "unsure"]),
        "hazards": st.just("unsure") | st.lists(st.sampled_from(["fraud", "privacy", "violence"]), unique=True),
        "which": st.just("unsure") | st.lists(st.integers(0, 1), unique=True),
        "where": spans,
        "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    }
    return st.tuples(
        st.just(item),
        st.sampled_from(["ann", "bob b"]),
        st.fixed_dictionaries({}, optional=answers).filter(bool),
        st.none() | st.floats(0, 1e6, allow_nan=False),
    )


SOME_JUDGEMENTS = st.lists(
    judgement("text", spans([])) | judgement("pair", spans(["response"])) | judgement("talk", st.just([])),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=SOME_JUDGEMENTS)
def test_what_the_format_can_say_comes_back_as_it_was(
    taxonomy: Any, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    before = make_project(f"from-{uuid4()}")
    for item, who, answers, seconds in rows:
        judge(before, item, who, answers, seconds=seconds)
    written, after = there_and_back(before, tmp_path_factory.mktemp("ls"))
    assert judgements(after) == judgements(before)
    assert written.annotations == len(rows)
    assert not any(what.startswith(("where", "annotations")) for what in written.not_carried)


def test_parts_and_repeats_come_back_in_their_order(project: Project, tmp_path: Path) -> None:
    for value in ("yes", 1, "1"):
        judge(project, "text", "x", {"typed": value})
    judge(project, "text", "x", {"typed": False}, part="m1", seconds=2.5)
    _, after = there_and_back(project, tmp_path)
    assert judgements(after) == judgements(project)


def test_people_with_one_full_name_stay_two(project: Project, tmp_path: Path) -> None:
    for who, value in (("ann", 1), ("anne", "yes")):
        User.objects.create_user(who, first_name="Ann", last_name="Lee")
        judge(project, "text", who, {"typed": value})
    _, after = there_and_back(project, tmp_path)
    annotations = Annotation.objects.filter(item__project=after)
    assert {a.annotator.shown_name: a.answers["typed"] for a in annotations} == {"ann": 1, "anne": "yes"}


def test_what_the_questions_no_longer_allow_and_what_cannot_be_said_is_counted(
    project: Project, tmp_path: Path
) -> None:
    judge(project, "text", "x", {"typed": "yes", "scale": 7, "gone": 1})
    judge(project, "talk", "x", {"typed": 1, "where": [{"start": 0, "end": 1}]})
    judge(project, "pair", "x", {"scale": 8})
    written, after = there_and_back(project, tmp_path)
    answers = Annotation.objects.filter(item__project=after).order_by("item").values_list("answers", flat=True)
    assert list(answers) == [{"typed": "yes"}, {"typed": 1}]
    lost = {entry["what"]: entry["count"] for entry in json.loads((tmp_path / "out" / FILES[2]).read_text())}
    assert lost["scale: answers that the project's questions don't allow any more"] == 2
    assert lost["gone: answers that the project's questions don't allow any more"] == 1
    assert lost["where: spans in what is not shown as a text of its own"] == 1
    assert lost["annotations of which nothing can be said"] == 1
    assert written.annotations == lost["what annotators had seen of the jury (exposure)"] == 2


def test_conditions_and_needed_answers_are_in_the_config(taxonomy: Any) -> None:
    pairs = create_project(NewProject(slug="pairs", taxonomy="small"))
    import_rows(pairs, [ITEMS[1]])
    hazards = pairs.questions.get(code="hazard_categories")
    both = config_xml(layout_of(pairs))
    assert 'name="prompt_harm" toName="item_prompt" required="true"' in both
    assert 'name="response_harm" toName="item_response" required="true"' in both
    # "or" over two questions can't be said.
    assert "visibleWhen" not in both
    pairs.questions.filter(pk=hazards.pk).update(condition=hazards.condition[:1])
    one = config_xml(layout_of(Project.objects.get(pk=pairs.pk)))
    assert 'visibleWhen="choice-selected" whenTagName="prompt_harm" whenChoiceValue="unsafe"' in one
    annotation_check(one)


def test_either_path_leads_to_a_category_with_two_parents(db: None, tmp_path: Path) -> None:
    groups = [{"code": code, "name": code, "kind": "group", "parents": []} for code in ("a", "b")]
    draft = Draft("cross", "Cross", "1", [*groups, {"code": "x", "name": "X", "parents": ["a", "b"]}])
    publish(write_draft(draft))
    project = create_project(NewProject(slug="cross", template="plain", taxonomy="cross"))
    add_question(project, {"code": "hazards", "kind": "categories"})
    import_rows(project, [ITEMS[0]])
    for paths in ([["b", "x"]], [["a", "x"], ["b", "x"]]):
        region = {"id": "1", "from_name": "hazards", "to_name": "item_text", "type": "taxonomy"}
        take_tasks(project, tmp_path, task_with([region | {"value": {"taxonomy": paths}}]))
    assert {str(a.answers) for a in Annotation.objects.all()} == {"{'hazards': ['x']}"}


def test_the_commands_carry_annotations_and_verdicts(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(project, "text", "x", {"typed": "1", "scale": 0})
    item = Item.objects.get(external_id="text")
    juror = Juror.objects.create(slug="cues", title="Cues", adapter="cues")
    said = {"answers": {"typed": 1, "hazards": ["fraud"]}, "probabilities": {"typed": {"1": 0.75}}}
    Verdict.objects.create(item=item, juror=juror, prompt_version="1", **said)
    Verdict.objects.create(item=item, juror=juror, prompt_version="2", failure="refused")
    call_command("export_label_studio", "from", "--out", str(tmp_path / "out"))
    said = capsys.readouterr().out
    assert "3 tasks, 1 annotations, 1 predictions" in said
    assert "verdicts without an answer: refused (1)" in said
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)
    fits = annotation_check((tmp_path / "out" / "config.xml").read_text())
    tasks = {task["data"]["id"]: task for task in json.loads((tmp_path / "out" / "tasks.json").read_text())}
    (prediction,) = tasks["text"]["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("cues@1", 0.75)
    assert fits(prediction)
    assert fits(tasks["text"]["annotations"][0])
    assert tasks["talk"]["data"]["turns"][1] == {"role": "bot", "text": "b"}
    make_project("to")
    call_command("import_annotations", "to", str(tmp_path / "out" / "tasks.json"), "--format", "label-studio")
    assert Annotation.objects.get(item__project__slug="to").answers == {"typed": "1", "scale": 0}


def test_p8_a_blocked_item_stops_the_export_and_a_withdrawn_source_stays_at_home(
    project: Project, tmp_path: Path
) -> None:
    Item.objects.filter(external_id="text").update(blocked=True)
    with pytest.raises(CommandError, match="1 blocked item"):
        call_command("export_label_studio", "from", "--out", str(tmp_path / "out"))
    assert not list(tmp_path.iterdir())
    withdrawn = Source.objects.create(project=project, name="withdrawn", withdrawn=True)
    Item.objects.filter(external_id="talk").update(source=withdrawn)
    written = export_label_studio(project, tmp_path / "out", nobody, exclude_blocked=True)
    (task,) = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert task["data"]["id"] == "pair"
    assert written.not_carried["blocked items"] == written.not_carried["items of withdrawn sources"] == 1


def test_p12_a_folder_with_other_files_is_left_alone_and_an_export_is_replaced(
    project: Project, tmp_path: Path
) -> None:
    export_label_studio(project, tmp_path / "out", nobody)
    export_label_studio(project, tmp_path / "out", nobody)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ExportRefused, match="other files"):
        export_label_studio(project, tmp_path / "out", nobody)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_the_sdk_checks_the_config() -> None:
    with pytest.raises(ConfigRefused, match="toName"):
        annotation_check('<View><Choices name="a" toName="b"><Choice value="c"/></Choices></View>')


def test_the_door_does_not_load_the_sdk() -> None:
    code = (
        "import django; django.setup(); import sys\n"
        "import annotate.label_studio.export, annotate.label_studio.read\n"
        "print([name for name in ('label_studio_sdk', 'cv2', 'pandas', 'faker') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


GOOD: list[dict[str, Any]] = [
    {"id": "1", "from_name": "typed", "to_name": "item_text", "type": "choices", "value": {"choices": ["yes"]}},
    {"id": "2", "from_name": "scale", "to_name": "item_text", "type": "choices", "value": {"choices": ["0"]}},
    {
        "id": "3",
        "from_name": "hazards",
        "to_name": "item_text",
        "type": "taxonomy",
        "value": {"taxonomy": [["harm", "fraud"]]},
    },
    {
        "id": "4",
        "from_name": "where__text",
        "to_name": "item_text",
        "type": "labels",
        "value": {"start": 0, "end": 2, "labels": ["x"]},
    },
]


def task_with(result: list[Any], **more: Any) -> dict[str, Any]:
    annotation = {"id": 9, "completed_by": 7, "result": result, **more}
    return {"data": {"id": "text", "text": TEXT}, "annotations": [annotation]}


def take_tasks(project: Project, folder: Path, *tasks: Any) -> Any:
    path = folder / "tasks.json"
    path.write_text(json.dumps(tasks))
    return import_tasks(project, path)


def changed(position: int, **changes: Any) -> Callable[[list[Any]], Any]:
    return lambda result: result[position].update(changes)


def valued(position: int, **changes: Any) -> Callable[[list[Any]], Any]:
    return lambda result: result[position]["value"].update(changes)


BAD: dict[str, Callable[[list[Any]], Any]] = {
    "unknown choice": valued(0, choices=["maybe"]),
    "unknown leaf": valued(2, taxonomy=[["harm", "nothing"]]),
    "wrong from_name": changed(0, from_name="nothing"),
    "wrong to_name": changed(0, to_name="nothing"),
    "wrong type": changed(0, type="rating"),
    "number beyond the scale": valued(1, choices=["7"]),
    "two labels on a span": valued(3, labels=["x", "y"]),
    "span label that is no text": valued(3, labels=[5]),
    "two values in a single choice": valued(0, choices=["yes", "1"]),
    "missing required verdict": lambda result: result.pop(0),
    "path that ends at a group": valued(2, taxonomy=[["harm"]]),
    "path that skips a node": valued(2, taxonomy=[["fraud"]]),
    "span beyond the text": valued(3, end=4_000),
    "span the wrong way round": valued(3, start=2, end=1),
    "span with another text": valued(3, text="other"),
    "duplicate region id": changed(1, id="1"),
    "question answered twice": lambda result: result.append(result[0] | {"id": "9"}),
    "region that is text": lambda result: result.append("region"),
}


def test_a_good_annotation_is_taken(project: Project, tmp_path: Path) -> None:
    take_tasks(project, tmp_path, task_with(GOOD, lead_time=3))
    (annotation,) = Annotation.objects.all()
    assert annotation.annotator.shown_name == "7"
    assert annotation.seconds == 3.0
    assert annotation.answers == {
        "typed": "yes",
        "scale": 0,
        "hazards": ["fraud"],
        "where": [{"start": 0, "end": 2, "label": "x"}],
    }


@pytest.mark.parametrize("what", BAD)
def test_p12_a_bad_annotation_is_refused_and_nothing_is_stored(
    project: Project, tmp_path: Path, what: str
) -> None:
    result = copy.deepcopy(GOOD)
    BAD[what](result)
    with pytest.raises(RowsRejected) as problem:
        take_tasks(project, tmp_path, task_with(GOOD), task_with(result))
    (rejection,) = problem.value.summary.rejections
    assert rejection.line == 2
    assert rejection.field.startswith("task no. 2, annotation 9")
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    "task",
    [
        {"data": {"text": TEXT}, "annotations": []},
        {"annotations": []},
        {"data": {"id": "text"}, "annotations": {}},
        {"data": {"id": "text"}, "annotations": [7]},
        {"data": {"id": "text"}, "annotations": [{"completed_by": 1}]},
        {"data": {"id": "text"}, "annotations": [{"result": [], "partial": True}]},
    ],
)
def test_p12_a_task_of_another_shape_is_refused(project: Project, tmp_path: Path, task: Any) -> None:
    with pytest.raises(RowsRejected):
        take_tasks(project, tmp_path, task)


def test_skipped_annotations_hold_no_answer(project: Project, tmp_path: Path) -> None:
    summary = take_tasks(project, tmp_path, task_with([], was_cancelled=True))
    assert (summary.read, summary.imported, summary.without_answer) == (1, 0, 1)


@pytest.mark.parametrize(
    ("key", "value"), [("lead_time", "5 s"), ("lead_time", -1), ("lead_time", True), ("completed_by", None)]
)
def test_p12_a_bad_time_or_nobody_is_refused(project: Project, tmp_path: Path, key: str, value: Any) -> None:
    with pytest.raises(RowsRejected) as problem:
        take_tasks(project, tmp_path, task_with(GOOD, **{key: value}))
    assert problem.value.summary.rejections[0].field == f"task no. 1, annotation 9, {key}"


def test_an_array_of_any_length_is_read_object_by_object(tmp_path: Path) -> None:
    path, task = tmp_path / "tasks.json", {"data": {"text": "é" * 10_000}}
    path.write_text(json.dumps([task] * 1_000, ensure_ascii=False, indent=1), encoding="utf-8")
    assert path.stat().st_size > 16 << 20
    rows = list(read_array(path))
    assert [row.line for row in rows] == list(range(1, 1_001))
    assert all(row.values == task for row in rows)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "[", "[{}", "[{},", "[{},]", "[{} {}]", "[{}]x", '[{"a": 1}, {"b":]', "[" * 9_999, "[1"],
)
def test_p12_a_broken_array_is_refused_as_a_whole(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(text)
    with pytest.raises(FileRefused):
        list(read_array(path))


def test_p12_a_task_that_json_should_not_hold_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text('[{"a": 1, "a": 2}, 5, {"b": "\\ud800"}, {"c": NaN}, {"d": 1}]')
    assert [isinstance(row, Rejection) for row in read_array(path)] == [True, True, True, True, False]
