"""The form of the page on which a person says how they like to work, and what they want to be spared."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import TextChoices
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from annotate import keys
from annotate.models import Preferences

LOOK = ("language", "density")
WORK = ("auto_advance", "single_keys")
CARE = ("veil", "veiled", "break_after")
CAPS = ("severe_in_row", "severe_per_session", "severe_per_day")


def _radios(choices: type[TextChoices], label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=choices.choices, label=label, widget=forms.RadioSelect)


class PreferencesForm(forms.ModelForm):
    language = forms.ChoiceField(label=_("Language"), required=False)
    density = _radios(Preferences.Density, _("Density"))
    veil = _radios(Preferences.Veil, _("Veil over texts and images"))
    veiled = _radios(Preferences.Veiled, _("What the veil covers"))

    class Meta:
        model = Preferences
        fields = [*LOOK, *WORK, *CARE, *CAPS]
        labels = {
            "auto_advance": _("Submit by itself"),
            "single_keys": _("Single keys"),
            "break_after": _("Remind me of a break after"),
            "severe_in_row": _("Most strong items in a row"),
            "severe_per_session": _("Most strong items a sitting"),
            "severe_per_day": _("Most strong items a day"),
        }
        help_texts = {
            "single_keys": _("Off: only Enter and the arrows do something by themselves."),
            "severe_in_row": _("Counts where it is lower than the project's own limit; empty: the project's."),
            "severe_per_session": _("A sitting ends with half an hour without items."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        languages = forms.ChoiceField(
            choices=[("", _("as the browser asks")), *settings.LANGUAGES],
            label=_("Language"),
            required=False,
            widget=forms.Select(attrs={"dir": "auto"}),
        )
        self.fields["language"] = languages
        usual = keys.usable(self.instance.keys)
        for name, command in keys.COMMANDS.items():
            field = forms.CharField(max_length=1, required=False, strip=False, label=str(command.text))
            field.initial = usual[name]
            field.widget.attrs |= {"class": "key", "autocomplete": "off", "autocapitalize": "none"}
            self.fields[f"key_{name}"] = field

    def clean(self) -> dict[str, Any]:
        """Refuse a key of two commands, at the command that was changed."""
        cleaned: dict[str, Any] = super().clean() or {}
        chosen = {name: cleaned.get(f"key_{name}") or "" for name in keys.COMMANDS}
        own = {name: key for name, key in chosen.items() if key and key != keys.COMMANDS[name].key}
        try:
            merged = keys.merged(own)
        except keys.BadKeys as error:
            for name, problem in error.problems.items():
                self.add_error(f"key_{name}", problem)
        else:
            self.instance.keys = {name: merged[name] for name in own}
        return cleaned

    @property
    def caps_changed(self) -> bool:
        return not set(CAPS).isdisjoint(self.changed_data)

    def _these(self, names: tuple[str, ...]) -> list[BoundField]:
        return [self[name] for name in names]

    @property
    def look(self) -> list[BoundField]:
        return self._these(LOOK)

    @property
    def work(self) -> list[BoundField]:
        return self._these(WORK)

    @property
    def care(self) -> list[BoundField]:
        return self._these(CARE)

    @property
    def caps(self) -> list[BoundField]:
        return self._these(CAPS)

    @property
    def key_fields(self) -> list[BoundField]:
        return self._these(tuple(f"key_{name}" for name in keys.COMMANDS))
