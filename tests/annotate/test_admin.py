"""Taxonomies in the admin pages: draft, publish, next version; a published one is only to be looked at (P10)."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from annotate.models import Category, Question, TaxonomyVersion
from annotate.taxonomy import start_next


@pytest.fixture
def admin(cast, client_for):
    return client_for(cast.admin)


def act(admin, action, version):
    return admin.post(
        reverse("admin:annotate_taxonomyversion_changelist"),
        {"action": action, "_selected_action": [version.pk]},
        follow=True,
    )


def test_a_next_version_is_started_changed_and_published(admin, taxonomy):
    assert "rename it" in act(admin, "start_next_versions", taxonomy).content.decode()
    draft = TaxonomyVersion.objects.get(follows=taxonomy)
    category = draft.categories.get(code="fraud")
    page = reverse("admin:annotate_category_change", args=[category.pk])
    sent = {"taxonomy_version": draft.pk, "code": "fraud", "name": "Fraud and scams", "kind": "hazard", "tier": 2}
    lists = {"examples": "[]", "counter_examples": "[]", "tags": "[]", "parents": "harm", "position": 2}
    assert admin.post(page, sent | lists).status_code == 302
    assert "is published" in act(admin, "publish_drafts", draft).content.decode()
    draft.refresh_from_db()
    assert draft.published_at is not None
    assert Category.objects.get(pk=category.pk).name == "Fraud and scams"
    assert taxonomy.categories.get(code="fraud").name == "Fraud"


def test_p10_a_published_version_can_only_be_looked_at(admin, taxonomy):
    category = taxonomy.categories.get(code="fraud")
    page = reverse("admin:annotate_category_change", args=[category.pk])
    assert admin.get(page).status_code == 200
    assert admin.post(page, {"name": "Other"}).status_code == 403
    assert admin.post(reverse("admin:annotate_category_delete", args=[category.pk])).status_code == 403
    version = reverse("admin:annotate_taxonomyversion_change", args=[taxonomy.pk])
    assert admin.get(version).status_code == 200
    assert admin.post(version, {"version": "9"}).status_code == 403


def test_p10_a_new_category_can_not_be_put_into_a_published_version(admin, taxonomy):
    sent = {"taxonomy_version": taxonomy.pk, "code": "new", "name": "New", "kind": "hazard", "tier": 1}
    lists = {"examples": "[]", "counter_examples": "[]", "tags": "[]", "parents": "", "position": 9}
    page = admin.post(reverse("admin:annotate_category_add"), sent | lists)
    assert page.status_code == 200
    assert "not one of the available choices" in page.content.decode()


def test_publishing_twice_says_so(admin, taxonomy):
    assert "published already" in act(admin, "publish_drafts", taxonomy).content.decode()


def test_a_project_can_only_be_given_a_published_version(admin, cast, taxonomy):
    draft = start_next(taxonomy, "2")
    page = admin.get(reverse("admin:annotate_project_change", args=[cast.project.pk])).content.decode()
    assert f'value="{taxonomy.pk}"' in page
    assert f'<option value="{draft.pk}">' not in page


@pytest.mark.parametrize(
    "wrong",
    [{"condition": ["x"]}, {"condition": {"question": "a"}}, {"condition": [{"question": "a"}]}, {"options": {}}],
)
def test_a_question_that_would_break_the_page_can_not_be_saved(cast, wrong):
    question = Question(project=cast.project, code="q", text="Q?", kind="choice", **wrong)
    with pytest.raises(ValidationError, match="must"):
        question.full_clean()


def test_admin_pages_are_for_staff(cast, client_for):
    assert client_for(cast.lead).get(reverse("admin:index")).status_code == 302


def test_an_editor_is_warned_of_a_crowd_and_of_a_product_in_one_list(admin, taxonomy):
    draft = start_next(taxonomy, "2")
    page = reverse("admin:annotate_taxonomyversion_change", args=[draft.pk])
    assert "children" not in admin.get(page).content.decode()
    names = [f"{verb} - {thing}" for verb in ("Selling", "Making") for thing in ("guns", "drugs", "bombs")]
    Category.objects.create(taxonomy_version=draft, code="trade", name="Trade", kind="group")
    Category.objects.bulk_create(
        Category(taxonomy_version=draft, code=name, name=name, parents=["trade"]) for name in names
    )
    Category.objects.bulk_create(
        Category(taxonomy_version=draft, code=f"c{n}", name=f"Hazard {n}", parents=["harm"]) for n in range(80)
    )
    seen = admin.get(page).content.decode()
    assert "Harm has 83 children" in seen
    assert "The 6 names under Trade are a product" in seen
    assert "categories need more than three keys" in seen
    assert "Harm has 83 children" in act(admin, "publish_drafts", draft).content.decode()
