"""The shift towards the jury: figures worked out by hand, coverage by simulation, and what goes in."""

from uuid import uuid4

import numpy as np
import pytest
from django.template.loader import render_to_string

from annotate.exposure import in_blind_share
from annotate.measure_shift import measure_shift
from annotate.models import Annotation, Project
from annotate.shift import _newcombe, effective_size, shift
from jury.models import Juror, Verdict


@pytest.mark.parametrize(
    ("first", "first_n", "second", "second_n", "interval"),
    [
        # Newcombe 1998, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10, 0/10 - 0/10.
        (56 / 70, 70, 48 / 80, 80, (0.0524, 0.3339)),
        (9 / 10, 10, 3 / 10, 10, (0.1705, 0.8090)),
        (1.0, 10, 0.0, 10, (0.6075, 1.0)),
        (0.0, 10, 0.0, 10, (-0.2775, 0.2775)),
    ],
)
def test_the_interval_is_the_published_one(first, first_n, second, second_n, interval):
    assert _newcombe(first, first_n, second, second_n) == pytest.approx(interval, abs=5e-5)


def test_independent_answers_keep_their_number_and_copies_count_once():
    alone = np.ones(40)
    assert effective_size(np.repeat([1.0, 0.0], 20), alone) == 40
    # Three answers an item that are always the same are worth one.
    assert effective_size(3 * np.repeat([1.0, 0.0], 20), 3 * alone) == pytest.approx(40)
    # All agree: nothing says how alike they are, so each item counts once; less where one has most answers.
    assert effective_size(3 * alone, 3 * alone) == 40
    lopsided = np.array([10.0, 1.0, 1.0])
    assert effective_size(lopsided, lopsided) == pytest.approx(144 / 102)
    # Answers more even than chance don't make the interval narrower than independent ones would.
    assert effective_size(np.ones(40), 2 * alone) == 80


def test_a_shift_over_rows():
    # 40 blind items, half agree; 40 assisted, three quarters agree; one answer each.
    items = list(range(80))
    agrees = [n % 2 == 0 for n in range(40)] + [n % 4 != 0 for n in range(40)]
    found = shift(items, agrees, [False] * 40 + [True] * 40)
    assert (found.blind.items, found.blind.answers, found.blind.agreement) == (40, 40, 0.5)
    assert (found.assisted.items, found.assisted.answers, found.assisted.agreement) == (40, 40, 0.75)
    assert found.difference == 0.25
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.25 < found.high < 0.5


def test_below_twenty_items_a_side_it_says_too_few():
    found = shift(list(range(59)), [True] * 59, [False] * 19 + [True] * 40)
    assert found.too_few
    assert (found.difference, found.low, found.high) == (None, None, None)
    # Many answers about few items are still few.
    crowded = shift(
        [n % 19 for n in range(500)] + list(range(100, 140)), [True] * 540, [False] * 500 + [True] * 40
    )
    assert crowded.too_few
    assert shift([], [], []).too_few


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="same length"):
        shift([1, 2], [True], [True, False])


@pytest.mark.parametrize(("blind", "assisted", "alike"), [(0.7, 0.8, 0.4), (0.9, 0.95, 0.1), (0.6, 0.6, 0.0)])
def test_the_interval_holds_the_true_shift_about_as_often_as_it_says(blind, assisted, alike):
    """2,000 simulated projects of 60 blind and 200 assisted items with three answers each, correlated by item."""
    rng, held, runs = np.random.default_rng(7), 0, 2_000

    def draw(items, share):
        own = rng.random((items, 3)) < share
        common = np.repeat(rng.random((items, 1)) < share, 3, axis=1)
        return np.where(rng.random((items, 1)) < alike, common, own).ravel()

    ids = np.repeat(np.arange(260), 3)
    with_votes = np.repeat(np.arange(260) >= 60, 3)
    for _ in range(runs):
        found = shift(ids, np.concatenate([draw(60, blind), draw(200, assisted)]), with_votes)
        held += found.low <= assisted - blind <= found.high
    assert 0.93 <= held / runs <= 0.985


# From the database


@pytest.fixture
def assisted_project(cast, add_items):
    """160 items, three jurors of which two say unsafe; assisted answers follow them, blind ones half the time."""
    Project.objects.update(exposure_policy="assisted", blind_share=0.5)
    project = Project.objects.get(pk=cast.project.pk)
    items = add_items(project, [{"id": f"i{n:03d}", "prompt": f"Question {n}"} for n in range(160)])
    jurors = [Juror.objects.create(slug=f"j{n}", title=f"j{n}", adapter="cues") for n in range(3)]
    Verdict.objects.bulk_create(
        Verdict(item=item, juror=juror, prompt_version="1", answers={"prompt_harm": value})
        for item in items
        for juror, value in zip(jurors, ("unsafe", "unsafe", "safe"), strict=True)
    )
    for place, item in enumerate(items):
        blind = in_blind_share(project, item.external_id)
        value = "unsafe" if not blind or place % 2 else "safe"
        say(item, cast.annotator, value, "blind" if blind else "assisted")
    return project


def say(item, person, value, exposure, **more):
    return Annotation.objects.create(
        item=item, annotator=person, answers={"prompt_harm": value}, exposure=exposure, client_id=uuid4(), **more
    )


def test_the_shift_of_a_project_is_measured_against_its_blind_share(cast, assisted_project):
    found = measure_shift(assisted_project)
    assert found is not None
    assert found.blind.items + found.assisted.items == 160
    assert found.assisted.agreement == 1.0
    assert 0.3 < found.blind.agreement < 0.7
    assert found.low > 0.2
    html = render_to_string("annotate/_shift.html", {"shift": found})
    assert f"{100 * found.difference:+.1f} points" in html
    assert f"{100 * found.low:+.1f} points" in html


def test_what_is_neither_blind_share_nor_assisted_is_left_out(cast, assisted_project, add_items):
    before = measure_shift(assisted_project)
    item = next(
        item for item in add_items(assisted_project, [{"id": f"late{n}", "prompt": f"Late {n}"} for n in range(9)])
        if not in_blind_share(assisted_project, item.external_id)
    )  # fmt: skip
    juror = Juror.objects.first()
    Verdict.objects.create(item=item, juror=juror, prompt_version="1", answers={"prompt_harm": "unsafe"})
    say(item, cast.annotator, "safe", "blind")
    say(item, cast.second, "safe", "imported")
    say(item, cast.reviewer, "safe", "post_reveal")
    assert measure_shift(assisted_project) == before


def test_the_jurys_majority_counts_and_a_tie_is_none(cast, assisted_project):
    whole = measure_shift(assisted_project)
    Verdict.objects.filter(juror__slug="j1").update(answers={"prompt_harm": "safe"})
    turned = measure_shift(assisted_project)
    assert turned.assisted.agreement == 0.0
    assert turned.blind.agreement == pytest.approx(1 - whole.blind.agreement)
    Juror.objects.filter(slug="j2").update(enabled=False)
    tied = measure_shift(assisted_project)
    assert (tied.blind.items, tied.assisted.items, tied.difference) == (0, 0, None)
    assert "Too few" in render_to_string("annotate/_shift.html", {"shift": tied})


def test_a_project_without_assisted_work_has_no_shift(cast, add_items):
    (item,) = add_items(cast.project, [{"id": "a", "prompt": "one"}])
    say(item, cast.annotator, "safe", "blind")
    assert measure_shift(cast.project) is None
    assert render_to_string("annotate/_shift.html", {"shift": None}).strip() == ""
