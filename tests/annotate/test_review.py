"""The review desk: what comes first and why, what a decision needs, who hears of it."""

import json
import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate.adjudicate import Decision, Gap, adjudicate, contested, decide, differences, queue
from annotate.ask_another import ask_another
from annotate.assign import next_item, next_items, reopen_expired_leases, skip
from annotate.errors import ReasonNeeded
from annotate.models import Annotation, Assignment, Flag, Item, Label, Membership, Project, Question, Role, User
from annotate.seen_votes import seen_votes
from annotate.submit import Submission, submit
from annotate.sweep import sweep
from annotate.telling import Why, majority_key, why
from jury.models import Juror, Verdict
from jury.weigh import weigh

HTMX = {"HX-Request": "true"}


@pytest.fixture
def items(cast, add_items):
    return add_items(cast.project, [{"id": f"i{n}", "prompt": f"Question {n} with words"} for n in range(6)])


def people(*values):
    return [{"annotation": n, "voter": f"p{n}", "value": value} for n, value in enumerate(values)]


def jurors(*values):
    return [{"verdict": n, "voter": f"j{n}", "value": value} for n, value in enumerate(values)]


def contest(item, votes, agreement=0.0, question="prompt_harm"):
    asked = Question.objects.get(project=item.project, code=question)
    return Label.objects.create(
        item=item, question=asked, state="contested", source="human_vote", agreement=agreement, votes=votes
    )


def person(cast, name, role=Role.ANNOTATOR):
    user = User.objects.create_user(name)
    Membership.objects.create(project=cast.project, user=user, role=role)
    return user


def answer(user, item, project, **answers):
    project = Project.objects.get(pk=project.pk)
    item = Item.objects.get(pk=item.pk)
    item.project = project
    return submit(user, item, Submission(uuid4(), answers, taxonomy_version_id=project.taxonomy_version_id))


def lease_and_answer(user, item, project, **answers):
    Assignment.objects.create(item=item, annotator=user, leased_until="2100-01-01T00:00Z")
    Item.objects.filter(pk=item.pk).update(taken=Item.objects.get(pk=item.pk).taken + 1)
    return answer(user, item, project, **answers)


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (people("safe", "safe") + jurors("unsafe", "unsafe"), Why.JURY_AGAINST_PEOPLE),
        (people("safe", "unsafe") + jurors("unsafe"), Why.PEOPLE_SPLIT),
        (people("safe", "unsafe"), Why.PEOPLE_SPLIT),
        (people("unsure", "unsure"), Why.NOBODY_SURE),
        (people("unsure") + jurors("unsure"), Why.NOBODY_SURE),
        (jurors("safe", "unsafe"), Why.JURY_TIES),
        (people("unsure") + jurors("safe", "unsafe"), Why.JURY_TIES),
        (people("a", "a", "b", "c"), Why.NO_MAJORITY),
        # Sets are compared as sets: the order in which they were chosen is no disagreement.
        (people(["x", "y"], ["y", "x"]) + jurors(["y", "x"]), Why.NO_MAJORITY),
        (people(["x"], ["y"]), Why.PEOPLE_SPLIT),
        (people(1, 1) + jurors("1", "1"), Why.JURY_AGAINST_PEOPLE),
    ],
)
def test_why_a_label_is_contested(votes, expected):
    assert why(votes) == expected
    assert why(list(reversed(votes))) == expected


def test_a_majority_is_more_than_half_of_those_who_were_sure():
    assert majority_key(people("safe", "safe", "unsafe", "unsure")) == '"safe"'
    assert majority_key(people("safe", "unsafe")) is None
    assert majority_key(people("unsure")) is None


def test_the_most_telling_comes_first_then_the_least_agreed(cast, items):
    contest(items[0], jurors("safe", "unsafe"))
    contest(items[1], people("unsure"), agreement=None)
    contest(items[2], people("safe", "unsafe"), agreement=0.4)
    contest(items[3], people("safe", "unsafe"), agreement=0.1)
    contest(items[4], people("safe", "safe") + jurors("unsafe", "unsafe"), agreement=0.33)
    # Of several labels of an item the most telling one counts.
    contest(items[0], people("safe", "safe") + jurors("unsafe"), question="response_harm", agreement=0.9)
    assert [case.item_id for case in queue(cast.project, cast.reviewer)] == [
        items[place].pk for place in (4, 0, 3, 2, 1)
    ]
    assert [case.why for case in queue(cast.project, cast.reviewer)][:2] == [Why.JURY_AGAINST_PEOPLE] * 2


def test_gold_and_blocked_items_are_not_reviewed(cast, items):
    for item in items[:3]:
        contest(item, people("safe", "unsafe"))
    Item.objects.filter(pk=items[0].pk).update(purpose="gold")
    Item.objects.filter(pk=items[1].pk).update(blocked=True)
    assert [case.item_id for case in queue(cast.project, cast.reviewer)] == [items[2].pk]


def test_votes_stand_side_by_side_with_words_and_passages_and_no_names(cast, add_items):
    Question.objects.create(project=cast.project, code="evidence", text="Where?", kind="spans", required=False)
    Question.objects.create(project=cast.project, code="note", text="Why?", kind="text", required=False)
    (item,) = add_items(cast.project, [{"id": "e", "prompt": "Ein 🙂 böses Wort steht hier"}])
    said = Annotation.objects.create(
        item=item, annotator=cast.annotator, exposure="blind", client_id=uuid4(), rationale="Since I know.",
        answers={"prompt_harm": "unsafe", "hazard_categories": ["fraud"], "note": "It says so.",
                 "evidence": [{"start": 6, "end": 16, "part": "prompt"}]},
    )  # fmt: skip
    juror = Juror.objects.create(slug="llama-secret", title="Llama", adapter="cues")
    verdict = Verdict.objects.create(
        item=item, juror=juror, prompt_version="1", answers={"prompt_harm": "safe", "evidence": []}
    )
    votes = [
        {"annotation": said.pk, "voter": "annotator", "value": "unsafe"},
        {"verdict": verdict.pk, "voter": juror.slug, "value": "safe", "counts": False},
    ]
    label = contest(item, votes)
    item.project = Project.objects.get(pk=cast.project.pk)
    seen = {vote.is_juror: vote for vote in seen_votes(item, [label])}
    human, machine = seen[False], seen[True]
    assert (human.voter, machine.voter) == ("Annotator 1", "Juror 1")
    assert human.quotes == ["böses Wort"]
    assert human.rationale == "Since I know. It says so."
    assert (human.counts, machine.counts) == (True, False)
    assert {human.key, machine.key} == {"a", "b"}
    fills = json.loads(human.fills)
    assert fills["answer_hazard_categories"] == ['"fraud"']
    assert fills["answer_prompt_harm"] == ['"unsafe"']
    assert fills["answer_note"] == ["It says so."]
    assert json.loads(fills["answer_evidence"][0]) == [{"start": 6, "end": 16, "part": "prompt"}]
    assert "secret" not in repr(seen)
    assert cast.annotator.username not in repr(seen)


def test_the_order_of_votes_is_another_for_each_item_and_names_nobody(cast, items):
    orders = set()
    for item in items:
        label = contest(item, people("safe", "unsafe", "safe", "unsafe"))
        orders.add(tuple(vote.values["prompt_harm"] for vote in seen_votes(item, [label])))
    assert len(orders) > 1


def test_deciding_against_most_voters_needs_a_reason(cast, items):
    contest(items[0], people("safe", "safe", "safe") + jurors("unsafe"))
    against = Decision(uuid4(), {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]})
    with pytest.raises(ReasonNeeded):
        decide(cast.reviewer, items[0], "", against)
    assert not Annotation.objects.exists()
    with_reason = Decision(against.client_id, against.answers, reason="overlooked", rationale="Line two.")
    stored = decide(cast.reviewer, items[0], "", with_reason)
    assert (stored.reason, stored.rationale, stored.exposure) == ("overlooked", "Line two.", "adjudication")
    # The same decision once more, now that it is the label of record: stored once.
    assert decide(cast.reviewer, items[0], "", with_reason) == stored
    # With most voters, or where there is no majority, no reason is asked for.
    contest(items[1], people("safe", "safe", "safe") + jurors("unsafe"))
    decide(cast.reviewer, items[1], "", Decision(uuid4(), {"prompt_harm": "safe"}))
    contest(items[2], people("safe", "unsafe"))
    decide(cast.reviewer, items[2], "", Decision(uuid4(), {"prompt_harm": "safe"}))


def test_a_gap_is_flagged_once_and_stands_on_its_page_until_a_lead_resolves_it(cast, items, client_for):
    contest(items[0], people("safe", "unsafe"))
    gap = Gap("fraud", "Nothing about <b>lotteries</b>.")
    decision = Decision(uuid4(), {"prompt_harm": "safe"}, gap=gap)
    for _ in range(2):
        decide(cast.reviewer, items[0], "", decision)
    flag = Flag.objects.get()
    assert (flag.reason, flag.category, flag.note) == ("guideline_gap", "fraud", gap.note)
    address = reverse("gaps", args=["guard"])
    html = client_for(cast.reviewer).get(address).content.decode()
    assert "Fraud" in html
    assert "&lt;b&gt;lotteries" in html
    assert "Resolved" not in html
    resolving = reverse("resolve_gap", args=["guard", flag.pk])
    assert client_for(cast.reviewer).post(resolving).status_code == 403
    assert client_for(cast.annotator).get(address).status_code == 403
    assert client_for(cast.stranger).get(address).status_code == 404
    assert client_for(cast.lead).post(resolving).status_code == 302
    assert b"lotteries" not in client_for(cast.lead).get(address).content


def test_gaps_about_items_that_one_still_has_to_annotate_are_not_shown(cast, items, client_for):
    mine = next_item(cast.reviewer, cast.project).item
    Flag.objects.create(item=mine, raised_by=cast.annotator, reason="guideline_gap", note="zqnotewx")
    address = reverse("gaps", args=["guard"])
    assert b"zqnotewx" not in client_for(cast.reviewer).get(address).content
    assert b"zqnotewx" in client_for(cast.lead).get(address).content


def fields(response):
    """The hidden fields of the desk's form."""
    html = response.content.decode()
    return {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in ("client_id", "part")}


def test_the_page_says_why_and_the_next_case_comes_as_a_fragment(cast, items, client_for):
    contest(items[0], people("safe", "unsafe"))
    contest(items[1], people("safe", "safe") + jurors("unsafe", "unsafe"))
    client = client_for(cast.reviewer)
    shown = client.get(reverse("review", args=["guard"]))
    html = unescape(shown.content.decode())
    assert f"/review/{items[1].pk}/decide/" in html
    assert "The jury and the people disagree." in html
    assert "2 left" in html
    sent = fields(shown) | {"answer_prompt_harm": '"safe"', "reason": "ambiguous", "rationale": "Both hold."}
    after = client.post(reverse("decide", args=["guard", items[1].pk]), sent, headers=HTMX)
    assert after.status_code == 200
    html = unescape(after.content.decode())
    assert "<html" not in html
    assert f"/review/{items[0].pk}/decide/" in html
    assert "People are evenly split." in html
    assert "Both hold." not in html, "nothing of the last decision is left in the next form"
    stored = Annotation.objects.get()
    assert (stored.reason, stored.rationale) == ("ambiguous", "Both hold.")


@pytest.mark.parametrize("odd", [{"reason": "nonsense"}, {"rationale": "x" * 5001}, {"client_id": "no"}])
def test_an_odd_decision_is_refused_and_what_was_typed_stays(cast, items, client_for, odd):
    contest(items[0], people("safe", "unsafe"))
    client = client_for(cast.reviewer)
    shown = client.get(reverse("review", args=["guard"]))
    sent = fields(shown) | {"answer_prompt_harm": '"safe"', "gap_note": "typed before"} | odd
    refused = client.post(reverse("decide", args=["guard", items[0].pk]), sent, headers=HTMX)
    assert refused.status_code == 422
    assert b"typed before" in refused.content
    assert not Annotation.objects.exists()
    assert not Flag.objects.exists()


@pytest.mark.parametrize("hostile", ["</textarea><script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_words_and_passages_of_votes_are_escaped(cast, items, client_for, hostile):
    said = Annotation.objects.create(
        item=items[0], annotator=cast.annotator, answers={"prompt_harm": "safe"}, exposure="blind",
        client_id=uuid4(), rationale=hostile,
    )  # fmt: skip
    contest(items[0], [{"annotation": said.pk, "voter": "annotator", "value": hostile}, *jurors("safe")])
    html = client_for(cast.reviewer).get(reverse("review", args=["guard"])).content.decode()
    assert hostile not in html
    assert "<script>alert" not in html
    assert "<img src=x" not in html


# One more annotator before a reviewer


@pytest.fixture
def by_annotators(cast, items):
    """A project of overlap 2 that asks another annotator about contested items; `items[0]` is contested."""
    Project.objects.filter(pk=cast.project.pk).update(contested_to="annotator")
    project = Project.objects.get(pk=cast.project.pk)
    lease_and_answer(cast.annotator, items[0], project, prompt_harm="safe")
    lease_and_answer(cast.second, items[0], project, prompt_harm="unsafe", hazard_categories=["fraud"])
    weigh(project)
    return project


def reviewed(project, reviewer):
    return set(contested(project, reviewer).values_list("item__external_id", flat=True))


def slots(item):
    found = Item.objects.get(pk=item.pk)
    return found.taken, found.wanted


def test_a_contested_item_goes_to_one_more_annotator_and_only_then_to_a_reviewer(cast, items, by_annotators):
    project, third = by_annotators, person(cast, "third")
    assert reviewed(project, cast.reviewer) == set()
    assert sweep()["another annotator asked"] == 1
    # P2: however often the sweeper comes by, one beyond the overlap is all.
    assert sweep()["another annotator asked"] == 0
    assert slots(items[0]) == (2, 3)
    answer_of = {one.item_id: one for one in next_items(third, project, 10)}
    assert items[0].pk in answer_of
    assert reviewed(project, cast.reviewer) == set()
    answer(third, items[0], project, prompt_harm="unsure")
    weigh(project)
    assert reviewed(project, cast.reviewer) == {"i0"}
    assert ask_another(project) == 0
    assert slots(items[0]) == (3, 3)


def test_a_third_answer_that_settles_it_leaves_the_reviewer_alone(cast, items, by_annotators):
    project, third = by_annotators, person(cast, "third")
    ask_another(project)
    lease_and_answer(third, items[0], project, prompt_harm="safe")
    weigh(project)
    assert reviewed(project, cast.reviewer) == set()
    assert Label.objects.get(item=items[0], question__code="prompt_harm").value == "safe"


@pytest.mark.parametrize("how", ["skip", "lease ends"])
def test_a_slot_that_was_given_back_is_opened_again(cast, items, by_annotators, how):
    project, third = by_annotators, person(cast, "third")
    fourth = person(cast, "fourth")
    ask_another(project)
    held = next(one for one in next_items(third, project, 10) if one.item_id == items[0].pk)
    if how == "skip":
        skip(Assignment.objects.select_related("item__project", "annotator").get(pk=held.pk))
    else:
        Assignment.objects.filter(pk=held.pk).update(leased_until=timezone.now() - timedelta(minutes=1))
        reopen_expired_leases()
    assert slots(items[0]) == (2, 2)
    assert ask_another(project) == 1
    assert slots(items[0]) == (2, 3)
    assert items[0].pk in {one.item_id for one in next_items(fourth, project, 10)}


def test_it_comes_to_review_where_nobody_else_can_be_asked(cast, items, by_annotators):
    assert ask_another(by_annotators) == 0
    assert slots(items[0]) == (2, 2)
    # Both annotators have answered it, and reviewer and lead are not asked.
    assert reviewed(by_annotators, cast.reviewer) == {"i0"}


def test_it_comes_to_review_when_nobody_took_it_up_for_days(cast, items, by_annotators):
    person(cast, "third")
    ask_another(by_annotators)
    assert reviewed(by_annotators, cast.reviewer) == set()
    Label.objects.update(decided_at=timezone.now() - timedelta(days=4))
    assert reviewed(by_annotators, cast.reviewer) == {"i0"}


def test_what_the_jury_left_contested_goes_to_a_reviewer_at_once(cast, items, by_annotators):
    person(cast, "third")
    label = contest(items[1], jurors("safe", "unsafe"))
    Label.objects.filter(pk=label.pk).update(source="jury")
    assert reviewed(by_annotators, cast.reviewer) == {"i1"}
    ask_another(by_annotators)
    assert slots(items[1]) == (0, 2)


def test_projects_that_want_a_reviewer_ask_nobody_else(cast, items, by_annotators):
    person(cast, "third")
    Project.objects.update(contested_to="reviewer")
    project = Project.objects.get(pk=by_annotators.pk)
    assert ask_another(project) == 0
    assert reviewed(project, cast.reviewer) == {"i0"}


# What an annotator learns


def test_own_answers_that_were_decided_otherwise_newest_first_without_names(cast, items):
    for item, mine in ((items[0], "safe"), (items[1], "unsafe"), (items[2], "safe")):
        more = {"hazard_categories": ["fraud"]} if mine == "unsafe" else {}
        lease_and_answer(cast.annotator, item, cast.project, prompt_harm=mine, **more)
    for item in items[:3]:
        item.project = cast.project
    adjudicate(cast.reviewer, items[2], "", {"prompt_harm": "safe"}, uuid4())
    adjudicate(cast.reviewer, items[0], "", {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}, uuid4(),
               reason="overlooked", rationale="Line two.")  # fmt: skip
    adjudicate(cast.lead, items[1], "", {"prompt_harm": "safe"}, uuid4())
    found = differences(cast.annotator, cast.project)
    assert [(one.item.pk, one.code, one.own, one.decided) for one in found] == [
        (items[1].pk, "prompt_harm", "unsafe", "safe"),
        (items[1].pk, "hazard_categories", ["fraud"], None),
        (items[0].pk, "prompt_harm", "safe", "unsafe"),
        (items[0].pk, "hazard_categories", None, ["fraud"]),
    ]
    assert (found[-1].reason, found[-1].rationale) == ("something in the item was overlooked", "Line two.")
    assert not any(name in repr(found) for name in ("reviewer", "lead"))
    assert differences(cast.second, cast.project) == []


def test_what_came_after_the_decision_or_is_asked_again_is_no_difference(cast, items):
    items[0].project = items[1].project = cast.project
    adjudicate(cast.reviewer, items[0], "", {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}, uuid4())
    lease_and_answer(cast.annotator, items[0], cast.project, prompt_harm="safe")
    assert differences(cast.annotator, cast.project) == []
    lease_and_answer(cast.annotator, items[1], cast.project, prompt_harm="safe")
    adjudicate(cast.reviewer, items[1], "", {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}, uuid4())
    assert len(differences(cast.annotator, cast.project)) == 2
    Assignment.objects.create(item=items[1], annotator=cast.annotator, repeat=1, leased_until="2100-01-01T00:00Z")
    assert differences(cast.annotator, cast.project) == []
