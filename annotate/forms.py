"""Forms of the pages. Answers are read here into the contract's values; the contract judges them."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from annotate.answers import UNSURE, AskedQuestion
from annotate.errors import BadAnswers
from annotate.models import Flag, Project, Role, TaxonomyVersion, User
from annotate.questions import TEMPLATES
from annotate.rules import set_overlap, set_weighing
from annotate.submit import Submission

LONGEST_SECONDS = 24 * 3600.0


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
            problems[question.code] = "could not be read; choose again"
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
    if question.kind == "spans":
        return read[0] if read else None
    if question.kind in ("categories", "turns"):
        return read or None
    return read[0] if read else None


class SubmissionForm(forms.Form):
    """The part of a submit that isn't answers."""

    client_id = forms.UUIDField()
    taxonomy_version = forms.IntegerField(required=False)
    guideline = forms.IntegerField(required=False)
    seconds = forms.FloatField(required=False, min_value=0)

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
        )


class FlagForm(forms.Form):
    reason = forms.ChoiceField(choices=Flag.Reason.choices)
    note = forms.CharField(required=False, max_length=2000)


class NewProjectForm(forms.Form):
    slug = forms.SlugField(max_length=60, help_text="Short name in addresses and commands, such as guard-2026.")
    title = forms.CharField(max_length=200)
    template = forms.ChoiceField(choices=[(name, name) for name in TEMPLATES])
    taxonomy = forms.ChoiceField(required=False)
    overlap = forms.IntegerField(min_value=1, max_value=50, initial=3, help_text="Annotators for each item.")
    quorum = forms.IntegerField(min_value=1, max_value=50, initial=2, help_text="Fewest votes for a label.")
    voters = forms.ChoiceField(choices=Project.Voters.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = TaxonomyVersion.objects.filter(published_at__isnull=False).select_related("taxonomy")
        codes = {version.taxonomy.code: version.taxonomy.title for version in published}
        self.fields["taxonomy"] = forms.ChoiceField(choices=[("", "none"), *codes.items()], required=False)


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(choices=Role.choices)

    def clean_username(self) -> str:
        username = self.cleaned_data["username"]
        if not User.objects.filter(username=username, is_active=True).exists():
            raise forms.ValidationError(
                "Nobody signs in under this name. An admin adds people in the admin pages."
            )
        return str(username)


class GuidelineForm(forms.Form):
    text = forms.CharField(widget=forms.Textarea(attrs={"rows": 14}), max_length=50_000)


class RuleForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ["title", "overlap", "quorum", "voters"]

    def save(self, commit: bool = True) -> Project:
        """Overlap and weighing touch every item, so each has its verb."""
        project = self.instance
        Project.objects.filter(pk=project.pk).update(title=self.cleaned_data["title"])
        if "overlap" in self.changed_data:
            set_overlap(project, self.cleaned_data["overlap"])
        if {"quorum", "voters"} & set(self.changed_data):
            set_weighing(project, quorum=self.cleaned_data["quorum"], voters=self.cleaned_data["voters"])
        return project


class ImportForm(forms.Form):
    file = forms.FileField(help_text="JSONL, CSV or Parquet, also gzipped. Nothing is imported if a row is bad.")
    what = forms.ChoiceField(choices=[("items", "items"), ("annotations", "annotations made elsewhere")])
    map = forms.CharField(
        required=False,
        label="Other names",
        help_text="Their name = our name, separated by commas: question = prompt, uid = id.",
    )
    partial = forms.BooleanField(required=False, label="Import the good rows even if others are bad")

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is None or file.size > settings.MAX_UPLOAD_BYTES:
            most = settings.MAX_UPLOAD_BYTES // 1024 // 1024
            raise forms.ValidationError(
                f"The file has more than {most} MB. Split it, or import it on the server: manage.py import_items."
            )
        return file

    def clean_map(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in self.cleaned_data["map"].split(","))):
            theirs, separator, ours = (piece.strip() for piece in pair.partition("="))
            if not (theirs and separator and ours):
                raise forms.ValidationError(f"{pair!r} is not of the form their name = our name.")
            found[theirs] = ours
        return found
