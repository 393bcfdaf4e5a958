"""Runs: what is planned, who may claim it, and that every (item, juror) ends with exactly one verdict."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings

from annotate.models import Item
from jury import adapters
from jury.adapters.contract import LocalAdapter, Material, Reading
from jury.bench import sitting
from jury.claim import MOST_ATTEMPTS, claim, finish_if_done, give_back, park_exhausted
from jury.defaults import load_cues, local_panel
from jury.deliberate import deliberate, store
from jury.errors import NothingToAsk, RunUnderWay
from jury.models import Cue, Failure, Juror, Panel, Run, Verdict, Work
from jury.plan import resume_run, start_run, stop_run
from jury.progress import progress_of
from jury.sweep import sweep
from tests.conftest import Cast
from tests.jury.conftest import work_off

ROWS = [{"id": f"i{n}", "prompt": f"How do I bake loaf number {n}?"} for n in range(30)]


@pytest.fixture
def cue_panel(db: None, panel_of: Callable[..., Panel]) -> Panel:
    juror = Juror.objects.create(slug="cue-juror", title="Cues", adapter="cues")
    load_cues(juror, {"violence": ["stab*"], "fraud": ["fake invoice"]})
    return panel_of(juror)


def expire_leases() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE jury_work SET leased_until = now() - interval '1 hour' WHERE leased_until IS NOT NULL"
        )


def test_a_run_gives_one_verdict_for_each_item_and_juror(cast: Cast, add_items: Any) -> None:
    add_items(cast.project, ROWS)
    panel = local_panel()
    load_cues(Juror.objects.get(slug="cues"), {"violence": ["stab*"]})
    run = work_off(start_run(cast.project, panel))
    assert run.state == Run.State.DONE
    assert run.finished_at is not None
    # The learned juror has no labels to learn from: it sits out and the run says so.
    assert Verdict.objects.count() == 2 * len(ROWS)
    assert any("learned" in note and "0 human labels, needs 50" in note for note in run.notes)
    assert Item.objects.filter(labels_stale=True).count() == len(ROWS)
    assert progress_of(run).done == 2 * len(ROWS)


def test_a_second_run_asks_nothing_again(cast: Cast, add_items: Any, cue_panel: Panel) -> None:
    add_items(cast.project, ROWS)
    work_off(start_run(cast.project, cue_panel))
    before = list(Verdict.objects.order_by("pk").values_list("pk", flat=True))
    again = work_off(start_run(cast.project, cue_panel))
    assert progress_of(again).total == 0
    assert list(Verdict.objects.order_by("pk").values_list("pk", flat=True)) == before


def test_new_items_and_a_new_prompt_version_are_asked(cast: Cast, add_items: Any, cue_panel: Panel) -> None:
    add_items(cast.project, ROWS)
    work_off(start_run(cast.project, cue_panel))
    add_items(cast.project, [{"id": "new", "prompt": "How do I stab a potato?"}])
    assert progress_of(work_off(start_run(cast.project, cue_panel))).total == 1
    Cue.objects.create(juror=cue_panel.jurors.get(), category="privacy", term="home address")
    assert progress_of(work_off(start_run(cast.project, cue_panel))).total == len(ROWS) + 1


def test_what_failed_in_passing_is_asked_again_and_replaced(cast: Cast, add_items: Any, cue_panel: Panel) -> None:
    add_items(cast.project, ROWS[:4])
    work_off(start_run(cast.project, cue_panel))
    broken, refused = Verdict.objects.order_by("pk")[:2]
    Verdict.objects.filter(pk=broken.pk).update(answers=None, failure=Failure.TIMEOUT)
    Verdict.objects.filter(pk=refused.pk).update(answers=None, failure=Failure.REFUSED)
    again = work_off(start_run(cast.project, cue_panel))
    assert progress_of(again).total == 1
    assert not Verdict.objects.filter(pk=broken.pk).exists()
    assert Verdict.objects.get(item=broken.item_id).failure == Failure.ABSTAINED
    assert Verdict.objects.get(pk=refused.pk).failure == Failure.REFUSED


def test_items_without_text_and_blocked_ones_are_left_out(cast: Cast, add_items: Any, cue_panel: Panel) -> None:
    items = add_items(cast.project, ROWS[:3])
    Item.objects.filter(pk=items[0].pk).update(kind="reference", content={})
    Item.objects.filter(pk=items[1].pk).update(blocked=True)
    run = work_off(start_run(cast.project, cue_panel))
    assert list(Verdict.objects.values_list("item_id", flat=True)) == [items[2].pk]
    assert progress_of(run).total == 1


def test_one_run_at_a_time_and_none_without_a_juror(
    cast: Cast, add_items: Any, cue_panel: Panel, panel_of: Callable[..., Panel]
) -> None:
    add_items(cast.project, ROWS)
    run = start_run(cast.project, cue_panel)
    with pytest.raises(RunUnderWay):
        start_run(cast.project, cue_panel)
    assert Run.objects.count() == 1
    stop_run(run)
    with pytest.raises(NothingToAsk, match="no cues yet"):
        start_run(cast.project, panel_of(Juror.objects.create(slug="bare", title="Bare", adapter="cues")))


def test_a_stopped_run_claims_nothing_and_goes_on_when_resumed(
    cast: Cast, add_items: Any, cue_panel: Panel
) -> None:
    add_items(cast.project, ROWS)
    run = start_run(cast.project, cue_panel)
    assert stop_run(run)
    assert not deliberate(run, seconds=5)
    assert not Verdict.objects.exists()
    resume_run(run)
    run.refresh_from_db()
    assert work_off(run).state == Run.State.DONE
    assert Verdict.objects.count() == len(ROWS)


def test_a_juror_that_changed_under_a_run_stops_it_with_a_note(
    cast: Cast, add_items: Any, cue_panel: Panel
) -> None:
    add_items(cast.project, ROWS)
    run = start_run(cast.project, cue_panel)
    cue_panel.jurors.update(params={"other": 1})
    assert work_off(run).state == Run.State.STOPPED
    assert "changed after this run was planned" in run.notes[-1]
    assert not Verdict.objects.exists()


def test_rows_tried_before_are_claimed_alone_and_leases_are_respected(
    cast: Cast, add_items: Any, cue_panel: Panel
) -> None:
    add_items(cast.project, ROWS)
    seat = start_run(cast.project, cue_panel).seats.get()
    first = claim(seat, 20)
    assert len(first) == 20
    assert {row.attempt for row in first} == {1}
    assert len(claim(seat, 20)) == 10
    assert claim(seat, 20) == []
    expire_leases()
    alone = claim(seat, 20)
    assert len(alone) == 1
    assert alone[0].attempt == 2


def test_a_worker_whose_lease_was_taken_over_stores_nothing(cast: Cast, add_items: Any, cue_panel: Panel) -> None:
    items = add_items(cast.project, ROWS[:1])
    ready = sitting(start_run(cast.project, cue_panel).seats.get().pk)
    late = claim(ready.seat, 10)
    expire_leases()
    now = claim(ready.seat, 10)
    reading = {items[0].pk: Reading(failure=Failure.ABSTAINED)}
    flags: dict[int, list[str]] = {items[0].pk: []}
    assert store(ready, late, reading, flags) == []
    assert not Verdict.objects.exists()
    assert store(ready, now, reading, flags) == [items[0].pk]
    assert store(ready, now, reading, flags) == []
    assert Verdict.objects.count() == 1


def test_untried_rows_go_back_uncounted_and_tried_ones_wait(cast: Cast, add_items: Any, cue_panel: Panel) -> None:
    add_items(cast.project, ROWS[:2])
    seat = start_run(cast.project, cue_panel).seats.get()
    untried, tried = claim(seat, 2)
    give_back([untried], tried=False)
    give_back([tried], tried=True)
    assert [row.work_id for row in claim(seat, 2)] == [untried.work_id]
    assert claim(seat, 2) == []
    assert Work.objects.get(pk=tried.work_id).attempts == 1


class Killed(BaseException):
    """Stands for a worker's death: nothing in the product catches it."""


@pytest.fixture
def poisonous(db: None) -> Juror:
    """A local juror that kills its worker on one item; added as a new kind is: a file and a line."""

    def judge(items: Any) -> dict[int, Reading]:
        if any("poison" in item.content["prompt"] for item in items):
            raise Killed
        return {item.pk: Reading(answers={"prompt_harm": "safe"}) for item in items}

    adapters.ADAPTERS["poisonous"] = LocalAdapter(
        version=1, what="test", gather=lambda *_: Material([]), prepare=lambda *_: judge
    )
    yield Juror.objects.create(slug="poisonous", title="Poisonous", adapter="poisonous")
    del adapters.ADAPTERS["poisonous"]


def test_a_poison_item_is_parked_after_three_attempts_while_its_neighbours_finish(
    cast: Cast, add_items: Any, poisonous: Juror, panel_of: Callable[..., Panel]
) -> None:
    items = add_items(cast.project, [*ROWS, {"id": "bad", "prompt": "poison"}])
    run = start_run(cast.project, panel_of(poisonous))
    deaths = 0
    while run.state == Run.State.RUNNING:
        try:
            deliberate(run, seconds=5)
        except Killed:
            deaths += 1
        expire_leases()
        run.refresh_from_db()
    assert deaths == MOST_ATTEMPTS
    parked = Work.objects.get(state=Work.State.PARKED)
    assert parked.item_id == items[-1].pk
    assert "three times" in parked.reason
    assert Verdict.objects.get(item=items[-1]).failure == Failure.ERROR
    assert Verdict.objects.filter(answers={"prompt_harm": "safe"}).count() == len(ROWS)


@pytest.mark.django_db(transaction=True)
def test_workers_racing_for_one_run_never_judge_an_item_twice(
    cast: Cast, add_items: Any, cue_panel: Panel
) -> None:
    add_items(cast.project, [{"id": f"r{n}", "prompt": f"Item {n}"} for n in range(300)])
    seat = start_run(cast.project, cue_panel).seats.get()
    taken: list[list[int]] = []

    def take() -> None:
        mine: list[int] = []
        while rows := claim(seat, 7):
            mine += [row.work_id for row in rows]
        taken.append(mine)
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [work_id for mine in taken for work_id in mine]
    assert len(every) == len(set(every)) == 300


def test_the_sweeper_finds_runs_that_nobody_works_on(
    cast: Cast, add_items: Any, cue_panel: Panel, settings: Settings
) -> None:
    add_items(cast.project, ROWS)
    run = start_run(cast.project, cue_panel)
    assert sweep()["runs woken"] == 1
    seat = run.seats.get()
    claim(seat, 5)
    assert sweep()["runs woken"] == 0
    expire_leases()
    assert sweep()["runs woken"] == 1
    assert sweep()["projects to weigh"] == 0
    work_off(run)
    assert sweep() == {"runs woken": 0, "projects to weigh": 1}


def test_parking_needs_three_ended_attempts(cast: Cast, add_items: Any, cue_panel: Panel) -> None:
    add_items(cast.project, ROWS[:1])
    run = start_run(cast.project, cue_panel)
    seat = run.seats.get()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert park_exhausted(seat) == 0
        assert [row.attempt for row in claim(seat, 1)] == [attempt]
        assert park_exhausted(seat) == 0
        expire_leases()
    assert claim(seat, 1) == []
    assert not finish_if_done(run)
    assert park_exhausted(seat) == 1
    assert finish_if_done(run)


def test_planning_and_judging_take_a_bounded_number_of_queries(
    cast: Cast, add_items: Any, cue_panel: Panel, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_items(cast.project, [{"id": f"q{n}", "prompt": f"Item {n}"} for n in range(500)])
    with django_assert_max_num_queries(14):
        run = start_run(cast.project, cue_panel)
    with django_assert_max_num_queries(40):
        work_off(run)
    assert Verdict.objects.count() == 500
