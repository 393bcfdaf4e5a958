from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from jury.adapters import ADAPTERS
from jury.defaults import check_term
from jury.errors import BadJuror
from jury.models import Cue, Juror, Panel, Run


class JurorForm(forms.ModelForm):
    adapter = forms.ChoiceField(choices=[(name, f"{name}: {kind.what}") for name, kind in ADAPTERS.items()])

    class Meta:
        model = Juror
        fields = "__all__"  # noqa: DJ007 an admin sees all of it


class CueForm(forms.ModelForm):
    class Meta:
        model = Cue
        fields = ("category", "term")

    def clean_term(self) -> str:
        try:
            return check_term(self.cleaned_data["term"])
        except BadJuror as problem:
            raise forms.ValidationError(str(problem)) from problem


class CueInline(admin.TabularInline):
    model = Cue
    form = CueForm
    extra = 3


@admin.register(Juror)
class JurorAdmin(admin.ModelAdmin):
    form = JurorForm
    list_display = ("title", "slug", "adapter", "model", "endpoint", "enabled")
    list_filter = ("adapter", "enabled")
    prepopulated_fields = {"slug": ("title",)}
    inlines = [CueInline]


@admin.register(Panel)
class PanelAdmin(admin.ModelAdmin):
    list_display = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    filter_horizontal = ("jurors",)


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):
    """Runs are what happened: to be read, not changed."""

    list_display = ("id", "project", "panel", "state", "started_by", "created_at", "finished_at")
    list_filter = ("state", "project")
    readonly_fields = ("project", "panel", "state", "notes", "started_by", "created_at", "finished_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
