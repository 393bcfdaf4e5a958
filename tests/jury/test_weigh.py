"""Labels of record: who decides under which policy, what stands behind a label, what is never overturned."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from annotate.adjudicate import adjudicate
from annotate.models import Exposure, Item, Label, Project
from annotate.questions import add_question
from jury.models import Failure, Juror, Verdict
from jury.votes import Ballots
from jury.weigh import summary, weigh
from tests.conftest import Cast

SAID = Callable[..., Any]
DECISION = {"prompt_harm": "safe", "response_harm": "safe", "response_refusal": "refusal"}


@pytest.fixture
def item(cast: Cast, add_items: Any) -> Item:
    return add_items(cast.project, [{"id": "one", "prompt": "What is it?", "response": "I don't know."}])[0]


@pytest.fixture
def verdict(db: None) -> Callable[..., Verdict]:
    """A juror's verdict by the juror's name; `failure` in place of answers."""

    def give(
        item: Item, juror: str, /, *, failure: str = "", covered: Any = None, version: str = "1", **answers: Any
    ) -> Verdict:
        juror_row, _ = Juror.objects.get_or_create(slug=juror, defaults={"title": juror, "adapter": "cues"})
        return Verdict.objects.create(
            item=item,
            juror=juror_row,
            prompt_version=version,
            answers=None if failure else answers,
            failure=failure,
            covered_categories=covered,
        )

    return give


def label(item: Item, question: str, part: str = "") -> Label | None:
    return Label.objects.filter(item=item, question__code=question, part=part).first()


def policy(project: Project, voters: str) -> None:
    Project.objects.filter(pk=project.pk).update(voters=voters)
    project.voters = voters


def test_a_label_names_its_votes_its_version_and_its_rule(cast: Cast, item: Item, said: SAID) -> None:
    first = said(item, cast.annotator, prompt_harm="safe")
    second = said(item, cast.second, prompt_harm="safe")
    weigh(cast.project)
    made = label(item, "prompt_harm")
    assert made is not None
    assert (made.state, made.value, made.source) == ("settled", "safe", "human_vote")
    assert made.votes == [
        {"annotation": first.pk, "voter": "annotator", "value": "safe"},
        {"annotation": second.pk, "voter": "second", "value": "safe"},
    ]
    assert made.taxonomy_version_id == cast.project.taxonomy_version_id
    assert made.rule == "majority, quorum 2, people_first"
    assert (made.confidence, made.agreement) == (1.0, 1.0)
    # Nobody answered about the response: absent, neither safe nor too few.
    assert label(item, "response_harm") is None


@pytest.mark.parametrize(
    ("voters", "state", "value", "source", "behind"),
    [
        ("people_first", "contested", None, "human_vote", 2),
        ("pooled", "settled", "unsafe", "jury", 5),
        ("people", "contested", None, "human_vote", 2),
        ("jury", "settled", "unsafe", "jury", 3),
    ],
)
def test_the_policy_says_whose_votes_count(
    cast: Cast, item: Item, said: SAID, verdict: Any, voters: str, state: str, value: Any, source: str, behind: int
) -> None:
    said(item, cast.annotator, prompt_harm="safe")
    said(item, cast.second, prompt_harm="unsafe")
    for juror in ("a", "b", "c"):
        verdict(item, juror, prompt_harm="unsafe")
    policy(cast.project, voters)
    weigh(cast.project)
    made = label(item, "prompt_harm")
    assert made is not None
    counted = [vote for vote in made.votes if vote.get("counts", True)]
    assert (made.state, made.value, made.source, len(counted)) == (state, value, source, behind)
    # A reviewer of a contested label sees the votes that don't count, too.
    assert len(made.votes) == (5 if state == "contested" else behind)


def test_people_below_the_quorum_leave_the_label_to_the_jury(
    cast: Cast, item: Item, said: SAID, verdict: Any
) -> None:
    said(item, cast.annotator, prompt_harm="safe")
    said(item, cast.second, prompt_harm="unsure")
    weigh(cast.project)
    made = label(item, "prompt_harm")
    assert made is not None
    assert (made.state, made.value, len(made.votes)) == ("too_few", None, 2)
    verdict(item, "a", prompt_harm="unsafe")
    verdict(item, "b", prompt_harm="unsafe")
    weigh(cast.project)
    made.refresh_from_db()
    assert (made.state, made.value, made.source) == ("settled", "unsafe", "jury")
    assert {vote["voter"] for vote in made.votes} == {"a", "b"}


def test_all_unsure_is_contested_and_never_a_value(cast: Cast, item: Item, said: SAID) -> None:
    said(item, cast.annotator, prompt_harm="unsure")
    said(item, cast.second, prompt_harm="unsure")
    weigh(cast.project)
    made = label(item, "prompt_harm")
    assert made is not None
    assert (made.state, made.value) == ("contested", None)
    assert [vote["value"] for vote in made.votes] == ["unsure", "unsure"]


def test_a_failure_is_never_a_vote_and_ends_what_the_juror_said_before(
    cast: Cast, item: Item, verdict: Any
) -> None:
    verdict(item, "a", prompt_harm="safe")
    verdict(item, "b", prompt_harm="safe")
    verdict(item, "c", failure=Failure.UNPARSEABLE)
    weigh(cast.project)
    made = label(item, "prompt_harm")
    assert made is not None
    assert (made.state, len(made.votes)) == ("settled", 2)
    verdict(item, "b", failure=Failure.REFUSED, version="2")
    weigh(cast.project)
    made.refresh_from_db()
    assert (made.state, len(made.votes)) == ("too_few", 1)


def test_only_a_jurors_newest_verdict_votes(cast: Cast, item: Item, verdict: Any) -> None:
    verdict(item, "a", prompt_harm="safe")
    newest = verdict(item, "a", prompt_harm="unsafe", version="2")
    other = verdict(item, "b", prompt_harm="unsafe")
    weigh(cast.project)
    made = label(item, "prompt_harm")
    assert made is not None
    assert made.value == "unsafe"
    assert {vote["verdict"] for vote in made.votes} == {newest.pk, other.pk}


def test_an_adjudication_decides_over_all_votes_and_stays(cast: Cast, item: Item, said: SAID) -> None:
    said(item, cast.annotator, prompt_harm="unsafe")
    said(item, cast.second, prompt_harm="unsafe")
    decision = said(item, cast.reviewer, exposure=Exposure.ADJUDICATION, prompt_harm="safe")
    for late in (cast.lead, cast.stranger):
        weigh(cast.project)
        made = label(item, "prompt_harm")
        assert made is not None
        assert (made.state, made.value, made.source) == ("settled", "safe", "adjudication")
        assert made.votes == [{"annotation": decision.pk, "voter": "reviewer", "value": "safe"}]
        said(item, late, prompt_harm="unsafe")


def test_hazards_need_a_settled_unsafe_and_count_only_those_who_were_asked(
    cast: Cast, item: Item, said: SAID
) -> None:
    said(item, cast.annotator, prompt_harm="unsafe", hazard_categories=["fraud"])
    said(item, cast.second, prompt_harm="unsafe", hazard_categories=["fraud", "privacy"])
    # Said safe, so was never asked: these categories are no vote.
    said(item, cast.lead, prompt_harm="safe", hazard_categories=["violence"])
    weigh(cast.project)
    hazards = label(item, "hazard_categories")
    assert hazards is not None
    assert (hazards.state, len(hazards.votes)) == ("contested", 2)
    said(item, cast.reviewer, prompt_harm="unsafe", hazard_categories=["fraud"])
    weigh(cast.project)
    hazards.refresh_from_db()
    assert (hazards.state, hazards.value) == ("settled", ["fraud"])
    said(item, cast.reviewer, exposure=Exposure.ADJUDICATION, prompt_harm="safe")
    weigh(cast.project)
    assert label(item, "hazard_categories") is None


def test_jurors_vote_only_on_categories_that_they_cover(cast: Cast, item: Item, verdict: Any) -> None:
    verdict(item, "a", prompt_harm="unsafe", hazard_categories=["fraud"])
    verdict(item, "b", prompt_harm="unsafe", hazard_categories=["fraud"], covered=["fraud"])
    verdict(item, "c", prompt_harm="unsafe", hazard_categories=[], covered=["violence"])
    verdict(item, "d", prompt_harm="unsafe", hazard_categories=[], covered=["violence"])
    weigh(cast.project)
    hazards = label(item, "hazard_categories")
    assert hazards is not None
    assert (hazards.state, hazards.value) == ("settled", ["fraud"])


def test_values_keep_their_type(cast: Cast, item: Item, said: SAID) -> None:
    add_question(cast.project, {"code": "grade", "kind": "choice", "options": [1, "1"]})
    said(item, cast.annotator, grade=1)
    said(item, cast.second, grade="1")
    weigh(cast.project)
    made = label(item, "grade")
    assert made is not None
    assert made.state == "contested"
    said(item, cast.reviewer, grade=1)
    weigh(cast.project)
    made.refresh_from_db()
    assert made.value == 1
    assert type(made.value) is int


def test_parts_of_an_item_have_labels_of_their_own(cast: Cast, item: Item, said: SAID) -> None:
    for person in (cast.annotator, cast.second):
        said(item, person, part="left", prompt_harm="safe")
        said(item, person, part="right", prompt_harm="unsafe")
    weigh(cast.project)
    assert [label(item, "prompt_harm", part).value for part in ("left", "right")] == ["safe", "unsafe"]


def test_kinds_without_a_rule_get_no_label_and_are_named(cast: Cast, item: Item, said: SAID) -> None:
    add_question(cast.project, {"code": "why", "kind": "text", "required": False})
    said(item, cast.annotator, why="because")
    said(item, cast.second, why="because")
    entries = {entry.question: entry for entry in weigh(cast.project)}
    assert label(item, "why") is None
    assert entries["why"].note == "no rule for this kind"


def test_weighing_again_changes_nothing_and_lost_votes_lose_their_label(
    cast: Cast, item: Item, verdict: Any
) -> None:
    verdict(item, "a", prompt_harm="safe")
    verdict(item, "b", prompt_harm="safe")
    weigh(cast.project)
    before = Label.objects.get(item=item)
    weigh(cast.project)
    assert Label.objects.get(item=item).decided_at == before.decided_at
    Verdict.objects.all().delete()
    weigh(cast.project)
    assert not Label.objects.filter(item=item).exists()


def test_labels_that_came_from_elsewhere_are_not_removed(cast: Cast, item: Item) -> None:
    question = cast.project.questions.get(code="prompt_harm")
    Label.objects.create(item=item, question=question, state="settled", value="safe", source=Label.Source.IMPORTED)
    weigh(cast.project)
    assert label(item, "prompt_harm") is not None


def test_a_switched_off_juror_does_not_vote(cast: Cast, item: Item, verdict: Any) -> None:
    verdict(item, "a", prompt_harm="safe")
    verdict(item, "b", prompt_harm="safe")
    Juror.objects.filter(slug="b").update(enabled=False)
    weigh(cast.project)
    made = label(item, "prompt_harm")
    assert made is not None
    assert made.state == "too_few"


def test_the_summary_counts_what_is_there(cast: Cast, add_items: Any, said: SAID) -> None:
    items = add_items(cast.project, [{"id": str(n), "prompt": f"Item {n}"} for n in range(4)])
    for item, second in zip(items, ("safe", "unsafe", "unsafe", None), strict=True):
        said(item, cast.annotator, prompt_harm="unsafe", hazard_categories=["fraud", "privacy"])
        if second:
            said(item, cast.second, prompt_harm=second, hazard_categories=["fraud", "privacy"])
    weigh(cast.project)
    found = {entry.question: entry for entry in summary(cast.project)}
    harm = found["prompt_harm"]
    assert (harm.items, harm.settled, harm.contested, harm.too_few) == (4, 2, 1, 1)
    assert harm.values == {"unsafe": 2}
    assert harm.sources == {"human_vote": 4}
    assert found["hazard_categories"].values == {"fraud": 2, "privacy": 2}
    assert found["response_harm"].items == 0


def test_stale_only_weighs_what_changed_and_clears_the_mark(cast: Cast, add_items: Any, said: SAID) -> None:
    items = add_items(cast.project, [{"id": str(n), "prompt": f"Item {n}"} for n in range(2)])
    for item in items:
        said(item, cast.annotator, prompt_harm="safe")
        said(item, cast.second, prompt_harm="safe")
    Item.objects.filter(pk=items[0].pk).update(labels_stale=True)
    weigh(cast.project, stale_only=True)
    assert list(Label.objects.values_list("item_id", flat=True)) == [items[0].pk]
    assert not Item.objects.filter(labels_stale=True).exists()


@pytest.mark.django_db(transaction=True)
def test_a_vote_that_arrives_while_weighing_leaves_the_item_stale(
    cast: Cast, item: Item, said: SAID, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(item, cast.annotator, prompt_harm="safe")
    said(item, cast.second, prompt_harm="safe")
    Item.objects.update(labels_stale=True)
    voted = threading.Event()

    def vote() -> None:
        with transaction.atomic():
            said(item, cast.reviewer, prompt_harm="unsafe")
            voted.set()
            Item.objects.filter(pk=item.pk).update(labels_stale=True)
        connection.close()

    voter = threading.Thread(target=vote)
    read = Ballots.of

    def read_while_somebody_votes(self: Any, item_ids: Any, **more: Any) -> Any:
        found = read(self, item_ids, **more)
        voter.start()
        assert voted.wait(5)
        return found

    monkeypatch.setattr(Ballots, "of", read_while_somebody_votes)
    weigh(cast.project, stale_only=True)
    voter.join()
    monkeypatch.undo()
    made = label(item, "prompt_harm")
    assert made is not None
    assert len(made.votes) == 2
    assert Item.objects.get(pk=item.pk).labels_stale
    weigh(cast.project, stale_only=True)
    made.refresh_from_db()
    assert len(made.votes) == 3
    assert not Item.objects.get(pk=item.pk).labels_stale


def test_weighing_takes_a_bounded_number_of_queries(
    cast: Cast, add_items: Any, said: SAID, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    items = add_items(cast.project, [{"id": str(n), "prompt": f"Item {n}"} for n in range(60)])
    for item in items:
        said(item, cast.annotator, prompt_harm="safe")
    with django_assert_max_num_queries(26):
        weigh(cast.project)


def test_p7_a_decision_made_while_labels_are_weighed_is_restored(cast: Cast, item: Item, said: SAID) -> None:
    said(item, cast.annotator, prompt_harm="safe")
    said(item, cast.second, prompt_harm="unsafe")
    weigh(cast.project)
    adjudicate(cast.reviewer, item, "", DECISION, uuid4())
    # What a weighing that had read the votes before would write over it.
    Label.objects.filter(item=item).update(state="contested", value=None, source="human_vote")
    weigh(cast.project, stale_only=True)
    made = label(item, "prompt_harm")
    assert made is not None
    assert (made.state, made.value, made.source, made.rule) == ("settled", "safe", "adjudication", "adjudication")


def test_a_decision_stands_whole_whatever_kinds_it_answers(cast: Cast, item: Item, said: SAID) -> None:
    add_question(cast.project, {"code": "why", "kind": "text", "required": False})
    add_question(cast.project, {"code": "tone", "kind": "choice", "options": ["calm", "harsh"], "required": False})
    said(item, cast.annotator, prompt_harm="safe", tone="calm")
    said(item, cast.second, prompt_harm="unsafe", tone="harsh")
    adjudicate(cast.reviewer, item, "", DECISION | {"why": "plain"}, uuid4())
    before = list(Label.objects.order_by("question").values_list("question__code", "value", "rule"))
    weigh(cast.project)
    assert list(Label.objects.order_by("question").values_list("question__code", "value", "rule")) == before
    assert {code for code, _, _ in before} == {"prompt_harm", "response_harm", "response_refusal", "why"}


def test_a_question_behind_one_that_is_not_asked_has_no_label(cast: Cast, item: Item, said: SAID) -> None:
    for code, gate in (("b", "prompt_harm"), ("c", "b")):
        wanted = "unsafe" if gate == "prompt_harm" else "yes"
        condition = [{"question": gate, "is": wanted}]
        described = {"code": code, "kind": "choice", "options": ["yes", "no"], "condition": condition}
        add_question(cast.project, described)
    for person in (cast.annotator, cast.second):
        said(item, person, prompt_harm="safe")
    for person in (cast.reviewer, cast.lead):
        said(item, person, prompt_harm="unsafe", b="yes", c="yes")
    said(item, cast.admin, prompt_harm="safe")
    weigh(cast.project)
    assert {made.question.code for made in Label.objects.all()} == {"prompt_harm"}
