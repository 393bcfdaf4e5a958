"""Taxonomies: write a draft, publish it for good, start the next version, load the ones that ship."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotate.chords import Named, NoKeysLeft, assign_chords
from annotate.errors import FrozenTaxonomy
from annotate.models import Category, CategoryMap, Taxonomy, TaxonomyVersion
from annotate.models.taxonomy import CategoryKind

SHIPPED = Path(__file__).resolve().parent / "taxonomies"
CATEGORY_FIELDS = (
    "code",
    "name",
    "kind",
    "tier",
    "definition",
    "examples",
    "counter_examples",
    "tags",
    "parents",
)


@dataclass(frozen=True, slots=True)
class Draft:
    code: str
    title: str
    version: str
    categories: Sequence[dict[str, Any]]
    source: str = ""
    follows: TaxonomyVersion | None = field(default=None)


@transaction.atomic
def write_draft(draft: Draft) -> TaxonomyVersion:
    """A new unpublished version with these categories.

    Raises:
        FrozenTaxonomy: this version exists and is published, or a parent's code is unknown.
    """
    known = {category["code"] for category in draft.categories}
    for category in draft.categories:
        missing = set(category.get("parents", ())) - known
        if missing:
            raise FrozenTaxonomy(f"{draft.code}: {category['code']} has an unknown parent {sorted(missing)[0]}.")
    taxonomy, _ = Taxonomy.objects.get_or_create(
        code=draft.code, defaults={"title": draft.title, "source": draft.source}
    )
    if taxonomy.versions.filter(version=draft.version).exists():
        raise FrozenTaxonomy(f"{draft.code} has a version {draft.version} already; name the next one.")
    version = TaxonomyVersion.objects.create(taxonomy=taxonomy, version=draft.version, follows=draft.follows)
    Category.objects.bulk_create(
        Category(
            taxonomy_version=version,
            position=position,
            **{name: category[name] for name in CATEGORY_FIELDS if name in category},
        )
        for position, category in enumerate(draft.categories)
    )
    return version


@transaction.atomic
def publish(version: TaxonomyVersion) -> TaxonomyVersion:
    """Freeze a draft (P10).

    Raises:
        FrozenTaxonomy: it is published already, has no category that an item could be given, a category
            with an unknown parent, or so many on one level that there are no keys for them.
    """
    version = TaxonomyVersion.objects.select_for_update().get(pk=version.pk)
    if version.published_at is not None:
        raise FrozenTaxonomy(f"{version} is published already; start a new version to change it.")
    if not version.categories.exclude(kind="group").exists():
        raise FrozenTaxonomy(f"{version} has no categories but groups; add some before publishing.")
    codes = set(version.categories.values_list("code", flat=True))
    for category in version.categories.all():
        unknown = sorted(set(category.parents) - codes)
        if unknown:
            raise FrozenTaxonomy(f"{version}: {category.code} has an unknown parent {unknown[0]}.")
    store_chords(version)
    version.digest = digest(version)
    version.published_at = timezone.now()
    version.save(update_fields=["digest", "published_at"])
    return version


def planned_chords(version: TaxonomyVersion) -> tuple[list[Named], dict[str, str]]:
    """A draft's categories that a person could choose or walk through, and the chords that it gets when published.

    Chords of the version that it follows stay where they are (by code), whatever the draft says; chords that the
    draft gives to new categories are taken if they are free.

    Raises:
        FrozenTaxonomy: there are so many on one level that there are no keys for them.
    """
    named = [as_named(category) for category in version.categories.all() if may_be_chosen(category)]
    own = {code: chord for code, chord in version.categories.values_list("code", "chord") if chord}
    before = {}
    if version.follows is not None:
        before = dict(version.follows.categories.values_list("code", "chord"))
    try:
        return named, assign_chords(named, own | before if any(before.values()) else own)
    except NoKeysLeft as error:
        raise FrozenTaxonomy(f"{version}: {error}") from error


def store_chords(version: TaxonomyVersion) -> None:
    """Give a draft's categories the keys that they will have for good; raises as `planned_chords` does."""
    _, chords = planned_chords(version)
    changed = []
    for category in version.categories.all():
        chord = chords.get(category.code, "")
        if category.chord != chord:
            category.chord = chord
            changed.append(category)
    Category.objects.bulk_update(changed, ["chord"])


def may_be_chosen(category: Category) -> bool:
    """Whether people choose it, or walk through it: not so the categories that say that nothing is wrong."""
    return category.code not in ("safe", "benign")


def as_named(category: Category) -> Named:
    return Named(category.code, category.name, tuple(category.parents), category.kind == CategoryKind.GROUP)


@lru_cache(maxsize=64)
def frozen_categories(version_id: int) -> tuple[Category, ...]:
    """The categories of a published version in order; kept by the process, since they never change (P10).

    Raises:
        FrozenTaxonomy: the version is still a draft.
    """
    if not TaxonomyVersion.objects.filter(pk=version_id, published_at__isnull=False).exists():
        raise FrozenTaxonomy(
            f"Taxonomy version {version_id} is a draft; publish it before items are judged by it."
        )
    return tuple(Category.objects.filter(taxonomy_version_id=version_id))


def codes_below(version_id: int, codes: Iterable[str]) -> set[str]:
    """These codes with those of every category below them, in a published version."""
    children: dict[str, list[str]] = {}
    for category in frozen_categories(version_id):
        for parent in category.parents:
            children.setdefault(parent, []).append(category.code)
    found: set[str] = set()
    waiting = list(codes)
    while waiting:
        code = waiting.pop()
        if code not in found:
            found.add(code)
            waiting.extend(children.get(code, ()))
    return found


def digest(version: TaxonomyVersion) -> str:
    """SHA-256 over the categories in order, as canonical JSON."""
    rows = list(version.categories.order_by("position", "id").values_list(*CATEGORY_FIELDS, "chord"))
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def start_next(version: TaxonomyVersion, name: str) -> TaxonomyVersion:
    """A draft that begins as a copy of a published version, with `kept` maps between the two.

    Raises:
        FrozenTaxonomy: there is a version of this name already, or the name is too long.
    """
    fields = (*CATEGORY_FIELDS, "chord")
    most = TaxonomyVersion._meta.get_field("version").max_length or 0
    if len(name) > most:
        raise FrozenTaxonomy(f"A version's name has at most {most} characters; rename {version} first.")
    if version.taxonomy.versions.filter(version=name).exists():
        raise FrozenTaxonomy(f"{version.taxonomy.code} has a version {name} already; name the next one.")
    following = TaxonomyVersion.objects.create(taxonomy=version.taxonomy, version=name, follows=version)
    olds = list(version.categories.order_by("position", "id"))
    news = Category.objects.bulk_create(
        Category(
            taxonomy_version=following,
            position=old.position,
            **{field_name: getattr(old, field_name) for field_name in fields},
        )
        for old in olds
    )
    CategoryMap.objects.bulk_create(
        CategoryMap(category=old, to_category=new, relation=CategoryMap.Relation.KEPT)
        for old, new in zip(olds, news, strict=True)
    )
    return following


@transaction.atomic
def load_shipped() -> list[TaxonomyVersion]:
    """Load and publish the taxonomies that ship, with their crosswalk; those already there stay as they are.

    Returns:
        The versions loaded now, in order of their files' names.
    """
    loaded = []
    for path in sorted(SHIPPED.glob("*.json")):
        described = json.loads(path.read_text(encoding="utf-8"))
        if "categories" not in described:
            continue
        if TaxonomyVersion.objects.filter(taxonomy__code=described["code"], version=described["version"]).exists():
            continue
        draft = Draft(
            code=described["code"],
            title=described["title"],
            version=described["version"],
            source=described["source"],
            categories=described["categories"],
        )
        loaded.append(publish(write_draft(draft)))
    if loaded:
        _load_crosswalk(SHIPPED / "crosswalk.json")
    return loaded


def _load_crosswalk(path: Path) -> None:
    """Pairs {"from", "from_code", "to", "to_code", "relation", "basis"} between shipped taxonomies."""
    categories = {
        (category.taxonomy_version.taxonomy.code, category.code): category
        for category in Category.objects.filter(taxonomy_version__follows=None).select_related(
            "taxonomy_version__taxonomy"
        )
    }
    pairs = json.loads(path.read_text(encoding="utf-8"))["pairs"]
    CategoryMap.objects.bulk_create(
        (
            CategoryMap(
                category=categories[pair["from"], pair["from_code"]],
                to_category=categories[pair["to"], pair["to_code"]],
                relation=pair["relation"],
                basis=pair["basis"],
            )
            for pair in pairs
        ),
        ignore_conflicts=True,
    )
