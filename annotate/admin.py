from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from annotate.errors import FrozenTaxonomy
from annotate.models import (
    Annotation,
    Category,
    CategoryMap,
    Flag,
    Guideline,
    Membership,
    Project,
    Question,
    Source,
    Taxonomy,
    TaxonomyVersion,
    User,
)
from annotate.taxonomy import publish, start_next


class FrozenAdmin(admin.ModelAdmin):
    """Rows of a published taxonomy version can be looked at, never changed (P10)."""

    def version_of(self, row: object) -> TaxonomyVersion | None:
        return row if isinstance(row, TaxonomyVersion) else getattr(row, "taxonomy_version", None)

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        version = self.version_of(obj)
        return super().has_change_permission(request, obj) and (version is None or version.published_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        version = self.version_of(obj)
        return super().has_delete_permission(request, obj) and (version is None or version.published_at is None)


class CategoryInline(admin.TabularInline):
    model = Category
    fields = ("code", "name", "kind", "tier", "position", "parents", "definition")
    extra = 0
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: TaxonomyVersion | None = None) -> bool:
        return obj is not None and obj.published_at is None

    def has_change_permission(self, request: HttpRequest, obj: TaxonomyVersion | None = None) -> bool:
        return obj is not None and obj.published_at is None

    has_delete_permission = has_change_permission


@admin.register(TaxonomyVersion)
class TaxonomyVersionAdmin(FrozenAdmin):
    list_display = ("taxonomy", "version", "published_at", "follows")
    list_filter = ("taxonomy",)
    readonly_fields = ("published_at", "digest")
    inlines = (CategoryInline,)
    actions = ("publish_drafts", "start_next_versions")

    @admin.action(description="Publish: freeze for good")
    def publish_drafts(self, request: HttpRequest, versions: QuerySet[TaxonomyVersion]) -> None:
        for version in versions:
            try:
                publish(version)
            except FrozenTaxonomy as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{version.taxonomy.code} {version.version} is published.")

    @admin.action(description="Start the next version as a draft")
    def start_next_versions(self, request: HttpRequest, versions: QuerySet[TaxonomyVersion]) -> None:
        for version in versions:
            try:
                draft = start_next(version, f"{version.version}-next")
            except FrozenTaxonomy as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{draft}: rename it, change it, then publish it.")


@admin.register(Category)
class CategoryAdmin(FrozenAdmin):
    list_display = ("code", "name", "kind", "taxonomy_version")
    list_filter = ("taxonomy_version", "kind")
    search_fields = ("code", "name", "definition")

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **options: Any
    ) -> ModelChoiceField | None:
        """Only a draft takes new categories."""
        if db_field.name == "taxonomy_version":
            options["queryset"] = TaxonomyVersion.objects.filter(published_at=None)
        return super().formfield_for_foreignkey(db_field, request, **options)


class TaxonomyVersionInline(admin.TabularInline):
    model = TaxonomyVersion
    fields = ("version", "published_at")
    readonly_fields = ("published_at",)
    extra = 0
    show_change_link = True

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    has_delete_permission = has_change_permission


@admin.register(Taxonomy)
class TaxonomyAdmin(admin.ModelAdmin):
    list_display = ("code", "title")
    inlines = (TaxonomyVersionInline,)


class MembershipInline(admin.TabularInline):
    model = Membership
    fields = ("user", "role")
    raw_id_fields = ("user",)
    extra = 0


class QuestionInline(admin.TabularInline):
    model = Question
    fields = ("code", "text", "kind", "options", "ordinal", "part", "condition", "required", "position")
    extra = 0


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("slug", "title", "taxonomy_version", "overlap")
    inlines = (MembershipInline, QuestionInline)
    # These touch every item or label: the project's settings page changes all together.
    readonly_fields = ("overlap", "quorum", "voters")

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> tuple[str, ...]:
        """Labels are stamped with the project's taxonomy version, so it stays once anybody has judged by it."""
        judged = obj is not None and Annotation.objects.filter(item__project=obj).exists()
        return (*self.readonly_fields, "taxonomy_version") if judged else self.readonly_fields


@admin.register(User)
class JuryboxUserAdmin(UserAdmin):
    """Django's, with a filter for annotators that came with an import."""

    list_filter = ("is_staff", "is_active", "imported_into")


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    list_display = ("name", "project", "licence", "use", "withdrawn")
    list_filter = ("project", "use", "withdrawn")


@admin.register(Flag)
class FlagAdmin(admin.ModelAdmin):
    list_display = ("item_id", "reason", "created_at", "resolved_at")
    list_filter = ("reason", "item__project")
    raw_id_fields = ("item", "raised_by")


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(Guideline)
class GuidelineAdmin(ReadOnlyAdmin):
    list_display = ("project", "version", "published_at", "published_by")


@admin.register(CategoryMap)
class CategoryMapAdmin(admin.ModelAdmin):
    list_display = ("category", "relation", "to_category", "basis")
    list_filter = ("relation",)
    raw_id_fields = ("category", "to_category")
