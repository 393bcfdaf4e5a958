"""run_jury and weigh, as a user calls them."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from jury.defaults import load_cues, local_panel
from jury.models import Juror, Panel, Run, Verdict
from jury.plan import start_run, stop_run
from tests.conftest import Cast


def call(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def _items(cast: Cast, add_items: Any) -> None:
    add_items(cast.project, [{"id": f"i{n}", "prompt": f"Item {n} with a stab in it"} for n in range(5)])


def test_run_jury_waits_until_all_is_judged_and_says_who_sat_out(cast: Cast) -> None:
    load_cues(local_panel().jurors.get(slug="cues"), {"violence": ["stab"]})
    out, err = call("run_jury", "guard", "--wait")
    assert "is done: 10 verdicts, 0 parked" in out
    assert "learned: no vote on prompt_harm" in err
    assert Verdict.objects.count() == 10
    assert "is done: 0 verdicts" in call("run_jury", "guard", "--wait")[0]


def test_run_jury_without_wait_leaves_the_work_to_the_workers(cast: Cast) -> None:
    out, _ = call("run_jury", "guard")
    assert "5 verdicts to give. The workers take it from here." in out
    assert not Verdict.objects.exists()
    out, err = call("run_jury", "guard", "--wait")
    assert "is under way; joining it" in err
    assert Run.objects.get().state == Run.State.DONE


def test_run_jury_takes_the_last_panel_again(cast: Cast) -> None:
    panel = Panel.objects.create(slug="mine", title="Mine")
    panel.jurors.add(Juror.objects.create(slug="n", title="N", adapter="nearest"))
    stop_run(start_run(cast.project, panel))
    call("run_jury", "guard", "--wait")
    assert set(Run.objects.values_list("panel__slug", flat=True)) == {"mine"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run_jury", "nowhere"), "There is no project 'nowhere'"),
        (("run_jury", "guard", "--panel", "nobody"), "There is no panel 'nobody'"),
        (("weigh", "nowhere"), "There is no project 'nowhere'"),
    ],
)
def test_what_is_not_there_is_named(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call(*arguments)


def test_a_panel_without_a_juror_that_can_vote_is_refused_with_the_reason() -> None:
    Panel.objects.create(slug="empty", title="Empty").jurors.add(
        Juror.objects.create(slug="bare", title="Bare", adapter="cues")
    )
    with pytest.raises(CommandError, match="bare: has no cues yet"):
        call("run_jury", "guard", "--panel", "empty")


def test_weigh_prints_one_object_a_question(cast: Cast, said: Any) -> None:
    for item in cast.project.items.all():
        said(item, cast.annotator, prompt_harm="safe")
        said(item, cast.second, prompt_harm="safe")
    found = json.loads(call("weigh", "guard", "--format", "json")[0])
    assert [entry["question"] for entry in found] == [
        "prompt_harm",
        "response_harm",
        "response_refusal",
        "hazard_categories",
    ]
    assert found[0] == {
        "question": "prompt_harm",
        "items": 5,
        "settled": 5,
        "contested": 0,
        "too_few": 0,
        "values": {"safe": 5},
        "sources": {"human_vote": 5},
        "note": "",
    }
    assert "prompt_harm: 5 labels, 5 settled" in call("weigh", "guard")[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"params": {"concurrency": 0}},
        {"params": []},
        {"params": {"min_labels": "x"}},
        {"category_map": {"x": "fraud"}},
        {"category_map": []},
        {"questions": "prompt_harm"},
    ],
)
def test_a_juror_that_could_hang_or_crash_a_run_can_not_be_saved(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        Juror(slug="x", title="x", adapter="generic_json", **wrong).full_clean(validate_unique=False)
