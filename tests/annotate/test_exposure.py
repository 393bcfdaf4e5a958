"""Who sees which votes when: blind, assisted with a blind share, revealed after the own answer."""

import json
from uuid import uuid4

import pytest

from annotate.assign import next_item, next_items
from annotate.exposure import exposures_for, in_blind_share, reveal, suggestion
from annotate.models import Annotation, Assignment, Exposure, Item, Label, Project, Question, Reveal
from annotate.submit import Submission, newest_annotation, submit
from jury.models import Juror, Verdict
from jury.weigh import weigh


@pytest.fixture
def items(cast, add_items):
    return add_items(cast.project, [{"id": f"i{n:03d}", "prompt": f"Question {n}"} for n in range(40)])


def says(juror, item, **answers):
    row, _ = Juror.objects.get_or_create(slug=juror, defaults={"title": juror, "adapter": "cues"})
    return Verdict.objects.create(item=item, juror=row, prompt_version="1", answers=answers)


def policy(project, name, **more):
    Project.objects.filter(pk=project.pk).update(exposure_policy=name, **more)
    return Project.objects.get(pk=project.pk)


def answer(person, project, item, **answers):
    submission = Submission(uuid4(), answers, taxonomy_version_id=project.taxonomy_version_id)
    item.project = project
    return submit(person, item, submission)


def lease(person, item):
    return Assignment.objects.create(item=item, annotator=person, leased_until="2100-01-01T00:00Z")


@pytest.mark.parametrize("name", ["blind", "reveal"])
def test_without_the_assisted_policy_everything_is_handed_out_blind(cast, items, name):
    for item in items:
        says("a", item, prompt_harm="unsafe")
    project = policy(cast.project, name)
    held = next_items(cast.annotator, project, 10)
    assert {(one.exposure, one.shown) for one in held} == {("blind", None)}
    assert all(suggestion(one) is None for one in held)


def test_assisted_items_carry_the_split_that_was_there_at_hand_out(cast, items):
    project = policy(cast.project, "assisted", blind_share=0.0)
    for item in items:
        for juror, value in (("llama", "unsafe"), ("qwen", "unsafe"), ("gemma", "safe")):
            says(juror, item, prompt_harm=value)
    held = next_item(cast.annotator, project)
    (split,) = suggestion(held)
    assert (split.code, split.juror_count, split.people_count) == ("prompt_harm", 3, 0)
    assert [(count.text, count.votes) for count in split.jurors] == [("unsafe", 2), ("safe", 1)]
    # Whose votes they are is neither shown nor stored, and what comes later changes nothing.
    assert not any(name in json.dumps(held.shown) for name in ("llama", "qwen", "gemma"))
    says("late", held.item, prompt_harm="safe")
    (again,) = next_items(cast.annotator, project, 1)
    assert suggestion(again) == [split]
    stored = answer(cast.annotator, project, held.item, prompt_harm="safe")
    assert (stored.exposure, stored.shown) == ("assisted", held.shown)


def test_an_item_without_a_vote_to_show_is_blind(cast, items):
    project = policy(cast.project, "assisted", blind_share=0.0)
    switched_off = says("off", items[0], prompt_harm="unsafe").juror
    Juror.objects.filter(pk=switched_off.pk).update(enabled=False)
    failed = says("failed", items[1])
    Verdict.objects.filter(pk=failed.pk).update(answers=None, failure="refused")
    assert {one.exposure for one in exposures_for(project, items).values()} == {"blind"}


def test_gold_items_stay_blind(cast, items):
    project = policy(cast.project, "assisted", blind_share=0.0)
    says("a", items[0], prompt_harm="unsafe")
    items[0].purpose = "gold"
    assert exposures_for(project, items[:1])[items[0].pk].exposure == "blind"


def test_the_blind_share_is_drawn_by_the_id_alone(cast):
    project = Project(slug="guard", blind_share=0.1)
    drawn = {f"item-{n}" for n in range(10_000) if in_blind_share(project, f"item-{n}")}
    assert 900 < len(drawn) < 1100
    # A larger share keeps what the smaller one had; the ends are exact.
    project.blind_share = 0.2
    assert all(in_blind_share(project, name) for name in drawn)
    for share, expected in ((0.0, False), (1.0, True)):
        project.blind_share = share
        assert all(in_blind_share(project, f"item-{n}") is expected for n in range(1000))


def test_the_same_items_stay_blind_for_everybody(cast, items):
    project = policy(cast.project, "assisted", blind_share=0.5)
    for item in items:
        says("a", item, prompt_harm="unsafe")
    first = {one.item_id: one.exposure for one in next_items(cast.annotator, project, 10)}
    second = {one.item_id: one.exposure for one in next_items(cast.second, project, 10)}
    assert first == second
    assert set(first.values()) == {"blind", "assisted"}


def test_exposures_cost_one_query_a_batch(cast, items, django_assert_num_queries):
    project = policy(cast.project, "assisted")
    for item in items:
        says("a", item, prompt_harm="unsafe")
    assert project.asked_questions
    assert exposures_for(project, items)
    with django_assert_num_queries(1):
        exposures_for(project, items)


def test_a_reveal_comes_after_the_own_answer_and_is_recorded_once(cast, items):
    project, item = policy(cast.project, "reveal"), items[0]
    verdict = says("llama", item, prompt_harm="unsafe")
    lease(cast.second, item)
    other = answer(cast.second, project, item, prompt_harm="safe")
    lease(cast.annotator, item)
    item.project = project
    assert reveal(cast.annotator, item) is None
    assert not Reveal.objects.exists()
    answer(cast.annotator, project, item, prompt_harm="safe")
    (split,) = reveal(cast.annotator, item)
    assert [(count.text, count.votes, count.own) for count in split.jurors] == [("unsafe", 1, False)]
    assert [(count.text, count.votes, count.own) for count in split.people] == [("safe", 1, True)]
    says("late", item, prompt_harm="safe")
    assert reveal(cast.annotator, item) == [split]
    stored = Reveal.objects.get()
    assert stored.votes == [
        {"verdict": verdict.pk, "answers": {"prompt_harm": "unsafe"}},
        {"annotation": other.pk, "answers": {"prompt_harm": "safe"}},
    ]


def test_a_change_of_mind_after_the_reveal_is_kept_beside_the_vote(cast, items):
    project, item = policy(cast.project, "reveal"), items[0]
    says("llama", item, prompt_harm="unsafe")
    lease(cast.annotator, item)
    first = answer(cast.annotator, project, item, prompt_harm="safe")
    reveal(cast.annotator, item)
    changed = answer(cast.annotator, project, item, prompt_harm="unsafe", hazard_categories=["fraud"])
    assert (changed.exposure, changed.revision) == (Exposure.POST_REVEAL, 2)
    assert changed.shown["votes"] == Reveal.objects.get().votes
    assert [vote.pk for vote in Annotation.objects.votes()] == [first.pk]
    assert newest_annotation(cast.annotator, item) == changed


@pytest.mark.parametrize("name", ["blind", "assisted"])
def test_nothing_is_revealed_under_another_policy(cast, items, name):
    project, item = policy(cast.project, name), items[0]
    says("llama", item, prompt_harm="unsafe")
    lease(cast.annotator, item)
    answer(cast.annotator, project, item, prompt_harm="safe")
    assert reveal(cast.annotator, item) is None
    assert not Reveal.objects.exists()


def test_nothing_is_revealed_while_the_item_is_to_be_answered_once_more(cast, items):
    project, item = policy(cast.project, "reveal"), items[0]
    says("llama", item, prompt_harm="unsafe")
    lease(cast.annotator, item)
    answer(cast.annotator, project, item, prompt_harm="safe")
    Assignment.objects.create(item=item, annotator=cast.annotator, repeat=1, leased_until="2100-01-01T00:00Z")
    assert reveal(cast.annotator, item) is None
    assert not Reveal.objects.exists()


def test_a_label_that_rests_on_an_assisted_vote_says_so(cast, items):
    project = policy(cast.project, "assisted", blind_share=0.0)
    says("llama", items[0], prompt_harm="safe")
    for person in (cast.annotator, cast.second):
        for item in items[:2]:
            exposed = exposures_for(project, [item])[item.pk]
            held = lease(person, item)
            Assignment.objects.filter(pk=held.pk).update(exposure=exposed.exposure, shown=exposed.shown)
            answer(person, project, item, prompt_harm="safe")
    weigh(project)
    assisted, blind = (Label.objects.get(item=item, question__code="prompt_harm") for item in items[:2])
    assert (assisted.source, blind.source) == ("human_assisted", "human_vote")
    assert {vote.get("exposure") for vote in assisted.votes} == {"assisted"}
    assert {vote.get("exposure") for vote in blind.votes} == {None}
    # Weighing again takes the label away when the votes are gone, as for every label that it made.
    Annotation.objects.all().delete()
    Verdict.objects.all().delete()
    weigh(project)
    assert not Label.objects.exists()


def test_turns_with_options_are_counted_turn_by_turn(cast, add_items):
    Question.objects.filter(project=cast.project).delete()
    asked = {"code": "turn_harm", "text": "Each turn?", "kind": "turns", "options": ["safe", "unsafe"]}
    Question.objects.create(project=cast.project, **asked)
    turns = [{"role": "user", "text": "one"}, {"role": "assistant", "text": "two"}]
    (item,) = add_items(cast.project, [{"id": "d", "turns": turns}])
    project = policy(cast.project, "assisted", blind_share=0.0)
    says("a", item, turn_harm={"0": "safe", "1": "unsafe"})
    says("b", item, turn_harm={"1": "unsafe"})
    held = next_item(cast.annotator, project)
    (split,) = suggestion(held)
    assert [(count.text, count.votes) for count in split.jurors] == [("turn 2: unsafe", 2), ("turn 1: safe", 1)]
    assert Item.objects.count() == 1
