"""A recipe's `filter`: the same items as on the list and in the queue, and no silent change of what was built."""

import json

import pytest

from annotate.assign import next_items
from annotate.filters import as_query, save
from annotate.models import Flag, Item, SavedFilter, User
from curation.errors import RecipeRefused
from curation.export import ask_for, keep_version, run
from curation.models import MixVersion
from curation.recipe import parse

ASKED = {"question": "prompt_harm", "value": "unsafe", "lang": ["en"], "flagged": False}


@pytest.fixture
def items(rows):
    """Sixty labelled items, every third unsafe; one of those in another language, one flagged."""
    found = rows.labelled(60)
    unsafe = [item for item in found if item.pk % 3 == 0]
    Item.objects.filter(pk=unsafe[0].pk).update(lang="fr")
    Flag.objects.create(item=unsafe[1], reason="broken")
    Item.objects.update(wanted=1)
    return found


@pytest.fixture
def saved(project, items, voter):
    return save(project, "unsafe-en", ASKED, voter)


def test_list_queue_and_export_give_the_same_items(project, items, saved, build, sides, client):
    admin = User.objects.create_user("admin", is_staff=True)
    client.force_login(admin)
    listed = [
        item.external_id
        for item in client.get("/projects/mixable/items/?" + as_query(saved.conditions))
        .context["page"]
        .object_list
    ]
    project.queue_filter = saved
    project.save()
    handed = []
    while got := next_items(User.objects.create_user(f"person{len(handed)}"), project, 10):
        handed += [assignment.item.external_id for assignment in got]
    manifest = build("filter: unsafe-en\n")
    assert len(listed) == 18
    assert sorted(listed) == sorted(handed) == sorted(sides())
    assert manifest["dropped"] == {"filtered_out.filter": 42}


def test_votes_of_people_and_jury_can_be_asked_for_in_the_snapshot(project, items, build):
    with pytest.raises(Exception, match=r"No item is left to export \(filtered_out.filter: 60\)"):
        build("filter: {question: prompt_harm, disagree: jury}\n")
    assert build("filter: {purpose: label}\n")["items"]["exported"] == 60


def test_a_changed_filter_makes_another_version_and_leaves_the_first(project, items, saved, voter, build):
    recipe = "filter: unsafe-en\n"
    mix = ask_for(project, "mix", recipe, voter).mix
    first = build(recipe)
    version = keep_version(mix, recipe, first)
    assert first["recipe"]["filter"] == {"name": "unsafe-en", "conditions": ASKED}
    save(project, "unsafe-en", {"question": "prompt_harm", "value": "safe"}, voter)
    second = build(recipe, "second")
    other = keep_version(mix, recipe, second)
    assert first["snapshot_digest"] != second["snapshot_digest"]
    assert (version.pk, other.pk) == tuple(MixVersion.objects.order_by("pk").values_list("pk", flat=True))
    assert MixVersion.objects.get(pk=version.pk).counts["filter"]["conditions"] == ASKED
    again = build("filter: " + json.dumps(version.counts["filter"]["conditions"]), "again")
    assert again["dataset_digest"] == first["dataset_digest"]
    assert again["snapshot_digest"] == first["snapshot_digest"]


def test_what_the_filter_finds_is_part_of_the_snapshot(project, items, saved, build):
    """A flag is on no row of the snapshot's items and labels."""
    first = build("filter: unsafe-en\n")
    Flag.objects.all().delete()
    assert build("filter: unsafe-en\n")["snapshot_digest"] != first["snapshot_digest"]


def test_p12_an_unknown_filter_is_named(project, items, saved, build, client):
    with pytest.raises(RecipeRefused, match="no saved filter 'unsafe-fr'; there are unsafe-en"):
        build("filter: unsafe-fr\n")
    with pytest.raises(RecipeRefused, match="value: maybe is not one of"):
        build("filter: {question: prompt_harm, value: maybe}\n")
    client.force_login(User.objects.create_user("admin", is_staff=True))
    page = client.post("/projects/mixable/mixes/", {"name": "m", "recipe": "filter: unsafe-fr\n"})
    assert "no saved filter" in page.content.decode()


@pytest.mark.parametrize("value", ["", "two words", "[a]", "{}", "{1: 2}", "3"])
def test_p12_what_is_no_filter_is_refused_with_its_line(value):
    with pytest.raises(RecipeRefused, match="Recipe, line 2, filter"):
        parse(f"seed: 1\nfilter: {value}\n")


def test_a_build_asked_for_by_page_uses_the_filter_as_it_stands_then(project, items, saved, voter):
    export = ask_for(project, "mix", "filter: unsafe-en\n", voter)
    run(export.pk)
    export.refresh_from_db()
    assert export.state == "done", export.message
    assert export.version.counts["items"]["exported"] == 18
    SavedFilter.objects.all().delete()
    late = ask_for(project, "mix", "filter: unsafe-en\n", voter)
    run(late.pk)
    late.refresh_from_db()
    assert (late.state, "no saved filter" in late.message) == ("failed", True)
