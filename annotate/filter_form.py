"""The filter as fields of a form, and in words. `annotate.filters` reads and judges what is sent."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from annotate.answers import UNSURE, value_key
from annotate.filters import FLAGGED, Conditions
from annotate.models import Category, Flag, Item, Project, Severity, Source
from annotate.models.item import ItemKind, Purpose
from annotate.models.project import QuestionKind
from annotate.said import COMPARED, ONE_VALUE
from annotate.taxonomy import frozen_categories

# Conditions that only a figure's link sets; the form carries them along.
FROM_LINKS = ("id", "named", "confused", "people", "jury")
# Fields whose choices are the project's own words, in whatever language they are.
DATA = {"question", "value", "category", "lang", "source"}


class FilterForm(forms.Form):
    """Only shown, never bound: an address is read by `filters.read`, which refuses by condition."""

    def __init__(self, project: Project, conditions: Conditions) -> None:
        super().__init__(initial=_as_fields(conditions), auto_id="filter_%s")
        sources = Source.objects.filter(project=project).exclude(name="").order_by("name")
        languages = Item.objects.filter(project=project).exclude(lang="").order_by("lang").values_list("lang")
        questions = [question for question in project.asked_questions if question.kind in COMPARED]
        self._choice("state", _("Label"), _states())
        self._choice("question", _("Question"), [(q.code, q.text) for q in questions])
        self._choice("value", _("Its label is"), _values(project))
        if project.taxonomy_version_id:
            self._choice("category", _("Category, or one below it"), _categories(project))
        self._choice(
            "answered",
            _("Answered"),
            [("none", _("by nobody yet")), ("some", _("by some")), ("complete", _("by all who were asked"))],
        )
        self._choice(
            "disagree",
            _("Who disagrees"),
            [("people", _("people with each other")), ("jury", _("the jury with people"))],
        )
        self._choice("flagged", _("Flagged"), [("yes", _("yes")), ("no", _("no")), *Flag.Reason.choices])
        self.fields["id_contains"] = forms.CharField(label=_("Id contains"), required=False, max_length=200)
        self._choice("kind", _("Kind"), ItemKind.choices)
        self._choice("lang", _("Language"), [(lang, lang) for (lang,) in languages.distinct()])
        self._choice("source", _("Source"), [(name, name) for name in _unique(sources)])
        self._choice("severity", _("Notice"), Severity.choices)
        self._choice("purpose", _("Purpose"), [(purpose.value or "label", purpose.label) for purpose in Purpose])

    def _choice(self, name: str, label: str, choices: Any) -> None:
        if choices:
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=[("", _("any")), *choices],
                required=False,
                widget=forms.Select(attrs={"dir": "auto"} if name in DATA else {}),
            )


def _as_fields(conditions: Conditions) -> dict[str, Any]:
    """What each field shows; of a list of several values, which one field can't show, the first."""
    fields: dict[str, Any] = {}
    for key, value in conditions.items():
        if isinstance(value, bool):
            fields[key] = next(word for word, meaning in FLAGGED.items() if meaning is value)
        elif key == "value":
            fields[key] = value_key(value)
        else:
            fields[key] = value[0] if isinstance(value, list) else value
    return fields


def _states() -> list[tuple[str, str]]:
    return [("settled", _("settled")), ("contested", _("contested")), ("too_few", _("too few votes"))]


def _values(project: Project) -> list[tuple[str, list[tuple[str, str]]]]:
    """The values of each question with one value, under the question's text."""
    return [
        (
            question.text,
            [(value_key(o), _("unsure") if o == UNSURE else str(o)) for o in (*question.options, UNSURE)],
        )
        for question in project.asked_questions
        if question.kind in ONE_VALUE
    ]


def _categories(project: Project) -> list[tuple[str, str]]:
    version = project.taxonomy_version_id
    return [(category.code, category.name) for category in frozen_categories(version)] if version else []


def _unique(sources: Any) -> list[str]:
    return list(dict.fromkeys(sources.values_list("name", flat=True)))


def more_values(conditions: Conditions) -> list[tuple[str, str]]:
    """Conditions that no field shows, as (key, value) pairs for hidden fields."""
    return [
        (key, value_key(value) if key in ("people", "jury") else str(value))
        for key in FROM_LINKS
        if key in conditions
        for value in (conditions[key] if isinstance(conditions[key], list) else [conditions[key]])
    ]


def in_words(project: Project, conditions: Mapping[str, Any]) -> list[str]:
    """What only links can ask for, said for people."""
    version = project.taxonomy_version_id
    categories: tuple[Category, ...] = frozen_categories(version) if version else ()
    names = {category.code: category.name for category in categories}
    of_sets = {q.code for q in project.asked_questions if q.kind == QuestionKind.CATEGORIES}
    said = []
    for key in FROM_LINKS:
        if key in conditions:
            value = conditions[key]
            values = [names.get(str(one), str(one)) for one in (value if isinstance(value, list) else [value])]
            said.append(_words(key, values, conditions.get("question") in of_sets))
    return said


def _words(key: str, values: list[str], only: bool) -> str:
    texts = {
        "id": _("with the ids %(values)s"),
        "named": _("where somebody named: %(values)s"),
        "confused": _("where two people part over: %(values)s"),
        "people": _("only most people name: %(values)s") if only else _("most people say: %(values)s"),
        "jury": _("only the jury names: %(values)s") if only else _("the jury says: %(values)s"),
    }
    listed = values[:5] + (["…"] if len(values) > 5 else [])
    return texts[key] % {"values": ", ".join(listed)}
