"""Known answers: the warm-up teaches, gold and repeats check, and nothing of either shows too early."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from annotate import gold
from annotate.adjudicate import adjudicate
from annotate.assign import next_item, next_items, skip
from annotate.import_gold import import_gold
from annotate.import_summary import RowsRejected
from annotate.measure_agreement import measure_agreement
from annotate.measure_people import measure_people
from annotate.models import (
    Annotation,
    Assignment,
    Gold,
    Item,
    Membership,
    OptOut,
    Project,
    Purpose,
    Reveal,
    Role,
    User,
)
from annotate.submit import Submission, submit
from jury.weigh import weigh

SAFE = {"prompt_harm": "safe"}
FRAUD = {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}


@pytest.fixture
def make(cast, add_items, tmp_path):
    """Items of a purpose with these known answers; ordinary ones need none."""

    def made(purpose, count, answers=SAFE, project=None, **more):
        project = project or cast.project
        rows = [{"id": f"{purpose or 'plain'}{n}", "prompt": f"{purpose} number {n}"} for n in range(count)]
        items = add_items(project, rows)
        if purpose:
            path = tmp_path / f"{purpose}.jsonl"
            known = [{"id": row["id"], "answers": answers, "explanation": f"because {row['id']}"} for row in rows]
            path.write_text("\n".join(json.dumps(row | more) for row in known))
            import_gold(project, path, Purpose(purpose))
        return [Item.objects.get(pk=item.pk) for item in items]

    return made


def rates(project, **rates):
    for name, value in rates.items():
        setattr(project, name, value)
    Project.objects.filter(pk=project.pk).update(**rates)


def answer(assignment, answers=SAFE):
    item = assignment.item
    sent = Submission(
        uuid4(), answers, taxonomy_version_id=item.project.taxonomy_version_id, repeat=assignment.repeat
    )
    return submit(assignment.annotator, item, sent)


def member(cast, user=None):
    return Membership.objects.get(project=cast.project, user=user or cast.annotator)


# The warm-up


def test_a_new_annotator_gets_the_warm_up_in_order_and_nothing_else(cast, make):
    warm_up = make("warm_up", 10)
    make("", 30)
    make("gold", 5)
    rates(cast.project, gold_rate=0.5)
    held = next_items(cast.annotator, cast.project, 8)
    assert [one.item_id for one in held] == [item.pk for item in warm_up[:8]]
    for one in held:
        answer(one)
    last = next_items(cast.annotator, cast.project, 8)
    assert [one.item_id for one in last] == [item.pk for item in warm_up[8:]]
    assert member(cast).qualified_at is None
    for one in last:
        answer(one)
    assert member(cast).qualified_at is not None, "passed with the last answer"
    after = {one.item.purpose for one in next_items(cast.annotator, cast.project, 8)}
    assert Purpose.LABEL in after
    assert Purpose.WARM_UP not in after


@pytest.mark.parametrize(("right", "passes"), [(8, True), (7, False)])
def test_the_pass_mark_decides(cast, make, right, passes):
    make("warm_up", 10)
    make("", 5)
    for place in range(10):
        answer(next_item(cast.annotator, cast.project), SAFE if place < right else FRAUD)
    assert (member(cast).qualified_at is not None) is passes
    assert (next_item(cast.annotator, cast.project) is not None) is passes
    assert gold.warm_up_of(cast.annotator, cast.project).failed is not passes


def test_the_first_answer_counts_since_the_explanation_follows(cast, make):
    make("warm_up", 1)
    only = next_item(cast.annotator, cast.project)
    answer(only, FRAUD)
    assert answer(only, SAFE).revision == 2
    assert gold.warm_up_of(cast.annotator, cast.project).right == 0
    assert member(cast).qualified_at is None


def test_without_warm_up_items_everybody_works_at_once(cast, make):
    make("", 3)
    assert next_item(cast.annotator, cast.project).item.purpose == Purpose.LABEL


def test_leads_and_admins_are_not_asked(cast, make):
    make("warm_up", 3)
    make("gold", 10)
    make("", 3)
    rates(cast.project, gold_rate=1.0)
    assert next_item(cast.lead, cast.project).item.purpose != Purpose.WARM_UP
    assert {one.item.purpose for one in next_items(cast.admin, cast.project, 8)} == {Purpose.LABEL}


def test_a_lead_lets_a_person_try_again_or_waves_them_through(cast, make):
    make("warm_up", 4)
    make("", 5)
    for _ in range(4):
        answer(next_item(cast.annotator, cast.project), FRAUD)
    assert gold.try_again(member(cast))
    assert not gold.try_again(member(cast)), "it runs already"
    held = next_items(cast.annotator, cast.project, 8)
    assert [(one.item.external_id, one.repeat) for one in held] == [(f"warm_up{n}", 1) for n in range(4)]
    for one in held[:3]:
        answer(one, FRAUD)
    answer(held[3], SAFE)
    again = gold.warm_up_of(cast.annotator, cast.project)
    assert (again.attempt, again.answered, again.right, again.failed) == (1, 4, 1, True)
    gold.let_through(member(cast))
    assert next_item(cast.annotator, cast.project).item.purpose == Purpose.LABEL


def test_a_second_attempt_can_be_passed(cast, make):
    make("warm_up", 2)
    make("", 5)
    for _ in range(2):
        answer(next_item(cast.annotator, cast.project), FRAUD)
    gold.try_again(member(cast))
    for one in next_items(cast.annotator, cast.project, 8):
        answer(one)
    assert member(cast).qualified_at is not None


def test_skipped_warm_up_items_count_neither_way_but_half_must_be_answered(cast, make):
    make("warm_up", 4)
    make("", 5)
    for place in range(4):
        claim = next_item(cast.annotator, cast.project)
        if place < 2:
            answer(claim)
        else:
            skip(claim)
    assert next_item(cast.annotator, cast.project).item.purpose == Purpose.LABEL
    for place in range(4):
        claim = next_item(cast.second, cast.project)
        if place < 1:
            answer(claim)
        else:
            skip(claim)
    assert next_item(cast.second, cast.project) is None
    assert gold.warm_up_of(cast.second, cast.project).failed


def test_whoever_opted_out_of_a_hazard_passes_without_those_items(cast, make):
    first, *_ = make("warm_up", 3)
    make("", 5)
    Item.objects.filter(pk=first.pk).update(hazards=["fraud"])
    OptOut.objects.create(user=cast.annotator, taxonomy=cast.project.taxonomy_version.taxonomy, code="fraud")
    for _ in range(2):
        assert answer(next_item(cast.annotator, cast.project)).item_id != first.pk
    assert member(cast).qualified_at is not None


def test_a_warm_up_that_comes_later_spares_those_at_work(cast, make):
    make("", 5)
    answer(next_item(cast.annotator, cast.project))
    make("warm_up", 2)
    assert next_item(cast.annotator, cast.project).item.purpose == Purpose.LABEL
    assert next_item(cast.second, cast.project).item.purpose == Purpose.WARM_UP


# Gold


def test_gold_comes_at_its_rate_and_never_twice(cast, make):
    make("gold", 150)
    make("", 700)
    rates(cast.project, gold_rate=0.2)
    handed = []
    while len(handed) < 500:
        held = next_items(cast.annotator, cast.project, 8)
        handed += [one.item for one in held]
        Assignment.objects.filter(pk__in=[one.pk for one in held]).update(state=Assignment.State.SUBMITTED)
    golds = [place for place, item in enumerate(handed) if item.purpose == Purpose.GOLD]
    assert 60 < len(golds) < 145, "500 draws at 0.2: 100, give or take 4.5 standard deviations"
    assert len({item.pk for item in handed}) == len(handed)
    eighths = [sum(place % 8 == part for place in golds) for part in range(8)]
    assert min(eighths) > 0, "they come at any place of the queue, not at its head or its end"


def test_gold_stops_when_nothing_else_is_left(cast, make):
    """Whoever gets an item when there is nothing to do would know what it is."""
    make("gold", 40)
    make("", 3)
    rates(cast.project, gold_rate=0.3)
    for _ in range(200):
        claim = next_item(cast.annotator, cast.project)
        if claim is None:
            break
        answer(claim)
    plain = Assignment.objects.filter(annotator=cast.annotator, item__purpose="").count()
    assert plain == 3
    assert all(next_item(cast.annotator, cast.project) is None for _ in range(30))


@pytest.mark.django_db(transaction=True)
def test_p2_gold_takes_no_slot_and_overlap_stays_exact_in_a_race(cast, make):
    golds, plain = make("gold", 60), make("", 120)
    rates(cast.project, gold_rate=0.3, repeat_rate=0.3)
    people = [User.objects.create(username=f"racer{n}") for n in range(8)]
    Membership.objects.bulk_create(
        Membership(project=cast.project, user=one, role=Role.ANNOTATOR) for one in people
    )

    def work(person):
        while (claim := next_item(person, cast.project)) is not None:
            answer(claim)
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, people))
    assert set(Item.objects.filter(pk__in=[i.pk for i in plain]).values_list("taken", "wanted")) == {(2, 2)}
    assert set(Item.objects.filter(pk__in=[i.pk for i in golds]).values_list("taken", "wanted")) == {(0, 0)}
    first = Assignment.objects.filter(item__in=plain, repeat=0)
    assert first.count() == 240
    asked = Assignment.objects.filter(item__in=golds)
    assert asked.exists()
    assert asked.values("item", "annotator").distinct().count() == asked.count()


def test_known_answers_never_reach_the_page_before_the_own_answer(cast, make, client_for):
    make("warm_up", 1, FRAUD)
    make("gold", 12, FRAUD)
    make("", 12)
    rates(cast.project, gold_rate=0.5)
    client = client_for(cast.annotator)
    gold.let_through(member(cast))
    pages = [
        client.get(reverse("annotate", args=["guard"])),
        client.get(reverse("project", args=["guard"])),
        client.post(reverse("queue", args=["guard"]), headers={"Accept": "application/json"}),
    ]
    held = next_items(cast.annotator, cast.project, 8)
    assert {one.item.purpose for one in held} == {Purpose.GOLD, Purpose.LABEL}
    for page in pages:
        assert page.status_code == 200
        for secret in (b"because", b'"gold', b"gold0"):
            assert secret not in page.content


def test_gold_and_ordinary_items_look_alike_to_scripts(cast, make, client_for):
    make("gold", 12)
    make("", 12)
    rates(cast.project, gold_rate=0.5)
    sent = (
        client_for(cast.annotator)
        .post(reverse("queue", args=["guard"]), headers={"Accept": "application/json"})
        .json()["items"]
    )
    purposes = dict(Item.objects.values_list("pk", "purpose"))
    shapes = {True: set(), False: set()}
    for one in sent:
        plain = {
            key: value for key, value in one.items() if key not in ("id", "assignment", "leased_until", "html")
        }
        shapes[purposes[one["id"]] == Purpose.GOLD].add(json.dumps(plain, sort_keys=True))
    assert shapes[True] == shapes[False]


def test_gold_and_repeats_never_become_labels(cast, make):
    golds = make("gold", 2)
    for item in golds:
        for person in (cast.annotator, cast.second):
            Assignment.objects.create(
                item=item, annotator=person, leased_until=timezone.now() + timedelta(hours=1)
            )
            answer(Assignment.objects.get(item=item, annotator=person))
    assert not Item.objects.filter(labels_stale=True).exists()


# Repeats


def work_off(cast, count, hours_ago):
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() - timedelta(hours=hours_ago)):
        for _ in range(count):
            answer(next_item(cast.annotator, cast.project))


def drawn(cast):
    """What comes as a repeat, if every place is drawn for one."""
    rates(cast.project, repeat_rate=1.0)
    return {item.pk for item, repeat in gold.due(cast.annotator, cast.project, member(cast), 8) if repeat == 1}


def test_repeats_wait_for_a_day_or_for_fifty_items(cast, make):
    make("", 70)
    work_off(cast, 5, hours_ago=2)
    assert drawn(cast) == set(), "five items, two hours ago"
    rates(cast.project, repeat_rate=0.0)
    work_off(cast, 49, hours_ago=1)
    assert len(drawn(cast)) == 4, "the first four have fifty others after them"


def test_repeats_come_after_a_day(cast, make):
    make("", 10)
    work_off(cast, 5, hours_ago=25)
    assert len(drawn(cast)) == 5


def test_no_repeat_of_what_is_blocked_revealed_settled_or_repeated(cast, make):
    items = make("", 12)
    work_off(cast, 6, hours_ago=25)
    answered = list(Annotation.objects.order_by("pk").values_list("item_id", flat=True))
    blocked, revealed, settled, repeated, *rest = answered
    Item.objects.filter(pk=blocked).update(blocked=True)
    Reveal.objects.create(item_id=revealed, person=cast.annotator, votes=[])
    adjudicate(cast.reviewer, Item.objects.get(pk=settled), "", SAFE, uuid4())
    Assignment.objects.create(
        item_id=repeated, annotator=cast.annotator, repeat=1, state="skipped", leased_until=timezone.now()
    )
    assert drawn(cast) == set(rest)
    assert len(items) == 12


def test_a_repeat_is_stored_as_one_takes_no_slot_and_is_counted_in_no_label(cast, make):
    make("", 8)
    work_off(cast, 4, hours_ago=25)
    rates(cast.project, repeat_rate=1.0)
    before = dict(Item.objects.values_list("pk", "taken"))
    claims = [one for one in next_items(cast.annotator, cast.project, 2) if one.repeat]
    assert [one.repeat for one in claims] == [1, 1]
    assert dict(Item.objects.values_list("pk", "taken")) == before
    figures = measure_agreement(cast.project)
    Item.objects.update(labels_stale=False)
    stored = answer(claims[0], FRAUD)
    answer(claims[1], SAFE)
    assert (stored.repeat, stored.revision) == (1, 1)
    assert not Item.objects.filter(labels_stale=True).exists()
    assert measure_agreement(cast.project) == figures
    weigh(cast.project, stale_only=False)
    votes = [vote for label in stored.item.labels.all() for vote in label.votes]
    assert stored.pk not in {vote["annotation"] for vote in votes}
    assert len(votes) == 1
    found = measure_people(cast.project, [cast.annotator.pk])[cast.annotator.pk].consistency
    assert (found.right, found.n) == (1, 2)


def test_repeats_come_at_their_rate_and_at_most_once_an_item(cast, make):
    make("", 500)
    work_off(cast, 120, hours_ago=25)
    rates(cast.project, repeat_rate=0.25)
    handed = []
    while len(handed) < 240:
        held = next_items(cast.annotator, cast.project, 8)
        handed += held
        Assignment.objects.filter(pk__in=[one.pk for one in held]).update(state=Assignment.State.SUBMITTED)
    repeats = [one.item_id for one in handed if one.repeat]
    assert 32 < len(repeats) < 92, "240 draws at 0.25: 60, give or take 4.5 standard deviations"
    assert len(set(repeats)) == len(repeats)


# What is told


def test_a_warm_up_item_explains_itself_and_gold_does_not(cast, make):
    make("warm_up", 1, FRAUD)
    make("gold", 5)
    make("", 5)
    stored = answer(
        next_item(cast.annotator, cast.project), {"prompt_harm": "unsafe", "hazard_categories": ["violence"]}
    )
    told = gold.explain(stored)
    assert told.text == "because warm_up0"
    assert not told.right
    assert [(one.given, one.known, one.right) for one in told.questions] == [
        ("unsafe", "unsafe", True),
        ("Violence", "Fraud", False),
    ]
    assert told.warm_up.failed
    gold.let_through(member(cast))
    rates(cast.project, gold_rate=1.0)
    for rate in (1.0, 0.0):
        rates(cast.project, gold_rate=rate)
        claim = next_item(cast.annotator, cast.project)
        assert claim.item.purpose == (Purpose.GOLD if rate else Purpose.LABEL)
        assert gold.explain(answer(claim)) is None


def test_p3_answers_that_are_not_stored_get_no_explanation(cast, make):
    [item] = make("warm_up", 1)
    assert gold.explain(Annotation(item=item, annotator=cast.annotator, answers=SAFE)) is None


def test_accuracy_counts_gold_only_and_each_item_once(cast, make):
    make("warm_up", 2)
    make("gold", 6)
    make("", 10)
    for _ in range(2):
        answer(next_item(cast.annotator, cast.project))
    rates(cast.project, gold_rate=1.0)
    given = [SAFE, SAFE, FRAUD, {"prompt_harm": "unsure"}]
    claims = next_items(cast.annotator, cast.project, 4)
    for claim, answers in zip(claims, given, strict=True):
        answer(claim, FRAUD)
        answer(claim, answers)
    found = measure_people(cast.project, [cast.annotator.pk, cast.second.pk])
    own = found[cast.annotator.pk].accuracy
    assert (own.share.right, own.share.n, own.unsure) == (2, 4, 1)
    assert found[cast.second.pk].accuracy.share.n == 0


def test_known_answers_may_be_mended_by_importing_again(cast, make, tmp_path):
    [item] = make("gold", 1)
    claim = Assignment.objects.create(
        item=item, annotator=cast.annotator, leased_until=timezone.now() + timedelta(hours=1)
    )
    answer(claim, FRAUD)
    make("gold", 1, FRAUD)
    assert Gold.objects.get().answers == FRAUD
    assert measure_people(cast.project, [cast.annotator.pk])[cast.annotator.pk].accuracy.share.right == 1
    path = tmp_path / "warm_up.jsonl"
    path.write_text(json.dumps({"id": "gold0", "answers": SAFE}))
    with pytest.raises(RowsRejected) as refused:
        import_gold(cast.project, path, Purpose.WARM_UP)
    assert [one.code for one in refused.value.summary.rejections] == ["handed_out"]
