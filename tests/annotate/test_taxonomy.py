"""P10: a published taxonomy version never changes; a stored label always knows its version."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from annotate.adjudicate import adjudicate
from annotate.errors import FrozenTaxonomy
from annotate.models import Category, Label, TaxonomyVersion
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
