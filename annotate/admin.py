from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotate.chord_steps import concerns
from annotate.errors import FrozenTaxonomy
from annotate.models import (
    Annotation,
    Category,
    CategoryMap,
    Flag,
    Guideline,
    Membership,
    OptOut,
    Preferences,
    Project,
    Question,
    Sitting,
    Source,
    Taxonomy,
    TaxonomyVersion,
    User,
)
from annotate.taxonomy import planned_chords, publish, start_next


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


def keys_warnings(version: TaxonomyVersion) -> list[str]:
    """What makes categories of the version slow to reach by keys, for its editor."""
    try:
        named, chords = planned_chords(version)
    except FrozenTaxonomy as error:
        return [str(error)]
    found = concerns(named, chords)
    top = _("the top level")
    warnings = [
        _("%(group)s has %(number)d children: more than people find at a glance. Split it into groups.")
        % {"group": name or top, "number": number}
        for name, number in found.crowded.items()
    ]
    warnings += [
        _(
            "The %(number)d names under %(group)s are a product (A - B) in one list. Give them two parents, a "
            "group for each half, and they become two short steps."
        )
        % {"group": name or top, "number": number}
        for name, number in found.unsplit.items()
    ]
    if found.long:
        text = ngettext(
            "%(number)d category needs more than three keys.",
            "%(number)d categories need more than three keys.",
            found.long,
        )
        warnings.append(text % {"number": found.long})
    return warnings


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

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> HttpResponse:
        page = super().change_view(request, object_id, *args, **options)
        version = self.get_object(request, object_id)
        if version is not None and version.published_at is None and request.method == "GET":
            for warning in keys_warnings(version):
                self.message_user(request, warning, messages.WARNING)
        return page

    @admin.action(description="Publish: freeze for good")
    def publish_drafts(self, request: HttpRequest, versions: QuerySet[TaxonomyVersion]) -> None:
        for version in versions:
            try:
                publish(version)
            except FrozenTaxonomy as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{version.taxonomy.code} {version.version} is published.")
                for warning in keys_warnings(version):
                    self.message_user(request, warning, messages.WARNING)

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

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        """What goes along with a person, without what is nobody else's business: not even how much there is."""
        rows, counts, permissions, protected = super().get_deleted_objects(objs, request)
        private = [model._meta for model in (OptOut, Preferences, Sitting)]
        starts = tuple(f"{capfirst(meta.verbose_name)}: " for meta in private)

        def public(listed: list[Any]) -> list[Any]:
            kept = [public(row) if isinstance(row, list) else row for row in listed]
            return [row for row in kept if row != [] and not str(row).startswith(starts)]

        plurals = {meta.verbose_name_plural for meta in private}
        kept_counts = {name: count for name, count in counts.items() if name not in plurals}
        return public(rows), kept_counts, permissions, protected


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
