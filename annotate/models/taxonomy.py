from django.contrib.postgres.fields import ArrayField
from django.db import models


class Taxonomy(models.Model):
    code = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    source = models.TextField(blank=True, help_text="Where the codes and names come from.")

    class Meta:
        verbose_name_plural = "taxonomies"

    def __str__(self) -> str:
        return self.title


class TaxonomyVersion(models.Model):
    """A draft, or published and frozen for good (a database trigger holds that: promise P10)."""

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=50)
    follows = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by"
    )
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["taxonomy", "version"], name="taxonomy_version_once")]

    def __str__(self) -> str:
        return f"{self.taxonomy.code} {self.version}{'' if self.published_at else ' (draft)'}"


class CategoryKind(models.TextChoices):
    GROUP = "group"
    HAZARD = "hazard"
    CATCH_ALL = "catch_all"
    NON_UNSAFE = "non_unsafe"


class Category(models.Model):
    """A hazard, or a group of them. The code is its identity for life; names never are."""

    taxonomy_version = models.ForeignKey(TaxonomyVersion, on_delete=models.CASCADE, related_name="categories")
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=300)
    kind = models.CharField(max_length=16, choices=CategoryKind, default=CategoryKind.HAZARD)
    tier = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveIntegerField(default=0)
    definition = models.TextField(blank=True)
    examples = models.JSONField(default=list, blank=True)
    counter_examples = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=list, blank=True)
    chord = models.CharField(max_length=8, blank=True)
    parents = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Codes of the parents in the same version; a leaf of a cross product has two.",
    )

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["taxonomy_version", "code"], name="category_code_once")]

    def __str__(self) -> str:
        return f"{self.code}: {self.name}"


class CategoryMap(models.Model):
    """How a category corresponds to one of another version or taxonomy."""

    class Relation(models.TextChoices):
        EXACT = "exact"
        CLOSE = "close"
        BROADER = "broader"
        NARROWER = "narrower"
        RELATED = "related"
        KEPT = "kept"
        RENAMED = "renamed"
        MERGED = "merged"
        SPLIT = "split"

    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="maps")
    to_category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="mapped_from")
    relation = models.CharField(max_length=16, choices=Relation)
    basis = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["category", "to_category"], name="category_map_once")]

    def __str__(self) -> str:
        return f"{self.category.code} {self.relation} {self.to_category.code}"
