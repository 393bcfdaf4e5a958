from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotate.models import Project
from curation.asked_questions import FILTERABLE, asked_questions
from curation.errors import RecipeRefused
from curation.recipe import check_questions, parse
from curation.saved_filter import resolve

DEFAULT_RECIPE = """\
labels: record            # record, human, jury or none
# filter: NAME          # a filter saved on the items page
# filters:
#   lang: en
#   label.prompt_harm: [safe, unsafe]
#   blocked: exclude
# balance: prompt_harm    # or lang, source, kind, meta.NAME; a list balances combinations
# per_cell: smallest      # or a number
test_share: 0.1
seed: 0
formats: [parquet, jsonl]
"""


class MixForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, strip=True)
    recipe = forms.CharField(
        label=_("Recipe"),
        required=False,
        strip=False,
        max_length=200_000,
        widget=forms.Textarea(
            attrs={"class": "code", "rows": 12, "spellcheck": "false", "translate": "no", "dir": "ltr"}
        ),
    )

    def __init__(self, *args: Any, project: Project, **more: Any) -> None:
        super().__init__(*args, **more)
        self._project = project

    def clean_recipe(self) -> str:
        text: str = self.cleaned_data["recipe"]
        try:
            asked = asked_questions(self._project)
            recipe = parse(text)
            check_questions(recipe, {q.code: q.options for q in asked if q.kind in FILTERABLE})
            resolve(self._project, recipe)
        except RecipeRefused as refused:
            raise forms.ValidationError(str(refused)) from refused
        return text
