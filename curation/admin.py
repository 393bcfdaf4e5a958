from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from curation.models import Export, Mix, MixVersion


class ReadOnly(admin.ModelAdmin):
    """Mixes are made on their page; here they can only be looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Mix)
class MixAdmin(ReadOnly):
    list_display = ["name", "project", "created_at"]


@admin.register(MixVersion)
class MixVersionAdmin(ReadOnly):
    list_display = ["mix", "dataset_digest", "created_at"]


@admin.register(Export)
class ExportAdmin(ReadOnly):
    list_display = ["id", "mix", "state", "attempts", "created_at", "finished_at"]
