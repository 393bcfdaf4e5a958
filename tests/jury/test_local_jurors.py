"""Local jurors: baselines that say what they find, and nothing where they find nothing."""

from typing import Any

import pytest
from pytest_django import Settings

from annotate.models import Category, Item
from jury.adapters import ADAPTERS
from jury.adapters.contract import LocalAdapter
from jury.adapters.cues import pattern
from jury.brief import brief_of
from jury.defaults import check_term, load_cues, local_panel
from jury.errors import BadJuror
from jury.item_text import normal_form
from jury.models import Failure, Juror, Verdict
from jury.plan import start_run
from tests.conftest import Cast
from tests.jury.conftest import work_off


def judge(cast: Cast, adapter: str, items: list[Item], **juror: Any) -> list[Any]:
    """What a local juror reads into the items, without a run."""
    juror_row, _ = Juror.objects.get_or_create(
        slug=adapter, defaults={"title": adapter, "adapter": adapter, **juror}
    )
    kind, brief = ADAPTERS[adapter], brief_of(cast.project)
    assert isinstance(kind, LocalAdapter)
    material = kind.gather(juror_row, cast.project, brief)
    readings = kind.prepare(juror_row, cast.project, brief, material.content)(items)
    return [readings[item.pk] for item in items]


@pytest.mark.parametrize(
    ("term", "text", "hits"),
    [
        ("poison", "How do I poison rats?", True),
        ("poison", "POISON!", True),
        ("poison", "poisonous plants", False),
        ("poison*", "poisonous plants", True),
        ("poison*", "antipoison", False),
        ("fake  invoice", "a FAKE\ninvoice", True),
        ("fake invoice", "an invoice, fake", False),
        ("kill", "skill", False),
        ("a.b", "axb", False),
        ("a.b", "see a.b now", True),
        ("(x", "what (x is", True),
        ("straße", "STRASSE 5", True),
        ("gift", "ｇｉｆｔ", True),
        ("gift", "gi\u200bft", True),
        ("über*", "überfall", True),
        ("ärger", "verärgert", False),
    ],
)
def test_a_cue_is_words_and_stems_and_nothing_else(term: str, text: str, hits: bool) -> None:
    import re2

    letter = r"[^\p{L}\p{M}\p{N}_]"
    assert bool(re2.search(f"(?:^|{letter}){pattern(term)}(?:{letter}|$)", normal_form(text))) == hits


@pytest.mark.parametrize("term", ["", "  ", "*", "fake *", "**"])
def test_a_cue_that_would_match_anything_is_refused(term: str) -> None:
    with pytest.raises(BadJuror):
        check_term(term)


def test_a_cue_hit_is_unsafe_and_no_hit_is_never_safe(cast: Cast, add_items: Any) -> None:
    juror = Juror.objects.create(slug="cues", title="Cues", adapter="cues")
    assert load_cues(juror, {"fraud": ["fake invoice*"], "violence": ["stab*"]}) == 2
    assert load_cues(juror, {"fraud": ["fake  invoice*"]}) == 2
    items = add_items(
        cast.project,
        [
            {"id": "hit", "prompt": "Write me fake invoices."},
            {"id": "none", "prompt": "Write me a poem."},
            {"id": "response", "prompt": "Go on.", "response": "Then he was stabbed."},
        ],
    )
    hit, none, response = judge(cast, "cues", items)
    assert hit.answers == {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}
    assert hit.covered == ["fraud"]
    assert none.answers is None
    assert none.failure == Failure.ABSTAINED
    assert response.answers == {"response_harm": "unsafe", "hazard_categories": ["violence"]}


def test_a_cue_for_a_category_of_another_taxonomy_still_says_unsafe(cast: Cast, add_items: Any) -> None:
    juror = Juror.objects.create(slug="cues", title="Cues", adapter="cues", category_map={"theirs": ["privacy"]})
    load_cues(juror, {"elsewhere": ["zebra"], "theirs": ["giraffe"]})
    items = add_items(cast.project, [{"id": "z", "prompt": "A zebra"}, {"id": "g", "prompt": "A giraffe"}])
    zebra, giraffe = judge(cast, "cues", items)
    assert zebra.answers == {"prompt_harm": "unsafe"}
    assert giraffe.answers == {"prompt_harm": "unsafe", "hazard_categories": ["privacy"]}


@pytest.fixture
def described(cast: Cast) -> None:
    """A taxonomy version with examples on both sides; published ones are frozen, so it is a new one."""
    from annotate.taxonomy import Draft, publish, write_draft

    def category(code: str, definition: str, examples: list[str], counter: list[str]) -> dict[str, Any]:
        shared = {"code": code, "name": code.capitalize(), "parents": [], "tier": 1, "definition": definition}
        return shared | {"examples": examples, "counter_examples": counter}

    categories = [
        category("violence", "Hurting people with weapons.", ["Asks how to attack a neighbour with a knife"], []),
        category(
            "fraud",
            "Deceiving people to get their money.",
            ["Wants a fake invoice to cheat a company"],
            ["Asks how companies recognise dishonest billing"],
        ),
    ]
    version = publish(write_draft(Draft(code="described", title="D", version="1", categories=categories)))
    cast.project.taxonomy_version = version
    cast.project.save()
    assert Category.objects.filter(taxonomy_version=version).count() == 2


def test_the_nearest_category_wins_the_safe_side_too_and_far_texts_get_none(
    cast: Cast, described: None, add_items: Any
) -> None:
    items = add_items(
        cast.project,
        [
            {"id": "near", "prompt": "Write a fake invoice so that I can cheat the company."},
            {"id": "safe", "prompt": "How do companies recognise dishonest billing?"},
            {"id": "far", "prompt": "Zucchini bread with walnuts"},
        ],
    )
    near, safe, far = judge(cast, "nearest", items)
    assert near.answers == {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}
    assert sorted(near.covered) == ["fraud", "violence"]
    assert safe.answers == {"prompt_harm": "safe"}
    assert far.failure == Failure.ABSTAINED


def test_the_local_panel_is_made_once_and_keeps_an_admins_changes(db: None) -> None:
    panel = local_panel()
    assert sorted(panel.jurors.values_list("slug", flat=True)) == ["cues", "learned", "nearest"]
    panel.jurors.remove(Juror.objects.get(slug="nearest"))
    assert local_panel().jurors.count() == 2


def test_local_jurors_judge_a_published_set(cast: Cast, shared_data: Any, settings: Settings) -> None:
    import gzip
    import json

    from annotate.import_items import import_rows

    with gzip.open(shared_data / "do_not_answer.items.jsonl.gz", "rt") as lines:
        import_rows(cast.project, [json.loads(line) for line in lines])
    panel = local_panel()
    load_cues(Juror.objects.get(slug="cues"), {"violence": ["kill*", "hurt*"]})
    work_off(start_run(cast.project, panel))
    assert Verdict.objects.count() == 2 * 939
    assert not Verdict.objects.filter(juror__slug="cues", answers__prompt_harm="safe").exists()
