"""Forms of the pages. Answers are read here into the contract's values; the contract judges them."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotate.adjudicate import Decision, Gap
from annotate.answers import UNSURE, AskedQuestion
from annotate.errors import BadAnswers
from annotate.models import Flag, Project, ReviewReason, Role, TaxonomyVersion, User
from annotate.questions import TEMPLATES
from annotate.rules import set_overlap, set_weighing
from annotate.submit import Submission
from annotate.taxonomy import frozen_categories

LONGEST_SECONDS = 24 * 3600.0
TEMPLATE_NAMES = {
    "prompt-response": _("a prompt and its response"),
    "dialogue": _("a dialogue"),
    "plain": _("none: I add my own"),
}


def read_answers(sent: QueryDict, questions: Iterable[AskedQuestion], item_kind: str) -> dict[str, Any]:
    """The posted answers, each field `answer_CODE` holding JSON; answers to questions not asked are dropped.

    Raises:
        BadAnswers: a field that is not JSON.
    """
    questions = list(questions)
    answers: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for question in questions:
        try:
            value = _read(sent, question)
        except (ValueError, RecursionError):
            problems[question.code] = gettext("could not be read; choose again")
        else:
            if value is not None:
                answers[question.code] = value
    if problems:
        raise BadAnswers(problems)
    return {q.code: answers[q.code] for q in questions if q.code in answers and q.is_asked(answers, item_kind)}


def _read(sent: QueryDict, question: AskedQuestion) -> Any:
    values = [value for value in sent.getlist(f"answer_{question.code}") if value != ""]
    if question.kind == "text":
        return values[0] if values else None
    read = [json.loads(value) for value in values]
    if UNSURE in read:
        return UNSURE
    if question.kind == "turns" and question.options:
        return _turn_options(sent, question.code) or (read[0] if read else None)
    if question.kind == "spans":
        return read[0] if read else None
    if question.kind in ("categories", "turns"):
        return read or None
    return read[0] if read else None


def _turn_options(sent: QueryDict, code: str) -> dict[str, Any]:
    """Turn number to option, from fields `answer_CODE.NUMBER`: radio buttons need a name for each turn."""
    start = f"answer_{code}."
    named = {name.removeprefix(start): str(sent[name]) for name in sent if name.startswith(start)}
    return {turn: json.loads(value) for turn, value in named.items() if value != ""}


class SubmissionForm(forms.Form):
    """The part of a submit that isn't answers."""

    client_id = forms.UUIDField()
    taxonomy_version = forms.IntegerField(required=False)
    guideline = forms.IntegerField(required=False)
    seconds = forms.FloatField(required=False, min_value=0)
    repeat = forms.IntegerField(required=False, min_value=0, max_value=9999)
    veil = forms.CharField(required=False, max_length=20)

    def submission(self, answers: dict[str, Any]) -> Submission:
        """The verb's argument; call after `is_valid`."""
        client_id, seconds = self.cleaned_data["client_id"], self.cleaned_data["seconds"]
        if not isinstance(client_id, UUID):
            raise TypeError("client_id must be cleaned first")
        return Submission(
            client_id=client_id,
            answers=answers,
            taxonomy_version_id=self.cleaned_data["taxonomy_version"],
            guideline_id=self.cleaned_data["guideline"],
            # A page left open over night says nothing of the time on the item.
            seconds=None if seconds is None else min(seconds, LONGEST_SECONDS),
            repeat=self.cleaned_data["repeat"] or 0,
            veil=self.cleaned_data["veil"],
        )


class FlagForm(forms.Form):
    reason = forms.ChoiceField(choices=Flag.Reason.choices)
    note = forms.CharField(required=False, max_length=2000)
    client_id = forms.UUIDField(required=False)


class ReviewForm(forms.Form):
    """The part of a reviewer's decision that isn't answers."""

    client_id = forms.UUIDField()
    reason = forms.ChoiceField(choices=[("", ""), *ReviewReason.choices], required=False)
    rationale = forms.CharField(required=False, max_length=5000)
    gap = forms.BooleanField(required=False)
    gap_category = forms.CharField(required=False, max_length=100)
    gap_note = forms.CharField(required=False, max_length=2000)

    def decision(self, answers: dict[str, Any]) -> Decision:
        """The verb's argument; call after `is_valid`."""
        sent = self.cleaned_data
        gap = Gap(sent["gap_category"], sent["gap_note"]) if sent["gap"] else None
        return Decision(sent["client_id"], answers, sent["reason"], sent["rationale"], gap)


class NewProjectForm(forms.Form):
    slug = forms.SlugField(
        label=_("Slug"), max_length=60, help_text=_("Short name in addresses and commands, such as guard-2026.")
    )
    title = forms.CharField(label=_("Title"), max_length=200)
    template = forms.ChoiceField(
        label=_("Questions"), choices=[(name, TEMPLATE_NAMES[name]) for name in TEMPLATES]
    )
    taxonomy = forms.ChoiceField(label=_("Taxonomy"), required=False)
    overlap = forms.IntegerField(
        label=_("Overlap"), min_value=1, max_value=50, initial=3, help_text=_("Annotators for each item.")
    )
    quorum = forms.IntegerField(
        label=_("Quorum"), min_value=1, max_value=50, initial=2, help_text=_("Fewest votes for a label.")
    )
    voters = forms.ChoiceField(label=_("Voters"), choices=Project.Voters.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = TaxonomyVersion.objects.filter(published_at__isnull=False).select_related("taxonomy")
        codes = {version.taxonomy.code: version.taxonomy.title for version in published}
        self.fields["taxonomy"] = forms.ChoiceField(
            label=_("Taxonomy"),
            choices=[("", _("none")), *codes.items()],
            required=False,
            widget=forms.Select(attrs={"dir": "auto"}),
        )


class MemberForm(forms.Form):
    username = forms.CharField(label=_("Username"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)

    def clean_username(self) -> str:
        username = self.cleaned_data["username"]
        if not User.objects.filter(username=username, is_active=True).exists():
            raise forms.ValidationError(
                _("Nobody signs in under this name. An admin adds people in the admin pages.")
            )
        return str(username)


class GuidelineForm(forms.Form):
    text = forms.CharField(
        label=_("Text"), widget=forms.Textarea(attrs={"rows": 14, "dir": "auto"}), max_length=50_000
    )
    changes = forms.CharField(
        label=_("What changed"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        max_length=5_000,
        help_text=_("A few words; everybody sees them beside their work until they have noticed."),
    )


class RuleForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = [
            "title",
            "overlap",
            "quorum",
            "voters",
            "contested_to",
            "exposure_policy",
            "blind_share",
            "gold_rate",
            "repeat_rate",
            "pass_mark",
        ]
        labels = {
            "title": _("Title"),
            "overlap": _("Overlap"),
            "quorum": _("Quorum"),
            "voters": _("Voters"),
            "blind_share": _("Blind share"),
            "gold_rate": _("Gold rate"),
            "repeat_rate": _("Repeat rate"),
            "pass_mark": _("Pass mark"),
        }
        help_texts = {
            "overlap": _("How many annotators each item gets."),
            "quorum": _("The fewest valid votes that may settle a label."),
        }

    def save(self, commit: bool = True) -> Project:
        """Overlap and weighing touch every item, so each has its verb."""
        project = self.instance
        plain = set(self.Meta.fields) - {"overlap", "quorum", "voters"}
        Project.objects.filter(pk=project.pk).update(**{name: self.cleaned_data[name] for name in plain})
        if "overlap" in self.changed_data:
            set_overlap(project, self.cleaned_data["overlap"])
        if {"quorum", "voters"} & set(self.changed_data):
            set_weighing(project, quorum=self.cleaned_data["quorum"], voters=self.cleaned_data["voters"])
        return project


class CareForm(forms.ModelForm):
    """What protects the people of a project: limits for strong items, and where they find help."""

    class Meta:
        model = Project
        fields = [
            "severe_in_row",
            "severe_per_session",
            "severe_per_day",
            "severe_categories",
            "jury_informs_care",
            "care_note",
        ]
        labels = {
            "severe_in_row": _("Severe items in a row"),
            "severe_per_session": _("Severe items a sitting"),
            "severe_per_day": _("Severe items a day"),
            "severe_categories": _("Severe categories"),
            "jury_informs_care": _("The jury informs the limits"),
            "care_note": _("Where to find help"),
        }
        widgets = {"care_note": forms.Textarea(attrs={"rows": 5, "dir": "auto"})}

    def clean_severe_categories(self) -> list[str]:
        """Only codes of the project's taxonomy: a mistyped one would protect nobody."""
        codes: list[str] = self.cleaned_data["severe_categories"]
        version = self.instance.taxonomy_version_id
        known = {category.code for category in frozen_categories(version)} if version else set()
        unknown = [code for code in codes if code not in known]
        if unknown:
            raise forms.ValidationError(_("The taxonomy has no category %s.") % unknown[0])
        return list(dict.fromkeys(codes))

    def save(self, commit: bool = True) -> Project:
        """These fields alone, so that nothing saved meanwhile is undone."""
        values = {name: self.cleaned_data[name] for name in self.Meta.fields}
        Project.objects.filter(pk=self.instance.pk).update(**values)
        return self.instance


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File"), help_text=_("JSONL, CSV or Parquet, also gzipped. Nothing is imported if a row is bad.")
    )
    what = forms.ChoiceField(
        label=_("What"), choices=[("items", _("items")), ("annotations", _("annotations made elsewhere"))]
    )
    map = forms.CharField(
        required=False,
        label=_("Other names"),
        help_text=_("Their name = our name, separated by commas: question = prompt, uid = id."),
    )
    partial = forms.BooleanField(required=False, label=_("Import the good rows even if others are bad"))

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is None or file.size > settings.MAX_UPLOAD_BYTES:
            most = settings.MAX_UPLOAD_BYTES // 1024 // 1024
            raise forms.ValidationError(
                _("The file has more than %s MB. Split it, or import it on the server: manage.py import_items.")
                % most
            )
        return file

    def clean_map(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in self.cleaned_data["map"].split(","))):
            theirs, separator, ours = (piece.strip() for piece in pair.partition("="))
            if not (theirs and separator and ours):
                raise forms.ValidationError(_("%s is not of the form their name = our name.") % repr(pair))
            found[theirs] = ours
        return found
