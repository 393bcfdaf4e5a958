"""The learned juror never judges what it learned from, and says so where it can't judge."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from annotate.models import Annotation, Exposure, Item
from annotate.questions import add_question
from jury.adapters.learned import gather, prepare
from jury.brief import brief_of
from jury.models import Juror, Panel, Run, Verdict
from jury.plan import start_run
from jury.training import FOLDS, GroupMember, folds_of, groups_of, human_answers
from tests.conftest import Cast
from tests.jury.conftest import work_off

SAID = Callable[..., Any]


@pytest.fixture
def learned(db: None) -> Juror:
    return Juror.objects.create(slug="learned", title="Learned", adapter="learned")


def leaky(groups: int, copies: int) -> list[dict[str, Any]]:
    """Items that tell their group by a word of its own: whoever saw a group knows its label by heart."""
    return [
        {"id": f"g{g}c{c}", "prompt": f"marker{g} marker{g} marker{g} copy{c}", "group": f"group {g}"}
        for g in range(groups)
        for c in range(copies)
    ]


def test_an_item_is_never_judged_by_a_model_that_saw_its_group(
    cast: Cast, learned: Juror, add_items: Any, said: SAID
) -> None:
    items = add_items(cast.project, leaky(groups=60, copies=3))
    drawn = random.Random(4)
    label_of = {f"group {g}": drawn.choice(["safe", "unsafe"]) for g in range(60)}
    for item in items:
        said(item, cast.annotator, prompt_harm=label_of[item.group_key])
    truth = [label_of[item.group_key] for item in items]
    # The leak is real: a model that saw the copies gets them all right.
    texts = [item.content["prompt"] for item in items]
    memorising = make_pipeline(TfidfVectorizer(), LogisticRegression(C=100)).fit(texts, truth)
    assert memorising.score(texts, truth) == 1.0
    brief = brief_of(cast.project)
    material = gather(learned, cast.project, brief)
    readings = prepare(learned, cast.project, brief, material.content)(items)
    right = sum(readings[item.pk].answers["prompt_harm"] == label_of[item.group_key] for item in items)
    assert right / len(items) < 0.65


def test_the_same_content_and_copies_of_an_original_are_one_group() -> None:
    members = [
        GroupMember(1, "a", "", "", "h1"),
        GroupMember(2, "b", "", "a", "h2"),  # a copy of a
        GroupMember(3, "c", "", "", "h2"),  # the same content as the copy
        GroupMember(4, "d", "g", "", "h4"),
        GroupMember(5, "e", "g", "", "h5"),
        GroupMember(6, "f", "", "gone", "h6"),  # two copies of an original that is not here
        GroupMember(7, "g", "", "gone", "h7"),
        GroupMember(8, "h", "", "", "h8"),
    ]
    assert groups_of(members) == {1: 1, 2: 1, 3: 1, 4: 4, 5: 4, 6: 6, 7: 6, 8: 8}
    assert groups_of(reversed(members)) == groups_of(members)


def test_folds_are_of_like_size_and_do_not_depend_on_the_order() -> None:
    folds = folds_of(range(1, 103))
    sizes = [list(folds.values()).count(fold) for fold in range(FOLDS)]
    assert max(sizes) - min(sizes) <= 1
    assert folds_of(list(reversed(range(1, 103)))) == folds


def cooking(n: int) -> list[dict[str, Any]]:
    """Half about baking, half about burglary, each worded by itself."""
    baking = ["bread", "flour", "oven", "yeast", "butter"]
    burglary = ["lockpick", "window", "burglar", "loot", "alarm"]
    return [
        {"id": f"k{i}", "prompt": f"{words[i % 5]} {words[(i // 5) % 5]} number{i}"}
        for i, words in ((i, baking if i % 2 else burglary) for i in range(n))
    ]


@pytest.fixture
def taught(cast: Cast, add_items: Any, said: SAID) -> list[Item]:
    """60 labelled items that can be learned, 40 more without labels."""
    items = add_items(cast.project, cooking(100))
    for number, item in enumerate(items[:60]):
        said(item, cast.annotator, prompt_harm="safe" if number % 2 else "unsafe")
    return items


def test_it_learns_and_votes_on_labelled_and_unlabelled_items(
    cast: Cast, learned: Juror, taught: list[Item], panel_of: Callable[..., Panel]
) -> None:
    run = work_off(start_run(cast.project, panel_of(learned)))
    assert run.state == Run.State.DONE
    verdicts = {v.item_id: v for v in Verdict.objects.all()}
    assert len(verdicts) == 100
    right = [
        verdicts[item.pk].answers["prompt_harm"] == ("safe" if n % 2 else "unsafe")
        for n, item in enumerate(taught)
    ]
    assert sum(right) >= 95
    share = verdicts[taught[0].pk].probabilities["prompt_harm"]
    assert share['"safe"'] + share['"unsafe"'] == pytest.approx(1, abs=0.001)
    # It learned nothing about responses or hazards, says why, and does not vote on them.
    assert all(set(v.answers) == {"prompt_harm"} for v in verdicts.values())
    assert any("hazard_categories: 0 human labels, needs 50" in note for note in run.notes)


def test_new_human_labels_make_a_new_prompt_version(
    cast: Cast, learned: Juror, taught: list[Item], said: SAID, panel_of: Callable[..., Panel]
) -> None:
    panel = panel_of(learned)
    first = work_off(start_run(cast.project, panel)).seats.get().prompt_version
    assert work_off(start_run(cast.project, panel)).seats.get().prompt_version == first
    said(taught[70], cast.annotator, prompt_harm="safe")
    assert work_off(start_run(cast.project, panel)).seats.get().prompt_version != first


@pytest.mark.parametrize(
    ("labelled", "options", "reason"),
    [
        (49, 2, "49 human labels, needs 50"),
        (59, 7, "fewer than 10 labels of an option (unsafe 9)"),
    ],
)
def test_it_refuses_to_vote_below_a_stated_number_of_labels(
    cast: Cast, learned: Juror, add_items: Any, said: SAID, labelled: int, options: int, reason: str
) -> None:
    for number, item in enumerate(add_items(cast.project, cooking(60))[:labelled]):
        said(item, cast.annotator, prompt_harm="safe" if number % options else "unsafe")
    material = gather(learned, cast.project, brief_of(cast.project))
    assert material.content is None
    assert any(reason in note for note in material.notes)


def test_it_answers_any_choice_question_and_keeps_types(
    cast: Cast, learned: Juror, add_items: Any, said: SAID
) -> None:
    add_question(cast.project, {"code": "topic", "kind": "choice", "options": [1, 2]})
    items = add_items(cast.project, cooking(60))
    for number, item in enumerate(items):
        said(item, cast.annotator, topic=1 if number % 2 else 2)
    brief = brief_of(cast.project)
    readings = prepare(learned, cast.project, brief, gather(learned, cast.project, brief).content)(items)
    assert {type(reading.answers["topic"]) for reading in readings.values()} == {int}


def test_it_names_categories_that_it_has_enough_labels_of(
    cast: Cast, learned: Juror, add_items: Any, said: SAID
) -> None:
    items = add_items(cast.project, cooking(80))
    for number, item in enumerate(items):
        said(
            item, cast.annotator, prompt_harm="unsafe", hazard_categories=["fraud"] if number % 2 else ["violence"]
        )
    brief = brief_of(cast.project)
    material = gather(learned, cast.project, brief)
    # Everybody said unsafe, so there is nothing to learn about harm: no verdict leads to the hazards.
    assert set(material.content) == {"hazard_categories"}
    assert {
        reading.answers is None
        for reading in prepare(learned, cast.project, brief, material.content)(items).values()
    } == {True}
    more = add_items(cast.project, [{"id": f"s{n}", "prompt": f"gardening tulips {n}"} for n in range(40)])
    for item in more:
        said(item, cast.second, prompt_harm="safe")
    readings = prepare(learned, cast.project, brief, gather(learned, cast.project, brief).content)([*items, *more])
    named = [readings[item.pk].answers.get("hazard_categories") for item in items]
    assert sum(codes == (["fraud"] if n % 2 else ["violence"]) for n, codes in enumerate(named)) >= 75
    assert readings[items[0].pk].covered == ["fraud", "violence"]
    assert all("hazard_categories" not in readings[item.pk].answers for item in more)


def test_it_learns_from_adjudications_first_and_not_from_ties_or_jurors(
    cast: Cast, add_items: Any, said: SAID
) -> None:
    settled, tied, majority, unsure, judged = add_items(
        cast.project, [{"id": f"h{n}", "prompt": f"Item {n}"} for n in range(5)]
    )
    for item in (settled, tied):
        said(item, cast.annotator, prompt_harm="safe")
        said(item, cast.second, prompt_harm="unsafe")
    said(settled, cast.reviewer, exposure=Exposure.ADJUDICATION, prompt_harm="unsafe")
    said(majority, cast.annotator, prompt_harm="safe")
    said(unsure, cast.annotator, prompt_harm="unsure")
    juror = Juror.objects.create(slug="other", title="Other", adapter="cues")
    Verdict.objects.create(item=judged, juror=juror, prompt_version="1", answers={"prompt_harm": "unsafe"})
    assert dict(human_answers(cast.project)) == {
        settled.pk: {"prompt_harm": "unsafe"},
        majority.pk: {"prompt_harm": "safe"},
    }
    assert Annotation.objects.count() == 7
