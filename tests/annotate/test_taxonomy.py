"""P10: a published taxonomy version never changes; a stored label always knows its version."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from threading import Event
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from annotate.adjudicate import adjudicate
from annotate.errors import FrozenTaxonomy
from annotate.models import Category, Label, Project, TaxonomyVersion
from annotate.picker import picker_address, picker_data
from annotate.taxonomy import Draft, digest, publish, start_next, write_draft


def refused():
    return pytest.raises(IntegrityError, match="published and frozen")


def test_p10_no_road_changes_a_published_version(taxonomy):
    category = taxonomy.categories.get(code="fraud")
    before = digest(taxonomy)
    with refused(), transaction.atomic():
        Category.objects.filter(pk=category.pk).update(name="Other")
    with refused(), transaction.atomic():
        category.delete()
    with refused(), transaction.atomic():
        Category.objects.create(taxonomy_version=taxonomy, code="new", name="New")
    with refused(), transaction.atomic():
        TaxonomyVersion.objects.filter(pk=taxonomy.pk).update(published_at=None)
    with refused(), transaction.atomic():
        TaxonomyVersion.objects.filter(pk=taxonomy.pk).delete()
    assert digest(taxonomy) == before == taxonomy.digest


def test_p10_a_category_can_not_be_moved_into_a_published_version(taxonomy):
    draft = start_next(taxonomy, "2")
    moved = Category.objects.create(taxonomy_version=draft, code="moved", name="Moved")
    with refused(), transaction.atomic():
        Category.objects.filter(pk=moved.pk).update(taxonomy_version=taxonomy)


def test_the_next_version_is_a_draft_that_may_change(taxonomy):
    draft = start_next(taxonomy, "2")
    assert draft.published_at is None
    assert draft.categories.count() == taxonomy.categories.count()
    draft.categories.filter(code="fraud").update(name="Fraud and scams")
    publish(draft)
    assert taxonomy.categories.get(code="fraud").name == "Fraud"


def test_publishing_twice_or_nothing_is_refused(taxonomy):
    with pytest.raises(FrozenTaxonomy, match="published already"):
        publish(taxonomy)
    groups = write_draft(Draft("empty", "Empty", "1", [{"code": "g", "name": "G", "kind": "group"}]))
    with pytest.raises(FrozenTaxonomy, match="no categories"):
        publish(groups)


@pytest.mark.django_db(transaction=True)
def test_p10_a_change_under_way_is_in_the_digest_or_refused(taxonomy):
    draft = start_next(taxonomy, "2")
    changed, publishing = Event(), Event()

    def change():
        with transaction.atomic():
            Category.objects.filter(taxonomy_version=draft, code="fraud").update(name="Changed meanwhile")
            changed.set()
            publishing.wait(1)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        changed.wait(5)
        publish(draft)
        changing.result()
    draft.refresh_from_db()
    assert digest(draft) == draft.digest


def test_a_draft_with_an_unknown_parent_is_not_published(taxonomy):
    draft = start_next(taxonomy, "2")
    draft.categories.filter(code="fraud").update(parents=["typo"])
    with pytest.raises(FrozenTaxonomy, match="fraud has an unknown parent typo"):
        publish(draft)


def test_an_unknown_parent_is_refused(db):
    with pytest.raises(FrozenTaxonomy, match="unknown parent nowhere"):
        write_draft(Draft("bad", "Bad", "1", [{"code": "a", "name": "A", "parents": ["nowhere"]}]))


def test_p10_a_label_of_a_project_with_a_taxonomy_knows_its_version(cast, add_items):
    [item] = add_items(cast.project, [{"id": "a", "prompt": "text"}])
    adjudicate(cast.reviewer, item, "", {"prompt_harm": "unsafe", "hazard_categories": ["fraud"]}, uuid4())
    versions = set(Label.objects.values_list("taxonomy_version_id", flat=True))
    assert versions == {cast.project.taxonomy_version_id}


def test_the_shipped_taxonomies_load_once(db):
    call_command("load_taxonomies")
    first = dict(TaxonomyVersion.objects.values_list("taxonomy__code", "digest"))
    call_command("load_taxonomies")
    assert dict(TaxonomyVersion.objects.values_list("taxonomy__code", "digest")) == first
    assert set(first) == {"aegis_2", "air_2024", "llama_guard_3", "wildguard"}
    leaves = Category.objects.filter(taxonomy_version__taxonomy__code="air_2024", tier=4)
    assert leaves.count() == 314
    assert leaves.filter(parents__len=2).count() == 132


def chords_of(version):
    return dict(version.categories.exclude(chord="").values_list("code", "chord"))


def test_publishing_stores_the_key_chords(taxonomy):
    assert chords_of(taxonomy) == {"violence": "v", "fraud": "f", "privacy": "p"}


def test_g2_keys_stay_in_the_next_version_whatever_the_draft_says(taxonomy):
    draft = start_next(taxonomy, "2")
    draft.categories.filter(code="fraud").update(name="Scams", chord="", position=0)
    draft.categories.filter(code="privacy").update(chord="q")
    new = {"taxonomy_version": draft, "parents": ["harm"], "position": 1}
    Category.objects.create(code="piracy", name="Piracy", **new)
    Category.objects.create(code="own", name="Own", chord="b", **new)
    publish(draft)
    assert chords_of(draft) == chords_of(taxonomy) | {"piracy": "i", "own": "b"}


def test_categories_that_say_that_nothing_is_wrong_take_no_key(db):
    call_command("load_taxonomies")
    for code, none in (("aegis_2", "safe"), ("wildguard", "benign")):
        categories = Category.objects.filter(taxonomy_version__taxonomy__code=code).exclude(kind="group")
        assert list(categories.filter(chord="").values_list("code", flat=True)) == [none]


def test_a_level_without_a_key_left_is_not_published(db):
    rows = [{"code": f"c{number}", "name": f"Hazard {number}"} for number in range(201)]
    draft = write_draft(Draft("crowd", "Crowd", "1", rows))
    with pytest.raises(FrozenTaxonomy, match="no key left for 'Hazard 200'"):
        publish(draft)


@contextmanager
def unfrozen():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE annotate_category DISABLE TRIGGER category_is_frozen")
        yield
        cursor.execute("ALTER TABLE annotate_category ENABLE TRIGGER category_is_frozen")


@pytest.mark.django_db(transaction=True)
def test_the_migration_gives_chords_to_versions_published_before_there_were_any(taxonomy):
    draft = start_next(taxonomy, "2")
    draft.categories.filter(code="fraud").update(name="Scams")
    Category.objects.create(taxonomy_version=draft, code="piracy", name="Piracy", parents=["harm"])
    following = publish(draft)
    unpublished = start_next(following, "3")
    expected = {version.pk: chords_of(version) for version in (taxonomy, following)}
    with unfrozen():
        Category.objects.update(chord="")
    migration = import_module("annotate.migrations.0004_chords")
    with connection.schema_editor() as editor:
        migration.fill_chords(apps, editor)
    assert {version.pk: chords_of(version) for version in (taxonomy, following)} == expected
    assert chords_of(unpublished) == {}
    before = following.digest
    following.refresh_from_db()
    assert following.digest == before
    with refused(), transaction.atomic():
        taxonomy.categories.update(chord="")


def picker_address_of(cast):
    return picker_address(Project.objects.get(pk=cast.project.pk))


def test_the_picker_gets_the_categories_to_keep_for_good(cast, client_for):
    answer = client_for(cast.annotator).get(picker_address_of(cast))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    content = answer.json()
    assert [(one["code"], one["chord"]) for one in content["categories"]] == [
        ("harm", ""),
        ("violence", "v"),
        ("fraud", "f"),
        ("privacy", "p"),
    ]
    assert content["steps"] == [["v", "Violence"], ["f", "Fraud"], ["p", "Privacy"]]
    assert content["categories"][1] == {
        "code": "violence",
        "name": "Violence",
        "definition": "Hurting people.",
        "examples": [],
        "counter_examples": [],
        "chord": "v",
        "parents": ["harm"],
        "kind": "hazard",
    }


def test_the_picker_gets_no_version_but_the_projects_and_no_content_but_the_newest(cast, client_for, taxonomy):
    client = client_for(cast.annotator)
    content_hash = picker_data(taxonomy.pk).content_hash
    following = publish(start_next(taxonomy, "2"))
    for version_id, wanted in ((following.pk, content_hash), (taxonomy.pk, "0" * 16), (999_999, content_hash)):
        assert client.get(reverse("taxonomy", args=["guard", version_id, wanted])).status_code == 404
    assert client_for(cast.stranger).get(picker_address_of(cast)).status_code == 404


def test_the_address_of_the_picker_changes_with_the_content(taxonomy):
    draft = start_next(taxonomy, "2")
    draft.categories.filter(code="fraud").update(definition="Otherwise.")
    changed = publish(draft)
    same = publish(start_next(taxonomy, "3"))
    assert picker_data(changed.pk).content_hash != picker_data(taxonomy.pk).content_hash
    assert picker_data(same.pk).content_hash == picker_data(taxonomy.pk).content_hash
