"""An option for each turn: weighed turn by turn, compared, exported, and asked of language models."""

import json

import pytest

from annotate.answers import AskedQuestion
from annotate.label_studio.export import export_label_studio
from annotate.measure_agreement import measure_agreement
from annotate.models import Annotation, Exposure, Item, Label, Project, User
from annotate.questions import NewProject, add_question, create_project
from jury.adapters import generic_json
from jury.adapters.contract import Reply
from jury.brief import Brief
from jury.majority import CONTESTED, SETTLED, TOO_FEW
from jury.models import Failure, Juror
from jury.votes import Vote
from jury.weigh import outcome_of, summary, weigh

OPTIONS = ["safe", "unsafe"]
TURNS = [{"role": role, "text": f"{role} says so"} for role in ("user", "bot", "user")]


def outcome(*answers, quorum=2):
    votes = [Vote("annotation", number, "", answer) for number, answer in enumerate(answers)]
    return outcome_of(votes, "turns", quorum)


def test_each_turn_gets_what_most_voters_gave_it():
    found = outcome({"0": "safe", "10": "unsafe"}, {"0": "unsafe", "2": 1}, {"0": "unsafe", "10": "unsafe"})
    assert (found.state, found.winner) == (SETTLED, {"0": "unsafe", "10": "unsafe"})
    assert found.confidence == pytest.approx(2 / 3)


def test_types_stay_apart_and_turns_stay_in_order():
    found = outcome({"2": 1, "10": "1"}, {"2": 1, "10": "1"})
    assert json.dumps(found.winner) == '{"2": 1, "10": "1"}'


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([{"0": "safe"}, {"0": "unsafe"}], CONTESTED),
        ([{"0": "a", "1": "x"}, {"0": "b", "1": "x"}, {"0": "c", "1": "x"}], CONTESTED),
        ([{"0": "safe"}, "unsure"], TOO_FEW),
        (["unsure", "unsure"], CONTESTED),
    ],
)
def test_turns_that_voters_differ_on_are_contested(answers, state):
    assert outcome(*answers).state == state


@pytest.fixture
def project(db) -> Project:
    from annotate.import_items import import_rows

    project = create_project(NewProject(slug="talk", template="plain", quorum=2))
    add_question(project, {"code": "each", "kind": "turns", "options": OPTIONS})
    import_rows(project, [{"id": "a", "turns": TURNS}])
    for name, answer in (("x", {"0": "unsafe"}), ("y", {"0": "unsafe", "1": "safe"}), ("z", "unsure")):
        Annotation.objects.create(
            item=Item.objects.get(),
            annotator=User.objects.create_user(name),
            answers={"each": answer},
            exposure=Exposure.BLIND,
            client_id=f"00000000-0000-4000-8000-00000000000{'xyz'.index(name)}",
        )
    return project


def test_they_are_weighed_counted_and_compared(project):
    weigh(project)
    label = Label.objects.get()
    assert (label.state, label.value) == (Label.State.CONTESTED, None)
    (each,) = measure_agreement(project)
    assert each["raters"] == 2
    assert each["alpha"]["value"] is not None or each["alpha"]["reason"]
    Label.objects.update(state=Label.State.SETTLED, value={"0": "unsafe", "1": "unsafe", "2": "safe"})
    assert summary(project)[0].values == {"unsafe": 2, "safe": 1}


def test_label_studio_cannot_say_them_and_that_is_counted(project, tmp_path):
    written = export_label_studio(project, tmp_path / "out", lambda items: [])
    assert written.not_carried["each: an option for each turn"] == 2


EACH = AskedQuestion("each", "turns", ("safe", 1), "turn")
BRIEF = Brief(questions=(EACH,), wording={"each": "How is it?"}, categories=())
DIALOGUE = Item(kind="dialogue", content={"turns": TURNS})


def test_a_language_model_is_asked_for_every_turn():
    (request,) = generic_json.build(DIALOGUE, Juror(), BRIEF)
    schema = request["response_format"]["json_schema"]["schema"]["properties"]["each"]["anyOf"]
    assert schema[0]["properties"] == {turn: {"enum": ["safe", 1]} for turn in "012"}
    assert schema[1] == {"enum": ["unsure"]}
    assert 'for each one of "safe", 1.' in request["messages"][0]["content"]


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        ({"0": "safe", "1": 1, "2": 1}, {"each": {"0": "safe", "1": 1, "2": 1}}),
        ("unsure", {"each": "unsure"}),
        ({"0": "1"}, None),
        ({"3": 1}, None),
        ([0], None),
    ],
)
def test_what_it_says_of_turns_is_held_to_the_contract(said, answers):
    reading = generic_json.read([Reply(json.dumps({"each": said}))], DIALOGUE, Juror(), BRIEF)
    assert reading.answers == answers
    assert reading.failure == (None if answers else Failure.UNPARSEABLE)
